/** From changes of state to stretches of time. */
import type { SignalState, StateRun } from "#ui/documents.js";
import { STATES } from "#ui/documents.js";
import type { Verdict } from "../evaluate/verdict.js";
import type { PastState } from "./past.js";

/** A state as the page knows it. */
export function stateOf(text: string): SignalState {
  return STATES.find((state) => state === text) ?? "unknown";
}

/** What is known of one signal and window length. */
export interface KnownStates {
  /** Oldest first, as far as they are kept. */
  readonly changes: readonly PastState[];
  /** The state now; its change may no longer be kept. */
  readonly verdict: Verdict | undefined;
  readonly windowMs: number;
  /** When the first verdict of any signal of the model came. */
  readonly knownSinceMs: number;
}

/**
 * The states of one signal and window length in [fromMs, toMs). A state holds from the start of the
 * window that brought it; the one before the first change that is kept, since it is known to have
 * begun, or else since the model is known.
 */
export function stateRuns(known: KnownStates, fromMs: number, toMs: number): StateRun[] {
  const { changes, verdict, windowMs } = known;
  const begun = changes.map(({ atMs, state }) => ({ atMs, state }));
  const { before = "none", beforeSinceMs = known.knownSinceMs } = changes[0] ?? {};
  if (before !== "none") begun.unshift({ atMs: beforeSinceMs, state: before });
  const last = begun.at(-1);
  const { status = "", sinceMs = 0 } = verdict?.drift ?? {};
  if (verdict && last?.state !== status) begun.push({ atMs: sinceMs, state: status });
  return begun.flatMap(({ atMs, state }, index) => {
    const next = begun[index + 1];
    const startMs = Math.max(fromMs, atMs - windowMs);
    const endMs = Math.min(toMs, next ? next.atMs - windowMs : toMs);
    return endMs > startMs ? [{ startMs, endMs, state: stateOf(state) }] : [];
  });
}

/** The more urgent first. */
export function byUrgency(a: SignalState, b: SignalState): number {
  return STATES.indexOf(a) - STATES.indexOf(b);
}
