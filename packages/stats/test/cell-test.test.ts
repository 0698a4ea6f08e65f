import { describe, expect, it } from "vitest";
import {
  cellTest,
  cellThreshold,
  effectiveSize,
  floorOfHellinger,
  floorOfJensenShannon,
  floorOfPopulationStability,
  hellinger,
  jensenShannon,
  noncentralChiSquareUpper,
  populationStabilityIndex,
  requiredCellSize,
} from "../src/index.ts";
import { seededRandom } from "./seeded-random.ts";

describe("the cell test", () => {
  it("has the published 95 % points under no drift", () => {
    for (const [cells, n, m, point] of [
      [10, 1000, 1000, 0.033837955],
      [10, 100_000, 10_000, 0.0018610875],
      [10, 1000, 200, 0.1015138656],
      [20, 1000, 1000, 0.0602870544],
    ] as const) {
      const nEffective = effectiveSize({ count: n }, { count: m });
      expect(cellThreshold(0.05, cells - 1, nEffective, 0)).toBeCloseTo(point, 8);
    }
  });

  it("rejects exactly beyond its threshold", () => {
    const nEffective = effectiveSize({ count: 1000 }, { count: 600 });
    for (let moved = 0; moved < 200; moved += 5) {
      const test = cellTest([500, 300, 200], [300 - moved, 180 + moved, 120], nEffective, 0.0625);
      const threshold = cellThreshold(1e-6, 2, nEffective, 0.0625);
      expect(test.pValue < 1e-6).toBe(test.distance > threshold);
    }
  });

  it("never takes a distance within the floor for one beyond it: each floor bounds l", () => {
    // 4 sum (sqrt p - sqrt q)^2 <= PSI, = 8 Hellinger^2, <= 8 Jensen-Shannon^2 (base 2).
    const random = seededRandom(70);
    for (let trial = 0; trial < 500; trial++) {
      const cells = 2 + random.integer(8);
      const side = (): number[] => Array.from({ length: cells }, () => random.uniform() ** 3);
      const [p, q] = [side(), side()];
      const l = 8 * hellinger(p, q) ** 2;
      const slack = 1 + 1e-12;
      expect(l).toBeLessThanOrEqual(
        slack * floorOfPopulationStability(populationStabilityIndex(p, q, 0)),
      );
      expect(floorOfHellinger(hellinger(p, q))).toBeCloseTo(l, 12);
      expect(l).toBeLessThanOrEqual(slack * floorOfJensenShannon(jensenShannon(p, q)));
      const nats = floorOfJensenShannon(jensenShannon(p, q, "e"), "e");
      expect(nats).toBeCloseTo(floorOfJensenShannon(jensenShannon(p, q)), 10);
    }
  });

  it("adds no distance where sides of different sizes agree, empty cells included", () => {
    const test = cellTest([50_000, 30_000, 20_000, 0], [5, 3, 2, 0], 10, 0);
    expect(test.distance).toBeCloseTo(0, 12);
  });

  it("only lessens the distance of the shares", () => {
    const random = seededRandom(75);
    for (let trial = 0; trial < 500; trial++) {
      const cells = 2 + random.integer(8);
      const side = (most: number): number[] =>
        Array.from({ length: cells }, () => 1 + random.integer(most));
      const [p, q] = [side(5), side(5000)];
      expect(cellTest(p, q, 100, 0).distance).toBeLessThanOrEqual(8 * hellinger(p, q) ** 2);
    }
  });

  it("asks for just the size that gives 90 % power", () => {
    const [floor, target] = [0.0625, 9 * 0.0625];
    for (const cells of [2, 5, 10, 50]) {
      const needed = requiredCellSize(1e-7, cells - 1, target, floor);
      const power = (size: number): number => {
        const critical = size * cellThreshold(1e-7, cells - 1, size, floor);
        return noncentralChiSquareUpper(critical, cells - 1, size * target);
      };
      expect(power(needed)).toBeGreaterThanOrEqual(0.9);
      expect(power(0.99 * needed)).toBeLessThan(0.9);
    }
    expect(() => requiredCellSize(0.01, 3, 0.05, 0.05)).toThrow("must exceed the floor");
  });

  it("subtracts from the excess what chance alone adds", () => {
    const same = cellTest([500, 300, 200], [250, 150, 100], 333, 0.0625);
    expect(same.excess).toBe(0);
    expect(same.pValue).toBeCloseTo(1, 6);
  });
});
