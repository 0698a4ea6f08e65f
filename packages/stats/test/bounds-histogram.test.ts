import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundsHistogram } from "../src/index.ts";

const BOUNDS = [-2, 0, 1, 2.5, 10];
const value = fc.oneof(
  fc.integer({ min: -5, max: 15 }),
  fc.constantFrom(2.5, -0, Number.NaN, Infinity, null, undefined),
);
const stream = fc.array(value, { maxLength: 60 });

function of(values: readonly (number | null | undefined)[]): BoundsHistogram {
  const histogram = new BoundsHistogram(BOUNDS);
  for (const x of values) histogram.add(x);
  return histogram;
}

describe("BoundsHistogram", () => {
  it("closes its buckets on the right, as OpenTelemetry does", () => {
    const histogram = of([-3, -2, -1.5, 0, 0.5, 1, 2.5, 2.6, 10, 11]);
    expect(Array.from(histogram.counts)).toEqual([2, 2, 2, 1, 2, 1]);
    expect([histogram.count, histogram.sum, histogram.min, histogram.max]).toEqual([
      10, 21.1, -3, 11,
    ]);
  });

  it("merges into exactly what the concatenated stream gives, and reads back what it wrote", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        const whole = of([...a, ...b]);
        const merged = of(a);
        merged.merge(of(b));
        expect(merged).toEqual(whole);
        const reversed = of(b);
        reversed.merge(of(a));
        expect(reversed).toEqual(whole);
        expect(BoundsHistogram.deserialise(whole.serialise())).toEqual(whole);
        expect(whole.clone()).toEqual(whole);
      }),
    );
  });

  it("gives a range that holds the quantile", () => {
    fc.assert(
      fc.property(stream, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const finite = values.filter((x): x is number => Number.isFinite(x));
        const [low, high] = of(values).quantileRange(q);
        if (finite.length === 0) {
          expect([low, high]).toEqual([NaN, NaN]);
          return;
        }
        const sorted = finite.toSorted((x, y) => x - y);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] as number;
        expect(low).toBeLessThanOrEqual(exact);
        expect(high).toBeGreaterThanOrEqual(exact);
      }),
    );
  });

  it("counts without a bound, too", () => {
    const histogram = new BoundsHistogram([]);
    histogram.addMany(Float64Array.of(1, 2, 3), 1);
    expect(histogram.quantileRange(0.5)).toEqual([2, 3]);
  });

  it("refuses bounds that do not increase, and others on merging, naming both", () => {
    expect(() => new BoundsHistogram([1, 1])).toThrow("bound 1 does not increase");
    expect(() => new BoundsHistogram([Number.NaN])).toThrow("bound NaN");
    expect(() => of([]).merge(new BoundsHistogram([1, 2]))).toThrow(
      "bounds [1, 2] cannot be merged into one with [-2, 0, 1, 2.5, ... 5 in all]",
    );
    expect(() => of([]).quantileRange(-1)).toThrow("quantile -1");
  });
});
