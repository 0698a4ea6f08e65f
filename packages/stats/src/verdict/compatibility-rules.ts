// What Evidently 0.7 and scipy decide by default, for people who migrate and want to see both
// answers. These rules raise false alarms that `evaluateNumeric` and `evaluateCategorical` do not:
// fixed thresholds take no notice of sample sizes, and p < .05 is crossed every twentieth time.
//
// Evidently, with a reference of at most 1,000 rows: Kolmogorov-Smirnov p <= .05 for numbers with
// more than 5 distinct values, else chi-square p < .05 with the reference taken for exact, or for
// one or two values a z-test. With more rows: Wasserstein over the reference's sigma >= .1, or the
// Jensen-Shannon distance (natural logarithms) >= .1. scipy: p < .05 of ks_2samp (exact up to
// 10,000 rows, else asymptotic) or of chi2_contingency (Yates' correction for two cells).

import {
  kolmogorovOneSampleUpper,
  kolmogorovSmirnovExact,
} from "../distributions/kolmogorov-laws.js";
import { chiSquareHomogeneity } from "../two-sample/chi-square-homogeneity.js";
import {
  type CategorySource,
  type ComparedCells,
  categoryCells,
} from "../two-sample/compared-cells.js";
import { jensenShannon } from "../two-sample/count-distances.js";
import { countTotal } from "../two-sample/count-total.js";
import { type LawSource, readOnce } from "../two-sample/empirical-law.js";
import { goodnessOfFit } from "../two-sample/goodness-of-fit.js";
import { EXACT_ROWS_MAX, kolmogorovSmirnov } from "../two-sample/kolmogorov-smirnov.js";
import { type LawPair, pairLaws } from "../two-sample/law-pair.js";
import { twoProportions } from "../two-sample/two-proportions.js";
import { wassersteinDistance } from "../two-sample/wasserstein.js";

/** Whose decision is reproduced. */
export type CompatibilityRule = "evidently" | "scipy";

/** A decision as the other tool words it; plain data. */
export interface CompatibilityVerdict {
  readonly rule: CompatibilityRule;
  readonly test: "ks" | "chi-square" | "z" | "wasserstein" | "jensen-shannon";
  /** The p-value for `ks`, `chi-square` and `z`, the distance for the other two. */
  readonly score: number;
  /** Where the score can lie on the raw rows; both ends equal `score` when these are given. */
  readonly scoreRange: readonly [low: number, high: number];
  readonly threshold: number;
  readonly drifted: boolean;
  /** False when some score in `scoreRange` would have been decided otherwise. */
  readonly certain: boolean;
}

const P_VALUE_THRESHOLD = 0.05;
const DISTANCE_THRESHOLD = 0.1;
/** Evidently: references with more rows are compared by a distance, not by a test. */
const TESTED_ROWS_MAX = 1000;
/** Evidently: numbers with no more distinct values on both sides together are categories. */
const CATEGORY_VALUES_MAX = 5;

/**
 * Decides on a numeric signal.
 *
 * @param reference rows, a sketch, a grid or a window on one; rows that are not finite are left out
 * @param live the same
 * @throws RangeError when a side has no finite row, Error when both are on grids and these differ
 */
export function numericByRule(
  rule: CompatibilityRule,
  reference: LawSource,
  live: LawSource,
): CompatibilityVerdict {
  const [r, c] = [readOnce(reference), readOnce(live)];
  const pair = pairLaws(r, c);
  if (rule === "scipy") return byKolmogorovSmirnov(rule, r, c);
  const values = occupied(pair);
  if (values.length <= CATEGORY_VALUES_MAX) return byEvidentlyCells(cellsAt(pair, values), pair);
  if (pair.reference.count <= TESTED_ROWS_MAX) return byKolmogorovSmirnov(rule, r, c);
  const { sigma, normalised, errorBound } = wassersteinDistance(r, c);
  // A sketch of the reference knows its standard deviation only nearly, with no bound to state.
  const relativeBound = pair.reference.rankError > 0 ? Infinity : errorBound / sigma;
  return byDistance("wasserstein", normalised, relativeBound);
}

/**
 * Decides on a categorical signal.
 *
 * @param reference counts by name
 * @param live the same; a name that one side lacks counts 0 there
 * @throws RangeError when a side has no rows
 */
