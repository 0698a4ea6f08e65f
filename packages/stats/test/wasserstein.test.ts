import { describe, expect, it } from "vitest";
import { normalUpperQuantile, wassersteinDistance } from "../src/index.ts";
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
      expect(relativeError(wassersteinDistance(a, b), wasserstein)).toBeLessThan(1e-9);
      const weights = { a: ascending(a.length), b: ascending(b.length) };
      const weighted = wassersteinDistance(a, b, weights);
      expect(relativeError(weighted, wassersteinWeighted)).toBeLessThan(1e-9);
    }
  });

  it("gives the published figures", () => {
    expect(wassersteinDistance([0, 1], [0], { a: [3, 1] })).toBeCloseTo(0.25, 14);
    const [a, b] = [
      [4.5, 6.7, 2.1],
      [4.6, 7, 9.2],
    ];
    expect(wassersteinDistance(a, b, { a: [3, 1, 1], b: [1, 3, 1] })).toBeCloseTo(2.5, 14);
    expect(wassersteinDistance([0, 1, 2], [1, 2, 3])).toBeCloseTo(1, 14);
    const eight = [38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58];
    const other = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];
    expect(wassersteinDistance(eight, other)).toBeCloseTo(4.1625, 12);
    const normal = Array.from({ length: 1000 }, (_, i) => -normalUpperQuantile((i + 0.5) / 1000));
    const shifted = normal.map((x) => x + 0.1);
    expect(wassersteinDistance(normal, shifted)).toBeCloseTo(0.1, 12);
  });

  it("refuses what has no distance", () => {
    expect(() => wassersteinDistance([], [1])).toThrow("empty");
    expect(() => wassersteinDistance([Infinity], [1])).toThrow("not finite");
    expect(() => wassersteinDistance([1], [1], { a: [0] })).toThrow("weights are zero");
    expect(() => wassersteinDistance([1], [1], { a: [1, 2] })).toThrow("2 weights");
  });
});
