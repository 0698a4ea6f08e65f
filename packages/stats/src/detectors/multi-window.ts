// Several window lengths under one promise: a feature in drift is one alarm, whichever length saw
// it first.
//
// Guarantee: each length gets the level that divides the promise r by the number of lengths, so
// that the expected false onsets of all lengths together are at most r a feature and year, whatever
// the dependence between them (expectations add up). An onset of the signal is an onset of one of
// its lengths, so there are at most as many.

import { type DriftPolicy, type DriftPolicyOptions, driftPolicy } from "../verdict/drift-policy.js";
import {
  type DriftObservation,
  type DriftState,
  INITIAL_DRIFT_STATE,
  nextDriftState,
} from "../verdict/drift-state.js";

export interface MultiWindowOptions
  extends Omit<DriftPolicyOptions, "evaluationMinutes" | "windowLengths"> {
  /** Minutes between two evaluations of each length; its own length where windows tumble. */
  readonly windowMinutes: readonly number[];
}

/** The states of one signal in every window length. Plain, serialisable. */
export interface MultiWindowState {
  /** In the order of the window lengths. */
  readonly states: readonly DriftState[];
  /** The worst alarm in force in any length. */
  readonly alarm: DriftState["alarm"];
}

/** The next state, and what happened to the signal as a whole. */
export interface MultiWindowTransition {
  readonly state: MultiWindowState;
  /** The first length has just begun to drift: the event that the promise counts. */
  readonly onset: boolean;
  /** The alarm of the last length has just ended. */
  readonly cleared: boolean;
}

/** One policy a window length, all under the one promise. @throws RangeError as `driftPolicy` */
export function multiWindowPolicies(options: MultiWindowOptions): DriftPolicy[] {
  const { windowMinutes, ...rest } = options;
  const windowLengths = windowMinutes.length;
  return windowMinutes.map((evaluationMinutes) =>
    driftPolicy({ ...rest, evaluationMinutes, windowLengths }),
  );
}

/** Where a signal with that many window lengths begins. */
export function initialMultiWindowState(windowLengths: number): MultiWindowState {
  return {
    states: Array.from({ length: windowLengths }, () => INITIAL_DRIFT_STATE),
    alarm: "none",
  };
}

/**
 * Applies one window of length number `window` to a signal.
 *
 * @throws RangeError when there is no such length
 */
export function nextMultiWindowState(
  state: MultiWindowState,
  window: number,
  seen: DriftObservation,
): MultiWindowTransition {
  const before = state.states[window];
  if (before === undefined) throw new RangeError(`there is no window length number ${window}`);
  const states = state.states.with(window, nextDriftState(before, seen).state);
  const alarm = worstAlarm(states);
  return {
    state: { states, alarm },
    onset: alarm === "drifted" && state.alarm !== "drifted",
    cleared: alarm === "none" && state.alarm !== "none",
  };
}

function worstAlarm(states: readonly DriftState[]): DriftState["alarm"] {
  if (states.some(({ alarm }) => alarm === "drifted")) return "drifted";
  return states.some(({ alarm }) => alarm === "warning") ? "warning" : "none";
}