export function categoricalByRule(
  rule: CompatibilityRule,
  reference: CategorySource,
  live: CategorySource,
): CompatibilityVerdict {
  const all = categoryCells(reference, live);
  const seen = all.names.flatMap((_, i) => (all.reference[i] || all.live[i] ? [i] : []));
  const cells = {
    reference: Float64Array.from(seen, (i) => all.reference[i] as number),
    live: Float64Array.from(seen, (i) => all.live[i] as number),
  };
  if (rule === "evidently") return byEvidentlyCells(cells, undefined);
  const options = { expectedMin: 0, yates: true };
  const { pValue } = chiSquareHomogeneity(cells.reference, cells.live, options);
  return byPValue(rule, "chi-square", pValue, [pValue, pValue]);
}

/** p at D as seen, and at both ends of where D can lie; from the rows seen, as the tools do. */
function byKolmogorovSmirnov(
  rule: CompatibilityRule,
  reference: LawSource,
  live: LawSource,
): CompatibilityVerdict {
  const { statistic, errorBound, n, m } = kolmogorovSmirnov(reference, live, "limit");
  const isExact = Math.max(n, m) <= EXACT_ROWS_MAX;
  const upper = (d: number): number =>
    isExact
      ? kolmogorovSmirnovExact(d, n, m)
      : kolmogorovOneSampleUpper(Math.min(1, d), Math.round((n / (n + m)) * m));
  const score = upper(statistic);
  if (errorBound === 0) return byPValue(rule, "ks", score, [score, score]);
  const low = upper(Math.min(1, statistic + errorBound));
  return byPValue(rule, "ks", score, [low, upper(Math.max(0, statistic - errorBound))]);
}

/** @param pair absent for categories, whose counts are exact */
function byEvidentlyCells(cells: ComparedCells, pair: LawPair | undefined): CompatibilityVerdict {
  const { reference, live } = cells;
  const rows = countTotal(reference);
  if (rows > TESTED_ROWS_MAX) {
    const distance = jensenShannon(reference, live, "e");
    return byDistance("jensen-shannon", distance, isExactAt(pair) ? 0 : Infinity);
  }
  const isTwo = reference.length <= 2;
  const score = isTwo ? zTest(cells) : goodnessOfFit(reference, live).pValue;
  const range = isExactAt(pair) ? ([score, score] as const) : ([0, 1] as const);
  return byPValue("evidently", isTwo ? "z" : "chi-square", score, range);
}

function zTest({ reference, live }: ComparedCells): number {
  if (reference.length === 1) return 1;
  const first = reference[0] as number;
  return twoProportions(first, countTotal(reference), live[0] as number, countTotal(live), "z")
    .pValue;
}

/** Whether rows are known to lie on their points: raw rows, or bins that hold a single value. */
function isExactAt(pair: LawPair | undefined): boolean {
  if (pair === undefined) return true;
  const isRounded = occupied(pair).some((i) => (pair.halfWidths?.[i] ?? 0) > 0);
  return !isRounded && pair.reference.rankError + pair.live.rankError === 0;
}

function byPValue(
  rule: CompatibilityRule,
  test: CompatibilityVerdict["test"],
  score: number,
  scoreRange: readonly [low: number, high: number],
): CompatibilityVerdict {
  const threshold = P_VALUE_THRESHOLD;
  // Evidently's Kolmogorov-Smirnov alone counts the threshold itself as drift.
  const includes = rule === "evidently" && test === "ks";
  const decide = (p: number): boolean => p < threshold || (includes && p === threshold);
  const drifted = decide(score);
  const certain = scoreRange.every((p) => decide(p) === drifted);
  return { rule, test, score, scoreRange, threshold, drifted, certain };
}

function byDistance(
  test: "wasserstein" | "jensen-shannon",
  score: number,
  errorBound: number,
): CompatibilityVerdict {
  const threshold = DISTANCE_THRESHOLD;
  const scoreRange = [Math.max(0, score - errorBound), score + errorBound] as const;
  const drifted = score >= threshold;
  const certain = scoreRange.every((distance) => distance >= threshold === drifted);
  return { rule: "evidently", test, score, scoreRange, threshold, drifted, certain };
}

/** Indices of the points where either side has rows. */
function occupied({ reference, live }: LawPair): number[] {
  const indices: number[] = [];
  for (let i = 0; i < reference.rows.length; i++) {
    if ((reference.rows[i] as number) + (live.rows[i] as number) > 0) indices.push(i);
  }
  return indices;
}

function cellsAt({ reference, live }: LawPair, indices: readonly number[]): ComparedCells {
  return {
    reference: Float64Array.from(indices, (i) => reference.rows[i] as number),
    live: Float64Array.from(indices, (i) => live.rows[i] as number),
  };
}
