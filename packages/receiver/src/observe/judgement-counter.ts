/** Makes signals of what is said of answers, and counts them where the answers count. */
import type { CallSignal } from "@tidemark/semconv";
import { CALL_SIGNALS } from "@tidemark/semconv";
import type { SpanRows } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { CallGroup } from "./call-groups.js";
import type { CallPlace } from "./call-memory.js";
import type { CallOutcome } from "./call-reader.js";
import { refsOf } from "./evaluation-reader.js";
import type { Judgement } from "./evaluations.js";
import { Evaluations } from "./evaluations.js";
import type { FeedbackTrials } from "./feedback-rates.js";
import { FeedbackRates } from "./feedback-rates.js";
import { Observations } from "./observations.js";
import type { ObservedModel } from "./observed-model.js";
import type { EvaluationOptions, ObserverState } from "./observer-state.js";

const MINUTE_MS = 60_000;

/** What observations are counted at. */
export interface ToldAt {
  readonly timeMs: number;
  /** Of the span that tells: 16 bytes of its trace, and 8 of its own; undefined for no such. */
  readonly ids: Uint8Array | undefined;
}

/** Counts observations for a model, and for the segments of its call. */
export type CountTold = (
  at: ToldAt,
  group: Pick<CallGroup, "model" | "segments">,
  observations: Observations,
) => void;

/** Gets every call and every evaluation that spans tell of. */
export class JudgementCounter {
  readonly evaluations: Evaluations;
  readonly rates: FeedbackRates;
  private readonly state: ObserverState;
  private readonly observations = new Observations();
  private readonly countTold: CountTold;
  private nowMs = 0;

  constructor(
    state: ObserverState,
    { recentCalls, evaluationWaitMs, feedbackWithinMs }: EvaluationOptions,
    countTold: CountTold,
  ) {
    this.state = state;
    this.countTold = countTold;
    // Feedback finds no call that is not remembered.
    this.rates = new FeedbackRates(recentCalls === 0 ? 0 : feedbackWithinMs);
    this.evaluations = new Evaluations(recentCalls, evaluationWaitMs, (...told) =>
      this.count(...told),
    );
  }

  /** Takes note of a call, and of what its span, or one that is no call, says of answers. */
  read(
    rows: SpanRows,
    span: number,
    { kind, failed, model, keys, promptVersion, evaluations: found }: CallOutcome,
    segments: readonly ObservedModel[],
    { eventMs, nowMs }: { readonly eventMs: number; readonly nowMs: number },
  ): void {
    const { evaluations, rates } = this;
    this.nowMs = nowMs;
    const group = { model, segments, promptVersion };
    const minute = Math.floor(eventMs / MINUTE_MS);
    const isCall = kind === "call" || kind === "duplicate";
    let call: CallPlace | undefined;
    if (kind === "call") {
      call = evaluations.addCall(keys, group, minute);
      if (call && !failed) rates.addCall(group, call);
    } else if (kind === "duplicate") {
      const report = evaluations.addReport(keys, group, minute);
      call = report.call;
      if (call && !failed) rates.addSegments({ model, segments: report.added }, call);
    }
    for (const { names, ...judgement } of found) {
      if (isCall && names.length === 0) evaluations.addToCall(judgement, group, call);
      else {
        const own = { ...group, segments: [...segments] };
        evaluations.add({ ...judgement, ...refsOf(rows, span, names), own }, nowMs);
      }
    }
  }

  /**
   * Lets nothing wait longer than it may: belongs before windows end at that watermark.
   * @returns how many calls were forgotten before the time for their feedback was over
   */
  advance(nowMs: number, watermarkMs: number): number {
    this.nowMs = nowMs;
    this.evaluations.advance(nowMs);
    const { forgottenMinute } = this.evaluations.calls;
    return this.rates.end(watermarkMs, forgottenMinute, (trials) => this.countTrials(trials));
  }

  private count(judgement: Judgement, group: CallGroup, call: CallPlace | undefined): void {
    const { observations } = this;
    const { name, score, label } = judgement;
    group.model.evaluations.add(group.promptVersion, name, score, label);
    if (call) this.rates.addFeedback(group, judgement, call, this.nowMs);
    observations.clear();
    const { evaluationScore, evaluationLabel } = CALL_SIGNALS;
    if (score !== undefined) observations.addNumber(this.keyOf(evaluationScore, name), score);
    if (label !== undefined) observations.addName(this.keyOf(evaluationLabel, name), label);
    this.countTold(judgement, group, observations);
  }

  /** Answers whose time for feedback is over. */
  private countTrials({ model, segment, name, happened, not, timeMs }: FeedbackTrials): void {
    const { observations } = this;
    const counted = segment === "" ? model : this.state.segment(model, segment);
    if (counted === undefined) return;
    observations.clear();
    const key = this.keyOf(CALL_SIGNALS.evaluationRate, name);
    if (happened > 0) observations.addEvent(key, true, happened);
    if (not > 0) observations.addEvent(key, false, not);
    this.countTold({ timeMs, ids: undefined }, { model: counted, segments: [] }, observations);
  }

  private keyOf(signal: CallSignal, name: string): number {
    return this.state.keys.idOf(ROLE.callSignal, signal.name + name);
  }
}
