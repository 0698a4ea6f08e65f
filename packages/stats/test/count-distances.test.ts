import { describe, expect, it } from "vitest";
import {
  chebyshev,
  chiSquareHomogeneity,
  fisherExact,
  hellinger,
  jensenShannon,
  kullbackLeibler,
  populationStabilityIndex,
  totalVariation,
} from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";

interface CountRow {
  reference: number[];
  live: number[];
  chiSquare: number;
  chiSquareP: number;
  g: number;
  gP: number;
  kullbackLeibler: number;
  jensenShannon: number;
  jensenShannonNats: number;
  hellinger: number;
  totalVariation: number;
  psi: number;
  cramersV: number;
  fisher?: number;
}

const R = [16, 18, 16, 14, 12, 12];
const C = [16, 16, 16, 16, 16, 8];
const UNPOOLED = { expectedMin: 0 };

describe("distances of counts", () => {
  it("agree with scipy on seeded counts", () => {
    for (const row of golden("counts.json") as CountRow[]) {
      const { reference, live } = row;
      const test = chiSquareHomogeneity(reference, live, UNPOOLED);
      const pairs: Record<string, [actual: number, expected: number]> = {
        chiSquare: [test.chiSquare, row.chiSquare],
        chiSquareP: [test.pValue, row.chiSquareP],
        g: [test.g, row.g],
        gP: [test.gPValue, row.gP],
        cramersV: [test.cramersV, row.cramersV],
        kullbackLeibler: [kullbackLeibler(reference, live), row.kullbackLeibler],
        jensenShannon: [jensenShannon(reference, live), row.jensenShannon],
        jensenShannonNats: [jensenShannon(reference, live, "e"), row.jensenShannonNats],
        hellinger: [hellinger(reference, live), row.hellinger],
        totalVariation: [totalVariation(reference, live), row.totalVariation],
        psi: [populationStabilityIndex(reference, live, 0), row.psi],
      };
      for (const [name, [actual, expected]] of Object.entries(pairs)) {
        expect(relativeError(actual, expected), name).toBeLessThan(1e-9);
      }
      if (row.fisher !== undefined) {
        const [r0, r1] = reference as [number, number];
        const [c0, c1] = live as [number, number];
        const p = fisherExact(r0, r0 + r1, c0, c0 + c1);
        expect(relativeError(p, row.fisher)).toBeLessThan(1e-9);
      }
    }
  });

  it("give the published figures of the six-cell example", () => {
    const test = chiSquareHomogeneity(R, C, UNPOOLED);
    expect(test.chiSquare).toBeCloseTo(1.6224089636, 10);
    expect(test.degreesOfFreedom).toBe(5);
    expect(test.pValue).toBeCloseTo(0.8985262394, 10);
    expect(test.g).toBeCloseTo(1.629956065, 9);
    expect(populationStabilityIndex(R, C, 0)).toBeCloseTo(0.0372183816, 10);
    expect(kullbackLeibler(R, C)).toBeCloseTo(0.018909677, 9);
    expect(jensenShannon(R, C)).toBeCloseTo(0.0817342133, 10);
    expect(hellinger(R, C)).toBeCloseTo(0.0681277437, 10);
    expect(totalVariation(R, C)).toBeCloseTo(0.0681818182, 10);
    expect(chebyshev(R, C)).toBeCloseTo(0.0454545455, 10);
  });

  it("give the published figures of two-by-two tables", () => {
    const test = chiSquareHomogeneity([130, 370], [240, 260], UNPOOLED);
    expect(test.chiSquare).toBeCloseTo(51.9090519091, 9);
    expect(test.g).toBeCloseTo(52.5074771447, 9);
    const yates = chiSquareHomogeneity([130, 370], [240, 260], { yates: true });
    expect(yates.chiSquare).toBeCloseTo(50.969540969540965, 10);
    expect(relativeError(fisherExact(130, 500, 240, 500), 7.033873e-13)).toBeLessThan(1e-6);
    const plain = chiSquareHomogeneity([200, 800], [400, 600]);
    expect(plain.cramersV).toBeCloseTo(Math.sqrt(1 / 21), 12);
    expect(plain.cramersVCorrected).toBeCloseTo(0.21712, 5);
    const corrected = chiSquareHomogeneity([200, 800], [400, 600], { yates: true });
    expect(corrected.cramersVCorrected).toBeCloseTo(0.216, 4);
  });

  it("give the published figures of aabaab against bacccc", () => {
    const test = chiSquareHomogeneity([4, 2, 0], [1, 1, 4], UNPOOLED);
    expect(test.chiSquare).toBeCloseTo(6.1333333333, 10);
    expect(test.pValue).toBeCloseTo(0.0465761502, 10);
  });

  it("pool cells that expect too few rows", () => {
    const test = chiSquareHomogeneity([100, 50, 2, 1], [90, 60, 1, 0]);
    expect(test.degreesOfFreedom).toBe(2);
    expect(chiSquareHomogeneity([1, 1], [1, 1]).pValue).toBe(1);
  });

  it("stay finite or say why not", () => {
    expect(populationStabilityIndex([10, 0], [5, 5])).toBeGreaterThan(0);
    expect(populationStabilityIndex([10, 0], [5, 5], 0)).toBe(Infinity);
    expect(kullbackLeibler([1, 1], [1, 0])).toBe(Infinity);
    expect(jensenShannon([1, 0], [0, 1])).toBe(1);
    expect(() => hellinger([1, 2], [1])).toThrow("2 cells cannot be compared with 1");
    expect(() => hellinger([0, 0], [1, 1])).toThrow("all counts are zero");
    expect(() => hellinger([-1, 2], [1, 1])).toThrow("negative");
    expect(() => fisherExact(3, 2, 0, 1)).toThrow("3 events of 2 rows");
  });
});
