/** Finds the segments that a span belongs to: each value of a segment's attribute is one. */
import { SEGMENT_MIX } from "@tidemark/semconv";
import type { SpanRows } from "../otlp/span-rows.js";
import { TYPE_BITS, VALUE_EVENT } from "../otlp/span-rows.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { Observations } from "./observations.js";
import type { ObservedModel } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";
import { PURPOSE } from "./signal-plan.js";
import { ValueReader } from "./value-reader.js";

/** Of one span; a list may hold several. */
const SEGMENTS_MAX = 16;

/** Reads one span at a time. */
export class SpanSegments {
  /** What the last span belongs to, as models of their own. */
  readonly found: ObservedModel[] = [];
  /** Segments for which there was no room, since the start. */
  overflowCount = 0;
  private readonly state: ObserverState;
  private readonly values: ValueReader;
  /** Attributes that have been found: a span's own goes before its scope's and its resource's. */
  private readonly had = new Set<number>();
  private mix!: Observations;

  constructor(state: ObserverState) {
    this.state = state;
    this.values = new ValueReader(state);
  }

  /**
   * Looks for the segments of a span in its attributes, its scope's and its resource's.
   * @param mix gets one value for each: a signal of the model is which segments its traffic is of
   */
  find(rows: SpanRows, span: number, model: ObservedModel, mix: Observations): void {
    this.found.length = 0;
    this.had.clear();
    this.values.look(rows, mix);
    this.mix = mix;
    const scope = rows.scope[span] as number;
    const resource = rows.resource[span] as number;
    this.add(rows, model, rows.firstValue[span], rows.endValue[span]);
    this.add(rows, model, rows.scopeFirst[scope], rows.scopeEnd[scope]);
    this.add(rows, model, rows.resourceFirst[resource], rows.resourceEnd[resource]);
  }

  private add({ valueTag }: SpanRows, model: ObservedModel, first = 0, end = 0): void {
    const { plan } = this.state;
    const here: number[] = [];
    for (let at = first; at < end && this.found.length < SEGMENTS_MAX; at++) {
      const key = (valueTag[at] as number) >> TYPE_BITS;
      if ((plan.purposeOf(key) & PURPOSE.segment) === 0 || this.had.has(key)) continue;
      if (this.values.typeOf(at) === VALUE_EVENT) continue;
      const word = this.values.name(at);
      if (word === undefined) continue;
      here.push(key);
      const attribute = plan.segmentOf(key);
      const { keys } = this.state;
      this.mix.addName(keys.idOf(ROLE.declaredSignal, SEGMENT_MIX + attribute), word);
      const segment = this.state.segment(model, `${attribute}=${word}`);
      if (segment === undefined) this.overflowCount++;
      else if (!this.found.includes(segment)) this.found.push(segment);
    }
    for (const key of here) this.had.add(key);
  }
}
