/** Compares every window that ends with its reference, and keeps the verdicts. */
import type { DriftPolicy, Inflation } from "@tidemark/stats";
import { inflationOf, multiWindowPolicies, nextDriftState } from "@tidemark/stats";
import type { ClosedWindow, SignalIdentity } from "../closed-window.js";
import type { DriftFinding } from "../drift-finding.js";
import { findingIds } from "../drift-finding.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import type { Reference } from "../references/reference.js";
import type { Stage } from "../stage.js";
import type { Persistent } from "../state/checkpoints.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { WindowLength } from "../window-lengths.js";
import type { Evaluation } from "./comparison.js";
import { compare, referenceOf, variationCounts } from "./comparison.js";
import { driftMetrics } from "./drift-metrics.js";
import { EvaluatorCheckpoint } from "./evaluator-checkpoint.js";
import { findingOf } from "./finding.js";
import type { Diversity } from "./output-diversity.js";
import { outputDiversity } from "./output-diversity.js";
import { packEvaluation } from "./packed-evaluation.js";
import type { ExpectedCounts } from "./signal-record.js";
import { SignalRecord } from "./signal-record.js";
import type { Evidence, Verdict } from "./verdict.js";
import { sentenceOf, signalKey } from "./verdict.js";
import type { FormerState } from "./verdict-history.js";
import { VerdictHistory } from "./verdict-history.js";

const MINUTE_MS = 60_000;
/** Rows that are independent of each other. */
const INDEPENDENT: Inflation = { phi: 1, learning: false };

/** How the names of a model's outputs begin. */
const OUTPUTS = "prediction.";
/** What a window without values shows, of a signal that has had some. */
const SILENCE = { outcome: "silent", belowFloor: false } as const;

/** What is promised, and to whom nothing is to be told. */
export interface PromiseOptions {
  /** Shift in standard deviations below which nobody wants to be told. */
  readonly shift: number;
  readonly falseAlarmsPerFeatureYear: number;
  readonly falseWarningsPerFeatureYear: number;
  /** Of all signals together; undefined for none but that of each. */
  readonly falseAlarmsPerYear?: number | undefined;
}

/** The evaluator's part of the configuration. */
export interface EvaluatorOptions extends PromiseOptions {
  /** Shortest first. */
  readonly lengths: readonly WindowLength[];
  /** Whether it is learned how much rows depend on each other, or taken as not at all. */
  readonly dependence: "learned" | "none";
  /** Changes of verdicts that are kept. */
  readonly history: number;
}

/** As many signals as an installation has at least share its promise from the start. */
const SHARERS_MIN = 64;

interface KeyedRecord {
  readonly key: string;
  readonly record: SignalRecord;
}

/** The policy of each length that is evaluated, all of them under one promise. */
export function windowPolicies(
  lengths: readonly WindowLength[],
  options: PromiseOptions,
): DriftPolicy[] {
  return multiWindowPolicies({
    shift: options.shift,
    falseAlarmsPerFeatureYear: options.falseAlarmsPerFeatureYear,
    warningsPerFeatureYear: options.falseWarningsPerFeatureYear,
    windowMinutes: lengths.filter(({ evaluated }) => evaluated).map(({ ms }) => ms / MINUTE_MS),
  });
}

/**
 * By window length; undefined where it is not evaluated.
 * @param signals that share what is promised of all together
 */
function policiesOf(
  lengths: readonly WindowLength[],
  promise: PromiseOptions,
  signals: number,
): (DriftPolicy | undefined)[] {
  const { falseAlarmsPerFeatureYear, falseAlarmsPerYear = Number.POSITIVE_INFINITY } = promise;
  const perSignal = Math.min(falseAlarmsPerFeatureYear, falseAlarmsPerYear / signals);
  const policies = windowPolicies(lengths, { ...promise, falseAlarmsPerFeatureYear: perSignal });
  return lengths.map(({ evaluated }) => (evaluated ? policies.shift() : undefined));
}

