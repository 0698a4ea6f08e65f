import { describe, expect, it } from "vitest";
import { empiricalLaw, normalUpperQuantile, wassersteinDistance } from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";

interface TwoSamples {
  a: number[];
  b: number[];
  wasserstein: number;
  wassersteinWeighted: number;
}

function ascending(length: number): number[] {
  return Array.from({ length }, (_, i) => i + 1);
}

describe("wassersteinDistance", () => {
  it("agrees with scipy on seeded samples, weighted or not", () => {
    for (const { a, b, wasserstein, wassersteinWeighted } of golden(
      "two-samples.json",
    ) as TwoSamples[]) {
      expect(relativeError(wassersteinDistance(a, b).statistic, wasserstein)).toBeLessThan(1e-9);
      const weighted = wassersteinDistance(
        empiricalLaw(a, ascending(a.length)),
        empiricalLaw(b, ascending(b.length)),
      );
      expect(relativeError(weighted.statistic, wassersteinWeighted)).toBeLessThan(1e-9);
    }
  });

  it("gives the published figures", () => {
    const first = wassersteinDistance(empiricalLaw([0, 1], [3, 1]), [0]);
    expect(first.statistic).toBeCloseTo(0.25, 14);
    const a = empiricalLaw([4.5, 6.7, 2.1], [3, 1, 1]);
    const b = empiricalLaw([4.6, 7, 9.2], [1, 3, 1]);
    expect(wassersteinDistance(a, b).statistic).toBeCloseTo(2.5, 14);
    expect(wassersteinDistance([0, 1, 2], [1, 2, 3]).statistic).toBeCloseTo(1, 14);
    const eight = [38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58];
    const other = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];
    const moved = wassersteinDistance(eight, other);
    expect(moved.statistic).toBeCloseTo(4.1625, 12);
    expect(moved.normalised).toBeCloseTo(0.7812361058, 10);
    const normal = Array.from({ length: 1000 }, (_, i) => -normalUpperQuantile((i + 0.5) / 1000));
    const shifted = normal.map((x) => x + 0.1);
    expect(wassersteinDistance(normal, shifted).statistic).toBeCloseTo(0.1, 12);
  });

  it("refuses what has no distance, and counts what it leaves out", () => {
    expect(() => wassersteinDistance([], [1])).toThrow("empty");
    expect(() => wassersteinDistance([Infinity], [1])).toThrow("no finite value");
    expect(() => wassersteinDistance(empiricalLaw([1], [0]), [1])).toThrow("empty");
    expect(() => empiricalLaw([1], [1, 2])).toThrow("2 weights");
    expect(() => empiricalLaw([1], [-1])).toThrow("negative");
    const { statistic, invalid } = wassersteinDistance([0, Number.NaN], [2, null, undefined]);
    expect([statistic, invalid]).toEqual([2, { reference: 1, live: 2 }]);
  });
});
