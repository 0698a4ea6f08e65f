/** The models, and one model with the states of its signals over a range of time. */
import type {
  ModelDocument,
  ModelSummary,
  ModelsDocument,
  SegmentRow,
  SignalRow,
  SignalState,
} from "#ui/documents.js";
import type { Verdict } from "../evaluate/verdict.js";
import { sentenceOf } from "../evaluate/verdict.js";
import type { ObservedModel, ObservedSignal } from "../observe/observed-model.js";
import type { PastState } from "./past.js";
import { previewOf } from "./preview.js";
import { compareSides } from "./sides.js";
import { byUrgency, stateRuns } from "./state-runs.js";
import type { ModelPart, ViewRange, ViewSources } from "./view-sources.js";
import {
  finite,
  isOf,
  isPart,
  kindOf,
  knownSinceMs,
  qualityOf,
  ratioOf,
  signalState,
  signalsOf,
  verdictsOf,
  windowNames,
} from "./view-sources.js";

const WORST_SHOWN = 3;
/** Signals that moved and are shown with a picture of their last window. */
const PREVIEWS_MAX = 6;

/** All models, the worst first; segments are part of their model. */
export function modelsDocument(sources: ViewSources): ModelsDocument {
  const all = sources.models();
  // One pass over the verdicts, however many models there are.
  const verdicts = Map.groupBy(sources.verdicts(), ({ signal }) => versionKey(signal));
  const models = all
    .filter(({ segment }) => segment === "")
    .map((model) => summaryOf(model, verdicts.get(versionKey(model)) ?? [], segmentsOf(all, model)))
    .toSorted((a, b) => byUrgency(a.state, b.state) || (a.model < b.model ? -1 : 1));
  return { nowMs: sources.now(), windows: windowNames(sources), links: sources.links, models };
}

/** One model, worst signals first. */
export async function modelDocument(
  sources: ViewSources,
  part: ModelPart,
  range: ViewRange,
): Promise<ModelDocument | undefined> {
  const all = sources.models();
  const found = all.find((one) => isPart(one, part));
  if (found === undefined) return undefined;
  const verdicts = verdictsOf(sources, part, range.window);
  const changes = sources.past.changes(part);
  const sinceMs = knownSinceMs(sources, part);
  const observed = new Map(signalsOf(found).map((signal) => [signal.identity.name, signal]));
  // Rates of missing values have verdicts, and no values of their own.
  const signals = [...new Set([...observed.keys(), ...verdicts.keys()])]
    .map((name) => {
      const known = { signal: observed.get(name), verdict: verdicts.get(name) };
      return signalRow(name, known, changes.get(name) ?? [], sources, { ...range, sinceMs });
    })
    .toSorted(byWorst);
  const moved = signals
    .filter(({ state }) => state === "drifted" || state === "warning")
    .slice(0, PREVIEWS_MAX);
  const previews = new Map<string, SignalRow["preview"]>();
  for (const { signal: name } of moved) {
    const known = { signal: observed.get(name), verdict: verdicts.get(name) };
    previews.set(name, await preview(sources, { ...part, ...range }, known));
  }
  return {
    nowMs: sources.now(),
    ...part,
    ...range,
    windows: windowNames(sources, part),
    versions: versionsOf(all, part.model),
    segments: segmentsOf(all, found),
    links: sources.links,
    predictions: found.successes + found.errors,
    errors: found.errors,
    signals: signals.map((row) => ({ ...row, preview: previews.get(row.signal) ?? null })),
    segmentRanking: segmentRanking(sources, part, range.window),
    quality: signalsOf(found)
      .flatMap(qualityOf)
      .toSorted((a, b) => b.count - a.count),
  };
}

/** How the segments of a model fare, or how one signal does in each of them. */
export function segmentRanking(
  sources: ViewSources,
  { model, version }: ModelPart,
  window: string,
  signal?: string,
): SegmentRow[] {
  const ofModel = sources.verdicts().filter((verdict) => {
    const { signal: one } = verdict;
    const isWanted = one.model === model && one.version === version && one.segment !== "";
    return isWanted && verdict.window === window && (signal ?? one.name) === one.name;
  });
  return [...Map.groupBy(ofModel, (verdict) => verdict.signal.segment)]
    .map(([segment, verdicts]): SegmentRow => {
      const [worst] = verdicts.toSorted(byVerdict);
      return {
        segment,
        state: worst ? signalState(undefined, worst) : "unknown",
        drifted: verdicts.filter(({ drift }) => drift.alarm === "drifted").length,
        signals: verdicts.length,
        worst: worst?.signal.name ?? "",
        ratio: worst ? ratioOf(worst) : null,
      };
    })
    .toSorted((a, b) => byUrgency(a.state, b.state) || (b.ratio ?? 0) - (a.ratio ?? 0));
}

