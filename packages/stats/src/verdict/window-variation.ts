// phi: by how much autocorrelation and season inflate the variance of a share over that of
// independent rows, estimated from disjoint windows of one length.
//
// With I_tj the share of window t at or below point j (a reference decile, or in category j) and
// m_t its rows,
//   phi = max(1, sum_j sum_t m_t (I_tj - mean_j)^2 / ((T - 1) sum_j mean_j (1 - mean_j)))
//         times 1 + 2 sqrt(2 / (3 (T - 1))),
// the factor being two standard errors: the points are worth about three independent ones. Sums of
// counts and of squares over rows suffice, 20 doubles a window length. Fewer than 24 windows do
// not tell phi well enough, and the signal is learning. Windows in alarm are left out, for what
// moves in them is the drift.

import type { CategoryCounts } from "../summaries/category-counts.js";
import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";
import type { DriftState } from "./drift-state.js";

/** Windows below which phi is not known. */
export const VARIATION_WINDOWS_MIN = 24;
/** Points at which shares are followed: the nine inner deciles. */
const POINTS_MAX = 9;
/** Independent points that nine deciles are worth. */
const POINTS_WORTH = 3;

/** Running sums over windows of one length. Plain, serialisable; merges by adding. */
export interface WindowVariation {
  /** T. */
  readonly windows: number;
  /** Sum of m_t. */
  readonly rows: number;
  /** Sum over windows of the rows at each point, m_t I_tj; at most 9. */
  readonly counts: readonly number[];
  /** Sum over windows of m_t I_tj^2. */
  readonly squares: readonly number[];
}

/** One window: rows at each point, and all rows. */
export interface WindowCounts {
  readonly counts: readonly number[];
  readonly rows: number;
}

/** phi and whether it is known. */
export interface Inflation {
  /** >= 1; 1 while `learning`. */
  readonly phi: number;
  readonly learning: boolean;
}

/** Where every signal and window length begins. */
export const INITIAL_VARIATION: WindowVariation = Object.freeze({
  windows: 0,
  rows: 0,
  counts: Object.freeze([]),
  squares: Object.freeze([]),
});

/**
 * The sums with one more window; unchanged when the window is empty or the signal is in alarm.
 *
 * @param alarm the alarm in force before this window
 * @throws RangeError when the window has other points than those before it
 */
export function withWindow(
  variation: WindowVariation,
  window: WindowCounts,
  alarm: DriftState["alarm"] = "none",
): WindowVariation {
  const { counts, rows } = window;
  if (rows === 0 || alarm !== "none") return variation;
  if (variation.windows > 0 && counts.length !== variation.counts.length) {
    throw new RangeError(`${counts.length} points do not fit ${variation.counts.length}`);
  }
  return {
    windows: variation.windows + 1,
    rows: variation.rows + rows,
    counts: counts.map((count, j) => (variation.counts[j] ?? 0) + count),
    squares: counts.map((count, j) => (variation.squares[j] ?? 0) + (count * count) / rows),
  };
}

/** phi as far as the windows tell it, see the head of the file. */
export function inflationOf(variation: WindowVariation): Inflation {
  const { windows, rows, counts, squares } = variation;
  if (windows < VARIATION_WINDOWS_MIN) return { phi: 1, learning: true };
  let [between, independent] = [0, 0];
  for (let j = 0; j < counts.length; j++) {
    const [count, square] = [counts[j] as number, squares[j] as number];
    between += square - (count * count) / rows;
    independent += (count / rows) * (1 - count / rows);
  }
  // A signal that never varies has nothing to inflate.
  const ratio = independent > 0 ? between / ((windows - 1) * independent) : 1;
  const slack = 1 + 2 * Math.sqrt(2 / (POINTS_WORTH * (windows - 1)));
  return { phi: Math.max(1, ratio) * slack, learning: false };
}

/** Rows at or below each decile of the reference, on the nearest edge from above. */
export function decileCounts(reference: ReferenceGrid, live: GridSummary): WindowCounts {
  const counts: number[] = [];
  let [below, liveBelow] = [0, 0];
  for (let bin = 0; bin < reference.counts.length; bin++) {
    below += reference.counts[bin] as number;
    liveBelow += live.counts[bin] as number;
    while (counts.length < POINTS_MAX && below * 10 >= (counts.length + 1) * reference.count) {
      counts.push(liveBelow);
    }
  }
  return { counts, rows: live.count };
}

/** Rows in each of the reference's nine commonest categories, ties in its order. */
export function categoryRows(reference: CategoryCounts, live: CategoryCounts): WindowCounts {
  const commonest = Array.from(reference.entries())
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, POINTS_MAX);
  return { counts: commonest.map(([name]) => live.get(name)), rows: live.count };
}
