/** `/api/v1/status`: how the receiver is, on one page; what `tidemark status` prints. */
import { createRequire } from "node:module";
import type { MetricDefinition } from "@tidemark/semconv";
import { METRICS } from "@tidemark/semconv";
import type { ConfigStatus } from "../config/config-reload.js";
import type { Evaluator } from "../evaluate/evaluator.js";
import { sentenceOf } from "../evaluate/verdict.js";
import type { MetricFamily, NumberPoint } from "../metric-family.js";
import type { ObservedModel } from "../observe/observed-model.js";
import type { Observer } from "../observe/observer.js";
import type { OtherRun, ReferenceBook } from "../references/reference-book.js";

const { version: VERSION } = createRequire(import.meta.url)("../../package.json") as {
  version: string;
};
/** Alarms that are listed; there may be one for every signal. */
const ALARMS_MAX = 100;

/** Where the page comes from. */
export interface StatusSources {
  readonly startedMs: number;
  readonly now: () => number;
  readonly ready: () => boolean;
  readonly listening: () => Readonly<Record<string, string>>;
  readonly config: () => ConfigStatus;
  readonly metrics: () => MetricFamily[];
  readonly observer: Observer;
  readonly evaluator: Evaluator;
  readonly book: ReferenceBook;
}

/** One version of a model. */
export interface ModelStatus {
  readonly model: string;
  readonly version: string;
  readonly requests: number;
  readonly errors: number;
  /** Signals that are compared with a reference, and those that learn one; segments included. */
  readonly monitored: number;
  readonly learning: number;
  readonly segments: number;
}

/** A signal in alarm. */
export interface AlarmStatus {
  readonly model: string;
  readonly version: string;
  readonly signal: string;
  readonly segment: string;
  readonly window: string;
  readonly sinceMs: number;
  readonly sentence: string;
}

/** The whole page. */
export interface ReceiverStatus {
  readonly version: string;
  readonly startedMs: number;
  readonly nowMs: number;
  readonly ready: boolean;
  readonly listening: Readonly<Record<string, string>>;
  readonly config: ConfigStatus;
  readonly models: readonly ModelStatus[];
  /** How many signals are in which state, by window length. */
  readonly verdicts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly alarms: readonly AlarmStatus[];
  readonly alarmCount: number;
  /** Models whose spans name another training run than their reference does. */
  readonly otherRuns: readonly OtherRun[];
  readonly log: {
    readonly bytes: number;
    readonly failures: number;
    readonly damages: number;
    /** Batches that each consumer has not done with. */
    readonly lag: Readonly<Record<string, number>>;
  };
  /** What has become of forwarded batches, by endpoint. */
  readonly endpoints: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The page as it is now. */
export function receiverStatus(sources: StatusSources): ReceiverStatus {
  const { startedMs, observer, evaluator } = sources;
  const families = sources.metrics();
  const points = (definition: MetricDefinition) => pointsOf(families, definition);
  const total = (definition: MetricDefinition) => sumOf(points(definition));
  const verdicts = evaluator.verdicts();
  const alarms = verdicts.filter(({ drift }) => drift.alarm === "drifted");
  const states: Record<string, Record<string, number>> = {};
  for (const { window, drift } of verdicts) {
    const counts = (states[window] ??= {});
    counts[drift.status] = (counts[drift.status] ?? 0) + 1;
  }
  return {
    version: VERSION,
    startedMs,
    nowMs: sources.now(),
    ready: sources.ready(),
    listening: sources.listening(),
    config: sources.config(),
    models: modelsOf(observer.observedModels()),
    verdicts: states,
    alarms: alarms.slice(0, ALARMS_MAX).map((verdict) => ({
      ...verdict.signal,
      signal: verdict.signal.name,
      window: verdict.window,
      sinceMs: verdict.drift.sinceMs,
      sentence: sentenceOf(verdict),
    })),
    alarmCount: alarms.length,
    otherRuns: sources.book.otherRuns(observer.observedModels()),
    log: {
      bytes: total(METRICS.logBytes),
      failures: total(METRICS.logFailures),
      damages: total(METRICS.logDamages),
      lag: Object.fromEntries(
        points(METRICS.logLag).map(({ labels, value }) => [labels["consumer"], value]),
      ) as Record<string, number>,
    },
    endpoints: endpointsOf(points(METRICS.forwardRequests)),
  };
}

function modelsOf(models: readonly ObservedModel[]): ModelStatus[] {
  const whole = models.filter(({ segment }) => segment === "");
  return whole.map(({ model, version, successes, errors }) => {
    const parts = models.filter((part) => part.model === model && part.version === version);
    const signals = parts.flatMap((part) => part.signals.filter((signal) => signal !== undefined));
    const monitored = signals.filter(({ panes }) => panes !== undefined).length;
    const learning = signals.length - monitored;
    const requests = successes + errors;
    return { model, version, requests, errors, monitored, learning, segments: parts.length - 1 };
  });
}

function endpointsOf(points: readonly NumberPoint[]): Record<string, Record<string, number>> {
  const endpoints: Record<string, Record<string, number>> = {};
  for (const { labels, value } of points) {
    const { exporter = "", outcome = "" } = labels;
    (endpoints[exporter] ??= {})[outcome] = value;
  }
  return endpoints;
}

function pointsOf(families: readonly MetricFamily[], { name }: MetricDefinition): NumberPoint[] {
  const family = families.find(({ definition }) => definition.name === name);
  return [...(family?.points ?? [])].filter((point): point is NumberPoint => "value" in point);
}

function sumOf(points: readonly NumberPoint[]): number {
  return points.reduce((sum, { value }) => sum + value, 0);
}
