import { describe, expect, it } from "vitest";
import {
  CategoryCounts,
  categoryCells,
  GridSummary,
  KllSketch,
  numericCells,
  populationStabilityIndex,
  populationStabilityUpper,
  ReferenceGrid,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

function total(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

describe("cells that two sides share", () => {
  it("are the same from raw rows, a grid and a window on it", () => {
    const random = seededRandom(3);
    const reference = draws(5000, random.normal);
    const live = draws(2000, () => random.normal() + 0.3);
    const grid = ReferenceGrid.fromSample(reference);
    const summary = new GridSummary(grid);
    summary.addMany(live);
    const cells = numericCells(reference, live);
    expect(numericCells(grid, summary)).toEqual(cells);
    expect(numericCells(grid, live)).toEqual(cells);
    expect(cells.shareError).toEqual({ reference: 0, live: 0 });
    expect(cells.size).toEqual({ reference: 5000, live: 2000 });
    expect([cells.reference.length, total(cells.reference), total(cells.live)]).toEqual([
      10, 5000, 2000,
    ]);
    expect(numericCells(reference, live, 4).live).toHaveLength(4);
    expect(() => numericCells(summary, live)).toThrow("the reference itself");
  });

  it("of a sketch state the error of their shares", () => {
    const sketch = new KllSketch({ k: 200 });
    const random = seededRandom(4);
    for (const x of draws(50_000, random.normal)) sketch.add(x);
    const { reference, shareError } = numericCells(sketch, draws(100, random.normal));
    expect(shareError).toEqual({ reference: 2 * sketch.rankError(), live: 0 });
    for (const count of reference) {
      expect(Math.abs(count / 50_000 - 0.1)).toBeLessThan(shareError.reference);
    }
  });

  it("keep PSI at its level when nothing has changed", () => {
    let alarms = 0;
    for (let trial = 0; trial < 400; trial++) {
      const random = seededRandom(trial);
      const { reference, live } = numericCells(
        draws(1000, random.normal),
        draws(500, random.normal),
      );
      const psi = populationStabilityIndex(reference, live);
      if (populationStabilityUpper(psi, 10, 1000, 500) < 0.05) alarms++;
    }
    // 5 % of 400 is 20; three standard deviations are 13.
    expect(Math.abs(alarms - 20)).toBeLessThanOrEqual(13);
  });

  it("of categories are matched by name, unseen ones and pooled ones included", () => {
    const reference = new CategoryCounts({ capacity: 2 });
    for (const name of ["a", "b", "b", "c"]) reference.add(name);
    const live = [
      ["b", 5],
      ["d", 1],
    ] as const;
    expect(categoryCells(reference, live)).toEqual({
      names: ["a", "b", "", "d"],
      reference: Float64Array.of(1, 2, 1, 0),
      live: Float64Array.of(0, 5, 0, 1),
    });
    expect(categoryCells(new Map([["x", 2]]), reference).names).toEqual(["x", "a", "b", ""]);
  });
});
