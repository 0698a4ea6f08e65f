/**
 * Turns the values of prediction spans into summaries by model, signal and minute of event time,
 * and hands every window that ends to whoever evaluates it. Keeps no rows.
 */
import { isStage, METRICS } from "@tidemark/semconv";
import type { ClosedWindow } from "../closed-window.js";
import type { Logger } from "../logger.js";
import type { Labels, MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { SpanFlag } from "../otlp/annotate-spans.js";
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
import type { Stage, TraceBatch } from "../stage.js";
import type { Persistent } from "../state/checkpoints.js";
import type { StateStore } from "../state/state-store.js";
import { LATENCY_BOUNDS_S } from "./latency-histogram.js";
import type { ObservedModel, ObservedSignal } from "./observed-model.js";
import { ObserverCheckpoint } from "./observer-checkpoint.js";
import type { ObserverOptions } from "./observer-state.js";
import { ObserverState } from "./observer-state.js";

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
/** How often the watermark is looked at when no spans come. */
const TICK_MS = 250;

/** The stage between receive and evaluate. */
export class Observer implements Stage, Persistent {
  private readonly options: ObserverOptions;
  private readonly keys: KeyTable;
  private readonly onWindow: (window: ClosedWindow) => void;
  private readonly onBoundary: () => void;
  private readonly now: () => number;
  private readonly state: ObserverState;
  private readonly checkpoint: ObserverCheckpoint;
  private readonly outcomes = new CounterSet();
  private observed = 0;
  private flags: SpanFlag[] = [];
  /** Signals of the present span whose values are not usual. */
  private unusual: string[] = [];
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
    logger: Logger,
  ) {
    this.options = options;
    this.keys = keys;
    this.onWindow = onWindow;
    this.onBoundary = onBoundary;
    this.now = now;
    this.state = new ObserverState(options, keys);
    this.checkpoint = new ObserverCheckpoint(this.state, options.learn, logger);
  }

  async start(): Promise<void> {
    this.timer = setInterval(() => this.advance(this.now()), TICK_MS);
    this.timer.unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.timer);
  }

  /** The last batch that has been counted. */
  get sequence(): number {
    return this.state.sequence;
  }

  /** Counts a batch; returns the spans with values that are not usual, in the order of the body. */
  consume({ rows, receivedMs, sequence }: TraceBatch): readonly SpanFlag[] {
    this.flags = [];
    for (let span = 0; span < rows.spanCount; span++) this.observeSpan(rows, span, receivedMs);
    this.state.sequence = sequence;
    this.advance(receivedMs);
    return this.flags;
  }

  /** Takes note of a verdict, for what is usual from now on. */
  judge(closed: ClosedWindow, drifted: boolean): void {
    const { model: name, version } = closed.signal;
    const model = this.state.modelNamed(name, version);
    const signal = model.signals.find((one) => one?.identity.name === closed.signal.name);
    signal?.panes?.judge(closed, drifted);
  }

  save(store: StateStore): void {
    this.checkpoint.save(store);
  }

  saveFailed(): void {
    this.checkpoint.forgetSaved();
  }

  restore(store: StateStore): void {
    this.checkpoint.restore(store);
  }

  /** The models seen so far, with their signals. */
  observedModels(): readonly ObservedModel[] {
    return [...this.state.models.values()];
  }

  metrics(): MetricFamily[] {
    const models = this.observedModels();
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
      {
        definition: METRICS.receiverSignals,
        points: [{ labels: {}, value: this.state.signalCount }],
      },
    ];
  }

  private observationPoints() {
    const taken = { labels: { outcome: "observed" }, value: this.observed };
    const keys = { labels: { outcome: "overflow_keys" }, value: this.keys.overflowCount };
    return [taken, keys, ...this.outcomes.snapshot()];
  }

  /** Closes what the watermark has passed. */
  private advance(nowMs: number): void {
    const boundaries = this.state.schedule.passed(this.state.watermark.advance(nowMs));
    for (const { endMs, windows } of boundaries) {
      for (const model of this.state.models.values()) {
        for (const signal of model.signals) {
          if (signal?.panes) this.closeSignal(signal, endMs, windows);
        }
      }
      this.onBoundary();
    }
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
    if (!this.isNew(rows, span)) {
      this.outcomes.add({ outcome: "duplicate_span" });
      return;
    }
    this.countCall(rows, span, model);
    const startMs = rows.startMs[span] as number;
    const endMs = startMs + (rows.durationNs[span] as number) / NS_PER_MS;
    // A clock that is ahead must not close windows early: what is in the future happens now.
    if (endMs > nowMs) this.outcomes.add({ outcome: "span_in_future" });
    const eventMs = Math.min(endMs, nowMs);
    this.state.watermark.observe(eventMs, nowMs);
    const pane = this.state.schedule.paneNumber(eventMs);
    const late = pane < this.state.schedule.firstOpenPane;
    const first = rows.firstValue[span] as number;
    const end = rows.endValue[span] as number;
    for (let at = first; at < end; at++) {
      const key = (rows.valueTag[at] as number) >> TYPE_BITS;
      const { role } = this.keys.known(key);
      if (role >= ROLE.feature) this.observeValue(rows, at, key, role, model, pane, eventMs);
    }
    if (late && end > first) this.outcomes.add({ outcome: "span_late" });
    if (this.unusual.length > 0) {
      this.flags.push({ at: rows.spanId[span] as number, values: this.unusual });
      this.unusual = [];
    }
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
    return this.state.model(name, version);
  }

  private isNew(rows: SpanRows, span: number): boolean {
    const { view } = rows;
    const { traceId, spanId } = rows;
    return this.state.recentSpans.add(view, traceId[span] as number, spanId[span] as number);
  }

  private countCall(rows: SpanRows, span: number, model: ObservedModel): void {
    const found = this.find(rows, ROLE.stage, rows.firstValue[span], rows.endValue[span]);
    const stage = this.state.strings.text(found);
    if (!isStage(stage)) return;
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
    return this.state.strings.intern(rows.bytes, rows.valueOffset[at] as number, length);
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
      fits = id >= 0 && this.addCategory(signal, this.state.strings.text(id), pane, eventMs);
    } else if (type !== VALUE_OTHER) {
      fits = this.addNumber(signal, rows.valueNumber[at] as number, pane, eventMs);
    }
    if (fits) this.observed++;
    else this.outcomes.add({ outcome: "invalid" });
    if (signal.learner) model.finishLearning(signal);
  }

  private addNumber(signal: ObservedSignal, value: number, pane: number, eventMs: number): boolean {
    if (signal.learner) return signal.learner.addNumber(value, eventMs);
    const summary = signal.panes?.pane(pane, this.state.schedule.firstOpenPane);
    if (summary === undefined || !("grid" in summary)) return false;
    summary.add(value);
    if (signal.panes?.isUnusualNumber(value)) this.unusual.push(signal.identity.name);
    return Number.isFinite(value);
  }

  private addCategory(signal: ObservedSignal, value: string, pane: number, eventMs: number) {
    if (signal.learner) return signal.learner.addCategory(value, eventMs);
    const summary = signal.panes?.pane(pane, this.state.schedule.firstOpenPane);
    if (summary === undefined || "grid" in summary) return false;
    summary.add(value);
    if (signal.panes?.isUnusualName(value)) this.unusual.push(signal.identity.name);
    return true;
  }

  /** The value names a feature that had none. */
  private observeMissing(rows: SpanRows, at: number, model: ObservedModel, pane: number): void {
    if (((rows.valueTag[at] as number) & TYPE_MASK) !== VALUE_STRING) return;
    const id = this.internAt(rows, at);
    const key = id < 0 ? -1 : this.keys.idOf(ROLE.feature, this.state.strings.text(id));
    if (key < 0) {
      this.outcomes.add({ outcome: "invalid" });
      return;
    }
    const signal = model.signals[key] ?? this.newSignal(model, key, ROLE.feature);
    if (signal === undefined) return;
    signal.missing++;
    signal.learner?.addMissing();
    signal.panes?.pane(pane, this.state.schedule.firstOpenPane).addMissing(1);
  }

  private newSignal(model: ObservedModel, key: number, role: number): ObservedSignal | undefined {
    const signal = this.state.addSignal(model, key, role);
    if (signal === undefined) this.outcomes.add({ outcome: "overflow_signals" });
    return signal;
  }
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
