/** What is known about one signal in one window length: the evidence, and the state it led to. */
import type { DriftState } from "@tidemark/stats";
import type { SignalIdentity } from "../closed-window.js";
import type { Exemplar } from "../exemplar.js";
import type { Evaluation } from "./comparison.js";
import type { Diversity } from "./output-diversity.js";
import type { PackedEvaluation } from "./packed-evaluation.js";

/** The latest verdict of one signal and window length. */
export interface Verdict {
  readonly signal: SignalIdentity;
  /** The window length as it is written, such as `5m`. */
  readonly window: string;
  readonly reference: string;
  readonly provisional: boolean;
  /** State and history of this signal and window length, with hysteresis. */
  readonly drift: DriftState;
  /** The last window that had values: [startMs, endMs) in event time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly evaluation: Evaluation;
  readonly diversity: Diversity | undefined;
  readonly exemplars: readonly Exemplar[] | undefined;
}

/** What a record keeps of the last window of a length that had values. */
export interface Evidence {
  readonly reference: string;
  readonly provisional: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly packed: PackedEvaluation;
  /** Of a model's output. */
  readonly diversity: Diversity | undefined;
  /** Of a window in alarm; those that are far from usual come first. */
  readonly exemplars: readonly Exemplar[] | undefined;
}

/** A verdict as the API shows it; numbers that do not exist are null. */
export function verdictJson(verdict: Verdict): Record<string, unknown> {
  const { signal, evaluation, drift } = verdict;
  const { n, m, ...rest } = evaluation;
  return {
    model: signal.model,
    version: signal.version,
    signal: signal.name,
    segment: signal.segment,
    window: verdict.window,
    windowStartMs: verdict.startMs,
    windowEndMs: verdict.endMs,
    state: drift.status,
    sinceMs: drift.sinceMs,
    detected: drift.alarm === "drifted",
    referenceCount: n,
    liveCount: m,
    ...rest,
    sentence: sentenceOf(verdict),
    reference: verdict.reference,
    provisional: verdict.provisional,
    ...(verdict.diversity ? { diversity: verdict.diversity } : {}),
    exemplars: verdict.exemplars ?? [],
  };
}

/**
 * What happened, for people. The evidence of a silent signal is that of its last window with
 * values, and what that window said is no longer so.
 */
export function sentenceOf({ signal, evaluation, drift, endMs }: Verdict): string {
  if (drift.status !== "silent" || evaluation.m === 0) return evaluation.sentence;
  const since = new Date(endMs).toISOString();
  return `${signal.name}: no value since ${since}; the numbers are those of the window before`;
}

/** The key under which all that is known of a signal is kept. */
export function signalKey({ model, version, name, segment }: SignalIdentity): string {
  return JSON.stringify([model, version, name, segment]);
}
