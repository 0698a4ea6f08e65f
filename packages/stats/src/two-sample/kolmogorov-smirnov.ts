// Kolmogorov-Smirnov: the largest difference of two cumulative distributions.
//
// Statistic: O(n log n) on raw rows, O(bins) on grids, where it never exceeds the exact one.
// p-value of "no difference": exact by path counting up to 10,000 raw rows a side, O(n m) at worst;
// for more rows, grids and sketches Kolmogorov's limit law at the rows that both are worth.

import {
  kolmogorovOneSampleUpper,
  kolmogorovSmirnovExact,
  kolmogorovUpper,
} from "../distributions/kolmogorov-laws.js";
import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";
import type { LawSource } from "./empirical-law.js";
import { empiricalLaw, type RawRows } from "./empirical-law.js";
import {
  comparedRows,
  hasExactLaw,
  type LawPair,
  pairedSize,
  pairLaws,
  rankErrorOf,
  type TwoSampleTest,
} from "./law-pair.js";

/** Rows a side up to which the p-value is exact. */
export const EXACT_ROWS_MAX = 10_000;

/**
 * - `exact`: path counting, O(n m); conservative under ties; only for whole numbers of rows
 * - `limit`: Kolmogorov's Q(sqrt(n_e) D)
 * - `one-sample`: that of one sample of round(n_e) rows, what scipy calls asymptotic
 */
export type KolmogorovLaw = "exact" | "limit" | "one-sample";

/** `statistic` is D = sup |F - G|; on grids the exact D is at most `errorBound` above it. */
export interface KolmogorovSmirnov extends TwoSampleTest {
  /** The law that the p-value was taken from. */
  readonly law: KolmogorovLaw;
}

/** Where two summaries on one grid differ most. */
export interface GridDistance {
  /** D on the grid's edges, 0 when the live side is empty. */
  readonly distance: number;
  /** Index of the edge where |F - G| = D. */
  readonly edge: number;
}

/**
 * Tests two sides, in any order.
 *
 * @param law where the p-value comes from (default: exact where rows are raw and few, else limit)
 * @throws RangeError when a side has no finite row, or parts of rows while `law` is exact
 */
export function kolmogorovSmirnov(
  reference: LawSource,
  live: LawSource,
  law?: KolmogorovLaw,
): KolmogorovSmirnov {
  const pair = pairLaws(reference, live);
  const statistic = distanceOf(pair);
  const chosen = law ?? (hasExactLaw(pair, EXACT_ROWS_MAX) ? "exact" : "limit");
  return {
    statistic,
    pValue: upperTail(statistic, pair, chosen),
    errorBound: pair.resolution + rankErrorOf(pair),
    ...comparedRows(pair),
    law: chosen,
  };
}

/**
 * Tests whether raw rows come from a given continuous law.
 *
 * @param lower the law's P(X <= x)
 * @returns D and P(D or more), by Simard and L'Ecuyer; `m` is 0
 * @throws RangeError without a finite row
 */
export function kolmogorovSmirnovOneSample(
  rows: RawRows,
  lower: (x: number) => number,
): KolmogorovSmirnov {
  const { points, rows: times, count, invalid } = empiricalLaw(rows);
  if (count === 0) throw new RangeError("a sample is empty: it has no finite value");
  let [statistic, below] = [0, 0];
  for (let i = 0; i < points.length; i++) {
    const expected = lower(points[i] as number);
    const gap = Math.abs(expected - below / count);
    below += times[i] as number;
    statistic = Math.max(statistic, gap, Math.abs(below / count - expected));
  }
  const pValue = kolmogorovOneSampleUpper(statistic, count);
  const sides = { n: count, m: 0, invalid: { reference: invalid, live: 0 } };
  return { statistic, pValue, errorBound: 0, ...sides, law: "one-sample" };
}

/**
 * Deequ's distance of two numeric profiles: D, less what sampling alone explains.
 *
 * @param criticalValue Deequ's c(alpha), 1.8 by default; 0 leaves D as it is
 * @returns max(0, D - c sqrt(1/n + 1/m))
 */
export function deequDistance(reference: LawSource, live: LawSource, criticalValue = 1.8): number {
  const pair = pairLaws(reference, live);
  const { count: n } = pair.reference;
  const { count: m } = pair.live;
  return Math.max(0, distanceOf(pair) - criticalValue * Math.sqrt(1 / n + 1 / m));
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

/** Products of counts are exact integers up to 2^53, so equal shares give exactly 0. */
function distanceOf({ reference, live }: LawPair): number {
  const { rows, count: n } = reference;
  const { rows: liveRows, count: m } = live;
  let [gapMax, below, liveBelow] = [0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    below += rows[i] as number;
    liveBelow += liveRows[i] as number;
    const gap = Math.abs(below * m - liveBelow * n);
    if (gap > gapMax) gapMax = gap;
  }
  return Math.min(1, gapMax / (n * m));
}

function upperTail(statistic: number, pair: LawPair, law: KolmogorovLaw): number {
  if (law === "exact") {
    const [n, m] = [pair.reference.count, pair.live.count];
    if (Number.isInteger(n) && Number.isInteger(m)) return kolmogorovSmirnovExact(statistic, n, m);
    throw new RangeError(`${n} and ${m} rows are not whole, and so have no exact law`);
  }
  const size = pairedSize(pair);
  if (law === "limit") return kolmogorovUpper(Math.sqrt(size) * statistic);
  return kolmogorovOneSampleUpper(statistic, Math.max(1, roundHalfEven(size)));
}

function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}
