// Every test and distance of counts against scipy; golden/write_two_sample.py is the oracle.

import { describe, expect, it } from "vitest";
import {
  chebyshev,
  chiSquareHomogeneity,
  fisherExact,
  goodnessOfFit,
  hellinger,
  jensenShannon,
  jensenShannonUpper,
  kullbackLeibler,
  populationStabilityIndex,
  populationStabilityUpper,
  totalVariation,
  twoProportions,
} from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";
import { goldenCounts } from "./golden-samples.ts";

type CountSpec = [cells: number, seed: number, most: number];
type Figures = Record<string, (number | null)[] | null>;

const rows = golden("count-tests.json") as [CountSpec, CountSpec, Figures][];

function ours(r: number[], c: number[]): Record<string, number[]> {
  const [n, m] = [r, c].map((counts) => counts.reduce((a, b) => a + b, 0)) as [number, number];
  const plain = chiSquareHomogeneity(r, c, { expectedMin: 0 });
  const yates = chiSquareHomogeneity(r, c, { expectedMin: 0, yates: true });
  const fit = goodnessOfFit(r, c);
  const psi = populationStabilityIndex(r, c, 0);
  const js = jensenShannon(r, c);
  return {
    chiSquare: [plain.chiSquare, plain.pValue],
    yates: [yates.chiSquare, yates.pValue],
    g: [plain.g, plain.gPValue],
    goodnessOfFit: [fit.chiSquare, fit.pValue],
    goodnessOfFitG: [fit.g, fit.gPValue],
    cramersV: [plain.cramersV],
    kullbackLeibler: [kullbackLeibler(r, c)],
    jensenShannon: [js],
    jensenShannonNats: [jensenShannon(r, c, "e")],
    hellinger: [hellinger(r, c)],
    totalVariation: [totalVariation(r, c)],
    chebyshev: [chebyshev(r, c)],
    psi: [psi],
    psiSmoothed: [populationStabilityIndex(r, c)],
    psiP: [populationStabilityUpper(psi, r.length, n, m)],
    jsP: [jensenShannonUpper(js, r.length, n, m)],
    fisher: r.length === 2 ? [fisherExact(r[0] as number, n, c[0] as number, m)] : [],
  };
}

describe("tests of counts", () => {
  it.each(rows.map((row, i) => [i, row] as const))("row %i agrees with scipy", (_, row) => {
    const [reference, live, expected] = row;
    const [r, c] = [goldenCounts(...reference), goldenCounts(...live)];
    const actual = ours(r, c);
    for (const [name, values] of Object.entries(expected)) {
      for (const [i, value] of (values ?? []).entries()) {
        if (value === null) continue;
        const error = relativeError(actual[name]?.[i] as number, value);
        expect(error, `${name}[${i}] ${actual[name]?.[i]} is not ${value}`).toBeLessThan(1e-9);
      }
    }
  });

  it("two proportions are chi-square's root where rows are many, and Fisher where few", () => {
    for (const [reference, live, expected] of rows.filter(([[cells]]) => cells === 2)) {
      const [r, c] = [goldenCounts(...reference), goldenCounts(...live)] as [number[], number[]];
      const [x, y] = [r[0] as number, c[0] as number];
      const [n, m] = [x + (r[1] as number), y + (c[1] as number)];
      const z = twoProportions(x, n, y, m, "z");
      expect(relativeError(z.statistic ** 2, expected["chiSquare"]?.[0] as number)).toBeLessThan(
        1e-9,
      );
      expect(relativeError(z.pValue, expected["chiSquare"]?.[1] as number)).toBeLessThan(1e-9);
      const fisher = twoProportions(x, n, y, m, "fisher").pValue;
      expect(relativeError(fisher, expected["fisher"]?.[0] as number)).toBeLessThan(1e-9);
    }
    expect(twoProportions(10, 100, 20, 100).method).toBe("z");
    expect(twoProportions(1, 100, 2, 100).method).toBe("fisher");
    expect(twoProportions(0, 100, 0, 50)).toMatchObject({ statistic: 0, pValue: 1 });
    expect(twoProportions(100, 100, 0, 50, "z").statistic).toBeCloseTo(Math.sqrt(150), 12);
    expect(() => twoProportions(3, 2, 0, 1)).toThrow("3 events of 2 rows");
    expect(() => twoProportions(0, 0, 0, 1)).toThrow("0 events of 0 rows");
  });

  it("an unseen or a single category has a defined answer", () => {
    expect(goodnessOfFit([5, 5, 0], [5, 4, 1])).toMatchObject({ chiSquare: Infinity, pValue: 0 });
    expect(goodnessOfFit([5, 0], [7, 0])).toMatchObject({ degreesOfFreedom: 0, pValue: 1 });
    expect(goodnessOfFit([0.5, 0.5, 0], [5, 5, 0]).degreesOfFreedom).toBe(1);
    expect(chiSquareHomogeneity([5], [7])).toMatchObject({ degreesOfFreedom: 0, pValue: 1 });
    const unseen = chiSquareHomogeneity([50, 50, 0], [20, 20, 60], { expectedMin: 0 });
    expect(unseen.pValue).toBeLessThan(1e-12);
    expect(populationStabilityIndex([50, 50, 0], [20, 20, 60])).toBeLessThan(Infinity);
    expect(jensenShannon([1], [1])).toBe(0);
    expect(() => goodnessOfFit([1, 2], [1])).toThrow("2 cells cannot be compared with 1");
    expect(() => goodnessOfFit([0], [1])).toThrow("no rows");
    expect(() => goodnessOfFit([1], [-1])).toThrow("negative");
  });
});
