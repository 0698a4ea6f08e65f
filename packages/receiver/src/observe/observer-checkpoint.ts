/**
 * How what observe knows survives a restart: a checkpoint stores what has changed since the last
 * one, together with the sequence of the last batch that is counted in it.
 */
import { SummaryFormatError } from "@tidemark/stats";
import type { Logger } from "../logger.js";
import type { ReferenceItem } from "../references/reference-item.js";
import { decodeReference, encodeReference } from "../references/reference-item.js";
import { parsePlain, stringifyPlain } from "../state/plain-json.js";
import type { StateItem } from "../state/state-request.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { ViolationCounts } from "../violations.js";
import type { CallLatencyItem } from "./call-latencies.js";
import type { EvaluationItem } from "./evaluation-counts.js";
import type { HistogramItem } from "./latency-histogram.js";
import type { LearnerState } from "./learner.js";
import type { ObservedModel, ObservedSignal } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";
import { type Place, packPlace } from "./places.js";
import type { SavedGeneration, SavedSpans } from "./recent-spans.js";
import { SPAN_BYTES } from "./recent-spans.js";
import type { UsageItem } from "./usage-counts.js";
import type { WatermarkState } from "./watermark.js";
import { rowsOf } from "./window-summary.js";

/** Kinds of items in the store. */
const KIND = {
  progress: "observe.progress",
  model: "observe.model",
  signal: "observe.signal",
  place: "observe.place",
} as const;

interface Progress {
  /** When the first of all runs has begun to count. */
  readonly sinceMs?: number;
  readonly sequence: number;
  readonly watermark: WatermarkState;
  readonly closedUntilMs: number;
  /** Signals whose windows had been handed out up to an earlier time only. */
  readonly behind?: readonly (readonly [signal: string, closedUntilMs: number])[];
  /** How many spans of each generation's file belong to this checkpoint, oldest first. */
  readonly spans: readonly SavedGeneration[];
}

interface ModelItem {
  readonly successes: number;
  readonly errors: number;
  readonly services?: readonly string[];
  readonly confidences?: readonly (readonly [predictedClass: string, HistogramItem])[];
  readonly tokens?: readonly UsageItem[];
  readonly costs?: readonly UsageItem[];
  readonly unpriced?: readonly UsageItem[];
  readonly evaluations?: readonly EvaluationItem[];
  readonly callLatencies?: readonly CallLatencyItem[];
  /** Of each signal that has any. */
  readonly violations?: readonly (readonly [signal: string, ViolationCounts])[];
  readonly latencies: readonly (readonly [stage: string, HistogramItem])[];
}

interface SignalItem {
  readonly role: number;
  readonly suffix: string;
  readonly missing: number;
  readonly learner?: Omit<LearnerState, "summary"> & { readonly summary: string };
  readonly learned?: ReferenceItem;
}

/** What was stored of a signal, so that only changes are stored again. */
interface SavedSignal {
  item: string;
  places: readonly SavedPlace[];
}

interface SavedPlace {
  readonly name: string;
  readonly summary: Place;
  readonly rows: number;
}

/** Stores and restores one observer's state. */
export class ObserverCheckpoint {
  private readonly state: ObserverState;
  private readonly logger: Logger;
  /** What restored models say of signals that are yet to be restored. */
  private readonly violations = new Map<ObservedModel, ReadonlyMap<string, ViolationCounts>>();
  private saved = new Map<ObservedSignal, SavedSignal>();
  /** Places in the store of which nothing is known here any more. */
  private stale = new Set<string>();
  /** Generations of spans whose files exist. */
  private readonly spanFiles = new Set<number>();
  /** What the last save has deleted: it is there again if that has failed. */
  private deletedPlaces = new Set<string>();
  private removedSpans: number[] = [];

  constructor(state: ObserverState, logger: Logger) {
    this.state = state;
    this.logger = logger;
  }

  /** Puts what has changed; the signals follow step by step, as they are now. */
  save(changes: StateChanges): Rest {
    const { sinceMs, sequence, watermark, schedule, models } = this.state;
    const { closedUntilMs } = schedule;
    const spans = this.saveSpans(changes);
    const behind = this.signalsBehind();
    const time = { watermark: watermark.state, closedUntilMs, behind };
    const progress: Progress = { sinceMs, sequence, ...time, spans };
    changes.put(KIND.progress, "", stringifyPlain(progress));
    [this.deletedPlaces, this.stale] = [this.stale, new Set()];
    for (const key of this.deletedPlaces) changes.delete(KIND.place, key);
    for (const model of models.values()) {
      changes.put(
        KIND.model,
        keyOf(model.model, model.version, model.segment),
        stringifyPlain(modelItem(model)),
      );
    }
    const { snapshot } = this.state;
    return snapshot.take(this.state.signals(), (signal) => this.saveSignal(changes, signal));
  }

