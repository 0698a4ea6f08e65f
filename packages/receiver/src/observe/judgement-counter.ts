/** Makes signals of what is said of answers, and counts them where the answers count. */
import type { CallSignal } from "@tidemark/semconv";
import { CALL_SIGNALS } from "@tidemark/semconv";
import type { SpanRows } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { CallGroup } from "./call-groups.js";
import type { CallOutcome } from "./call-reader.js";
import { refsOf } from "./evaluation-reader.js";
import type { Judgement } from "./evaluations.js";
import { Evaluations } from "./evaluations.js";
import { Observations } from "./observations.js";
import type { ObservedModel } from "./observed-model.js";
import type { EvaluationOptions, ObserverState } from "./observer-state.js";

/** Counts observations of a judgement's time for its model, and for the segments of its call. */
export type CountJudgement = (
  judgement: Judgement,
  group: CallGroup,
  observations: Observations,
) => void;

/** Gets every call and every evaluation that spans tell of. */
export class JudgementCounter {
  readonly evaluations: Evaluations;
  private readonly state: ObserverState;
  private readonly observations = new Observations();
  private readonly countInto: CountJudgement;

  constructor(
    state: ObserverState,
    { recentCalls, evaluationWaitMs }: EvaluationOptions,
    countInto: CountJudgement,
  ) {
    this.state = state;
    this.countInto = countInto;
    const count = (judgement: Judgement, group: CallGroup) => this.count(judgement, group);
    this.evaluations = new Evaluations(recentCalls, evaluationWaitMs, count);
  }

  /** Takes note of a call, and of what its span, or one that is no call, says of answers. */
  read(
    rows: SpanRows,
    span: number,
    { kind, model, keys, promptVersion, evaluations: found }: CallOutcome,
    segments: readonly ObservedModel[],
    nowMs: number,
  ): void {
    const { evaluations } = this;
    const group = { model, segments, promptVersion };
    const isCall = kind === "call" || kind === "duplicate";
    for (const { names, ...judgement } of found) {
      if (isCall && names.length === 0) evaluations.addToCall(judgement, group);
      else {
        const own = { ...group, segments: [...segments] };
        evaluations.add({ ...judgement, ...refsOf(rows, span, names), own }, nowMs);
      }
    }
    if (isCall) evaluations.addCall(keys, group);
  }

  private count(judgement: Judgement, group: CallGroup): void {
    const { observations, state } = this;
    const { name, score, label } = judgement;
    group.model.evaluations.add(group.promptVersion, name, score, label);
    const keyOf = (signal: CallSignal) => state.keys.idOf(ROLE.callSignal, signal.name + name);
    observations.clear();
    if (score !== undefined) observations.addNumber(keyOf(CALL_SIGNALS.evaluationScore), score);
    if (label !== undefined) observations.addName(keyOf(CALL_SIGNALS.evaluationLabel), label);
    this.countInto(judgement, group, observations);
  }
}
