// From a promise that people understand (false alarms per feature and year) to a test's level.

/** Minutes of a mean Gregorian year, 365.2425 days, rounded as in the published tables. */
const MINUTES_PER_YEAR = 525_960;

/** r unless said otherwise. */
const PROMISE_DEFAULT = 0.01;

export interface AlarmPromise {
  /** r: expected false onsets per feature and year (default .01). */
  readonly falseAlarmsPerFeatureYear?: number;
  /**
   * A promise for the whole installation instead, false onsets per year; divided by
   * `activeFeatures`, and not to be given together with `falseAlarmsPerFeatureYear`.
   */
  readonly falseAlarmsPerYear?: number;
  /** Features that are evaluated and may page; only with `falseAlarmsPerYear`. */
  readonly activeFeatures?: number;
  /** s_W: minutes between two evaluations of this window. */
  readonly evaluationMinutes: number;
  /** L: window lengths that are evaluated and may page. */
  readonly windowLengths: number;
  /** K: tests of one feature that may page (default 1). */
  readonly pagingTests?: number;
}

/**
 * alpha_W = r s_W / (L K 525,960): expected onsets add up whatever the dependence between windows
 * and tests, so the promise is simply divided.
 *
 * @returns a level in (0, .05]: however seldom the evaluation, no test is laxer than 5 %
 * @throws RangeError naming the argument that is not positive, or both promises when two are made
 */
export function alarmLevel(promise: AlarmPromise): number {
  const { evaluationMinutes, windowLengths } = promise;
  const falseAlarmsPerFeatureYear = promisePerFeature(promise);
  const pagingTests = promise.pagingTests ?? 1;
  const all = { falseAlarmsPerFeatureYear, evaluationMinutes, windowLengths, pagingTests };
  for (const [name, value] of Object.entries(all)) {
    if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} ${value} is not positive`);
  }
  const perYear = windowLengths * pagingTests * MINUTES_PER_YEAR;
  return Math.min(0.05, (falseAlarmsPerFeatureYear * evaluationMinutes) / perYear);
}

/** r, as given or as the installation's promise divided by its active features. */
function promisePerFeature(promise: AlarmPromise): number {
  const { falseAlarmsPerFeatureYear, falseAlarmsPerYear, activeFeatures } = promise;
  if (falseAlarmsPerYear === undefined) return falseAlarmsPerFeatureYear ?? PROMISE_DEFAULT;
  if (falseAlarmsPerFeatureYear !== undefined) {
    throw new RangeError(
      "falseAlarmsPerYear and falseAlarmsPerFeatureYear are two promises: make one",
    );
  }
  if (activeFeatures === undefined || !(activeFeatures > 0)) {
    throw new RangeError(`activeFeatures ${activeFeatures} is not positive`);
  }
  return falseAlarmsPerYear / activeFeatures;
}
