/** Compares every window that ends with its reference, and keeps the verdicts. */
import { METRICS } from "@tidemark/semconv";
import type { CategoricalEvaluation, DriftPolicy, NumericEvaluation } from "@tidemark/stats";
import {
  driftPolicy,
  evaluateCategorical,
  evaluateNumeric,
  GridSummary,
  INITIAL_DRIFT_STATE,
  nextDriftState,
} from "@tidemark/stats";
import type { ClosedWindow } from "../closed-window.js";
import { formatDuration } from "../config/quantities.js";
import type { Logger } from "../logger.js";
import type { Labels, MetricFamily, NumberPoint } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { Stage } from "../stage.js";
import type { Persistent } from "../state/checkpoints.js";
import { parsePlain, stringifyPlain } from "../state/plain-json.js";
import type { StateChanges, StoredState } from "../state/state-store.js";
import type { Verdict } from "./verdict.js";
import { sentenceOf, verdictKey } from "./verdict.js";

const MINUTE_MS = 60_000;
/** What verdicts are called in the store. */
const KIND = "evaluate.verdict";

/** The evaluator's part of the configuration. */
export interface EvaluatorOptions {
  readonly windowsMs: readonly number[];
  /** Shift in standard deviations below which nobody wants to be told. */
  readonly shift: number;
  readonly falseAlarmsPerFeatureYear: number;
  readonly falseWarningsPerFeatureYear: number;
}

/** The policy of each window length. */
export function windowPolicies(options: EvaluatorOptions): DriftPolicy[] {
  return options.windowsMs.map((windowMs) =>
    driftPolicy({
      shift: options.shift,
      falseAlarmsPerFeatureYear: options.falseAlarmsPerFeatureYear,
      warningsPerFeatureYear: options.falseWarningsPerFeatureYear,
      evaluationMinutes: windowMs / MINUTE_MS,
      windowLengths: options.windowsMs.length,
    }),
  );
}

/** The stage behind observe. */
export class Evaluator implements Stage, Persistent {
  private readonly policies: readonly DriftPolicy[];
  private readonly windowNames: readonly string[];
  private readonly onVerdict: (closed: ClosedWindow, drifted: boolean) => void;
  private readonly logger: Logger;
  private readonly latest = new Map<string, Verdict>();
  private readonly evaluations = new CounterSet();
  private readonly saved = new Map<string, Verdict>();