  /**
   * After a transaction that has failed: the next one stores everything, and deletes whatever may
   * still lie in the store. A place left behind would be counted once more after a restart.
   */
  forgetSaved(): void {
    this.state.snapshot.drop();
    for (const key of this.deletedPlaces) this.stale.add(key);
    for (const [{ identity }, { places }] of this.saved) {
      const { model, version, name, segment } = identity;
      for (const place of places) this.stale.add(keyOf(model, version, name, segment, place.name));
    }
    for (const generation of this.removedSpans) this.spanFiles.add(generation);
    this.saved = new Map();
    this.state.recentSpans.forgetSaved();
  }

  /** Takes up what an earlier run has stored; what no longer fits is left out and said. */
  async restore(stored: StoredState): Promise<void> {
    const [item] = await stored.items(KIND.progress);
    if (item === undefined) return;
    const progress = parsePlain(String(item.body)) as Progress;
    const { sequence, watermark, closedUntilMs, behind = [], spans } = progress;
    this.state.sinceMs = progress.sinceMs ?? this.state.sinceMs;
    this.state.sequence = sequence;
    this.state.watermark.state = watermark;
    this.state.schedule.closedUntilMs = closedUntilMs;
    for (const { key, body } of await stored.items(KIND.model)) {
      this.restoreModel(key, parsePlain(String(body)) as ModelItem);
    }
    const signals = new Map<string, ObservedSignal>();
    for (const { key, body } of await stored.items(KIND.signal)) {
      const signal = this.restoreSignal(key, parsePlain(String(body)) as SignalItem);
      if (signal) signals.set(key, signal);
    }
    for (const [key, untilMs] of behind) {
      const panes = signals.get(key)?.panes;
      if (panes) panes.closedUntilMs = untilMs;
    }
    this.restorePlaces(await stored.items(KIND.place), signals);
    await this.restoreSpans(stored, spans);
  }

  private signalsBehind(): [signal: string, closedUntilMs: number][] {
    const { closedUntilMs } = this.state.schedule;
    return [...this.state.signals()].flatMap(({ identity, panes }) => {
      if (panes === undefined || panes.closedUntilMs >= closedUntilMs) return [];
      const { model, version, name, segment } = identity;
      return [[keyOf(model, version, name, segment), panes.closedUntilMs]];
    });
  }

  private saveSignal(changes: StateChanges, signal: ObservedSignal): void {
    const { model, version, name, segment } = signal.identity;
    const saved = this.saved.get(signal) ?? { item: "", places: [] };
    this.saved.set(signal, saved);
    const { missing, learner, panes, learned } = signal;
    const stamp = [missing, learner?.count, panes !== undefined, learned].join(" ");
    if (saved.item !== stamp) {
      changes.put(
        KIND.signal,
        keyOf(model, version, name, segment),
        stringifyPlain(itemOf(signal, this.state.keys.known(signal.key).suffix)),
      );
      saved.item = stamp;
    }
    const places: SavedPlace[] = [];
    for (const [place, summary] of signal.panes?.places() ?? []) {
      const rows = rowsOf(summary);
      if (rows === 0) continue;
      const before = saved.places.find((one) => one.name === place);
      const isSame = before?.summary === summary && before.rows === rows;
      places.push(isSame ? before : { name: place, summary, rows });
      if (isSame) continue;
      changes.put(KIND.place, keyOf(model, version, name, segment, place), packPlace(summary));
    }
    for (const before of saved.places) {
      if (places.some((place) => place.name === before.name)) continue;
      const placeKey = keyOf(model, version, name, segment, before.name);
      changes.delete(KIND.place, placeKey);
      this.deletedPlaces.add(placeKey);
    }
    // A copy has no room to grow, of which a hundred thousand signals would have a lot.
    saved.places = places.slice();
  }

  /** Writes the spans that came since the last time behind those of their generation. */
  private saveSpans(changes: StateChanges): SavedGeneration[] {
    const { parts, generations } = this.state.recentSpans.unsaved();
    for (const { generation, from, bytes } of parts) {
      changes.write(spanFile(generation), from * SPAN_BYTES, bytes);
      this.spanFiles.add(generation);
    }
    const kept = new Set(generations.map(({ generation }) => generation));
    this.removedSpans = [...this.spanFiles].filter((generation) => !kept.has(generation));
    for (const generation of this.removedSpans) {
      changes.remove(spanFile(generation));
      this.spanFiles.delete(generation);
    }
    return generations;
  }

