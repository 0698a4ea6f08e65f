/**
 * Finds the evaluations that a span tells of, by its attributes or by its events, and which call
 * each of them is of: the one that it names by the id of its response or prediction; else the span
 * itself, if it is a call; else its parent; at last, any call of its trace.
 */
import type { SpanRows } from "../otlp/span-rows.js";
import { idKey, spanKey } from "./call-memory.js";
import { CallParts } from "./call-parts.js";
import type { Judgement } from "./evaluations.js";
import type { ObserverState } from "./observer-state.js";
import { idAt } from "./recent-calls.js";
import type { ValueReader } from "./value-reader.js";

const TRACE_BYTES = 16;
const SPAN_BYTES = 8;
/** Of evaluations without a name. */
const UNNAMED = "unnamed";
/** Ids of either kind by which an evaluation names its call; a waiting one keeps them all. */
const NAMES_MAX = 2;
/** A trace's id, and maybe a span's, as W3C's traceparent writes them. */
const TRACE_ID = /^(?:00-)?([0-9a-f]{32})(?:-([0-9a-f]{16})(?:-[0-9a-f]{2})?)?$/i;

/** What was found of one evaluation. */
export interface FoundEvaluation extends Judgement {
  /** By which ids it names its call; empty when it names none. */
  readonly names: readonly string[];
}

/** Reads one span at a time, with the values and parts of its reader. */
export class EvaluationReader {
  private readonly values: ValueReader;
  private readonly eventParts: CallParts;

  constructor(state: ObserverState, values: ValueReader) {
    this.values = values;
    this.eventParts = new CallParts(state.keys);
  }

  /** All that a span tells of. */
  read(rows: SpanRows, span: number, parts: CallParts, isCall: boolean): FoundEvaluation[] {
    const endMs = (rows.startMs[span] as number) + (rows.durationNs[span] as number) / 1e6;
    // What a call's own attributes name is itself.
    const found = [this.readOne(rows, span, parts, endMs, isCall ? [] : this.namesOf(parts))];
    for (const { tells, timeMs, first, end } of parts.events) {
      if (tells !== "evaluation") continue;
      this.eventParts.collect(rows, first, end);
      const own = this.namesOf(this.eventParts);
      const names = own.length > 0 || isCall ? own : this.namesOf(parts);
      found.push(this.readOne(rows, span, this.eventParts, timeMs || endMs, names));
    }
    return found.filter((one) => one !== undefined);
  }

  private readOne(
    rows: SpanRows,
    span: number,
    parts: CallParts,
    timeMs: number,
    names: readonly string[],
  ): FoundEvaluation | undefined {
    const { values } = this;
    const [scoreAt] = parts.of("evaluationScore").at;
    const [labelAt] = parts.of("evaluationLabel").at;
    const given = scoreAt === undefined ? undefined : values.number(scoreAt);
    const score = Number.isFinite(given) ? given : undefined;
    if (score === undefined && given !== undefined) values.invalid();
    const label = labelAt === undefined ? undefined : values.name(labelAt);
    if (score === undefined && label === undefined) return undefined;
    const [nameAt = -1] = parts.of("evaluationName").at;
    const name = (nameAt < 0 ? undefined : values.name(nameAt)) ?? UNNAMED;
    const ids = new Uint8Array(TRACE_BYTES + SPAN_BYTES);
    const trace = rows.traceId[span] as number;
    const own = rows.spanId[span] as number;
    ids.set(rows.bytes.subarray(trace, trace + TRACE_BYTES));
    ids.set(rows.bytes.subarray(own, own + SPAN_BYTES), TRACE_BYTES);
    return { name, score, label, timeMs, ids, names };
  }

  private namesOf(parts: CallParts): string[] {
    return (["responseId", "predictionId"] as const).flatMap((concept) => {
      const { at } = parts.of(concept);
      return at.slice(0, NAMES_MAX).flatMap((index) => this.values.name(index) ?? []);
    });
  }
}

/** Where the call of an evaluation is looked for. */
export function refsOf(
  rows: SpanRows,
  span: number,
  names: readonly string[],
): { refs: string[]; lastRef: string } {
  if (names.length > 0) return { refs: names.flatMap(keysOfName), lastRef: "" };
  const parent = idAt(rows, rows.parentId[span] as number, SPAN_BYTES);
  if (parent === "") return { refs: [], lastRef: "" };
  const trace = idAt(rows, rows.traceId[span] as number, TRACE_BYTES);
  return { refs: [spanKey(trace, parent)], lastRef: spanKey(trace) };
}

/** An id is that of a response or a prediction, which by default is its trace's. */
function keysOfName(name: string): string[] {
  const [, trace, span = ""] = TRACE_ID.exec(name) ?? [];
  if (trace === undefined) return [idKey(name)];
  return [idKey(name), spanKey(bytesOf(trace), bytesOf(span))];
}

function bytesOf(hex: string): string {
  return Buffer.from(hex, "hex").toString("latin1");
}
