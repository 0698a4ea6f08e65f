import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { segmentContributions } from "../src/index.ts";

const rate = (events: number, rows: number) => ({ events, rows });
const count = fc.integer({ min: 0, max: 10_000 });

describe("segmentContributions", () => {
  it("adds up to the change, whatever the segments", () => {
    const segment = fc.record({
      before: count,
      after: count,
      p: fc.double({ min: 0, max: 1, noNaN: true }),
      q: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (rows) => {
        const n = rows.reduce((sum, { before }) => sum + before, 0);
        const m = rows.reduce((sum, { after }) => sum + after, 0);
        fc.pre(n > 0 && m > 0);
        const found = segmentContributions(
          rows.map(({ before, after, p, q }, index) => ({
            name: `s${index}`,
            referenceShare: before / n,
            liveShare: after / m,
            reference: rate(p * before, before),
            live: rate(q * after, after),
          })),
        );
        const before = rows.reduce((sum, one) => sum + one.p * one.before, 0) / n;
        const after = rows.reduce((sum, one) => sum + one.q * one.after, 0) / m;
        const total = found.reduce((sum, { contribution }) => sum + contribution, 0);
        expect(total).toBeCloseTo(after - before, 9);
        for (const { contribution, mix, within } of found) {
          expect(contribution).toBeCloseTo(mix + within, 12);
        }
      }),
    );
  });

  it("charges a segment that changes, and none that stays", () => {
    const [first, second] = segmentContributions([
      {
        name: "eu",
        referenceShare: 0.5,
        liveShare: 0.5,
        reference: rate(50, 100),
        live: rate(50, 100),
      },
      {
        name: "us",
        referenceShare: 0.5,
        liveShare: 0.5,
        reference: rate(50, 100),
        live: rate(90, 100),
      },
    ]);
    expect(first?.name).toBe("us");
    expect(first?.within).toBeCloseTo(0.2, 12);
    expect(first?.mix).toBeCloseTo(0, 12);
    expect(second?.contribution).toBeCloseTo(0, 12);
  });

  it("charges the mix where only that has changed, each segment for what is special about it", () => {
    const share = { reference: rate(0, 100), live: rate(0, 100) };
    const other = { reference: rate(100, 100), live: rate(100, 100) };
    const found = segmentContributions([
      { name: "monthly", referenceShare: 0.2, liveShare: 0.8, ...other },
      { name: "yearly", referenceShare: 0.8, liveShare: 0.2, ...share },
    ]);
    expect(found.map(({ name, mix, within }) => [name, mix.toFixed(6), within])).toEqual([
      ["monthly", "0.300000", 0],
      ["yearly", "0.300000", 0],
    ]);
  });

  it("counts a segment that is new, or gone, as the one side of it that is known", () => {
    const found = segmentContributions([
      {
        name: "old",
        referenceShare: 1,
        liveShare: 0.5,
        reference: rate(20, 100),
        live: rate(10, 50),
      },
      { name: "new", referenceShare: 0, liveShare: 0.5, reference: undefined, live: rate(50, 50) },
    ]);
    const total = found.reduce((sum, { contribution }) => sum + contribution, 0);
    expect(total).toBeCloseTo(0.6 - 0.2, 12);
    expect(found.every(({ within }) => within === 0)).toBe(true);
    expect(segmentContributions([])).toEqual([]);
  });

  it("refuses shares that are none", () => {
    const segment = { name: "x", liveShare: 0, reference: undefined, live: undefined };
    expect(() => segmentContributions([{ ...segment, referenceShare: 2 }])).toThrow("share 2");
  });
});
