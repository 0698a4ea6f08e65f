// Student's t: whether two means differ, from counts, means and variances alone. The only test here
// that needs no law, so on grids its statistic is exact. O(n) on raw rows, O(1) on grids.

import { studentTwoSided } from "../distributions/distribution-tails.js";
import { type LawSource, readOnce } from "./empirical-law.js";
import type { ComparedRows } from "./law-pair.js";
import { type Moments, momentsOf, unitOf } from "./moments.js";

/** A test of "both means are equal". */
export interface TTest extends ComparedRows {
  /**
   * t, positive when the reference's mean is larger; NaN when neither side varies nor differs, and
   * when the variance of given moments is infinite.
   */
  readonly statistic: number;
  /** Two-sided; NaN where t is, and when a side has one row (Welch) or both have (pooled). */
  readonly pValue: number;
  readonly degreesOfFreedom: number;
  /** Reference mean less live mean, in the unit of the rows. */
  readonly meanDifference: number;
  /** Bound on the error of `meanDifference`: 0 but for sketches, there 99 %. */
  readonly errorBound: number;
}

/**
 * Welch's test: the sides may differ in variance.
 *
 * @throws RangeError when a side has no row
 */
export function welchT(reference: LawSource | Moments, live: LawSource | Moments): TTest {
  return test(reference, live, (n, m, s2, liveS2) => {
    const [a, b] = [s2 / n, liveS2 / m];
    const total = a + b;
    // Shares of the variance, whose squares cannot underflow together.
    const [p, q] = [a / total, b / total];
    const degreesOfFreedom = 1 / ((p * p) / (n - 1) + (q * q) / (m - 1));
    return { variance: total, degreesOfFreedom };
  });
}

/**
 * The test with one variance pooled from both sides: sharper when it is one, wrong when it is not.
 *
 * @throws RangeError when a side has no row
 */
export function pooledT(reference: LawSource | Moments, live: LawSource | Moments): TTest {
  return test(reference, live, (n, m, s2, liveS2) => {
    const degreesOfFreedom = n + m - 2;
    const pooled = ((n > 1 ? (n - 1) * s2 : 0) + (m > 1 ? (m - 1) * liveS2 : 0)) / degreesOfFreedom;
    return { variance: pooled * (1 / n + 1 / m), degreesOfFreedom };
  });
}

/** Variance of the difference of means, from rows and sample variances (divisor n - 1). */
type Spread = (
  n: number,
  m: number,
  s2: number,
  liveS2: number,
) => { readonly variance: number; readonly degreesOfFreedom: number };

function test(first: LawSource | Moments, second: LawSource | Moments, spread: Spread): TTest {
  const [reference, live] = [readOnce(first), readOnce(second)];
  // t has no unit, so huge and denormal rows are measured in one that suits them.
  const unit = Math.max(unitOf(reference), unitOf(live));
  const r = momentsOf(reference, unit);
  const c = momentsOf(live, unit);
  const [n, m] = [r.count, c.count];
  if (!(n > 0 && m > 0)) throw new RangeError("a sample is empty: it has no finite value");
  const difference = r.mean - c.mean;
  const { variance, degreesOfFreedom } = spread(
    n,
    m,
    (r.variance * n) / (n - 1),
    (c.variance * m) / (m - 1),
  );
  // A summary's variance may have left the doubles; then nothing is known.
  const statistic = variance < Infinity ? difference / Math.sqrt(variance) : Number.NaN;
  // Two constants that differ: no degrees of freedom, and no doubt either.
  const pValue =
    Math.abs(statistic) === Infinity ? 0 : studentTwoSided(statistic, degreesOfFreedom);
  return {
    statistic,
    pValue,
    degreesOfFreedom,
    meanDifference: difference * unit,
    errorBound: (r.meanError + c.meanError) * unit,
    n,
    m,
    invalid: { reference: r.invalid, live: c.invalid },
  };
}
