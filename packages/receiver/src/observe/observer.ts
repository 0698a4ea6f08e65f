/**
 * Turns the values of prediction spans into summaries by model, signal and minute of event time,
 * and hands every window that ends to whoever evaluates it. Keeps no rows.
 */
import { METRICS } from "@tidemark/semconv";
import type { ClosedWindow, Summary } from "../closed-window.js";
import type { LogRecord } from "../log/log-record.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { SpanFlag } from "../otlp/annotate-spans.js";
import type { KeyTable } from "../otlp/key-table.js";
import type { Stage, TraceBatch } from "../stage.js";
import type { Persistent } from "../state/checkpoints.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { WindowLength } from "../window-lengths.js";
import { EvaluationsCheckpoint } from "./evaluations-checkpoint.js";
import { FeedbackRatesCheckpoint } from "./feedback-rates-checkpoint.js";
import { modelMetrics } from "./model-metrics.js";
import type { ObservedModel, ObservedSignal } from "./observed-model.js";
import { ObserverCheckpoint } from "./observer-checkpoint.js";
import type { ObserverOptions } from "./observer-state.js";
import { ObserverState } from "./observer-state.js";
import type { PastPane } from "./pane-history.js";
import { PaneHistory } from "./pane-history.js";
import { RecentCallsCheckpoint } from "./recent-calls-checkpoint.js";
import type { SignalPanes } from "./signal.js";
import { SpanCounter } from "./span-counter.js";
import { SpanMetrics } from "./span-metrics.js";
import { WindowCloser } from "./window-closer.js";
import { emptySummary, merged, rowsOf } from "./window-summary.js";

const NO_EVALUATIONS = { recentCalls: 0, evaluationWaitMs: 0, feedbackWithinMs: 0 };

/** How often the watermark is looked at when no spans come. */
const TICK_MS = 250;

/** The stage between receive and evaluate. */
export class Observer implements Stage, Persistent {
  private readonly options: ObserverOptions;
  private readonly onWindow: (window: ClosedWindow) => boolean;
  private readonly onBoundary: () => void;
  private readonly now: () => number;
  private readonly logger: Logger;
  private readonly state: ObserverState;
  private readonly checkpoint: ObserverCheckpoint;
  private readonly evaluations: EvaluationsCheckpoint;
  private readonly feedback: FeedbackRatesCheckpoint;
  private readonly recentCalls: RecentCallsCheckpoint;
  private readonly counter: SpanCounter;
  /** Of all spans, those without a model too; undefined unless asked for. */
  private readonly spanMetrics: SpanMetrics | undefined;
  private readonly closer: WindowCloser;
  /** Where there is a store. */
  private history: PaneHistory | undefined;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param onWindow is called for every window that ends, of every signal that has a reference;
   *   it says whether the signal drifts in windows of that length
   * @param onBoundary is called when windows have ended
   */
  constructor(
    options: ObserverOptions,
    keys: KeyTable,
    onWindow: (window: ClosedWindow) => boolean,
    onBoundary: () => void,
    now: () => number,
    logger: Logger,
  ) {
    this.options = options;
    this.onWindow = onWindow;
    this.onBoundary = onBoundary;
    this.now = now;
    this.state = new ObserverState(options, keys);
    this.state.sinceMs = now();
    this.counter = new SpanCounter(this.state, options.evaluations ?? NO_EVALUATIONS);
    const { spanSeriesMax = 0 } = options;
    if (spanSeriesMax > 0) this.spanMetrics = new SpanMetrics(keys, spanSeriesMax);
    this.logger = logger;
    const { schedule } = this.state;
    schedule.catchUp = (panes) => {
      // What its windows are compared with may have to be read first.
      if (panes.reference.prepare) return;
      this.close(panes, schedule.closedUntilMs);
    };
    this.closer = new WindowCloser(this.state, {
      prepare: (...due) => this.prepare(...due),
      close: (...due) => this.close(...due),
    });
    options.past?.readFrom({
      find: (key) => this.state.find(key),
      handOut: (signal) => this.closer.handOut(signal),
      read: (signal, [fromMs, toMs]) => this.past(signal, fromMs, toMs),
    });
    this.checkpoint = new ObserverCheckpoint(this.state, logger);
    const { evaluations, rates } = this.counter.judgements;
    this.evaluations = new EvaluationsCheckpoint(this.state, evaluations);
    this.feedback = new FeedbackRatesCheckpoint(this.state, rates);
    this.recentCalls = new RecentCallsCheckpoint(this.state, this.counter.callReader.recent);
  }

  async start(): Promise<void> {
    this.timer = setInterval(() => this.advance(this.now()), TICK_MS);
    this.timer.unref();
  }

  async shutdown(): Promise<void> {
    clearInterval(this.timer);
    this.closer.stop();
  }

  /** The last batch that has been counted. */
  get sequence(): number {
    return this.state.sequence;
  }

  /** Counts a batch; returns the spans with values that are not usual, in the order of the body. */
  consume({ rows, signal, receivedMs, sequence }: TraceBatch): readonly SpanFlag[] {
    const flags: SpanFlag[] = [];
    try {
      if (signal === "traces") this.spanMetrics?.count(rows);
      this.counter.count(rows, receivedMs, flags);
    } catch (error) {
      // It is in the log already, so it is acknowledged and forwarded all the same.
      this.counter.note("failed_batch");
      this.logger.error("a batch met a defect of the receiver", { sequence, error });
    }
    this.state.sequence = sequence;
    this.advance(receivedMs);
    return flags;
  }

