/** What evaluate hands to those who tell of it: a window that drifts, or a verdict that changes. */
import { createHash } from "node:crypto";
import type { SignalIdentity } from "./closed-window.js";
import type { Exemplar } from "./exemplar.js";

/** One finding about one window of one signal. */
export interface DriftFinding {
  readonly signal: SignalIdentity;
  /** The window's length, such as `5m`; it is [startMs, endMs) in event time. */
  readonly window: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly reference: string;
  readonly status: string;
  /** The status before; the same while a drift goes on. */
  readonly before: string;
  /** The test that decides: its distance, the one that counts as a drift, and its p-value. */
  readonly method: string;
  readonly score: number;
  readonly threshold: number;
  readonly pValue: number;
  readonly referenceCount: number;
  readonly liveCount: number;
  /** What has happened, for people. */
  readonly sentence: string;
  /** Predictions that show it; those that are far from usual come first. */
  readonly exemplars: readonly Exemplar[];
}

/** Whether somebody should look at a signal in this status. */
export function isAlarm(status: string): boolean {
  return status === "drifted" || status === "warning";
}

/**
 * The ids of the trace that tells of a finding. They follow from what was found, so that a finding
 * that is told again, after a crash, is the same trace again.
 */
export function findingIds({ signal, window, endMs, status }: DriftFinding): {
  readonly traceId: string;
  readonly spanId: string;
} {
  const identity = JSON.stringify([...Object.values(signal), window, endMs, status]);
  const hash = createHash("sha256").update(identity).digest("hex");
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) };
}
