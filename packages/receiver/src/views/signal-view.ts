/** One signal: live beside reference, over time, its verdicts, and the traces behind them. */
import type {
  ExemplarFacts,
  OriginFacts,
  ReferenceFacts,
  SignalDocument,
  VerdictFacts,
} from "#ui/documents.js";
import { QUANTILE_SHARES } from "#ui/documents.js";
import type { Origin } from "../evaluate/contributions.js";
import type { Verdict } from "../evaluate/verdict.js";
import { sentenceOf } from "../evaluate/verdict.js";
import type { ObservedModel, ObservedSignal } from "../observe/observed-model.js";
import type { Reference } from "../references/reference.js";
import { learningOf, segmentRanking, segmentsOf, versionsOf } from "./model-view.js";
import type { SignalQuery } from "./sides.js";
import { compareSides, findSignal } from "./sides.js";
import { mergePanes, slicesOf, withShares } from "./slices.js";
import { stateOf, stateRuns } from "./state-runs.js";
import type { ViewSources } from "./view-sources.js";
import {
  finite,
  isOf,
  kindOf,
  knownSinceMs,
  qualityOf,
  signalState,
  windowNames,
} from "./view-sources.js";

const CHANGES_SHOWN = 50;

/** How a rate of missing values is called beside its signal. */
const MISSING = ".missing";
/** What slices of such a rate show none of. */
const NO_VALUES = {
  distance: null,
  quantiles: null,
  density: null,
  atoms: null,
  shares: null,
} as const;

/** Undefined when there is no such signal. */
export async function signalDocument(
  sources: ViewSources,
  query: SignalQuery,
): Promise<SignalDocument | undefined> {
  const all = sources.models();
  const { found, isMissing } = soughtSignal(all, query);
  if (found === undefined) return undefined;
  const { fromMs, toMs, window, signal, model, version, segment } = query;
  const verdicts = sources
    .verdicts()
    .filter((verdict) => verdict.signal.name === signal && isOf(verdict.signal, query));
  const shown = verdicts.find((verdict) => verdict.window === window);
  const reference = found.panes?.reference;
  const panes = await sources.past.panes(found.identity, fromMs, toMs);
  const sides = { signal: found, panes, verdict: shown, isMissing };
  const comparison = reference ? await compareSides(sources, query, sides) : null;
  const merged = mergePanes(panes, fromMs, toMs);
  const values = reference ? slicesOf(merged, reference, comparison) : [];
  const slices = isMissing ? values.map((slice) => ({ ...slice, ...NO_VALUES })) : values;
  const changes = sources.past.changes(query).get(signal) ?? [];
  const windowMs = sources.windows.find(({ name }) => name === window)?.ms ?? 0;
  const ofWindow = changes.filter((change) => change.window === window);
  const sinceMs = knownSinceMs(sources, query);
  const states = { changes: ofWindow, verdict: shown, windowMs, knownSinceMs: sinceMs };
  const origin = shown && sources.origin(shown);
  return {
    nowMs: sources.now(),
    fromMs,
    toMs,
    model,
    version,
    segment,
    signal,
    window,
    windows: windowNames(sources, query),
    versions: versionsOf(all, model),
    segments: segmentsOf(all, query),
    links: sources.links,
    kind: isMissing ? "rate" : kindOf(reference),
    state: signalState(found, shown),
    sinceMs: shown?.drift.sinceMs ?? null,
    reference: reference ? referenceFacts(reference) : null,
    learning: learningOf(found),
    verdicts: verdicts.map(verdictFacts),
    comparison,
    slices: withShares(slices, merged, comparison),
    runs: stateRuns(states, fromMs, Math.min(toMs, sources.now())),
    exemplars: tracesBehind(verdicts, window),
    segmentRanking: segmentRanking(sources, query, window, signal),
    origin: origin ? originFacts(origin) : null,
    quality: qualityOf(found),
    changes: changes
      .slice(-CHANGES_SHOWN)
      .toReversed()
      .map(({ atMs, window: of, before, state, sentence }) => {
        return { atMs, window: of, before: stateOf(before), state: stateOf(state), sentence };
      }),
  };
}

function referenceFacts(reference: Reference): ReferenceFacts {
  const { name, provisional, missing } = reference;
  const grid = reference.kind === "numeric" ? reference.grid : undefined;
  const count = reference.kind === "numeric" ? reference.grid.count : reference.categories.count;
  const quantiles = grid ? QUANTILE_SHARES.map((share) => grid.quantile(share)) : null;
  return { name, count, provisional, missingRate: missing / (missing + count), quantiles };
}

/** A rate of missing values is judged by itself, and counted with its signal. */
function soughtSignal(
  all: readonly ObservedModel[],
  query: SignalQuery,
): { readonly found: ObservedSignal | undefined; readonly isMissing: boolean } {
  const found = findSignal(all, query, query.signal);
  if (found !== undefined || !query.signal.endsWith(MISSING)) return { found, isMissing: false };
  const name = query.signal.slice(0, -MISSING.length);
  return { found: findSignal(all, query, name), isMissing: true };
}

function originFacts({ property, before, after, rankings }: Origin): OriginFacts {
  return {
    property: "atMost" in property ? property.atMost : property.category,
    before,
    after,
    rankings: rankings.map(({ attribute, segments }) => ({
      attribute,
      segments: segments.map(({ name, contribution }) => ({ name, contribution })),
    })),
  };
}

function verdictFacts(verdict: Verdict): VerdictFacts {
  const { window, drift, startMs, endMs, evaluation } = verdict;
  const { method, statistic, threshold, floor, pValue, alpha, m, n, needed } = evaluation;
  const { psi } = evaluation as { psi?: number | { value: number } };
  const { errorBound } = evaluation as { errorBound?: number };
  return {
    window,
    state: stateOf(drift.status),
    sinceMs: drift.sinceMs,
    startMs,
    endMs,
    method,
    statistic: finite(statistic),
    threshold: finite(threshold),
    floor: finite(floor),
    errorBound: finite(errorBound),
    pValue: finite(pValue),
    alpha: finite(alpha),
    psi: finite(typeof psi === "object" ? psi.value : psi),
    liveCount: m,
    referenceCount: n,
    needed: finite(needed),
    sentence: sentenceOf(verdict),
  };
}

/** Those of the window that is shown first; each span once. */
function tracesBehind(verdicts: readonly Verdict[], window: string): ExemplarFacts[] {
  const ranked = verdicts.toSorted(
    (a, b) => Number(b.window === window) - Number(a.window === window),
  );
  const found = ranked.flatMap(({ exemplars = [] }) => exemplars);
  return [...new Map(found.map((one) => [one.spanId, one])).values()].map(
    ({ traceId, spanId, value, timeMs }) => ({ traceId, spanId, value, timeMs }),
  );
}