  /** @param onVerdict is called for every window with values, and whether its signal is in alarm */
  constructor(
    options: EvaluatorOptions,
    onVerdict: (closed: ClosedWindow, drifted: boolean) => void,
    logger: Logger,
  ) {
    this.onVerdict = onVerdict;
    this.logger = logger;
    this.windowNames = options.windowsMs.map(formatDuration);
    this.policies = windowPolicies(options);
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** Evaluates one window. A defect in it is logged and counted; the others go on. */
  consume(closed: ClosedWindow): void {
    try {
      this.evaluate(closed);
    } catch (error) {
      this.evaluations.add({ ...this.labels(closed), outcome: "failed" });
      this.logger.error("a window could not be evaluated", { ...closed.signal, error });
    }
  }

  /** The latest verdicts, in the order in which the signals were first evaluated. */
  verdicts(): readonly Verdict[] {
    return [...this.latest.values()];
  }

  save(changes: StateChanges): void {
    for (const [key, verdict] of this.latest) {
      if (this.saved.get(key) === verdict) continue;
      changes.put(KIND, JSON.stringify(key.split("\u0000")), stringifyPlain(verdict));
      this.saved.set(key, verdict);
    }
  }

  saveFailed(): void {
    this.saved.clear();
  }

  /** Takes up the verdicts of an earlier run, but for window lengths that are no more. */
  async restore(stored: StoredState): Promise<void> {
    for (const { body } of await stored.items(KIND)) {
      const verdict = parsePlain(String(body)) as Verdict;
      const window = this.windowNames.indexOf(verdict.window);
      if (window >= 0) this.latest.set(verdictKey({ signal: verdict.signal, window }), verdict);
    }
  }

  metrics(): MetricFamily[] {
    const verdicts = [...this.latest.values()];
    const gauge = (pick: (point: MethodPoint) => number): NumberPoint[] =>
      verdicts.flatMap((verdict) =>
        methodPoints(verdict)
          .map((point) => ({ labels: methodLabels(verdict, point.method), value: pick(point) }))
          .filter(({ value }) => Number.isFinite(value)),
      );
    return [
      { definition: METRICS.driftScore, points: gauge(({ score }) => score) },
      { definition: METRICS.driftThreshold, points: gauge(({ threshold }) => threshold) },
      { definition: METRICS.driftPValue, points: gauge(({ pValue }) => pValue) },
      { definition: METRICS.driftErrorBound, points: gauge(({ errorBound }) => errorBound) },
      { definition: METRICS.driftDetected, points: verdicts.map(detectedPoint) },
      { definition: METRICS.driftEvaluations, points: this.evaluations.snapshot() },
    ];
  }

  private evaluate(closed: ClosedWindow): void {
    const evaluation = this.compare(closed);
    const key = verdictKey(closed);
    const before = this.latest.get(key);
    const { signal, reference, startMs, endMs } = closed;
    const { outcome, belowFloor } = evaluation;
    const { state: drift } = nextDriftState(before?.drift ?? INITIAL_DRIFT_STATE, {
      outcome,
      belowFloor,
      windowStartMs: startMs,
      windowEndMs: endMs,
    });
    this.evaluations.add({ ...this.labels(closed), outcome });
    // A window without values says nothing new: the last evidence stays, only the state moves.
    const verdict: Verdict =
      evaluation.m === 0 && before !== undefined
        ? { ...before, drift }
        : {
            signal,
            window: this.windowNames[closed.window] as string,
            reference: reference.name,
            provisional: reference.provisional,
            drift,
            startMs,
            endMs,
            evaluation,
          };
    this.latest.set(key, verdict);
    if (evaluation.m > 0) this.onVerdict(closed, drift.alarm === "drifted");
    if (drift.status !== before?.drift.status) this.announce(verdict, before);
  }

  private compare(closed: ClosedWindow): NumericEvaluation | CategoricalEvaluation {
    const { reference, summary, signal } = closed;
    const policy = this.policies[closed.window] as DriftPolicy;
    const { name } = signal;
    if (reference.kind === "numeric") {
      if (!(summary instanceof GridSummary)) throw new TypeError(`${name}: no summary of numbers`);
      return evaluateNumeric({ name, reference: reference.grid, live: summary, policy });
    }
    if (summary instanceof GridSummary) throw new TypeError(`${name}: no summary of categories`);
    return evaluateCategorical({ name, reference: reference.categories, live: summary, policy });
  }

  private announce(verdict: Verdict, before: Verdict | undefined): void {
    const { signal, window, drift, evaluation } = verdict;
    const fields = {
      model: signal.model,
      version: signal.version,
      signal: signal.name,
      window,
      state: drift.status,
      before: before?.drift.status ?? "none",
      statistic: evaluation.statistic,
      threshold: evaluation.threshold,
      p: evaluation.pValue,
    };
    const sentence = sentenceOf(verdict);
    if (drift.status === "drifted") this.logger.warn(sentence, fields);
    else this.logger.info(sentence, fields);
  }

  private labels({ signal, window, reference }: ClosedWindow): Labels {
    return {
      model_name: signal.model,
      model_version: signal.version,
      signal: signal.name,
      window: this.windowNames[window] as string,
      reference: reference.name,
      segment: signal.segment,
    };
  }
}

/** One row of numbers of a verdict: the test that decides, and those that are shown. */
interface MethodPoint {
  readonly method: string;
  readonly score: number;
  readonly threshold: number;
  readonly pValue: number;
  readonly errorBound: number;
}

function methodPoints({ evaluation }: Verdict): MethodPoint[] {
  const { method, statistic, threshold, pValue } = evaluation;
  if (evaluation.method !== "ks") {
    return [{ method, score: statistic, threshold, pValue, errorBound: 0 }];
  }
  const { psi, errorBound } = evaluation;
  const points: MethodPoint[] = [{ method, score: statistic, threshold, pValue, errorBound }];
  if (psi) {
    points.push({
      method: "psi",
      score: psi.value,
      threshold: psi.threshold,
      pValue: psi.pValue,
      errorBound: 0,
    });
  }
  return points;
}

function verdictLabels({ signal, window, reference }: Verdict): Labels {
  return {
    model_name: signal.model,
    model_version: signal.version,
    signal: signal.name,
    window,
    reference,
    segment: signal.segment,
  };
}

function methodLabels(verdict: Verdict, method: string): Labels {
  return { ...verdictLabels(verdict), method };
}

function detectedPoint(verdict: Verdict): NumberPoint {
  return { labels: verdictLabels(verdict), value: verdict.drift.alarm === "drifted" ? 1 : 0 };
}
