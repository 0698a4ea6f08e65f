import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compareCategories,
  compareShares,
  GridSummary,
  jensenShannon,
  KllSketch,
  populationStabilityIndex,
  ReferenceGrid,
  type ShareDistance,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const DISTANCES = [
  "populationStability",
  "jensenShannon",
  "hellinger",
  "kullbackLeibler",
  "totalVariation",
  "chebyshev",
] as const;

describe("distances of shares", () => {
  it("are the same from rows, a grid and a window on it, with no error", () => {
    const random = seededRandom(5);
    const reference = draws(4000, random.normal);
    const live = draws(1000, () => random.normal() * 1.2);
    const grid = ReferenceGrid.fromSample(reference);
    const summary = new GridSummary(grid);
    summary.addMany(live);
    const compared = compareShares(grid, summary);
    expect(compareShares(reference, live)).toEqual(compared);
    expect(compared).toMatchObject({ n: 4000, m: 1000, cells: 10 });
    for (const name of DISTANCES) expect(compared[name].errorBound, name).toBe(0);
    expect(compared.populationStability.pValue).toBeLessThan(0.001);
  });

  it("of sketches are within their stated error of those of the rows in the same cells", () => {
    let misses = 0;
    for (let trial = 0; trial < 100; trial++) {
      const random = seededRandom(trial);
      const grid = ReferenceGrid.fromSample(draws(4000, random.normal));
      const live = draws(3000, () => random.normal() + 0.2);
      const sketch = new KllSketch({ k: 128, seed: trial });
      for (const x of live) sketch.add(x);
      const [exact, compared] = [compareShares(grid, live), compareShares(grid, sketch)];
      for (const name of DISTANCES) {
        const { statistic, errorBound }: ShareDistance = compared[name];
        expect(errorBound, name).toBeGreaterThan(0);
        if (Math.abs(statistic - exact[name].statistic) > errorBound) misses++;
      }
    }
    expect(misses).toBe(0);
  });

  it("p-values of PSI, Jensen-Shannon and Hellinger agree where the shares are close", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 400, max: 500 }), { minLength: 4, maxLength: 8 }),
        (c) => {
          const cells = c.map((count, i) => [`${i}`, count] as const);
          const compared = compareCategories(
            cells.map(([name]) => [name, 450]),
            cells,
          );
          const { populationStability, jensenShannon: js, hellinger } = compared;
          expect(js.pValue).toBeCloseTo(populationStability.pValue, 2);
          expect(hellinger.pValue).toBeCloseTo(populationStability.pValue, 2);
        },
      ),
    );
  });

  it("of categories count an unseen name as a cell, and one cell tells nothing", () => {
    const compared = compareCategories(
      new Map([["a", 30]]),
      new Map([
        ["a", 20],
        ["b", 10],
      ]),
    );
    expect(compared).toMatchObject({ cells: 2, n: 30, m: 30 });
    expect(compared.jensenShannon.statistic).toBe(jensenShannon([30, 0], [20, 10]));
    expect(compared.populationStability.statistic).toBe(
      populationStabilityIndex([30, 0], [20, 10]),
    );
    expect(compared.kullbackLeibler.statistic).toBeCloseTo(Math.log(1.5), 15);
    const single = compareCategories([["a", 5]], [["a", 9]]);
    expect(single.populationStability).toEqual({ statistic: 0, pValue: 1, errorBound: 0 });
    expect(() => compareCategories([], [["a", 1]])).toThrow(RangeError);
    expect(() => compareShares([], [1])).toThrow(RangeError);
  });
});
