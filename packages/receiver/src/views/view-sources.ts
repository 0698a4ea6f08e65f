/** What the views are made from, and how the signals and verdicts of a model are found in it. */
import type { Links, QualityRow, SignalKind, SignalState } from "#ui/documents.js";
import type { SignalIdentity } from "../closed-window.js";
import type { Origin } from "../evaluate/contributions.js";
import type { Verdict } from "../evaluate/verdict.js";
import type { MetricFamily } from "../metric-family.js";
import type { ObservedModel, ObservedSignal } from "../observe/observed-model.js";
import type { Reference } from "../references/reference.js";
import type { WindowLength } from "../window-lengths.js";
import type { Past } from "./past.js";
import { stateOf } from "./state-runs.js";

/** All that is asked of the receiver. */
export interface ViewSources {
  readonly now: () => number;
  readonly startedMs: number;
  readonly ready: () => boolean;
  readonly models: () => readonly ObservedModel[];
  readonly verdicts: () => readonly Verdict[];
  /** Where a drift comes from; undefined when there is none. */
  readonly origin: (verdict: Verdict) => Origin | undefined;
  readonly metrics: () => readonly MetricFamily[];
  readonly past: Past;
  /** Window lengths that are evaluated, shortest first. */
  readonly windows: readonly WindowLength[];
  readonly links: Links;
}

/** Which part of a model's traffic. */
export interface ModelPart {
  readonly model: string;
  readonly version: string;
  readonly segment: string;
}

/** A range of event time, and the window length whose verdicts are shown. */
export interface ViewRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly window: string;
}

/** Whether a model is the one that is asked for. */
export function isPart(one: ObservedModel, { model, version, segment }: ModelPart): boolean {
  return one.model === model && one.version === version && one.segment === segment;
}

/** Verdicts by signal name, of one part of a model and one window length. */
export function verdictsOf(
  sources: ViewSources,
  part: ModelPart,
  window: string,
): ReadonlyMap<string, Verdict> {
  const found = sources
    .verdicts()
    .filter((verdict) => verdict.window === window && isOf(verdict.signal, part));
  return new Map(found.map((verdict) => [verdict.signal.name, verdict]));
}

/** The window lengths that are shown, and those that have had something to say of `part`. */
export function windowNames(sources: ViewSources, part?: ModelPart): string[] {
  const own = part ? sources.verdicts().filter(({ signal }) => isOf(signal, part)) : [];
  const telling = new Set(own.map(({ window }) => window));
  return sources.windows
    .filter(({ name, shown }) => shown || telling.has(name))
    .map(({ name }) => name);
}

/** The first change of a verdict that is known of a part of a model; Infinity without any. */
export function knownSinceMs(sources: ViewSources, part: ModelPart): number {
  const changes = [...sources.past.changes(part).values()]
    .flat()
    .map(({ atMs, beforeSinceMs = atMs }) => beforeSinceMs);
  const states = sources.verdicts().filter(({ signal }) => isOf(signal, part));
  const begun = [...changes, ...states.map(({ drift }) => drift.sinceMs)].filter((ms) => ms > 0);
  return begun.reduce((least, ms) => Math.min(least, ms), Infinity);
}

/** Whether a signal belongs to a part of a model. */
export function isOf(signal: SignalIdentity, { model, version, segment }: ModelPart): boolean {
  return signal.model === model && signal.version === version && signal.segment === segment;
}

/** The signals of a model without the gaps between their keys. */
export function signalsOf(model: ObservedModel): ObservedSignal[] {
  return model.signals.filter((signal) => signal !== undefined);
}

/** The state of a signal, also of one that has no verdict yet. */
export function signalState(signal: ObservedSignal | undefined, verdict?: Verdict): SignalState {
  if (verdict) return stateOf(verdict.drift.status);
  return signal?.learner ? "learning" : "unknown";
}

/** What the values of a reference are. */
export function kindOf(reference: Reference | undefined): SignalKind | null {
  if (reference === undefined) return null;
  if (reference.kind === "numeric") return "numeric";
  return reference.rate ? "rate" : "categorical";
}

/** Statistic over threshold; null when there is none. */
export function ratioOf({ evaluation }: Verdict): number | null {
  return finite(evaluation.statistic / evaluation.threshold);
}

/** What breaks the schema of a signal, and how often it did. */
export function qualityOf(signal: ObservedSignal): QualityRow[] {
  const counts = { missing: signal.missing, ...signal.violations };
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => ({ signal: signal.identity.name, kind, count }))
    .toSorted((a, b) => b.count - a.count);
}

/** JSON has no NaN and no Infinity. */
export function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
