/** What observe hands to evaluate. */
import type { CategoryCounts, GridSummary } from "@tidemark/stats";
import type { Exemplar } from "./exemplar.js";
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

/** A window that has ended; its summary is lent for the time of the call. */
export interface ClosedWindow {
  readonly signal: SignalIdentity;
  readonly reference: Reference;
  /** Index into the window lengths. */
  readonly window: number;
  /** The window is [startMs, endMs) in event time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly summary: Summary;
  /** Some values of its last part, those that are far from usual rather than others. */
  readonly exemplars: () => readonly Exemplar[];
}
