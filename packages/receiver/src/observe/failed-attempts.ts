/**
 * Attempts at calls that have failed, where a library gives a span to each and may try again: how
 * such a call ended is said by the span around them, which comes later. Not kept across a restart:
 * what failed in the second before it may be missing among the errors.
 */
import type { SpanRows } from "../otlp/span-rows.js";
import { idAt } from "./recent-calls.js";

/** Spans with failed attempts below them that are remembered, some 200 bytes each. */
const PARENTS_MAX = 4096;

/** A bounded memory of the last failed attempt below each span, and how long it took. */
export class FailedAttempts {
  private readonly durationsNs = new Map<string, number>();

  /** Takes note of an attempt that has failed. */
  add(rows: SpanRows, span: number): void {
    const key = keyOf(rows, span, rows.parentId[span] as number);
    this.durationsNs.set(key, rows.durationNs[span] as number);
    if (this.durationsNs.size <= PARENTS_MAX) return;
    const [oldest] = this.durationsNs.keys();
    this.durationsNs.delete(oldest as string);
  }

  /** An attempt has succeeded: what failed before it is made good. */
  clear(rows: SpanRows, span: number): void {
    if (this.durationsNs.size === 0) return;
    this.durationsNs.delete(keyOf(rows, span, rows.parentId[span] as number));
  }

  /** How long the last one below this span took; undefined when there was none. */
  take(rows: SpanRows, span: number): number | undefined {
    if (this.durationsNs.size === 0) return undefined;
    const key = keyOf(rows, span, rows.spanId[span] as number);
    const durationNs = this.durationsNs.get(key);
    this.durationsNs.delete(key);
    return durationNs;
  }
}

function keyOf(rows: SpanRows, span: number, id: number): string {
  return idAt(rows, rows.traceId[span] as number, 16) + idAt(rows, id, 8);
}
