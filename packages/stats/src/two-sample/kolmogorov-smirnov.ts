// Kolmogorov-Smirnov: the largest difference of two cumulative distributions.
//
// Statistic: O(n log n) on raw rows, O(bins) on grids, where it never exceeds the exact one.
// p-value of "no difference": exact by path counting up to 10,000 rows a side, O(n m) at worst;
// beyond that Kolmogorov's asymptotic Q.

import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";

/** Rows a side up to which the p-value is exact. */
export const EXACT_ROWS_MAX = 10_000;

/** A two-sample Kolmogorov-Smirnov test of the point null F = G. */
export interface KolmogorovSmirnov {
  /** D = sup |F - G|. */
  readonly statistic: number;
  /** P(D or more | F = G), two-sided; conservative under ties. */
  readonly pValue: number;
  readonly method: "exact" | "asymptotic";
  /** How far D can lie below the exact one: 0 for raw rows, the grid's resolution for grids. */
  readonly errorBound: number;
}

/** Where two summaries on one grid differ most. */
export interface GridDistance {
  /** D on the grid's edges, 0 when the live side is empty. */
  readonly distance: number;
  /** Index of the edge where |F - G| = D. */
  readonly edge: number;
}

/**
 * Tests two raw samples.
 *
 * @param a finite rows in any order, not empty
 * @param b the same
 * @throws RangeError when a side is empty or holds NaN
 */
export function kolmogorovSmirnov(a: ArrayLike<number>, b: ArrayLike<number>): KolmogorovSmirnov {
  const x = sorted(a);
  const y = sorted(b);
  const [n, m] = [x.length, y.length];
  let gapMax = 0; // |i m - j n|, exact in integers up to 2^53
  for (let i = 0, j = 0; i < n && j < m; ) {
    const value = Math.min(x[i] as number, y[j] as number);
    while (i < n && x[i] === value) i++;
    while (j < m && y[j] === value) j++;
    gapMax = Math.max(gapMax, Math.abs(i * m - j * n));
  }
  return testOf(gapMax / (n * m), n, m, 0);
}

/** Tests a live summary against its grid's own reference. @throws RangeError when it is empty */
export function kolmogorovSmirnovOnGrid(
  reference: ReferenceGrid,
  live: GridSummary,
): KolmogorovSmirnov {
  if (live.count === 0) throw new RangeError("the live summary is empty");
  const { distance } = gridDistance(reference, live);
  return testOf(distance, reference.count, live.count, reference.resolution + reference.epsilon);
}

/** D between a reference and a live summary on its edges, and where. */
export function gridDistance(reference: ReferenceGrid, live: GridSummary): GridDistance {
  const { counts } = reference;
  const perReference = 1 / reference.count;
  const perLive = live.count > 0 ? 1 / live.count : 0;
  let [distance, edge, below, liveBelow] = [0, 0, 0, 0];
  if (live.count === 0) return { distance, edge };
  for (let bin = 0; bin + 1 < counts.length; bin++) {
    below += counts[bin] as number;
    liveBelow += live.counts[bin] as number;
    const gap = Math.abs(below * perReference - liveBelow * perLive);
    if (gap > distance) {
      distance = gap;
      edge = bin;
    }
  }
  return { distance: Math.min(1, distance), edge };
}

/**
 * P(D_{n,m} >= d | F = G, continuous) exactly, by walking the lattice paths from (0,0) to (n,m):
 * u(i,j), the chance that a uniformly random path to (i,j) has touched |i/n - j/m| >= d, is 1 on
 * the boundary and the weighted mean of its two predecessors inside. Only positive terms are
 * added, so tiny p-values keep their relative accuracy, unlike 1 - P(inside).
 * O(n m) time at worst, O(m) memory.
 */
export function kolmogorovSmirnovExact(d: number, n: number, m: number): number {
  const gap = Math.round(d * n * m);
  if (gap <= 0) return 1;
  const touched = new Float64Array(m + 1).fill(1);
  for (let i = 0; i <= n; i++) {
    // Inside: |i m - j n| < gap.
    const first = Math.max(0, Math.floor((i * m - gap) / n) + 1);
    const last = Math.min(m, Math.ceil((i * m + gap) / n) - 1);
    let left = 1;
    if (first > 0) touched[first - 1] = 1;
    for (let j = first; j <= last; j++) {
      const steps = i + j;
      left = steps === 0 ? 0 : ((touched[j] as number) * i + left * j) / steps;
      touched[j] = left;
    }
  }
  // The end point itself is inside unless gap is 0.
  return Math.min(1, touched[m] as number);
}

/**
 * Kolmogorov's limit law, P(sup |B| > z) = 2 sum (-1)^(k-1) exp(-2 k^2 z^2); below z = 1 by the
 * dual theta series, which converges there.
 */
export function kolmogorovUpper(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z <= 0) return 1;
  if (z < 1) {
    const unit = -(Math.PI * Math.PI) / (8 * z * z);
    let sum = 0;
    for (let k = 1; k <= 9; k += 2) sum += Math.exp(unit * k * k);
    return 1 - (Math.sqrt(2 * Math.PI) / z) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 5; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * z * z);
  return sum;
}

function testOf(statistic: number, n: number, m: number, errorBound: number): KolmogorovSmirnov {
  if (Math.max(n, m) <= EXACT_ROWS_MAX) {
    const pValue = kolmogorovSmirnovExact(statistic, n, m);
    return { statistic, pValue, method: "exact", errorBound };
  }
  const z = Math.sqrt((n / (n + m)) * m) * statistic;
  return { statistic, pValue: kolmogorovUpper(z), method: "asymptotic", errorBound };
}

function sorted(values: ArrayLike<number>): Float64Array {
  const copy = Float64Array.from(values).toSorted();
  if (copy.length === 0) throw new RangeError("a sample is empty");
  // NaN sorts to the end.
  if (Number.isNaN(copy[copy.length - 1])) throw new RangeError("a sample holds NaN");
  return copy;
}
