// One grid from several whose edges differ: every bin's rows at their mean, each atom at its value.
//
// Guarantee: a rank of a part moves by at most the share of the bin it falls in, so that the rank
// error of the whole is at most the mean of the parts' `resolution + epsilon`, weighted by rows;
// `epsilon` carries it. Count, extremes, mean and variance are exact. O(parts x bins).

import type { GridSource } from "./grid-source.js";
import { ReferenceGrid } from "./reference-grid.js";

/**
 * Merges references that were frozen apart. Freezing what all rows together have is more exact.
 *
 * @throws RangeError without a grid, or above 2^32 - 1 rows
 */
export function mergeGrids(grids: readonly ReferenceGrid[]): ReferenceGrid {
  const [first] = grids;
  if (first === undefined) throw new RangeError("there are no grids to merge");
  if (grids.length === 1) return first;
  const count = total(grids, (grid) => grid.count);
  const mean = total(grids, (grid) => (grid.mean * grid.count) / count);
  const variance = total(grids, (grid) => {
    const offset = grid.mean - mean;
    return ((grid.variance + offset * offset) * grid.count) / count;
  });
  const source = {
    sortedView: () => pointsOf(grids, count),
    min: Math.min(...grids.map(({ min }) => min)),
    max: Math.max(...grids.map(({ max }) => max)),
    mean,
    variance,
  };
  return ReferenceGrid.fromSketch(source, {
    bins: Math.max(...grids.map(({ bins }) => bins)),
    float32: grids.every(({ float32 }) => float32),
  });
}

function pointsOf(grids: readonly ReferenceGrid[], count: number): GridSource {
  const points: { value: number; weight: number }[] = [];
  for (const grid of grids) {
    for (const [bin, rows] of grid.counts.entries()) {
      if (rows === 0) continue;
      const value = grid.binMeans[bin] as number;
      // In a sketch, what is retained once may stand for its neighbours; an atom is not that.
      const again = grid.isAtom(bin) ? Math.floor(rows / 2) : 0;
      if (again > 0) points.push({ value, weight: again });
      points.push({ value, weight: rows - again });
    }
  }
  points.sort((a, b) => a.value - b.value);
  return {
    values: Float64Array.from(points, ({ value }) => value),
    weights: Float64Array.from(points, ({ weight }) => weight),
    epsilon: total(grids, (grid) => ((grid.resolution + grid.epsilon) * grid.count) / count),
  };
}

function total(grids: readonly ReferenceGrid[], of: (grid: ReferenceGrid) => number): number {
  return grids.reduce((sum, grid) => sum + of(grid), 0);
}
