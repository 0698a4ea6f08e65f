// Ranks and quantiles read from binned counts. Exact at the edges; inside a bin the mass is taken
// as uniform between the bin's edges, narrowed to the minimum and maximum seen, so the error of a
// rank is at most the share of its bin.

import { nextDown } from "./grid-edges.js";
import { binOf, type EdgeLookup } from "./grid-lookup.js";

/** Counts between edges, with the extremes that bound the two open bins. */
export interface BinnedCounts {
  readonly edges: Float64Array;
  readonly counts: Uint32Array;
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The value at or below which a share `q` of the rows lies.
 *
 * @param q in [0, 1]; 0 gives the minimum, 1 the maximum
 * @returns NaN when there are no rows
 * @throws RangeError when q is outside [0, 1]
 */
export function quantileOfBins(binned: BinnedCounts, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not in [0, 1]`);
  if (binned.count === 0) return Number.NaN;
  if (q === 0) return binned.min;
  const target = q * binned.count;
  let below = 0;
  for (let bin = 0; bin < binned.counts.length; bin++) {
    const inBin = binned.counts[bin] as number;
    if (inBin > 0 && below + inBin >= target) {
      const [low, high] = spanOf(binned, bin);
      // An atom: its bin holds one value, and the double below it is nobody's.
      if (low === nextDown(high)) return high;
      // Written so that a span wider than the largest double does not overflow.
      const fraction = (target - below) / inBin;
      return Math.min(Math.max(low * (1 - fraction) + high * fraction, low), high);
    }
    below += inBin;
  }
  return binned.max;
}

/**
 * The share of rows at or below `x`, in [0, 1].
 *
 * @returns NaN when there are no rows or x is NaN
 */
export function rankOfBins(binned: BinnedCounts, lookup: EdgeLookup, x: number): number {
  if (binned.count === 0 || Number.isNaN(x)) return Number.NaN;
  if (x < binned.min) return 0;
  if (x >= binned.max) return 1;
  const bin = binOf(lookup, x);
  let below = 0;
  for (let i = 0; i < bin; i++) below += binned.counts[i] as number;
  const inBin = binned.counts[bin] as number;
  const [low, high] = spanOf(binned, bin);
  const fraction = x >= high ? 1 : Math.max(0, (x / 2 - low / 2) / (high / 2 - low / 2));
  return (below + inBin * fraction) / binned.count;
}

/** Where the rows of a bin can lie: its edges, narrowed to the extremes. */
function spanOf(binned: BinnedCounts, bin: number): [low: number, high: number] {
  const { edges, min, max } = binned;
  const low = bin === 0 ? min : Math.max(min, edges[bin - 1] as number);
  const high = bin === edges.length ? max : Math.min(max, edges[bin] as number);
  return [low, high];
}
