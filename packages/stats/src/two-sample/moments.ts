// Count, mean and variance of whatever a test compares, also where squares would leave the doubles.

import { ReferenceGrid } from "../summaries/reference-grid.js";
import { empiricalLaw, type LawSource } from "./empirical-law.js";

/** What a test of means needs to know of a side; grids, windows and MomentSummary are such. */
export interface Moments {
  /** Rows. */
  readonly count: number;
  readonly mean: number;
  /** Population variance, with divisor `count`. */
  readonly variance: number;
  /** Rows left out for being no finite number; absent when there were none. */
  readonly invalid?: number;
}

/** Moments with what else a test says of a side. */
export interface MeasuredMoments extends Moments {
  readonly invalid: number;
  /** 99 % bound on the error of the mean: a sketch's rank error times the range of its items. */
  readonly meanError: number;
}

/** Magnitudes whose squares and products are ordinary doubles. */
const SAFE_MIN = 2 ** -400;
const SAFE_MAX = 2 ** 400;

/**
 * Moments in multiples of `unit`. Those of grids and their summaries are exact, those of a sketch
 * come from its items. NaN mean and variance when there is no finite row.
 *
 * @param unit a power of two, as `unitOf` gives it
 */
export function momentsOf(source: LawSource | Moments, unit = 1): MeasuredMoments {
  if ("variance" in source) {
    const { count, mean, variance, invalid = 0 } = source;
    const meanError = source instanceof ReferenceGrid ? source.epsilon * rangeOf(source, unit) : 0;
    return { count, mean: mean / unit, variance: variance / unit / unit, invalid, meanError };
  }
  const law = empiricalLaw(source);
  const { points, rows } = law;
  let [count, mean, squares] = [0, points.length === 0 ? Number.NaN : 0, 0];
  for (let i = 0; i < points.length; i++) {
    const weight = rows[i] as number;
    count += weight;
    const x = (points[i] as number) / unit;
    const deviation = x - mean;
    mean += deviation * (weight / count);
    squares += weight * deviation * (x - mean);
  }
  const [min, max] = [points[0] ?? 0, points[points.length - 1] ?? 0];
  const meanError = law.rankError * rangeOf({ min, max }, unit);
  return { count, mean, variance: squares / count, invalid: law.invalid, meanError };
}

/** Standard deviation (divisor n), which stays finite where the variance does not. */
export function sigmaOf(source: LawSource | Moments): number {
  const unit = unitOf(source);
  return unit * Math.sqrt(momentsOf(source, unit).variance);
}

/** The unit in which a source's moments are ordinary doubles. */
export function unitOf(source: LawSource | Moments): number {
  return "variance" in source ? 1 : unitOfPoints(empiricalLaw(source).points);
}

/** 1, or for points beyond 2^400 or all below 2^-400 the power of two at the largest magnitude. */
export function unitOfPoints(points: Float64Array): number {
  const largest = Math.max(Math.abs(points[0] ?? 0), Math.abs(points[points.length - 1] ?? 0));
  if (largest === 0 || (largest >= SAFE_MIN && largest <= SAFE_MAX)) return 1;
  // 2^-1022 up to 2^1023 are normal doubles, and so is the quotient of a point and its unit. The
  // logarithm of the largest double rounds to 1024.
  return 2 ** Math.min(1023, Math.max(-1022, Math.floor(Math.log2(largest))));
}

function rangeOf({ min, max }: { readonly min: number; readonly max: number }, unit: number) {
  return max / unit - min / unit;
}
