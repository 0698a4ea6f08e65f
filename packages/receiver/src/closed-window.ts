/** What observe hands to evaluate. */
import type { CategoryCounts, GridSummary } from "@tidemark/stats";
import type { Reference } from "./references/reference.js";

/** Which signal, of which model. */
export interface SignalIdentity {
  readonly model: string;
  readonly version: string;
  /** `feature.<name>`, `prediction.value`, … */
  readonly name: string;
  /** The slice of the model's traffic, such as `region=eu`; empty for all of it. */
  readonly segment: string;
}

/** Counts of one stretch of time. */
export type Summary = GridSummary | CategoryCounts;

/** A window that has ended; the consumer may keep the summary. */
export interface ClosedWindow {
  readonly signal: SignalIdentity;
  readonly reference: Reference;
  /** Index into the configured window lengths. */
  readonly window: number;
  /** The window is [startMs, endMs) in event time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly summary: Summary;
}
