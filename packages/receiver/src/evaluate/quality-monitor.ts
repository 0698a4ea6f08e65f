/**
 * Watches the quality of data window by window, beside the drift of their distribution: the rate of
 * missing values is tested as a rate of its own, and what cannot be right whatever the distribution
 * is counted.
 */
import { CALL_SIGNALS, METRICS } from "@tidemark/semconv";
import type { ClosedWindow, SignalIdentity } from "../closed-window.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { Stage } from "../stage.js";
import type { Violation } from "../violations.js";
import { missingWindow, windowViolations } from "./window-quality.js";

/** What people say comes when they like, and after the model's own work: or not at all. */
const SAID_LATER = [
  CALL_SIGNALS.evaluationScore.name,
  CALL_SIGNALS.evaluationLabel.name,
  CALL_SIGNALS.evaluationRate.name,
];
/** Windows of this length, the shortest one, are counted; longer ones hold the same values. */
const COUNTED = 0;
/** Signals of one model that were silent in a window, until another one of it has values. */
const SILENT_MAX = 10_000;

/** Windows of a model that are handed out at a time, after an hour without any span for example. */
const WINDOWS_MAX = 16;

/** What is known of one window of a model. */
interface ModelWindow {
  isActive: boolean;
  readonly silent: SignalIdentity[];
}

/** The part of evaluate that looks at windows one by one. */
export class QualityMonitor implements Stage {
  private readonly violations = new CounterSet();
  private readonly judge: (closed: ClosedWindow) => boolean;
  private readonly logger: Logger;
  private readonly models = new Map<string, Map<number, ModelWindow>>();
  /** Signals that have had values: what never came cannot vanish. */
  private readonly seen = new Set<string>();
  /** Signals and kinds that were wrong in the last window: each is told when it begins. */
  private readonly wrong = new Set<string>();

  /** @param judge compares a window, such as that of missing values; whether it is in alarm */
  constructor(judge: (closed: ClosedWindow) => boolean, logger: Logger) {
    this.judge = judge;
    this.logger = logger;
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  metrics(): MetricFamily[] {
    return [{ definition: METRICS.qualityViolations, points: this.violations.snapshot() }];
  }

  /** Looks at a window; a defect in one is logged, and the others go on. */
  consume(closed: ClosedWindow): void {
    try {
      this.look(closed);
    } catch (error) {
      this.logger.error("the quality of a window could not be judged", { ...closed.signal, error });
    }
  }

  /** Signals that the reference of a model has, and its traffic does not. */
  noteAbsent(signals: readonly SignalIdentity[]): void {
    for (const signal of signals) this.note(signal, "schema", true);
  }

  private look(closed: ClosedWindow): void {
    const { signal, summary } = closed;
    const missing = missingWindow(closed);
    const isMissing = missing !== undefined && this.judge(missing);
    if (closed.window !== COUNTED || signal.segment !== "") return;
    this.note(signal, "missing", isMissing);
    const found = new Set(windowViolations(closed));
    for (const kind of ["stuck", "cardinality"] as const) this.note(signal, kind, found.has(kind));
    this.noteSilence(closed, summary.count + summary.missing > 0);
  }

  /** A silent signal has vanished when others of its model are not, in whatever order they come. */
  private noteSilence({ signal, endMs }: ClosedWindow, isActive: boolean): void {
    if (SAID_LATER.some((name) => signal.name.startsWith(name))) return;
    const name = keyOf(signal.model, signal.version);
    const window = this.windowOf(name, endMs);
    if (isActive) {
      this.seen.add(keyOf(name, signal.name));
      this.note(signal, "vanished", false);
      window.isActive = true;
      for (const other of window.silent.splice(0)) this.note(other, "vanished", true);
    } else if (this.seen.has(keyOf(name, signal.name))) {
      if (window.isActive) this.note(signal, "vanished", true);
      else if (window.silent.length < SILENT_MAX) window.silent.push(signal);
    }
  }

  /** Signals come one by one, each with all its windows that have ended. */
  private windowOf(model: string, endMs: number): ModelWindow {
    const windows = this.models.get(model) ?? new Map<number, ModelWindow>();
    this.models.set(model, windows);
    let window = windows.get(endMs);
    if (window === undefined) {
      window = { isActive: false, silent: [] };
      windows.set(endMs, window);
      if (windows.size > WINDOWS_MAX) windows.delete(Math.min(...windows.keys()));
    }
    return window;
  }

  private note(signal: SignalIdentity, kind: Violation, isWrong: boolean): void {
    const { model, version, name } = signal;
    const key = keyOf(model, version, name, kind);
    if (!isWrong) {
      if (this.wrong.delete(key))
        this.logger.info(`${name}: no longer ${kind}`, { model, version });
      return;
    }
    this.violations.add({ model_name: model, signal: name, kind });
    if (this.wrong.has(key)) return;
    this.wrong.add(key);
    this.logger.warn(`${name}: ${SENTENCES[kind] ?? kind}`, { model, version, kind });
  }
}

const SENTENCES: Partial<Record<Violation, string>> = {
  missing: "more values are missing than usual",
  stuck: "every value of the window is the same",
  vanished: "no value came although the model is at work",
  cardinality: "many more categories came than the reference has",
  schema: "the reference has it, and no span does",
};

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