/** The stage behind observe. */
export class Evaluator implements Stage, Persistent {
  private readonly options: EvaluatorOptions;
  private promise: PromiseOptions;
  /** How many signals share it: doubled when there are more, so that thresholds seldom move. */
  private sharers = SHARERS_MIN;
  /** By window length; undefined where it is not evaluated. */
  private policies: readonly (DriftPolicy | undefined)[];
  private readonly logger: Logger;
  private readonly onFinding: (finding: DriftFinding) => void;
  private readonly records = new Map<string, SignalRecord>();
  /** The same by the object that observe names a signal with. */
  private readonly bySignal = new WeakMap<SignalIdentity, KeyedRecord>();
  private readonly checkpoint: EvaluatorCheckpoint;
  /** How verdicts have changed. */
  readonly history: VerdictHistory;

  /** @param onFinding hears of drifts as long as they last, and when an alarm changes */
  constructor(
    options: EvaluatorOptions,
    logger: Logger,
    onFinding: (finding: DriftFinding) => void = () => {},
  ) {
    this.options = options;
    this.logger = logger;
    this.onFinding = onFinding;
    this.promise = options;
    this.policies = policiesOf(options.lengths, options, this.sharers);
    this.history = new VerdictHistory(options.history);
    this.checkpoint = new EvaluatorCheckpoint(this.records, options.lengths);
  }

  async start(): Promise<void> {}

  async shutdown(): Promise<void> {}

  /** Judges by another promise from the next window on. */
  usePromise(promise: PromiseOptions): void {
    this.promise = promise;
    this.policies = policiesOf(this.options.lengths, promise, this.sharers);
  }

  /**
   * Evaluates one window. A defect in it is logged and counted; the others go on.
   * @returns whether the signal is in alarm in windows of that length
   */
  consume(closed: ClosedWindow): boolean {
    const { sharers } = this;
    const { key, record } = this.recordOf(closed);
    while (this.records.size > this.sharers) this.sharers *= 2;
    if (this.sharers > sharers) this.usePromise(this.promise);
    const policy = this.policies[closed.window];
    if (policy === undefined) return false;
    this.checkpoint.beforeChange(key);
    try {
      if (this.evaluate(closed, record, policy)) {
        this.checkpoint.changed(key, record, closed.window);
      }
    } catch (error) {
      record.note(closed.window, "failed");
      this.logger.error("a window could not be evaluated", { ...closed.signal, error });
    }
    return record.state(closed.window).alarm === "drifted";
  }

  /** The latest verdicts, in the order in which the signals were first evaluated. */
  verdicts(): readonly Verdict[] {
    const { lengths } = this.options;
    return [...this.records.values()].flatMap((record) =>
      Array.from(record.verdicts(lengths), ([, verdict]) => verdict),
    );
  }

  save(changes: StateChanges): Rest[] {
    this.history.save(changes);
    return [this.checkpoint.save(changes)];
  }

  saveFailed(): void {
    this.checkpoint.saveFailed();
    this.history.saveFailed();
  }

  async restore(stored: StoredState): Promise<void> {
    await this.checkpoint.restore(stored);
    await this.history.restore(stored);
  }

  metrics(): MetricFamily[] {
    return driftMetrics(() => this.records.values(), this.options.lengths);
  }

  private recordOf({ signal, reference }: ClosedWindow): KeyedRecord {
    const latest = this.bySignal.get(signal);
    const id = referenceId(reference);
    if (latest?.record.referenceId === id) return latest;
    const key = latest?.key ?? signalKey(signal);
    let record = this.records.get(key);
    // What was learned and decided was about another reference.
    if (record?.referenceId !== id) {
      record = new SignalRecord(signal, id, this.options.lengths.length);
      this.records.set(key, record);
      this.checkpoint.added(key, record);
    }
    const keyed = { key, record };
    this.bySignal.set(signal, keyed);
    return keyed;
  }

