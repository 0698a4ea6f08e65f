// Hysteresis: from the outcomes of windows to the state of a signal, as a pure transition.
//
// An alarm begins with the first window that rejects. It ends when two disjoint windows lie below
// the floor, one after the other, with nothing above it in between. Windows that cannot judge
// (insufficient, silent, learning) neither clear an alarm nor interrupt its clearing. A drift may
// follow a warning at once; a warning never softens a drift.

import type { DriftOutcome } from "./drift-outcome.js";

/** What is remembered of a signal and window length between evaluations. Plain, serialisable. */
export interface DriftState {
  readonly status: DriftOutcome;
  /** The alarm in force, which `status` shows until it is cleared. */
  readonly alarm: "none" | "warning" | "drifted";
  /** End of the window with which the status began, epoch milliseconds; 0 at the start. */
  readonly sinceMs: number;
  /** End of the first window below the floor while in alarm; undefined when there is none. */
  readonly belowSinceMs: number | undefined;
}

/** One evaluated window, [windowStartMs, windowEndMs). */
export interface DriftObservation {
  readonly outcome: DriftOutcome;
  /** The distance is below the floor. */
  readonly belowFloor: boolean;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
}

/** The next state, and what happened on the way to it. */
export interface DriftTransition {
  readonly state: DriftState;
  /** The signal has just begun to drift: the event that the promise counts. */
  readonly onset: boolean;
  /** An alarm has just ended. */
  readonly cleared: boolean;
}

/** Where every signal begins. */
export const INITIAL_DRIFT_STATE: DriftState = Object.freeze({
  status: "learning",
  alarm: "none",
  sinceMs: 0,
  belowSinceMs: undefined,
});

/** Applies one window to a state. */
export function nextDriftState(state: DriftState, seen: DriftObservation): DriftTransition {
  const alarm = nextAlarm(state, seen);
  const onset = alarm.alarm === "drifted" && state.alarm !== "drifted";
  const cleared = alarm.alarm === "none" && state.alarm !== "none";
  const status = alarm.alarm === "none" ? seen.outcome : alarm.alarm;
  const sinceMs = status === state.status ? state.sinceMs : seen.windowEndMs;
  return { state: { ...alarm, status, sinceMs }, onset, cleared };
}

type Alarm = Pick<DriftState, "alarm" | "belowSinceMs">;

function nextAlarm(state: DriftState, seen: DriftObservation): Alarm {
  const { outcome } = seen;
  if (outcome === "drifted") return { alarm: "drifted", belowSinceMs: undefined };
  if (outcome === "warning") {
    return { alarm: state.alarm === "drifted" ? "drifted" : "warning", belowSinceMs: undefined };
  }
  if (state.alarm === "none") return { alarm: "none", belowSinceMs: undefined };
  if (outcome !== "stable") return { alarm: state.alarm, belowSinceMs: state.belowSinceMs };
  if (!seen.belowFloor) return { alarm: state.alarm, belowSinceMs: undefined };
  if (state.belowSinceMs === undefined) {
    return { alarm: state.alarm, belowSinceMs: seen.windowEndMs };
  }
  // Overlapping windows share rows: only a disjoint one counts as the second.
  if (seen.windowStartMs < state.belowSinceMs) {
    return { alarm: state.alarm, belowSinceMs: state.belowSinceMs };
  }
  return { alarm: "none", belowSinceMs: undefined };
}
