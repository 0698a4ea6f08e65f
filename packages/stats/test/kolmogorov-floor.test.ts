import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  effectiveSize,
  kolmogorovSmirnov,
  ksCriticalValue,
  ksFloorPValue,
  ksMargin,
  quarticSize,
} from "../src/index.ts";

const sizesOf = (n: number, m: number) => ({
  nEffective: effectiveSize({ count: n }, { count: m }),
  nQuartic: quarticSize({ count: n }, { count: m }),
});

describe("KS with a floor", () => {
  it("is never below the exact p-value where a verdict could depend on it", () => {
    let compared = 0;
    const size = fc.integer({ min: 1, max: 120 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 0, max: 120 }), (n, m, shift) => {
        // Two rows of distinct values that overlap but for `shift` places: every D there is.
        const a = Float64Array.from({ length: n }, (_, i) => i / n);
        const b = Float64Array.from({ length: m }, (_, i) => (i + 0.5) / m + shift / 120);
        const { statistic, pValue } = kolmogorovSmirnov(a, b, "exact");
        if (pValue > 0.05) return;
        compared++;
        expect(ksFloorPValue(statistic, sizesOf(n, m))).toBeGreaterThanOrEqual(pValue);
      }),
      { numRuns: 3000, seed: 5 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  it("has the margin at which p is alpha", () => {
    for (const [n, m] of [
      [1e6, 20],
      [300, 500],
      [40, 40],
    ] as const) {
      for (const alpha of [0.05, 1e-4, 3.2e-8]) {
        const margin = ksMargin(alpha, sizesOf(n, m));
        expect(ksFloorPValue(margin, sizesOf(n, m)) / alpha).toBeCloseTo(1, 9);
        const plain = ksCriticalValue(alpha) / Math.sqrt(sizesOf(n, m).nEffective);
        expect(margin).toBeLessThan(plain);
        const { nEffective } = sizesOf(n, m);
        expect(ksMargin(alpha, { nEffective, nQuartic: 0 })).toBeCloseTo(plain, 12);
      }
    }
  });

  it("allows nothing for the sharper rate when a side is a sketch, or is empty", () => {
    expect(quarticSize({ count: 1e4, epsilon: 0.01 }, { count: 100 })).toBe(0);
    expect(quarticSize({ count: 1e4 }, { count: 0 })).toBe(0);
    expect(quarticSize({ count: 1e4 }, { count: 100 })).toBeLessThan(100);
  });
});
