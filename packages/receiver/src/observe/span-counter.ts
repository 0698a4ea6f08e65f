/** Counts prediction spans: their calls, their latencies and their values, each exactly once. */
import type { NumberPoint } from "../metric-family.js";
import type { SpanFlag } from "../otlp/annotate-spans.js";
import type { SpanRows } from "../otlp/span-rows.js";
import {
  STATUS_ERROR,
  TYPE_BITS,
  TYPE_MASK,
  VALUE_OTHER,
  VALUE_STRING,
} from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import { type CallOutcome, CallReader } from "./call-reader.js";
import { DeclaredReader } from "./declared-reader.js";
import type { CountTold } from "./judgement-counter.js";
import { JudgementCounter } from "./judgement-counter.js";
import type { ModelCall } from "./model-calls.js";
import { ModelCalls } from "./model-calls.js";
import { ModelServices } from "./model-services.js";
import { Observations } from "./observations.js";
import { countViolation, type ObservedModel, type ObservedSignal } from "./observed-model.js";
import type { EvaluationOptions, ObserverState } from "./observer-state.js";
import { OuterPurposes } from "./outer-purposes.js";
import { SPANS_AT_ONCE } from "./recent-spans.js";
import { PURPOSE } from "./signal-plan.js";
import { SpanHeads } from "./span-heads.js";
import { SpanRuns } from "./span-runs.js";
import { SpanSegments } from "./span-segments.js";
import { ValueAdder } from "./value-adder.js";

const NS_PER_MS = 1e6;
const NS_PER_S = 1e9;
/** The year 2000: earlier is no time of a span, but that of a clock that was never set. */
const CLOCKS_FROM_MS = 946_684_800_000;

type Told = Parameters<CountTold>;

/** Turns the rows of requests into what an {@link ObserverState} holds. */
export class SpanCounter {
  private readonly state: ObserverState;
  /** How often something else than the usual has happened. */
  private readonly outcomes = new Map<string, number>();
  private observed = 0;
  private readonly heads: SpanHeads;
  private readonly calls: ModelCalls;
  private readonly services: ModelServices;
  private readonly adder: ValueAdder;
  /** No window is open around it: its values count for nothing. */
  private isTooLate = false;
  private flags: SpanFlag[] = [];
  /** What the present span's values are for, beside being a signal each. */
  private purposes = 0;
  private readonly observations = new Observations();
  private readonly mix = new Observations();
  readonly callReader: CallReader;
  private readonly declared: DeclaredReader;
  private readonly segments: SpanSegments;
  private readonly runs: SpanRuns;
  /** What was said of calls, and which calls there were. */
  readonly judgements: JudgementCounter;
  /** When the present request came. */
  private nowMs = 0;
  private readonly outer: OuterPurposes;

  constructor(state: ObserverState, options: EvaluationOptions) {
    this.state = state;
    this.judgements = new JudgementCounter(state, options, (...told) => this.countTold(...told));
    this.adder = new ValueAdder(state.snapshot);
    this.heads = new SpanHeads(state, SPANS_AT_ONCE);
    this.calls = new ModelCalls(state);
    this.services = new ModelServices(this.heads);
    this.callReader = new CallReader(state);
    this.declared = new DeclaredReader(state);
    this.segments = new SpanSegments(state);
    this.runs = new SpanRuns(state);
    this.outer = new OuterPurposes(state.plan);
  }

  /**
   * Counts a request that came at `nowMs`.
   * @param flags gets the spans with values that are not usual, in the order of the rows
   */
  count(rows: SpanRows, nowMs: number, flags: SpanFlag[]): void {
    this.flags = flags;
    this.services.beginRequest();
    this.nowMs = nowMs;
    this.outer.restart();
    try {
      for (let from = 0; from < rows.spanCount; from += SPANS_AT_ONCE) {
        this.countBlock(rows, from, Math.min(from + SPANS_AT_ONCE, rows.spanCount), nowMs);
      }
    } finally {
      this.adder.settle();
    }
  }

  /** Lets no evaluation, and no call for its feedback, wait longer than it may. */
  advance(nowMs: number, watermarkMs: number): void {
    this.nowMs = nowMs;
    const forgotten = this.judgements.advance(nowMs, watermarkMs);
    if (forgotten > 0) this.note("forgotten_call", forgotten);
    this.adder.settle();
  }

