import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Exemplar, ExemplarReservoir } from "../src/index.ts";

const trace = "0123456789abcdef0123456789abcdef";

function exemplar(i: number): Exemplar {
  return { value: i, timeUnixNano: BigInt(i) << 40n, traceId: trace, spanId: trace.slice(16) };
}

function of(rows: readonly number[], seed: number, capacity = 4): ExemplarReservoir {
  const reservoir = new ExemplarReservoir({ capacity, seed });
  for (const i of rows) reservoir.add(exemplar(i));
  return reservoir;
}

const valuesOf = (reservoir: ExemplarReservoir) => reservoir.exemplars().map((x) => x.value);
const rows = fc.array(fc.nat(1000), { maxLength: 40 });

describe("ExemplarReservoir", () => {
  it("keeps every row while there is room, and never more than its capacity", () => {
    fc.assert(
      fc.property(rows, rows, fc.integer(), (a, b, seed) => {
        const reservoir = of(a, seed);
        if (a.length <= 4) expect(valuesOf(reservoir)).toEqual(a.toSorted((x, y) => x - y));
        reservoir.merge(of(b, seed + 1));
        expect(reservoir.size).toBe(Math.min(4, a.length + b.length));
        expect(reservoir.count).toBe(a.length + b.length);
        expect([...a, ...b]).toEqual(expect.arrayContaining(valuesOf(reservoir)));
      }),
    );
  });

  it("keeps the same rows whatever the order of merges, and after a round trip", () => {
    fc.assert(
      fc.property(rows, rows, rows, (a, b, c) => {
        const left = of(a, 1);
        left.merge(of(b, 2));
        left.merge(of(c, 3));
        const right = of(c, 3);
        right.merge(of(b, 2));
        right.merge(of(a, 1));
        expect(valuesOf(right)).toEqual(valuesOf(left));
        const back = ExemplarReservoir.deserialise(left.serialise());
        expect(back.exemplars()).toEqual(left.exemplars());
        expect(ExemplarReservoir.deserialise(back.serialise()).serialise()).toEqual(
          back.serialise(),
        );
        for (let i = 0; i < 50; i++) {
          back.add(exemplar(i));
          left.add(exemplar(i));
        }
        expect(valuesOf(back)).toEqual(valuesOf(left));
      }),
    );
  });

  it("keeps rows in proportion to their weights, merged or not", () => {
    for (const merged of [false, true]) {
      const kept = [0, 0, 0, 0];
      const trials = 20_000;
      for (let seed = 0; seed < trials; seed++) {
        const reservoir = new ExemplarReservoir({ capacity: 1, seed });
        const other = merged
          ? new ExemplarReservoir({ capacity: 1, seed: seed + 2 ** 33 })
          : reservoir;
        for (let i = 0; i < 4; i++) (i < 2 ? reservoir : other).add(exemplar(i), i + 1);
        if (merged) reservoir.merge(other);
        const [value = 0] = valuesOf(reservoir);
        kept[value] = (kept[value] ?? 0) + 1;
      }
      // Four standard deviations of a binomial share.
      for (const [i, count] of kept.entries()) {
        const share = (i + 1) / 10;
        const allowed = 4 * Math.sqrt((share * (1 - share)) / trials);
        expect(Math.abs(count / trials - share)).toBeLessThan(allowed);
      }
    }
  });

  it("says what it stands for", () => {
    const reservoir = new ExemplarReservoir({ capacity: 2 });
    for (let i = 0; i < 10; i++) reservoir.add(exemplar(i), 3);
    expect([reservoir.count, reservoir.weightTotal, reservoir.size]).toEqual([10, 30, 2]);
  });

  it("counts what it cannot keep apart", () => {
    const reservoir = new ExemplarReservoir();
    reservoir.add(null);
    reservoir.add(exemplar(1), 0);
    reservoir.add(exemplar(1), Number.NaN);
    reservoir.add({ ...exemplar(1), value: Number.NaN });
    reservoir.add({ ...exemplar(1), traceId: "xyz" });
    reservoir.add({ ...exemplar(1), timeUnixNano: -1n });
    reservoir.add({ ...exemplar(1), traceId: "", spanId: "" });
    expect([reservoir.count, reservoir.invalid, reservoir.missing]).toEqual([1, 5, 1]);
    expect(reservoir.clone().exemplars()).toEqual(reservoir.exemplars());
  });

  it("refuses another capacity and its own seed, naming both", () => {
    expect(() => of([1], 1, 4).merge(of([1], 2, 5))).toThrow(
      "a reservoir of capacity 5 cannot be merged into one of 4",
    );
    expect(() => of([1], 1).merge(of([2], 1))).toThrow(
      "seed 1 cannot be merged into one of seed 1",
    );
    expect(() => new ExemplarReservoir({ capacity: 0 })).toThrow("capacity 0");
    expect(() => new ExemplarReservoir({ seed: 0.5 })).toThrow("seed 0.5");
  });
});