  private restoreModel(key: string, item: ModelItem): void {
    const { successes, errors, latencies } = item;
    const [name = "", version = "", segment] = partsOf(key);
    const model = this.state.modelNamed(name, version, segment);
    if (model === undefined) return;
    for (const service of item.services ?? []) model.services.add(service);
    model.tokens.restore(item.tokens ?? []);
    model.costs.restore(item.costs ?? []);
    model.unpriced.restore(item.unpriced ?? []);
    model.evaluations.restore(item.evaluations ?? []);
    model.callLatencies.restore(item.callLatencies ?? []);
    this.violations.set(model, new Map(item.violations));
    model.successes = successes;
    model.errors = errors;
    if (item.confidences) this.state.confidencesOf(model).restore(item.confidences);
    for (const [stage, stored] of latencies) model.latency(stage).restore(stored);
  }

  private restoreSignal(key: string, item: SignalItem): ObservedSignal | undefined {
    const [name = "", version = "", , segment] = partsOf(key);
    const model = this.state.modelNamed(name, version, segment);
    if (model === undefined) return undefined;
    const id = this.state.keys.idOf(item.role, item.suffix);
    const signal = id < 0 ? undefined : this.state.addSignal(model, id, item.role);
    if (signal === undefined) return undefined;
    signal.missing = item.missing;
    signal.violations = this.violations.get(model)?.get(signal.identity.name);
    // A reference that has been configured since then replaces what was learned.
    if (signal.learner === undefined) return signal;
    if (item.learned) model.monitorLearned(signal, decodeReference(item.learned));
    else if (item.learner) {
      const summary = Buffer.from(item.learner.summary, "base64");
      signal.learner.state = { ...item.learner, summary };
    }
    return signal;
  }

  private restorePlaces(
    places: readonly StateItem[],
    signals: ReadonlyMap<string, ObservedSignal>,
  ): void {
    const replaced = new Set<string>();
    for (const { key, body } of places) {
      // Restored summaries are new objects: the next checkpoint stores them under their places.
      this.stale.add(key);
      const parts = partsOf(key);
      const place = parts.pop() as string;
      const panes = signals.get(keyOf(...parts))?.panes;
      try {
        panes?.restore(place, body as Uint8Array);
      } catch (error) {
        if (!(error instanceof SummaryFormatError)) throw error;
        replaced.add(parts.join(" "));
      }
    }
    for (const signal of replaced) {
      const message = "the reference has changed; the open windows of this signal begin anew";
      this.logger.warn(message, { signal });
    }
  }

  private async restoreSpans(
    stored: StoredState,
    generations: readonly SavedGeneration[],
  ): Promise<void> {
    const parts: SavedSpans[] = [];
    for (const { generation, count } of generations) {
      this.spanFiles.add(generation);
      const bytes = (await stored.read(spanFile(generation))).slice(0, count * SPAN_BYTES);
      if (bytes.length < count * SPAN_BYTES) {
        const file = spanFile(generation);
        this.logger.warn("a file of the state is shorter than it was; its spans may count twice", {
          file,
        });
      }
      parts.push({ generation, from: 0, bytes });
    }
    this.state.recentSpans.restore(parts);
  }
}

function spanFile(generation: number): string {
  return `spans-${generation}`;
}

/** A key of any strings, whatever characters they hold. */
function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function partsOf(key: string): string[] {
  return JSON.parse(key) as string[];
}

function modelItem(model: ObservedModel): ModelItem {
  const { successes, errors } = model;
  const latencies = [...model.latencies].map(
    ([stage, latency]) => [stage, latency.item()] as const,
  );
  return {
    successes,
    errors,
    latencies,
    services: [...model.services],
    ...(model.confidences ? { confidences: model.confidences.items() } : {}),
    tokens: model.tokens.items(),
    costs: model.costs.items(),
    unpriced: model.unpriced.items(),
    evaluations: model.evaluations.items(),
    callLatencies: model.callLatencies.items(),
    violations: model.signals.flatMap((signal) =>
      signal?.violations ? [[signal.identity.name, signal.violations] as const] : [],
    ),
  };
}

function itemOf(signal: ObservedSignal, suffix: string): SignalItem {
  const { role, missing, learner, panes } = signal;
  const common = { role, suffix, missing };
  if (learner) {
    const { summary, ...counts } = learner.state;
    const text = Buffer.from(summary).toString("base64");
    return { ...common, learner: { ...counts, summary: text } };
  }
  if (panes === undefined || !signal.learned) return common;
  return { ...common, learned: encodeReference(panes.reference) };
}