  /** Judges a window; false when nothing has changed by it. */
  private evaluate(closed: ClosedWindow, record: SignalRecord, policy: DriftPolicy): boolean {
    const { window, startMs, endMs, summary } = closed;
    const { lengths } = this.options;
    const before = record.state(window);
    const known = record.evidence[window];
    const isShown = (lengths[window] as WindowLength).shown || known !== undefined;
    // A window without values says nothing new: the last evidence stays, only the state moves.
    const isNews = summary.count > 0 || (isShown && known === undefined);
    // Only who has been heard can fall silent.
    if (isNews && summary.count + summary.missing === 0) return false;
    const counts = this.variationOf(closed);
    const circumstances = { policy, inflation: inflation(record, window, counts) };
    const found = isNews ? compare(closed, { ...circumstances, brief: !isShown }) : undefined;
    const { outcome, belowFloor } = found ?? SILENCE;
    const seen = { outcome, belowFloor, windowStartMs: startMs, windowEndMs: endMs };
    const { state } = nextDriftState(before, seen);
    record.setState(window, state);
    record.note(window, outcome);
    // What moves in an alarm is the drift: windows of its time say nothing of what is usual.
    if (counts && counts.rows > 0 && record.alarm === "none") record.addVariation(window, counts);
    if (found === undefined && state.status === before.status) return false;
    if (!isShown && state.alarm === "none") return true;
    let evidence = known;
    if (found) {
      const explained = isShown ? found : compare(closed, { ...circumstances, brief: false });
      evidence = evidenceOf(closed, explained, state.alarm === "none", known);
      record.evidence[window] = evidence;
    }
    // Most windows change nothing: their verdict is put together when it is asked for.
    const was = { status: known === undefined ? "none" : before.status, sinceMs: before.sinceMs };
    if (evidence && (state.status !== was.status || state.status === "drifted")) {
      this.tell(record.verdict(window, lengths, evidence), was);
    }
    return true;
  }

  private tell(verdict: Verdict, was: FormerState): void {
    const finding = findingOf(verdict, was.status);
    if (verdict.drift.status !== was.status) this.announce(verdict, was, finding);
    if (finding) this.onFinding(finding);
  }

  /** What is learned from a window of how much windows vary; undefined when nothing is to be. */
  private variationOf(closed: ClosedWindow): ExpectedCounts | undefined {
    return this.options.dependence === "none" ? undefined : variationCounts(closed);
  }

  private announce(verdict: Verdict, was: FormerState, finding: DriftFinding | undefined): void {
    this.history.add(verdict, was);
    const { signal, window, drift, evaluation } = verdict;
    const fields = {
      model: signal.model,
      version: signal.version,
      signal: signal.name,
      window,
      state: drift.status,
      before: was.status,
      statistic: evaluation.statistic,
      threshold: evaluation.threshold,
      p: evaluation.pValue,
      // The trace that tells of it.
      ...(finding ? { trace_id: findingIds(finding).traceId } : {}),
    };
    const sentence = sentenceOf(verdict);
    if (drift.status === "drifted") this.logger.warn(sentence, fields);
    else this.logger.info(sentence, fields);
  }
}

function inflation(
  record: SignalRecord,
  length: number,
  counts: ExpectedCounts | undefined,
): Inflation {
  return counts === undefined ? INDEPENDENT : inflationOf(record.variation(length, counts));
}

/** @param known is replaced by it */
function evidenceOf(
  closed: ClosedWindow,
  found: Evaluation,
  isQuiet: boolean,
  known: Evidence | undefined,
): Evidence {
  const { reference, startMs, endMs } = closed;
  const { name, provisional } = reference;
  const diversity = diversityOf(closed, found);
  const exemplars = isQuiet ? undefined : closed.exemplars();
  const packed = packEvaluation(found, known?.packed.numbers);
  return { reference: name, provisional, startMs, endMs, packed, diversity, exemplars };
}

/** Whether outputs have become alike is asked of outputs alone, once it is known what varies. */
function diversityOf(closed: ClosedWindow, found: Evaluation): Diversity | undefined {
  if (!closed.signal.name.startsWith(OUTPUTS) || found.outcome === "learning") return undefined;
  const { alpha } = found;
  return outputDiversity(referenceOf(closed), closed.summary, { phi: found.phi.live, alpha });
}

/** Equal ids, equal references; that of categories is their number of rows and names. */
function referenceId(reference: Reference): string {
  if (reference.kind === "numeric") return reference.grid.id;
  const { count, size } = reference.categories;
  return `${count} rows in ${size} categories`;
}
