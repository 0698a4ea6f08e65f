/**
 * Turns the values of prediction spans into summaries by model, signal and minute of event time,
 * and hands every window that ends to whoever evaluates it. Keeps no rows.
 */
import { isStage, METRICS } from "@tidemark/semconv";
import type { ClosedWindow } from "../closed-window.js";
import type { LogRecord } from "../log/log-record.js";
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
import { SpanHead } from "./span-head.js";

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
  private readonly logger: Logger;
  private readonly state: ObserverState;
  private readonly checkpoint: ObserverCheckpoint;
  private readonly outcomes = new CounterSet();
  private observed = 0;
  private readonly head: SpanHead;
  /** The time, the pane and the first open pane of the present span. */
  private eventMs = 0;
  private pane = 0;
  private firstOpenPane = 0;
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
    this.head = new SpanHead(keys, this.state.strings);
    this.logger = logger;
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
    try {
      for (let span = 0; span < rows.spanCount; span++) this.observeSpan(rows, span, receivedMs);
    } catch (error) {
      // It is in the log already, so it is acknowledged and forwarded all the same.
      this.outcomes.add({ outcome: "failed_batch" });
      this.logger.error("a batch met a defect of the receiver", { sequence, error });
    }
    this.state.sequence = sequence;
    this.advance(receivedMs);
    return this.flags;
  }

  /** Takes note of a batch that holds nothing to count. */
  pass({ sequence, receivedMs }: LogRecord): void {
    this.state.sequence = sequence;
    this.advance(receivedMs);
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
    const { state, head } = this;
    if (!head.read(rows, span)) return;
    const traceIdAt = rows.traceId[span] as number;
    const spanIdAt = rows.spanId[span] as number;
    if (!state.recentSpans.add(rows.view, traceIdAt, spanIdAt)) {
      this.outcomes.add({ outcome: "duplicate_span" });
      return;
    }
    const model = state.model(head.model, head.version);
    this.countCall(rows, span, model);
    const startMs = rows.startMs[span] as number;
    const endMs = startMs + (rows.durationNs[span] as number) / NS_PER_MS;
    // A clock that is ahead must not close windows early: what is in the future happens now.
    if (endMs > nowMs) this.outcomes.add({ outcome: "span_in_future" });
    this.eventMs = Math.min(endMs, nowMs);
    state.watermark.observe(this.eventMs, nowMs);
    this.pane = state.schedule.paneNumber(this.eventMs);
    this.firstOpenPane = state.schedule.firstOpenPane;
    const first = rows.firstValue[span] as number;
    const end = rows.endValue[span] as number;
    for (let at = first; at < end; at++) {
      const key = (rows.valueTag[at] as number) >> TYPE_BITS;
      const role = this.keys.roleOf(key);
      if (role >= ROLE.feature) this.observeValue(rows, at, key, role, model);
    }
    if (this.pane < this.firstOpenPane && end > first) this.outcomes.add({ outcome: "span_late" });
    if (this.unusual.length > 0) {
      this.flags.push({ at: spanIdAt, values: this.unusual });
      this.unusual = [];
    }
  }

  private countCall(rows: SpanRows, span: number, model: ObservedModel): void {
    const stage = this.state.strings.text(this.head.stage);
    if (!isStage(stage)) return;
    model.latency(stage).add((rows.durationNs[span] as number) / NS_PER_S);
    if (stage !== "inference") return;
    if (rows.status[span] === STATUS_ERROR) model.errors++;
    else model.successes++;
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
  ): void {
    if (role === ROLE.featureMissing) {
      this.observeMissing(rows, at, model);
      return;
    }
    const signal = model.signals[key] ?? this.newSignal(model, key, role);
    if (signal === undefined) return;
    const type = (rows.valueTag[at] as number) & TYPE_MASK;
    let fits = false;
    if (type === VALUE_STRING) {
      const id = this.internAt(rows, at);
      fits = id >= 0 && this.addCategory(signal, this.state.strings.text(id));
    } else if (type !== VALUE_OTHER) {
      fits = this.addNumber(signal, rows.valueNumber[at] as number);
    }
    if (fits) this.observed++;
    else this.outcomes.add({ outcome: "invalid" });
    if (signal.learner) model.finishLearning(signal);
  }

  private addNumber(signal: ObservedSignal, value: number): boolean {
    const { panes } = signal;
    if (panes === undefined) return signal.learner?.addNumber(value, this.eventMs) ?? false;
    if (!panes.addNumber(value, this.pane, this.firstOpenPane)) return false;
    if (panes.isUnusualNumber(value)) this.unusual.push(signal.identity.name);
    return true;
  }

  private addCategory(signal: ObservedSignal, value: string): boolean {
    const { panes } = signal;
    if (panes === undefined) return signal.learner?.addCategory(value, this.eventMs) ?? false;
    if (!panes.addCategory(value, this.pane, this.firstOpenPane)) return false;
    if (panes.isUnusualName(value)) this.unusual.push(signal.identity.name);
    return true;
  }

  /** The value names a feature that had none. */
  private observeMissing(rows: SpanRows, at: number, model: ObservedModel): void {
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
    signal.panes?.pane(this.pane, this.firstOpenPane).addMissing(1);
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