  /** Takes note of something else that has become of a batch. */
  note(outcome: string, times = 1): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + times);
  }

  /** What has become of values, spans and batches, by outcome. */
  outcomePoints(): NumberPoint[] {
    const { overflowCount } = this.state.keys;
    const counts = {
      observed: this.observed,
      overflow_keys: overflowCount,
      overflow_segments: this.segments.overflowCount,
      overflow_services: this.services.overflowCount,
    };
    return [...Object.entries(counts), ...this.outcomes].map(([outcome, value]) => {
      return { labels: { outcome }, value };
    });
  }

  private countBlock(rows: SpanRows, from: number, end: number, nowMs: number): void {
    const { heads, calls } = this;
    const count = heads.read(rows, from, end);
    const isNew = this.state.recentSpans.add(rows, heads.span, count);
    for (let at = 0; at < count; at++) {
      if (isNew[at] === 0) {
        this.note("duplicate_span");
        continue;
      }
      const model = heads.model[at] as number;
      const call = calls.of(model, heads.version[at] as number, heads.stage[at] as number);
      if (call) this.countSpan(rows, heads.span[at] as number, call, nowMs);
      else this.note("overflow_models");
    }
  }

  private countSpan(rows: SpanRows, span: number, call: ModelCall, nowMs: number): void {
    const { state } = this;
    const durationNs = rows.durationNs[span] as number;
    const { model } = call;
    this.services.note(rows, span, model);
    if (call.isInference) {
      if (rows.status[span] === STATUS_ERROR) model.errors++;
      else model.successes++;
    }
    const endMs = (rows.startMs[span] as number) + durationNs / NS_PER_MS;
    const eventMs = this.eventTime(endMs, nowMs);
    state.watermark.observe(eventMs, nowMs);
    this.adder.begin(rows, span, eventMs, state.schedule.paneNumber(eventMs));
    call.latency?.add(durationNs / NS_PER_S, this.adder.place);
    const first = rows.firstValue[span] as number;
    const end = rows.endValue[span] as number;
    const isLate = end > first && state.schedule.isLate(eventMs);
    this.isTooLate = isLate && state.schedule.isTooLate(eventMs);
    if (isLate) this.note(this.isTooLate ? "span_too_late" : "span_late");
    this.purposes = this.state.plan.always | this.outer.of(rows, span);
    this.countValues(rows, first, end, model);
    model.confidences?.count(rows, first, end, state);
    if (this.purposes !== 0) this.countPurposes(rows, span, call);
    const unusual = this.adder.end();
    if (unusual) this.flags.push({ at: rows.spanId[span] as number, values: unusual });
  }

  /** Signals that are no single attribute, and the segments that all of them count for too. */
  private countPurposes(rows: SpanRows, span: number, call: ModelCall): void {
    const { observations, purposes } = this;
    observations.clear();
    let { model } = call;
    if (purposes & PURPOSE.run) this.runs.read(rows, span, model);
    let outcome: CallOutcome | undefined;
    if (purposes & PURPOSE.dialect) {
      outcome = this.callReader.read(rows, span, model, observations);
      if (outcome.kind === "duplicate") this.note("duplicate_call");
      if (outcome.kind === "attempt") this.note("failed_attempt");
      if (outcome.kind === "call" && !call.isInference) this.countCall(outcome, model);
      model = outcome.model;
      this.services.note(rows, span, model);
    }
    if (purposes & PURPOSE.declared) this.declared.read(rows, span, model, observations);
    this.countObservations(model, observations);
    this.noteLost(observations);
    const segments = purposes & PURPOSE.segment ? this.countSegments(rows, span, model) : [];
    if (!outcome) return;
    const { timeMs: eventMs } = this.adder.place;
    this.judgements.read(rows, span, outcome, segments, { eventMs, nowMs: this.nowMs });
  }

  /** @returns the segments that the span belongs to; overwritten by the next span's */
  private countSegments(rows: SpanRows, span: number, model: ObservedModel) {
    const { mix, observed, observations, segments } = this;
    mix.clear();
    segments.find(rows, span, model, mix);
    this.countObservations(model, mix);
    this.noteLost(mix);
    const first = rows.firstValue[span] as number;
    for (const segment of segments.found) {
      this.countValues(rows, first, rows.endValue[span] as number, segment);
      this.countObservations(segment, observations);
    }
    // A value that counts for its segments as well has been observed once.
    this.observed = observed;
    return segments.found;
  }

  /** Counts what was said of answers, in the pane of when it was said. */
  private countTold(...[{ timeMs, ids }, { model, segments }, observations]: Told): void {
    const { schedule } = this.state;
    const eventMs = this.eventTime(timeMs, this.nowMs);
    this.isTooLate = schedule.isLate(eventMs) && schedule.isTooLate(eventMs);
    this.adder.beginAt(ids, eventMs, schedule.paneNumber(eventMs));
    this.countObservations(model, observations);
    const { observed } = this;
    for (const segment of segments) this.countObservations(segment, observations);
    this.observed = observed;
    this.noteLost(observations);
  }

  /** A call of a dialect is an answer of its model like any other. */
  private countCall({ durationNs, failed }: CallOutcome, model: ObservedModel): void {
    model.latency("inference").add(durationNs / NS_PER_S);
    if (failed) model.errors++;
    else model.successes++;
  }

  private noteLost({ invalid, overflow }: Observations): void {
    if (this.isTooLate) return;
    if (invalid > 0) this.note("invalid", invalid);
    if (overflow > 0) this.note("overflow_values", overflow);
  }

  private countObservations(model: ObservedModel, observations: Observations): void {
    if (this.isTooLate) return;
    const { keys, numbers, names, times, count } = observations;
    for (let at = 0; at < count; at++) {
      const key = keys[at] as number;
      const role = this.state.keys.roleOf(key);
      const signal = model.signals[key] ?? this.newSignal(model, key, role);
      if (signal === undefined) continue;
      const name = names[at];
      const isTaken =
        name === undefined
          ? this.adder.addNumber(signal, numbers[at] as number)
          : this.adder.addCategory(signal, name, times[at]);
      if (isTaken) this.observed += times[at] as number;
      else this.note("invalid");
      if (signal.learner) model.finishLearning(signal);
    }
  }

  /**
   * When a span ended. A clock that is ahead must not close windows early, and one that has never
   * been set says nothing: what either dates happens now.
   */
  private eventTime(endMs: number, nowMs: number): number {
    if (endMs >= CLOCKS_FROM_MS && endMs <= nowMs) return endMs;
    this.note(endMs > nowMs ? "span_in_future" : "span_without_time");
    return nowMs;
  }

  private countValues(rows: SpanRows, first: number, end: number, model: ObservedModel): void {
    if (this.isTooLate) return;
    const { valueTag, valueNumber } = rows;
    const { signals } = model;
    const { pane } = this.adder;
    for (let at = first; at < end; at++) {
      const tag = valueTag[at] as number;
      const signal = signals[tag >> TYPE_BITS];
      if (signal === undefined) {
        this.countFirst(rows, at, model);
        continue;
      }
      // Nearly all values are such numbers; the others take the long way.
      const type = tag & TYPE_MASK;
      const isNumber = type !== VALUE_STRING && type !== VALUE_OTHER;
      if (isNumber && signal.panes?.joinWaiting(valueNumber[at] as number, pane)) this.observed++;
      else this.countValue(rows, at, signal, model);
    }
  }

  /** A value that has no signal yet, or never will. */
  private countFirst(rows: SpanRows, at: number, model: ObservedModel): void {
    const key = (rows.valueTag[at] as number) >> TYPE_BITS;
    const { plan, keys } = this.state;
    const role = keys.roleOf(key);
    const purpose = plan.purposeOf(key, role);
    this.purposes |= purpose;
    // What is declared is what the configuration says, and nothing by itself.
    if (role < ROLE.feature || role > ROLE.predictionScore || purpose & PURPOSE.declared) return;
    if (role === ROLE.featureMissing) {
      this.countMissing(rows, at, model);
      return;
    }
    const signal = this.newSignal(model, key, role);
    if (signal) this.countValue(rows, at, signal, model);
  }

  private countValue(
    rows: SpanRows,
    at: number,
    signal: ObservedSignal,
    model: ObservedModel,
  ): void {
    if (this.addValue(rows, at, signal)) this.observed++;
    else this.note("invalid");
    if (signal.learner) model.finishLearning(signal);
  }

  private addValue(rows: SpanRows, at: number, signal: ObservedSignal): boolean {
    const type = (rows.valueTag[at] as number) & TYPE_MASK;
    if (type !== VALUE_OTHER && type !== VALUE_STRING) {
      return this.adder.addNumber(signal, rows.valueNumber[at] as number);
    }
    const text = type === VALUE_STRING ? this.state.categoryAt(rows, at) : undefined;
    if (text !== undefined) return this.adder.addCategory(signal, text);
    countViolation(signal, "type");
    return false;
  }

  /** The value names a feature that had none. */
  private countMissing(rows: SpanRows, at: number, model: ObservedModel): void {
    if (((rows.valueTag[at] as number) & TYPE_MASK) !== VALUE_STRING) return;
    const text = this.state.categoryAt(rows, at);
    const key = text === undefined ? -1 : this.state.keys.idOf(ROLE.feature, text);
    if (key < 0) {
      this.note("invalid");
      return;
    }
    const signal = model.signals[key] ?? this.newSignal(model, key, ROLE.feature);
    if (signal === undefined) return;
    this.state.snapshot.beforeChange(signal.identity);
    signal.missing++;
    signal.learner?.addMissing();
    signal.panes?.pane(this.adder.pane).addMissing(1);
  }

  private newSignal(model: ObservedModel, key: number, role: number): ObservedSignal | undefined {
    const signal = this.state.addSignal(model, key, role);
    if (signal === undefined) this.note("overflow_signals");
    return signal;
  }
}
