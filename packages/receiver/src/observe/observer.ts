/**
 * Turns the values of prediction spans into summaries by model, signal and minute of event time,
 * and hands every window that ends to whoever evaluates it. Keeps no rows.
 */
import { METRICS } from "@tidemark/semconv";
import type { ClosedWindow } from "../closed-window.js";
import type { LogRecord } from "../log/log-record.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { SpanFlag } from "../otlp/annotate-spans.js";
import type { KeyTable } from "../otlp/key-table.js";
import type { Stage, TraceBatch } from "../stage.js";
import type { Persistent } from "../state/checkpoints.js";
import type { StateChanges, StoredState } from "../state/state-store.js";
import { modelMetrics } from "./model-metrics.js";
import type { ObservedModel, ObservedSignal } from "./observed-model.js";
import { ObserverCheckpoint } from "./observer-checkpoint.js";
import type { ObserverOptions } from "./observer-state.js";
import { ObserverState } from "./observer-state.js";
import { SpanCounter } from "./span-counter.js";

/** How often the watermark is looked at when no spans come. */
const TICK_MS = 250;

/** The stage between receive and evaluate. */
export class Observer implements Stage, Persistent {
  private readonly options: ObserverOptions;
  private readonly onWindow: (window: ClosedWindow) => void;
  private readonly onBoundary: () => void;
  private readonly now: () => number;
  private readonly logger: Logger;
  private readonly state: ObserverState;
  private readonly checkpoint: ObserverCheckpoint;
  private readonly counter: SpanCounter;
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
    this.onWindow = onWindow;
    this.onBoundary = onBoundary;
    this.now = now;
    this.state = new ObserverState(options, keys);
    this.counter = new SpanCounter(this.state);
    this.logger = logger;
    this.checkpoint = new ObserverCheckpoint(this.state, logger);
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
    const flags: SpanFlag[] = [];
    try {
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

  /** Takes note of a batch that holds nothing to count. */
  pass({ sequence, receivedMs }: LogRecord): void {
    this.state.sequence = sequence;
    this.advance(receivedMs);
  }

  /** Takes note of a verdict, for what is usual from now on. */
  judge(closed: ClosedWindow, drifted: boolean): void {
    const { model: name, version, segment } = closed.signal;
    const model = this.state.modelNamed(name, version, segment);
    const signal = model?.signals.find((one) => one?.identity.name === closed.signal.name);
    signal?.panes?.judge(closed, drifted);
  }

  save(changes: StateChanges): void {
    this.checkpoint.save(changes);
  }

  saveFailed(): void {
    this.checkpoint.forgetSaved();
  }

  restore(stored: StoredState): Promise<void> {
    return this.checkpoint.restore(stored);
  }

  /** The models seen so far, with their signals. */
  observedModels(): readonly ObservedModel[] {
    return [...this.state.models.values()];
  }

  metrics(): MetricFamily[] {
    return [
      ...modelMetrics(this.observedModels()),
      { definition: METRICS.receiverObservations, points: this.counter.outcomePoints() },
      {
        definition: METRICS.receiverSignals,
        points: [{ labels: {}, value: this.state.signalCount }],
      },
    ];
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
}
