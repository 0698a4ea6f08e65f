// Mann-Whitney: how often a live row exceeds a reference row. Sees a shift, not a change of spread;
// U / (n m) is the area under the ROC curve of "live or reference". O(n log n) on raw rows, O(bins)
// on grids.

import { normalUpper } from "../distributions/distribution-tails.js";
import { mannWhitneyExact } from "../distributions/mann-whitney-law.js";
import type { LawSource } from "./empirical-law.js";
import {
  comparedRows,
  hasExactLaw,
  type LawPair,
  pairLaws,
  rankErrorOf,
  type TwoSampleTest,
} from "./law-pair.js";

/** As in scipy, the p-value is exact when a side has at most this many rows and nothing is tied. */
const EXACT_ROWS_MAX = 8;
/** Bounds the exact law's time and memory, 8 bytes each. */
const EXACT_PAIRS_MAX = 10_000_000;

/** `statistic` is U: pairs in which the reference is larger, and half of those that are tied. */
export interface MannWhitney extends TwoSampleTest {
  /** U / (n m), the chance that a reference row exceeds a live one; .5 under the null. */
  readonly superiority: number;
  readonly method: "exact" | "normal";
}

/**
 * Two-sided test of "neither side tends to be larger".
 *
 * @returns `pValue` exact for few untied rows, else normal with the corrections for ties and
 *   continuity; 1 when all rows are equal. `errorBound` is that of U
 * @throws RangeError when a side has no finite row
 */
export function mannWhitney(reference: LawSource, live: LawSource): MannWhitney {
  const pair = pairLaws(reference, live);
  const { count: n, size: nWorth } = pair.reference;
  const { count: m, size: mWorth } = pair.live;
  const { u, tieSum, withinBins } = countPairs(pair);
  const superiority = u / (n * m);
  const few = Math.min(n, m) <= EXACT_ROWS_MAX && n * m <= EXACT_PAIRS_MAX;
  const method = few && tieSum === 0 && hasExactLaw(pair, Infinity) ? "exact" : "normal";
  const upper = Math.max(u, n * m - u);
  const ties = tieSum / ((n + m) * (n + m - 1)) / (n + m + 1);
  const pValue =
    method === "exact"
      ? Math.min(1, 2 * mannWhitneyExact(upper, n, m))
      : normalTail(upper / (n * m), ties, nWorth, mWorth);
  const errorBound = n * m * rankErrorOf(pair) + withinBins / 2;
  return { statistic: u, pValue, errorBound, ...comparedRows(pair), superiority, method };
}

/** @param ties the share by which ties reduce the variance */
function normalTail(superiority: number, ties: number, n: number, m: number): number {
  const variance = ((n * m * (n + m + 1)) / 12) * (1 - ties);
  const z = (n * m * (superiority - 0.5) - 0.5) / Math.sqrt(Math.max(0, variance));
  return Math.min(1, 2 * normalUpper(z));
}

function countPairs({ reference, live, halfWidths }: LawPair): {
  u: number;
  /** Sum of t^3 - t over groups of t equal rows; 0 without ties. */
  tieSum: number;
  /** Pairs whose order a bin hides. */
  withinBins: number;
} {
  const { rows } = reference;
  const { rows: liveRows } = live;
  let [u, tieSum, withinBins, liveBelow] = [0, 0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    const here = rows[i] as number;
    const liveHere = liveRows[i] as number;
    u += here * (liveBelow + liveHere / 2);
    const tied = here + liveHere;
    tieSum += tied * (tied - 1) * (tied + 1);
    if (halfWidths !== undefined && halfWidths[i] !== 0) withinBins += here * liveHere;
    liveBelow += liveHere;
  }
  return { u, tieSum, withinBins };
}
