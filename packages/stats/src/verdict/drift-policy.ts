// One knob and one promise, turned into the floors and levels that the tests use.

import { normalCdf } from "../distributions/distribution-tails.js";
import { type AlarmPromise, alarmLevel } from "./alarm-level.js";

/** Shift in standard deviations below which nobody wants to be told, unless said otherwise. */
export const SHIFT_DEFAULT = 0.25;
const WARNINGS_PER_YEAR_DEFAULT = 1;
/** A "large" drift, which a window must be able to see: this many times the floor. */
const LARGE_DRIFT_FACTOR = 3;
/** Floor of the rates' distance h. */
const RATE_FLOOR_DEFAULT = 0.1;

/** The effect floors that one shift d implies, each for a normal law moved by d sigma. */
export interface EffectFloors {
  /** Kolmogorov-Smirnov: 2 Phi(d/2) - 1. */
  readonly kolmogorovSmirnov: number;
  /** Population stability index: d^2. */
  readonly populationStability: number;
  /** Jensen-Shannon distance, root, base 2: d / sqrt(8 ln 2). */
  readonly jensenShannon: number;
  /** Hellinger distance: d / sqrt 8. */
  readonly hellinger: number;
  /** Wasserstein-1 in reference standard deviations: d. */
  readonly wasserstein: number;
}

/** Everything an evaluation needs to know besides the two summaries. Plain and frozen. */
export interface DriftPolicy {
  readonly shift: number;
  readonly floors: EffectFloors;
  /** h0, floor of the rates' distance. */
  readonly rateFloor: number;
  /** Level at which a window is drifted. */
  readonly alpha: number;
  /** Level at which a window is a warning; at least `alpha`. */
  readonly warningAlpha: number;
  /** A window is insufficient when it cannot see this many floors with 90 % power. */
  readonly largeDriftFactor: number;
}

export interface DriftPolicyOptions extends AlarmPromise {
  /** d, in reference standard deviations, in (0, 2] (default .25); 0 asks for a point null. */
  readonly shift?: number;
  /** h0, floor for missing, error and rejection rates (default .1). */
  readonly rateFloor?: number;
  /** Warnings per feature and year (default 1). */
  readonly warningsPerFeatureYear?: number;
  /** What counts as a large drift, in floors, above 1 (default 3). */
  readonly largeDriftFactor?: number;
}

/**
 * Builds a policy for one window length.
 *
 * @throws RangeError naming the option and its value
 */
export function driftPolicy(options: DriftPolicyOptions): DriftPolicy {
  const shift = options.shift ?? SHIFT_DEFAULT;
  const largeDriftFactor = options.largeDriftFactor ?? LARGE_DRIFT_FACTOR;
  const rateFloor = options.rateFloor ?? RATE_FLOOR_DEFAULT;
  if (!(shift >= 0 && shift <= 2)) throw new RangeError(`shift ${shift} is not in [0, 2]`);
  if (!(rateFloor >= 0 && rateFloor < Math.PI)) {
    throw new RangeError(`rateFloor ${rateFloor} is not in [0, pi)`);
  }
  if (!(largeDriftFactor > 1)) {
    throw new RangeError(`largeDriftFactor ${largeDriftFactor} is not above 1`);
  }
  const alpha = alarmLevel(options);
  const { evaluationMinutes, windowLengths, pagingTests = 1 } = options;
  const falseAlarmsPerFeatureYear = options.warningsPerFeatureYear ?? WARNINGS_PER_YEAR_DEFAULT;
  const warning = { falseAlarmsPerFeatureYear, evaluationMinutes, windowLengths, pagingTests };
  return Object.freeze({
    shift,
    floors: effectFloors(shift),
    rateFloor,
    alpha,
    warningAlpha: Math.max(alpha, alarmLevel(warning)),
    largeDriftFactor,
  });
}

/** The floors for a shift of `shift` standard deviations. */
export function effectFloors(shift: number): EffectFloors {
  return Object.freeze({
    kolmogorovSmirnov: 2 * normalCdf(shift / 2) - 1,
    populationStability: shift * shift,
    jensenShannon: shift / Math.sqrt(8 * Math.LN2),
    hellinger: shift / Math.sqrt(8),
    wasserstein: shift,
  });
}
