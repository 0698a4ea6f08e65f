import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GridSummary, ReferenceGrid, SummaryFormatError } from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const random = seededRandom(10);
const grid = ReferenceGrid.fromSample(draws(5000, random.normal));
const value = fc.oneof(
  fc.double({ min: -5, max: 5, noNaN: true }),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0),
);
const stream = fc.array(value, { maxLength: 300 });

function summaryOf(values: readonly number[]): GridSummary {
  const summary = new GridSummary(grid);
  for (const x of values) summary.add(x);
  return summary;
}

function expectSame(a: GridSummary, b: GridSummary): void {
  expect(a.counts).toEqual(b.counts);
  expect([a.count, a.invalid, a.missing]).toEqual([b.count, b.invalid, b.missing]);
  expect([a.min, a.max]).toEqual([b.min, b.max]);
  expect(a.sum).toBeCloseTo(b.sum, 9);
  expect(a.sumSquares).toBeCloseTo(b.sumSquares, 9);
}

describe("GridSummary", () => {
  it("merges into exactly what the concatenated stream gives, in any order", () => {
    fc.assert(
      fc.property(stream, stream, stream, (a, b, c) => {
        const whole = summaryOf([...a, ...b, ...c]);
        const left = summaryOf(a);
        left.merge(summaryOf(b));
        left.merge(summaryOf(c));
        expectSame(left, whole);
        const right = summaryOf(c);
        right.merge(summaryOf(a));
        right.merge(summaryOf(b));
        expectSame(right, whole);
      }),
    );
  });

  it("adds many as it adds one by one, over a half-open range", () => {
    fc.assert(
      fc.property(stream, (values) => {
        const many = new GridSummary(grid);
        many.addMany(Float64Array.from([1, ...values, 2]), 1, values.length + 1);
        expectSame(many, summaryOf(values));
      }),
    );
  });

  it("adds many as one by one across blocks, whatever is not finite, on float32 grids too", () => {
    const law = [random.normal, () => 1e200 * random.normal(), () => 1 / random.uniform() ** 3];
    for (const [i, float32] of [false, true, false].entries()) {
      const values = draws(2000, law[i] as () => number);
      const wide = ReferenceGrid.fromSample(
        values.map((x) => (float32 ? x / 1e200 : x)),
        { float32 },
      );
      for (const at of [3, 700, 701, 1999]) values[at] = [Number.NaN, Infinity][at % 2] as number;
      const many = new GridSummary(wide);
      many.addMany(values, 1, 1999);
      const single = new GridSummary(wide);
      for (const x of values.subarray(1, 1999)) single.add(x);
      expect(many.counts).toEqual(single.counts);
      const facts = (s: GridSummary) => [s.count, s.invalid, s.min, s.max];
      expect(facts(many)).toEqual(facts(single));
    }
  });

  it("counts few values as it counts many, however they come, and copies itself", () => {
    const bins = grid.edges.length + 1;
    const parts = fc.array(
      fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { maxLength: 20 }),
    );
    fc.assert(
      fc.property(parts, fc.integer({ min: 0, max: 3 }), (arrived, way) => {
        const found = new GridSummary(grid);
        const expected = Array.from({ length: bins }, () => 0);
        for (const [at, values] of arrived.entries()) {
          for (const x of values) {
            const bin = grid.edges.findIndex((edge) => x <= edge);
            expected[bin < 0 ? bins - 1 : bin] = (expected[bin < 0 ? bins - 1 : bin] as number) + 1;
          }
          if ((at + way) % 3 === 0) found.merge(summaryOf(values));
          else if ((at + way) % 3 === 1) found.addMany(Float64Array.from(values));
          else for (const x of values) found.add(x);
          if (way === 3 && at === 1) expect([...found.counts]).toEqual(expected);
        }
        expect([...found.readCounts()]).toEqual(expected);
        const copy = found.clone();
        const read = GridSummary.deserialise(grid, found.serialise());
        for (const one of [found, copy, read]) expect([...one.counts]).toEqual(expected);
        found.reset();
        expect([...found.readCounts(), found.count]).toEqual([...expected.fill(0), 0]);
      }),
    );
  });

  it("counts null as missing and not as 0", () => {
    const summary = new GridSummary(grid);
    for (const x of [null, undefined, "7" as unknown as number]) summary.add(x);
    expect([summary.count, summary.missing, summary.invalid]).toEqual([0, 2, 1]);
  });

  it("gives back a value whose rank is the one asked for", () => {
    const summary = new GridSummary(grid);
    summary.addMany(draws(20_000, random.normal));
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (q) => {
        // To within the largest bin, between whose edges a rank is interpolated.
        const largest = Math.max(...summary.counts) / summary.count;
        expect(Math.abs(summary.rank(summary.quantile(q)) - q)).toBeLessThanOrEqual(largest);
      }),
    );
  });

  it("reads back what it wrote, in at most 2 KB for a million values", () => {
    fc.assert(
      fc.property(stream, fc.nat(), (values, missing) => {
        const summary = summaryOf(values);
        summary.addMissing(missing);
        const back = GridSummary.deserialise(grid, summary.serialise());
        expect(back.serialise()).toEqual(summary.serialise());
        expectSame(back, summary);
      }),
    );
    const large = new GridSummary(grid);
    const values = draws(10_000, random.normal);
    for (let i = 0; i < 100; i++) large.addMany(values);
    expect(large.serialise().length).toBeLessThanOrEqual(2048);
    const atoms = Float64Array.from({ length: 256 }, (_, i) => i);
    const widest = new GridSummary(ReferenceGrid.fromSample(atoms));
    for (let i = 0; i < 4000; i++) widest.addMany(atoms);
    expect(widest.counts).toHaveLength(513);
    expect(widest.serialise().length).toBeLessThanOrEqual(2048);
  });

  it("rejects corrupt bytes and bytes of another grid with a clear error", () => {
    const bytes = summaryOf([1, 2, 3]).serialise();
    for (let i = 0; i < bytes.length; i++) {
      const corrupt = bytes.slice();
      corrupt.set([(bytes.at(i) ?? 0) ^ 0x80], i);
      expect(() => GridSummary.deserialise(grid, corrupt)).toThrow(SummaryFormatError);
    }
    expect(() => GridSummary.deserialise(grid, new Uint8Array(0))).toThrow(SummaryFormatError);
    const other = ReferenceGrid.fromSample([1, 2, 3]);
    expect(() => GridSummary.deserialise(other, bytes)).toThrow(
      `it belongs to grid ${grid.id}, not to grid ${other.id}`,
    );
  });

  it("names both grids when asked to merge across them", () => {
    const other = ReferenceGrid.fromSample([1, 2, 3]);
    const mixed = new GridSummary(other);
    expect(() => summaryOf([1]).merge(mixed)).toThrow(
      `a summary on grid ${other.id} cannot be merged into one on grid ${grid.id}`,
    );
    const twin = ReferenceGrid.deserialise(grid.serialise());
    expect(() => summaryOf([1]).merge(new GridSummary(twin))).not.toThrow();
  });

  it("refuses to wrap a bin", () => {
    const summary = summaryOf([1]);
    for (let i = 0; i < 31; i++) summary.merge(summary.clone());
    expect(summary.count).toBe(2 ** 31);
    expect(() => summary.merge(summary.clone())).toThrow(RangeError);
  });

  it("is empty again after reset, and a clone is independent", () => {
    const summary = summaryOf([1, Number.NaN]);
    summary.addMissing(3);
    const copy = summary.clone();
    summary.reset();
    expectSame(summary, new GridSummary(grid));
    expect([copy.count, copy.invalid, copy.missing]).toEqual([1, 1, 3]);
    expect(summary.quantile(0.5)).toBeNaN();
    expect(summary.mean).toBeNaN();
  });

  it("keeps the moments of its values", () => {
    const values = draws(1000, () => 3 + 2 * random.normal());
    const summary = summaryOf(Array.from(values));
    const mean = values.reduce((sum, x) => sum + x, 0) / 1000;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 1000;
    expect(summary.mean).toBeCloseTo(mean, 10);
    expect(summary.variance).toBeCloseTo(variance, 9);
  });
});
