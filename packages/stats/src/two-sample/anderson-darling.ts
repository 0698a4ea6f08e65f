// Anderson-Darling for two samples: squared differences of the cumulative distributions, each
// weighted by the inverse of its variance, so that the tails count. O(n log n) on raw rows, O(bins)
// on grids. Scholz and Stephens (1987), doi:10.1080/01621459.1987.10478517, equation 7 (midranks).

import { andersonDarlingUpper } from "../distributions/anderson-darling-law.js";
import type { LawSource } from "./empirical-law.js";
import {
  comparedRows,
  type LawPair,
  pairedSize,
  pairLaws,
  type TwoSampleTest,
} from "./law-pair.js";

/**
 * `statistic` is (A^2 - 1) / sigma, as scipy's `anderson_ksamp` has it. `errorBound` is NaN on
 * grids and sketches: the weights grow without bound in the tails, so none is stated.
 */
export interface AndersonDarling extends TwoSampleTest {
  /** A^2 itself; about 1 when both sides have one law. */
  readonly aSquared: number;
  /**
   * p from the limit law at the statistic's own mean and variance: within 3 % of `pValue` where the
   * table of critical values reaches, from 10 rows a side on, and known also where it ends.
   */
  readonly limitPValue: number;
  /** Whether the table of critical values ended before the statistic did. */
  readonly pValueIs: "interpolated" | "at least" | "at most";
}

/** Standard deviation of the limit law, whose mean is 1. */
const LIMIT_SIGMA = Math.sqrt((2 * (Math.PI * Math.PI - 9)) / 3);

/** Levels of the paper's table 2 and its critical values for two samples, b0 + b1 + b2. */
const LEVELS = [0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001];
const CRITICAL = [
  0.675 - 0.245 - 0.105,
  1.281 + 0.25 - 0.305,
  1.645 + 0.678 - 0.362,
  1.96 + 1.149 - 0.391,
  2.326 + 1.822 - 0.396,
  2.573 + 2.364 - 0.345,
  3.085 + 3.615 - 0.154,
];

/**
 * Tests two sides, in any order.
 *
 * @returns `pValue` by a quadratic through the logarithms of the table's levels, between .001 and
 *   .25, as scipy does; beyond them the end of the table, and `pValueIs` says so. On a single
 *   distinct value, or fewer than 4 rows, `statistic` and `pValue` are NaN
 * @throws RangeError when a side has no finite row
 */
export function andersonDarling(reference: LawSource, live: LawSource): AndersonDarling {
  const pair = pairLaws(reference, live);
  const { count: n, size: nWorth } = pair.reference;
  const { count: m, size: mWorth } = pair.live;
  const aSquared = weightedSquares(pair) * pairedSize(pair) * (1 / n + 1 / m);
  const statistic = (aSquared - 1) / Math.sqrt(varianceOf(nWorth, mWorth));
  const isExact = pair.halfWidths === undefined && nWorth === n && mWorth === m;
  const errorBound = isExact ? 0 : Number.NaN;
  const limitPValue = andersonDarlingUpper(1 + statistic * LIMIT_SIGMA);
  const tail = { ...tailOf(statistic), limitPValue };
  return { statistic, ...tail, errorBound, ...comparedRows(pair), aSquared };
}

/** A^2 by equation 7; NaN when all rows are equal. */
function weightedSquares({ reference, live }: LawPair): number {
  const { rows, count: n } = reference;
  const { rows: liveRows, count: m } = live;
  const all = n + m;
  let [sum, below, liveBelow] = [0, 0, 0];
  let distinct = 0;
  for (let i = 0; i < rows.length; i++) {
    const f = (rows[i] as number) / n;
    const g = (liveRows[i] as number) / m;
    if (f + g === 0) continue;
    distinct++;
    const gap = below - liveBelow + (f - g) / 2;
    // Shares of the pooled rows: here, and below or half here.
    const here = (f * n + g * m) / all;
    const middle = (below * n + liveBelow * m) / all + here / 2;
    sum += (here * gap * gap) / (middle * (1 - middle) - here / 4);
    below += f;
    liveBelow += g;
  }
  if (distinct < 2) return Number.NaN;
  return ((all - 1) / all) * ((n * m) / all) * sum;
}

/** Variance of A^2 for two samples; equation 4. */
function varianceOf(n: number, m: number): number {
  const all = n + m;
  const inverses = 1 / n + 1 / m;
  const [h, squares] = harmonics(all - 1);
  const g = squares - (2 * h) / all;
  const a = 4 * g - 6 + (10 - 6 * g) * inverses;
  const b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverses - 8 * h + 4 * g - 6;
  const c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverses + 4 * h;
  const d = (2 * h + 6) * 4 - 8 * h;
  return (((a * all + b) * all + c) * all + d) / ((all - 1) * (all - 2) * (all - 3));
}

/** Sums of 1/i and of 1/i^2 for i up to n; by Euler and Maclaurin where n is large. */
function harmonics(n: number): [h: number, squares: number] {
  if (n > 1000) {
    const h = Math.log(n) + EULER + 1 / (2 * n) - 1 / (12 * n * n);
    return [h, (Math.PI * Math.PI) / 6 - 1 / n + 1 / (2 * n * n) - 1 / (6 * n ** 3)];
  }
  let [h, squares] = [0, 0];
  for (let i = 1; i <= n; i++) {
    h += 1 / i;
    squares += 1 / (i * i);
  }
  return [h, squares];
}

const EULER = 0.577_215_664_901_532_9;

function tailOf(statistic: number): Pick<AndersonDarling, "pValue" | "pValueIs"> {
  if (statistic < (CRITICAL[0] as number)) return { pValue: 0.25, pValueIs: "at least" };
  if (statistic > (CRITICAL.at(-1) as number)) return { pValue: 0.001, pValueIs: "at most" };
  const [c0, c1, c2] = LOG_LEVEL;
  return { pValue: Math.exp((c2 * statistic + c1) * statistic + c0), pValueIs: "interpolated" };
}

/** Least squares of log level on 1, x, x^2 at the critical values. */
const LOG_LEVEL = quadraticThrough(CRITICAL, LEVELS.map(Math.log));

/** Projects on orthogonal polynomials, then expands them in powers. */
function quadraticThrough(
  xs: readonly number[],
  ys: readonly number[],
): [constant: number, linear: number, quadratic: number] {
  const centre = mean(xs);
  const line = xs.map((x) => x - centre);
  const skew =
    dot(
      line,
      line.map((x) => x * x),
    ) / dot(line, line);
  const spread = mean(line.map((x) => x * x));
  const curve = line.map((x) => x * x - skew * x - spread);
  const [level, slope] = [mean(ys), dot(line, ys) / dot(line, line)];
  const bend = dot(curve, ys) / dot(curve, curve);
  // level + slope u + bend (u^2 - skew u - spread) with u = x - centre.
  const linear = slope - bend * skew;
  return [
    level - bend * spread - linear * centre + bend * centre * centre,
    linear - 2 * bend * centre,
    bend,
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}