/** The segments of a model that have been seen. */
export function segmentsOf(all: readonly ObservedModel[], of: ModelPart): string[] {
  return all
    .filter(({ model, version, segment }) => {
      return model === of.model && version === of.version && segment !== "";
    })
    .map(({ segment }) => segment);
}

/** The versions of a model that have been seen. */
export function versionsOf(all: readonly ObservedModel[], name: string): string[] {
  return [...new Set(all.filter(({ model }) => model === name).map(({ version }) => version))];
}

function summaryOf(
  model: ObservedModel,
  verdicts: readonly Verdict[],
  segments: readonly string[],
): ModelSummary {
  const own = verdicts.filter(({ signal }) => signal.segment === "");
  const byName = Map.groupBy(own, ({ signal }) => signal.name);
  const counts: Partial<Record<SignalState, number>> = {};
  const signals = signalsOf(model).map((signal) => {
    const { name } = signal.identity;
    const worst = tellingVerdict(byName.get(name) ?? []);
    return { name, worst, state: signalState(signal, worst) };
  });
  for (const { state } of signals) counts[state] = (counts[state] ?? 0) + 1;
  const ranked = [...signals, ...segmentAlarms(verdicts, signals)].toSorted(
    (a, b) => byUrgency(a.state, b.state) || byVerdict(a.worst, b.worst),
  );
  const state = modelState(ranked.map((row) => row.state));
  const ends = own.filter(({ evaluation }) => evaluation.m > 0).map(({ endMs }) => endMs);
  const since = ranked
    .filter((row) => row.state === state)
    .map(({ worst }) => worst?.drift.sinceMs);
  return {
    model: model.model,
    version: model.version,
    segments,
    state,
    sinceMs: leastOf(since.filter((ms) => ms !== undefined)),
    lastMs: ends.length > 0 ? ends.reduce((a, b) => Math.max(a, b)) : null,
    counts,
    predictions: model.successes + model.errors,
    errors: model.errors,
    worst: ranked
      .filter((row) => row.state === "drifted" || row.state === "warning")
      .slice(0, WORST_SHOWN)
      .map(({ name }) => name),
  };
}

/** An alarm of any signal is one of the model; otherwise what has been judged speaks for it. */
function modelState(states: readonly SignalState[]): SignalState {
  const order = ["drifted", "warning", "stable"] as const;
  return (
    order.find((state) => states.includes(state)) ?? states.toSorted(byUrgency)[0] ?? "unknown"
  );
}

interface RankedSignal {
  readonly name: string;
  readonly worst: Verdict | undefined;
  readonly state: SignalState;
}

/** What is in alarm in a segment, and not in all of the traffic. */
function segmentAlarms(verdicts: readonly Verdict[], own: readonly RankedSignal[]): RankedSignal[] {
  const known = new Set(
    own.flatMap(({ name, worst }) => {
      return worst && worst.drift.alarm !== "none" ? [name] : [];
    }),
  );
  const alarms = verdicts.filter(({ signal, drift }) => {
    return signal.segment !== "" && drift.alarm !== "none" && !known.has(signal.name);
  });
  const bySignal = Map.groupBy(alarms, ({ signal }) => `${signal.name} in ${signal.segment}`);
  return [...bySignal].map(([name, ofSignal]) => {
    const worst = tellingVerdict(ofSignal);
    return { name, worst, state: signalState(undefined, worst) };
  });
}

/** What is known of one signal. */
interface KnownSignal {
  readonly signal: ObservedSignal | undefined;
  readonly verdict: Verdict | undefined;
}

/** The window that was judged, beside the reference. */
async function preview(
  sources: ViewSources,
  place: ModelPart & ViewRange,
  { signal, verdict }: KnownSignal,
): Promise<SignalRow["preview"]> {
  if (signal === undefined || verdict === undefined) return null;
  const { startMs, endMs } = verdict;
  const panes = await sources.past.panes(signal.identity, startMs, endMs);
  const against = { kind: "reference" } as const;
  const query = { ...place, signal: signal.identity.name, live: "window", against } as const;
  const sides = { signal, panes, verdict, isMissing: false };
  const comparison = await compareSides(sources, query, sides);
  return comparison && previewOf(comparison);
}

