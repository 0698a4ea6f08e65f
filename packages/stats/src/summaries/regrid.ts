// What one reference holds, counted on the edges of another, so that two files can be compared
// without the rows they were made from.
//
// Guarantee: a rank at an edge is off by at most the share of the source's bin around it, taken as
// uniform there, plus the source's own error; `epsilon` is their sum, and 0 where the source has
// the same edges or is made of atoms. Count, extremes, mean and variance are the source's.

import { GridSummary } from "./grid-summary.js";
import type { ReferenceGrid } from "./reference-grid.js";

/** A summary that was not counted but read off another grid. */
export interface Regridded {
  readonly summary: GridSummary;
  /** Bound on the error of its ranks; what `evaluateNumeric` takes as `liveEpsilon`. */
  readonly epsilon: number;
}

/** Counts of `source` between the edges of `target`, to the nearest row. */
export function regrid(target: ReferenceGrid, source: ReferenceGrid): Regridded {
  const { edges } = target;
  const summary = new GridSummary(target);
  let below = 0;
  for (const [bin, edge] of edges.entries()) {
    const atOrBelow = Math.round(source.rank(edge) * source.count);
    summary.counts[bin] = atOrBelow - below;
    below = atOrBelow;
  }
  summary.counts[edges.length] = source.count - below;
  const offset = source.mean - target.mean;
  summary.count = source.count;
  summary.invalid = source.invalid;
  summary.min = source.min;
  summary.max = source.max;
  summary.deviationSum = source.count * offset;
  summary.deviationSquares = source.count * (source.variance + offset * offset);
  return { summary, epsilon: source.epsilon + (target.hasEdgesOf(source) ? 0 : source.resolution) };
}
