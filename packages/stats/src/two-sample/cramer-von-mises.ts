// Cramer-von Mises: the mean squared difference of two cumulative distributions, weighted by the
// pooled rows. Sees a difference spread over the whole range better than Kolmogorov-Smirnov does.
// O(n log n) on raw rows, O(bins) on grids. Anderson (1962), doi:10.1214/aoms/1177704477.

import {
  cramerVonMisesExact,
  cramerVonMisesUpper,
} from "../distributions/cramer-von-mises-laws.js";
import type { LawSource } from "./empirical-law.js";
import {
  comparedRows,
  hasExactLaw,
  type LawPair,
  pairedSize,
  pairLaws,
  rankErrorOf,
  type TwoSampleTest,
} from "./law-pair.js";

/** Rows a side up to which the p-value is exact, as in scipy. */
const EXACT_ROWS_MAX = 20;

/** `statistic` is T = n m / (n + m) times the integral of (F - G)^2 over the pooled rows. */
export interface CramerVonMises extends TwoSampleTest {
  readonly method: "exact" | "limit";
}

export interface CramerVonMisesOptions {
  /**
   * - `spread` (default): equal rows follow one another with the two sides mixed evenly; keeps the
   *   level, and errs towards none when atoms are heavy
   * - `midrank`: scipy's statistic, equal without ties; with ties and unequal sizes it grows with
   *   the rows even when both sides have one law
   */
  readonly ties?: "spread" | "midrank";
}

/**
 * Tests two sides, in any order.
 *
 * @returns `pValue` exact up to 20 raw rows a side, else from the limit law at the exact mean and
 *   variance
 * @throws RangeError when a side has no finite row
 */
export function cramerVonMises(
  reference: LawSource,
  live: LawSource,
  options: CramerVonMisesOptions = {},
): CramerVonMises {
  const pair = pairLaws(reference, live);
  const { count: n } = pair.reference;
  const { count: m } = pair.live;
  const { integral, distance } = meanSquare(pair);
  const rowsTogether = 1 / (1 / n + 1 / m);
  const statistic = options.ties === "midrank" ? midrankOf(pair) : rowsTogether * integral;
  // By parts: the integrand moves by up to 2 |F - G| e + e^2, and its variation, at most 4 sup
  // |F - G|, meets a pooled rank that moves by e.
  const e = rankErrorOf(pair) + Math.max(pair.reference.resolution, pair.live.resolution);
  const errorBound = rowsTogether * e * (6 * distance + e);
  const exact = hasExactLaw(pair, EXACT_ROWS_MAX);
  const worth = statistic * (pairedSize(pair) / rowsTogether);
  const pValue = exact
    ? cramerVonMisesExact(statistic, n, m)
    : cramerVonMisesUpper(standardised(worth, pair.reference.size, pair.live.size));
  const method = exact ? "exact" : "limit";
  return { statistic, pValue, errorBound, ...comparedRows(pair), method };
}

/** Shifts and scales T so that its mean and variance are those of the limit law, 1/6 and 1/45. */
function standardised(t: number, n: number, m: number): number {
  const all = n + m;
  const mean = (1 + 1 / all) / 6;
  const spread = 4 * n * m * all - 3 * (n * n + m * m) - 2 * n * m;
  const variance = ((all + 1) / (45 * all * all)) * (spread / (4 * n * m));
  return 1 / 6 + (t - mean) / Math.sqrt(45 * variance);
}

/**
 * The mean of (F - G)^2 after each pooled row, and sup |F - G|. Within t equal rows the gap goes
 * from l to l + d in t steps, whose squares add up to t l^2 + l d (t+1) + d^2 (t+1)(2t+1)/(6t). A
 * bridge's expectation between two points is a line: so T never has a heavier tail than its law.
 */
function meanSquare({ reference, live }: LawPair): { integral: number; distance: number } {
  const { rows, count: n } = reference;
  const { rows: liveRows, count: m } = live;
  let [sum, distance, below, liveBelow, before] = [0, 0, 0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    const equal = (rows[i] as number) + (liveRows[i] as number);
    below += rows[i] as number;
    liveBelow += liveRows[i] as number;
    const gap = (below * m - liveBelow * n) / (n * m);
    const change = gap - before;
    const perStep = 1 / Math.max(1, equal);
    const cross = before * change * (1 + perStep);
    const square = (change * change * (1 + perStep) * (2 + perStep)) / 6;
    sum += equal * (before * before + cross + square);
    distance = Math.max(distance, Math.abs(gap));
    before = gap;
  }
  return { integral: sum / (n + m), distance };
}

/**
 * T from midranks, n sum (rank of x_i - i)^2 + m sum (rank of y_j - j)^2 over n m (n + m), less
 * (4 n m - 1) / (6 (n + m)), rearranged so that nothing large cancels.
 */
function midrankOf({ reference, live }: LawPair): number {
  const { rows, count: n } = reference;
  const { rows: liveRows, count: m } = live;
  let [squares, cubes, liveCubes, below, liveBelow] = [0, 0, 0, 0, 0];
  for (let i = 0; i < rows.length; i++) {
    const f = (rows[i] as number) / n;
    const g = (liveRows[i] as number) / m;
    const gap = below - liveBelow + (f - g) / 2;
    squares += (f + g) * ((gap * gap) / 2 + (f * f - 4 * f * g + g * g) / 24);
    cubes += f * f * f;
    liveCubes += g * g * g;
    below += f;
    liveBelow += g;
  }
  const all = n + m;
  const tied = n * n * (n * n * cubes - 1) + m * m * (m * m * liveCubes - 1);
  return ((n * m) / all) * squares + 1 / (6 * all) + tied / (12 * n * m * all);
}