function signalRow(
  name: string,
  { signal, verdict }: KnownSignal,
  changes: readonly PastState[],
  sources: ViewSources,
  { fromMs, toMs, window, sinceMs }: ViewRange & { readonly sinceMs: number },
): Omit<SignalRow, "preview"> {
  const windowMs = sources.windows.find((one) => one.name === window)?.ms ?? 0;
  const ofWindow = changes.filter((change) => change.window === window);
  const reference = signal?.panes?.reference;
  const untilMs = Math.min(toMs, sources.now());
  return {
    signal: name,
    kind: kindOf(reference),
    state: signalState(signal, verdict),
    sinceMs: verdict?.drift.sinceMs ?? null,
    method: verdict?.evaluation.method ?? null,
    statistic: finite(verdict?.evaluation.statistic),
    threshold: finite(verdict?.evaluation.threshold),
    ratio: verdict ? ratioOf(verdict) : null,
    liveCount: verdict?.evaluation.m ?? 0,
    referenceCount: verdict?.evaluation.n ?? 0,
    sentence: verdict ? sentenceOf(verdict) : "",
    runs: stateRuns(
      { changes: ofWindow, verdict, windowMs, knownSinceMs: sinceMs },
      fromMs,
      untilMs,
    ),
    learning: signal ? learningOf(signal) : null,
  };
}

/** How far a signal without a reference has learned. */
export function learningOf({ learner }: ObservedSignal): SignalRow["learning"] {
  if (learner === undefined) return null;
  const { count, needed, spanMs, neededSpanMs } = learner;
  return { learned: count, needed, learnedSpanMs: spanMs, neededSpanMs };
}

type Ranked = Pick<SignalRow, "state" | "ratio" | "signal">;

function byWorst(a: Ranked, b: Ranked): number {
  const byRatio = (b.ratio ?? 0) - (a.ratio ?? 0);
  return byUrgency(a.state, b.state) || byRatio || (a.signal < b.signal ? -1 : 1);
}

/**
 * The window length that says most about a signal: one in alarm; otherwise silence where it shows
 * first; otherwise one that has enough values, where shorter ones have too few.
 */
function tellingVerdict(verdicts: readonly Verdict[]): Verdict | undefined {
  const [first] = verdicts.toSorted(byVerdict);
  if (first === undefined || first.drift.alarm !== "none") return first;
  const [shortest] = verdicts.toSorted((a, b) => lengthOf(a) - lengthOf(b));
  if (shortest?.drift.status === "silent") return shortest;
  return verdicts.find(({ drift }) => drift.status === "stable") ?? first;
}

/**
 * The window length that says most about a model: the one in which most signals are in the worst
 * state, and of several such ones rather one that is always shown, and rather a short one.
 */
export function tellingWindow(sources: ViewSources, part: ModelPart): string | undefined {
  const own = sources.verdicts().filter(({ signal }) => isOf(signal, part));
  const [worst] = own.map((verdict) => signalState(undefined, verdict)).toSorted(byUrgency);
  const isAlarm = worst === "drifted" || worst === "warning";
  const state = isAlarm ? worst : "stable";
  const telling = own.filter((verdict) => signalState(undefined, verdict) === state);
  const counts = Map.groupBy(telling, ({ window }) => window);
  const [best] = sources.windows
    .filter(({ name }) => counts.has(name))
    .toSorted((a, b) => {
      const byCount = (counts.get(b.name)?.length ?? 0) - (counts.get(a.name)?.length ?? 0);
      return byCount || Number(b.shown) - Number(a.shown) || a.ms - b.ms;
    });
  return best?.name;
}

function lengthOf({ startMs, endMs }: Verdict): number {
  return endMs - startMs;
}

function byVerdict(a: Verdict | undefined, b: Verdict | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const states = byUrgency(signalState(undefined, a), signalState(undefined, b));
  return states || (ratioOf(b) ?? 0) - (ratioOf(a) ?? 0);
}

function leastOf(values: readonly number[]): number | null {
  return values.length > 0 ? values.reduce((a, b) => Math.min(a, b)) : null;
}

function versionKey({ model, version }: Pick<ModelPart, "model" | "version">): string {
  return JSON.stringify([model, version]);
}
