// What every numeric test compares: a law given by finitely many points and the rows at each. Raw
// rows, weighted rows and quantile sketches all become one, so that each test is written once.

import type { GridSource } from "../summaries/grid-source.js";
import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";

/** A discrete law on the line; plain data. Make it once when several tests read the same rows. */
export interface EmpiricalLaw {
  /** Distinct and finite, ascending. */
  readonly points: Float64Array;
  /** Rows (or mass) at each point, positive; the same length. */
  readonly rows: Float64Array;
  /** Sum of `rows`. */
  readonly count: number;
  /** Entries left out for being no finite number: NaN, an infinity, null or undefined. */
  readonly invalid: number;
  /** 99 % bound on the error of every rank at once; 0 when every row was kept. */
  readonly rankError: number;
}

/** A quantile sketch that can list its items, such as a KllSketch. */
export interface SketchView {
  sortedView(): GridSource;
  /** Rows that it left out for being no finite number. */
  readonly invalid?: number;
}

/** Raw rows in any order; an entry that is no finite number is left out and counted. */
export type RawRows = ArrayLike<number | null | undefined>;

/** Everything that a numeric test accepts on either side. */
export type LawSource = RawRows | EmpiricalLaw | SketchView | ReferenceGrid | GridSummary;

/**
 * The law of raw rows, or of what a sketch has seen.
 *
 * @param weights rows that each entry of `source` stands for, not negative; only with raw rows.
 *   p-values take their sum for the number of rows
 * @throws RangeError when weights are negative, infinite or of another number than the rows
 */
export function empiricalLaw(
  source: RawRows | EmpiricalLaw | SketchView,
  weights?: ArrayLike<number>,
): EmpiricalLaw {
  if ("points" in source) return source;
  if ("sortedView" in source) {
    const { values, weights: masses, epsilon } = source.sortedView();
    return lawOf(values, masses, source.invalid ?? 0, epsilon);
  }
  return weights === undefined ? lawOfRows(source) : lawOfWeighted(source, weights);
}

/** A source that several readers can share: rows are sorted and sketches listed once. */
export function readOnce<Summary extends { readonly variance: number }>(
  source: RawRows | EmpiricalLaw | SketchView | Summary,
): EmpiricalLaw | Summary {
  return "variance" in source ? source : empiricalLaw(source);
}

function lawOfRows(entries: RawRows): EmpiricalLaw {
  const finite = new Float64Array(entries.length);
  let length = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    // `+ 0` turns -0 into 0, so that the two zeros are one point.
    if (Number.isFinite(entry)) finite[length++] = (entry as number) + 0;
  }
  return lawOf(finite.subarray(0, length).toSorted(), undefined, entries.length - length, 0);
}

function lawOfWeighted(entries: RawRows, weights: ArrayLike<number>): EmpiricalLaw {
  if (weights.length !== entries.length) {
    throw new RangeError(`${weights.length} weights do not fit ${entries.length} values`);
  }
  const kept: number[] = [];
  for (let i = 0; i < entries.length; i++) {
    const weight = weights[i] as number;
    if (!(weight >= 0 && weight < Infinity)) throw new RangeError(`weight ${weight} is negative`);
    if (Number.isFinite(entries[i])) kept.push(i);
  }
  const invalid = entries.length - kept.length;
  const order = kept
    .filter((i) => (weights[i] as number) > 0)
    .toSorted((i, j) => (entries[i] as number) - (entries[j] as number));
  const values = Float64Array.from(order, (i) => (entries[i] as number) + 0);
  const masses = Float64Array.from(order, (i) => weights[i] as number);
  return lawOf(values, masses, invalid, 0);
}

/** Joins equal neighbours of an ascending list. */
function lawOf(
  values: Float64Array,
  weights: Float64Array | undefined,
  invalid: number,
  rankError: number,
): EmpiricalLaw {
  const points = new Float64Array(values.length);
  const rows = new Float64Array(values.length);
  let length = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const weight = weights === undefined ? 1 : (weights[i] as number);
    if (length === 0 || points[length - 1] !== value) points[length++] = value;
    rows[length - 1] = (rows[length - 1] as number) + weight;
    count += weight;
  }
  return {
    points: points.subarray(0, length),
    rows: rows.subarray(0, length),
    count,
    invalid,
    rankError,
  };
}
