// How many independent rows two summaries are worth together, and how many it takes.

import { KOLMOGOROV_99 } from "../distributions/kolmogorov-laws.js";

/** One side of a comparison. */
export interface SampleSize {
  /** Rows. */
  readonly count: number;
  /**
   * phi >= 1: by how much autocorrelation and season inflate the variance of a share over
   * independent rows; 1 for independent rows.
   */
  readonly inflation?: number;
  /** 99 % rank error of a sketch, 0 for grids and raw rows. */
  readonly epsilon?: number;
}

// Normal quantile of 90 %, times the standard deviation (at most 1/2) of a share.
const POWER_MARGIN = 0.64;

/**
 * n_e with 1/n_e = phi_ref/n + phi_live/m + (eps_ref^2 + eps_live^2)/1.6276^2.
 *
 * @returns 0 when a side is empty
 */
export function effectiveSize(reference: SampleSize, live: SampleSize): number {
  return 1 / (inverseSize(reference) + inverseSize(live));
}

/**
 * The size that goes with t^4 as n_e goes with t^2 in the rate at which a distance of t becomes
 * unlikely: ((phi_ref/n)^(1/3) + (phi_live/m)^(1/3))^-3, at most n_e. By KL(p || q) >= 2 d^2 +
 * 4/9 d^4, d = p - q (Krafft 1969), the rate of either side's deviation is at least that, and the
 * least sum of the quartic terms of two deviations that add up to t has this size.
 *
 * @returns 0 when a side is empty, or a sketch, whose error is not a sample's
 */
export function quarticSize(reference: SampleSize, live: SampleSize): number {
  if ((reference.epsilon ?? 0) > 0 || (live.epsilon ?? 0) > 0) return 0;
  return 1 / (Math.cbrt(inverseSize(reference)) + Math.cbrt(inverseSize(live))) ** 3;
}

/**
 * n_e at which a Kolmogorov-Smirnov distance of `distance` exceeds `floor` significantly with 90 %
 * power: ((c + .64) / (distance - floor))^2.
 *
 * @param criticalValue c = sqrt(ln(2.2/alpha)/2)
 * @throws RangeError when distance is not above floor
 */
export function requiredEffectiveSize(
  criticalValue: number,
  distance: number,
  floor: number,
): number {
  if (!(distance > floor)) {
    throw new RangeError(`distance ${distance} must exceed the floor ${floor}`);
  }
  return ((criticalValue + POWER_MARGIN) / (distance - floor)) ** 2;
}

/**
 * Live rows that reach an effective size of `required` against `reference`.
 *
 * @returns Infinity when the reference alone is too small: no number of live rows is enough
 */
export function requiredLiveCount(
  required: number,
  reference: SampleSize,
  live: Omit<SampleSize, "count"> = {},
): number {
  const room = 1 / required - inverseSize(reference) - rankVariance(live.epsilon ?? 0);
  return room > 0 ? Math.ceil((live.inflation ?? 1) / room) : Infinity;
}

function inverseSize(sample: SampleSize): number {
  return (sample.inflation ?? 1) / sample.count + rankVariance(sample.epsilon ?? 0);
}

/** What a 99 % rank error adds to 1/n: the rows it is worth, inverted. */
export function rankVariance(epsilon: number): number {
  return (epsilon / KOLMOGOROV_99) ** 2;
}
