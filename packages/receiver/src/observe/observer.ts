/**
 * Turns the values of prediction spans into summaries by model, signal and minute of event time,
 * and hands every window that ends to whoever evaluates it. Keeps no rows.
 */
import type { Stage as MlStage } from "@tidemark/semconv";
import { isStage, METRICS } from "@tidemark/semconv";
import type { ClosedWindow } from "../closed-window.js";
import type { Labels, MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { KeyTable } from "../otlp/key-table.js";
import type { SpanRows } from "../otlp/span-rows.js";
import {
  STATUS_ERROR,
  TYPE_BITS,
  TYPE_MASK,
  VALUE_OTHER,
  VALUE_STRING,
} from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { BatchConsumer, Stage, TraceBatch } from "../stage.js";
import { ByteInterner } from "./byte-interner.js";
import { LATENCY_BOUNDS_S } from "./latency-histogram.js";
import type { ModelOptions, ObservedSignal } from "./observed-model.js";
import { ObservedModel } from "./observed-model.js";
import { Watermark } from "./watermark.js";
import { WindowSchedule } from "./window-schedule.js";

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
/** Strings that are told apart: models, versions, stages, categories. About 20 MB when full. */
const STRINGS_MAX = 65_536;
/** Model ids and version ids are below 2^16, so a pair fits a safe integer key. */
const VERSION_FACTOR = STRINGS_MAX;
/** How often the watermark is looked at when no spans come. */
const TICK_MS = 250;

/** The observer's part of the configuration. */
export interface ObserverOptions extends Omit<ModelOptions, "windowCount"> {
  readonly paneMs: number;
  /** Ascending; each a multiple of the one before, the first one of the pane. */
  readonly windowsMs: readonly number[];
  readonly allowedLatenessMs: number;
  readonly idleTimeoutMs: number;
  /** Signals over all models; values of further ones are counted and dropped. */
  readonly signalsMax: number;
}

/** The stage between receive and evaluate. */
export class Observer implements Stage, BatchConsumer {
  private readonly options: ObserverOptions;
  private readonly keys: KeyTable;
  private readonly onWindow: (window: ClosedWindow) => void;
  private readonly onBoundary: () => void;
  private readonly now: () => number;
  private readonly strings = new ByteInterner(STRINGS_MAX);
  private readonly models = new Map<number, ObservedModel>();
  private readonly schedule: WindowSchedule;
  private readonly watermark: Watermark;
  private readonly outcomes = new CounterSet();
  private signalCount = 0;
  private observed = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param onWindow is called for every window that ends, of every signal that has a reference
   * @param onBoundary is called after the windows that ended together have been handed out
   */
  constructor(
    options: ObserverOptions,
    keys: KeyTable,
    onWindow: (window: ClosedWindow) => void,
    onBoundary: () => void,
    now: () => number,
  ) {
    this.options = options;
    this.keys = keys;
    this.onWindow = onWindow;
    this.onBoundary = onBoundary;
    this.now = now;
    this.schedule = new WindowSchedule(options.paneMs, options.windowsMs);
    this.watermark = new Watermark(options.allowedLatenessMs, options.idleTimeoutMs);
  }

  async start(): Promise<void> {
    this.timer = setInterval(() => this.advance(), TICK_MS);
    this.timer.unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.timer);
  }

  consume({ rows, receivedMs }: TraceBatch): void {
    for (let span = 0; span < rows.spanCount; span++) this.observeSpan(rows, span, receivedMs);
    this.advance();
  }

  /** The models seen so far, with their signals. */
  observedModels(): readonly ObservedModel[] {
    return [...this.models.values()];
  }

  /** Closes what the watermark has passed; called by itself, and by tests with their own clock. */
  advance(): void {
    const boundaries = this.schedule.passed(this.watermark.advance(this.now()));
    for (const { endMs, windows } of boundaries) {
      for (const model of this.models.values()) {
        for (const signal of model.signals) {
          if (signal?.panes) this.closeSignal(signal, endMs, windows);
        }
      }
      this.onBoundary();
    }
  }

  metrics(): MetricFamily[] {
    const models = [...this.models.values()];
    const latencies = models.flatMap((model) =>
      [...model.latencies].map(([stage, { counts, sum, count }]) => ({
        labels: { ...modelLabels(model), stage },
        bounds: LATENCY_BOUNDS_S,
        counts,
        sum,
        count,
      })),
    );
    return [
      { definition: METRICS.predictionRequests, points: models.flatMap(requestPoints) },
      { definition: METRICS.predictionLatency, points: latencies },
      { definition: METRICS.featureMissing, points: models.flatMap(missingPoints) },
      { definition: METRICS.receiverObservations, points: this.observationPoints() },
      { definition: METRICS.receiverSignals, points: [{ labels: {}, value: this.signalCount }] },
    ];
  }

  private observationPoints() {
    const taken = { labels: { outcome: "observed" }, value: this.observed };
    const keys = { labels: { outcome: "overflow_keys" }, value: this.keys.overflowCount };
    return [taken, keys, ...this.outcomes.snapshot()];
  }

  private closeSignal(signal: ObservedSignal, endMs: number, windows: readonly number[]): void {
    const { panes } = signal;
    if (panes === undefined) return;
    panes.closePanes(endMs / this.options.paneMs);
    for (const window of windows) {
      const startMs = endMs - (this.options.windowsMs[window] as number);
      const summary = panes.closeWindow(window);
      const { identity, reference } = panes;
      this.onWindow({ signal: identity, reference, window, startMs, endMs, summary });
    }
  }

  private observeSpan(rows: SpanRows, span: number, nowMs: number): void {
    const model = this.modelOf(rows, span);
    if (model === undefined) return;
    const startMs = rows.startMs[span] as number;
    const endMs = startMs + (rows.durationNs[span] as number) / NS_PER_MS;
    // A clock that is ahead must not close windows early: what is in the future happens now.
    if (endMs > nowMs) this.outcomes.add({ outcome: "span_in_future" });
    const eventMs = Math.min(endMs, nowMs);
    this.watermark.observe(eventMs, nowMs);
    const pane = this.schedule.paneNumber(eventMs);
    const late = pane < this.schedule.firstOpenPane;
    const first = rows.firstValue[span] as number;
    const end = rows.endValue[span] as number;
    for (let at = first; at < end; at++) {
      const key = (rows.valueTag[at] as number) >> TYPE_BITS;
      const { role } = this.keys.known(key);
      if (role >= ROLE.feature) this.observeValue(rows, at, key, role, model, pane, eventMs);
    }
    if (late && end > first) this.outcomes.add({ outcome: "span_late" });
  }

  /** Finds the span's model and counts the call; a span without a model is none of ours. */
  private modelOf(rows: SpanRows, span: number): ObservedModel | undefined {
    const resource = rows.resource[span] as number;
    let name = this.find(rows, ROLE.modelName, rows.firstValue[span], rows.endValue[span]);
    let version = this.find(rows, ROLE.modelVersion, rows.firstValue[span], rows.endValue[span]);
    const from = rows.resourceFirst[resource];
    const to = rows.resourceEnd[resource];
    if (name < 0) name = this.find(rows, ROLE.modelName, from, to);
    if (name < 0) return undefined;
    if (version < 0) version = this.find(rows, ROLE.modelVersion, from, to);
    const id = name * VERSION_FACTOR + (version < 0 ? VERSION_FACTOR - 1 : version);
    let model = this.models.get(id);
    if (model === undefined) {
      const { windowsMs, learn, reference } = this.options;
      const options = { windowCount: windowsMs.length, learn, reference };
      model = new ObservedModel(this.strings.text(name), this.strings.text(version), options);
      this.models.set(id, model);
    }
    const stage = this.find(rows, ROLE.stage, rows.firstValue[span], rows.endValue[span]);
    const stageName = this.strings.text(stage);
    if (isStage(stageName)) this.countCall(rows, span, model, stageName);
    return model;
  }

  private countCall(rows: SpanRows, span: number, model: ObservedModel, stage: MlStage): void {
    model.latency(stage).add((rows.durationNs[span] as number) / NS_PER_S);
    if (stage !== "inference") return;
    if (rows.status[span] === STATUS_ERROR) model.errors++;
    else model.successes++;
  }

  /** The interned string of the first value of a role in [first, end), or a negative number. */
  private find(rows: SpanRows, role: number, first = 0, end = 0): number {
    for (let at = first; at < end; at++) {
      const tag = rows.valueTag[at] as number;
      if ((tag & TYPE_MASK) === VALUE_STRING && this.keys.known(tag >> TYPE_BITS).role === role) {
        return this.internAt(rows, at);
      }
    }
    return -1;
  }

  private internAt(rows: SpanRows, at: number): number {
    const length = rows.valueNumber[at] as number;
    return this.strings.intern(rows.bytes, rows.valueOffset[at] as number, length);
  }

  private observeValue(
    rows: SpanRows,
    at: number,
    key: number,
    role: number,
    model: ObservedModel,
    pane: number,
    eventMs: number,
  ): void {
    if (role === ROLE.featureMissing) {
      this.observeMissing(rows, at, model, pane);
      return;
    }
    const signal = model.signals[key] ?? this.newSignal(model, key, role);
    if (signal === undefined) return;
    const type = (rows.valueTag[at] as number) & TYPE_MASK;
    let fits = false;
    if (type === VALUE_STRING) {
      const id = this.internAt(rows, at);
      fits = id >= 0 && this.addCategory(signal, this.strings.text(id), pane, eventMs);
    } else if (type !== VALUE_OTHER) {
      fits = this.addNumber(signal, rows.valueNumber[at] as number, pane, eventMs);
    }
    if (fits) this.observed++;
    else this.outcomes.add({ outcome: "invalid" });
    if (signal.learner) model.finishLearning(signal);
  }

  private addNumber(signal: ObservedSignal, value: number, pane: number, eventMs: number): boolean {
    if (signal.learner) return signal.learner.addNumber(value, eventMs);
    const summary = signal.panes?.pane(pane, this.schedule.firstOpenPane);
    if (summary === undefined || !("grid" in summary)) return false;
    summary.add(value);
    return Number.isFinite(value);
  }

  private addCategory(signal: ObservedSignal, value: string, pane: number, eventMs: number) {
    if (signal.learner) return signal.learner.addCategory(value, eventMs);
    const summary = signal.panes?.pane(pane, this.schedule.firstOpenPane);
    if (summary === undefined || "grid" in summary) return false;
    summary.add(value);
    return true;
  }

  /** The value names a feature that had none. */
  private observeMissing(rows: SpanRows, at: number, model: ObservedModel, pane: number): void {
    if (((rows.valueTag[at] as number) & TYPE_MASK) !== VALUE_STRING) return;
    const id = this.internAt(rows, at);
    const key = id < 0 ? -1 : this.keys.idOf(ROLE.feature, this.strings.text(id));
    if (key < 0) {
      this.outcomes.add({ outcome: "invalid" });
      return;
    }
    const signal = model.signals[key] ?? this.newSignal(model, key, ROLE.feature);
    if (signal === undefined) return;
    signal.missing++;
    signal.learner?.addMissing();
    signal.panes?.pane(pane, this.schedule.firstOpenPane).addMissing(1);
  }

  private newSignal(model: ObservedModel, key: number, role: number): ObservedSignal | undefined {
    if (this.signalCount >= this.options.signalsMax) {
      this.outcomes.add({ outcome: "overflow_signals" });
      return undefined;
    }
    this.signalCount++;
    return model.addSignal(key, signalName(role, this.keys.known(key).suffix));
  }
}

function signalName(role: number, suffix: string): string {
  if (role === ROLE.feature) return `feature.${suffix}`;
  if (role === ROLE.predictionScore) return `prediction.scores.${suffix}`;
  if (role === ROLE.predictionClass) return "prediction.class";
  return role === ROLE.predictionValue ? "prediction.value" : "prediction.confidence";
}

function modelLabels(model: ObservedModel): Labels {
  return { model_name: model.model, model_version: model.version };
}

function requestPoints(model: ObservedModel) {
  const labels = modelLabels(model);
  return [
    { labels: { ...labels, status: "success" }, value: model.successes },
    { labels: { ...labels, status: "error" }, value: model.errors },
  ];
}

function missingPoints(model: ObservedModel) {
  return model.signals.flatMap((signal) => {
    if (signal === undefined || !signal.identity.name.startsWith("feature.")) return [];
    const featureName = signal.identity.name.slice("feature.".length);
    const labels = { ...modelLabels(model), feature_name: featureName };
    return [{ labels, value: signal.missing }];
  });
}