  /** Takes note of a batch that holds nothing to count, and so nothing to flag. */
  pass({ sequence, receivedMs }: LogRecord): readonly SpanFlag[] {
    this.state.sequence = sequence;
    this.advance(receivedMs);
    return [];
  }

  save(changes: StateChanges): Rest[] {
    const past = this.history?.save(changes, this.state.schedule.closedUntilMs) ?? [];
    this.evaluations.save(changes);
    this.feedback.save(changes);
    const calls = this.recentCalls.save(changes);
    return [this.checkpoint.save(changes), past, calls];
  }

  saveFailed(): void {
    this.checkpoint.forgetSaved();
    this.evaluations.forgetSaved();
    this.feedback.forgetSaved();
    this.recentCalls.forgetSaved();
    this.history?.saveFailed();
  }

  async restore(stored: StoredState): Promise<void> {
    this.history = new PaneHistory(this.options.lengths, this.options.retention, stored);
    await this.checkpoint.restore(stored);
    await this.evaluations.restore(stored);
    await this.feedback.restore(stored);
    await this.recentCalls.restore(stored);
    // The last run may have ended before it had handed out everything.
    this.closer.begin();
  }

  /** What a signal had in [fromMs, toMs), as far as it is kept: see pane-history.ts. */
  async past(signal: ObservedSignal, fromMs: number, toMs: number): Promise<PastPane[]> {
    const { identity, panes } = signal;
    if (panes === undefined || this.history === undefined) return [];
    return this.history.read(identity, panes.reference, fromMs, toMs);
  }

  /** The same together; undefined when nothing is kept of that time. */
  async pastSum(
    signal: ObservedSignal,
    fromMs: number,
    toMs: number,
  ): Promise<Summary | undefined> {
    const reference = signal.panes?.reference;
    const parts = await this.past(signal, fromMs, toMs);
    if (reference === undefined || parts.length === 0) return undefined;
    return parts.reduce((sum, { summary }) => merged(sum, summary), emptySummary(reference));
  }

  /**
   * Looks every signal's reference up again, after the configuration has changed. What open windows
   * have counted goes on to the new one.
   */
  useReferences(): void {
    for (const model of this.state.models.values()) {
      for (const signal of model.signals) {
        if (signal === undefined) continue;
        this.state.snapshot.beforeChange(signal.identity);
        model.lookUpAgain(signal);
      }
    }
  }

  /** The models seen so far, with their signals. */
  observedModels(): readonly ObservedModel[] {
    return [...this.state.models.values()].filter(({ isEmpty }) => !isEmpty);
  }

  metrics(): MetricFamily[] {
    return [
      ...modelMetrics(this.observedModels(), this.state.sinceMs),
      ...(this.spanMetrics?.metrics() ?? []),
      ...this.counter.judgements.evaluations.metrics(),
      { definition: METRICS.receiverObservations, points: this.counter.outcomePoints() },
      {
        definition: METRICS.receiverSignals,
        points: [{ labels: {}, value: this.state.signalCount }],
      },
    ];
  }

  /** Whether windows that have ended are still being handed out. */
  get isBehind(): boolean {
    return this.closer.isBehind;
  }

  /** Closes what the watermark has passed. */
  private advance(nowMs: number): void {
    const watermarkMs = this.state.watermark.advance(nowMs);
    this.counter.advance(nowMs, watermarkMs);
    if (this.state.schedule.advance(watermarkMs)) {
      this.closer.begin();
      this.onBoundary();
    }
    this.closer.proceed();
  }

  /** Lets a reference that moves know what the windows that end by then are compared with. */
  private async prepare(panes: SignalPanes, untilMs: number): Promise<void> {
    const { reference, identity, closedUntilMs } = panes;
    const fromMs = Number.isNaN(closedUntilMs) ? untilMs - this.shortestMs : closedUntilMs;
    const ending = this.options.lengths.filter(({ ms }) => Math.floor(untilMs / ms) * ms > fromMs);
    const longestMs = ending.at(-1)?.ms;
    if (longestMs === undefined) return;
    try {
      await reference.prepare?.(fromMs + this.shortestMs - longestMs, untilMs);
    } catch (error) {
      const message = "the past of a signal cannot be read; its own reference holds meanwhile";
      this.logger.error(message, { ...identity, error });
    }
  }

  private get shortestMs(): number {
    return this.state.schedule.shortestMs;
  }

  private close(panes: SignalPanes, untilMs: number): void {
    const { identity, reference } = panes;
    this.state.snapshot.beforeChange(identity);
    panes.closeUntil(untilMs, (window, endMs, summary) => {
      const startMs = endMs - (this.options.lengths[window] as WindowLength).ms;
      const exemplars = () => panes.exemplars();
      const closed = { signal: identity, reference, window, startMs, endMs, summary, exemplars };
      if (rowsOf(summary) > 0) this.history?.add(identity, window, startMs, summary);
      const drifted = this.onWindow(closed);
      if (summary.count > 0) panes.judge(closed, drifted);
    });
  }
}
