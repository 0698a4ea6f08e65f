/** Which training run made the model that a span is of: the span says so, or its resource. */
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, TYPE_MASK, VALUE_STRING } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";

const NONE = -1;

/** Reads one span at a time. */
export class SpanRuns {
  private readonly state: ObserverState;
  /** What the last span named: most likely the next one names the same. */
  private latest = NONE;

  constructor(state: ObserverState) {
    this.state = state;
  }

  /** Notes the run with the model. */
  read(rows: SpanRows, span: number, model: ObservedModel): void {
    const resource = rows.resource[span] as number;
    let run = this.find(rows, rows.firstValue[span], rows.endValue[span]);
    if (run < 0) run = this.find(rows, rows.resourceFirst[resource], rows.resourceEnd[resource]);
    if (run >= 0) model.runId = this.state.strings.text(run);
  }

  private find(rows: SpanRows, first = 0, end = 0): number {
    const { keys, strings } = this.state;
    const { view, valueTag, valueOffset, valueNumber } = rows;
    for (let at = first; at < end; at++) {
      const tag = valueTag[at] as number;
      if (keys.roleOf(tag >> TYPE_BITS) !== ROLE.modelRunId) continue;
      if ((tag & TYPE_MASK) !== VALUE_STRING) continue;
      const offset = valueOffset[at] as number;
      const length = valueNumber[at] as number;
      const isLatest = this.latest >= 0 && strings.isText(this.latest, view, offset, length);
      if (!isLatest) this.latest = strings.intern(view, offset, length);
      return this.latest;
    }
    return NONE;
  }
}
