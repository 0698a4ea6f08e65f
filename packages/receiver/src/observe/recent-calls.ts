/**
 * Which model calls have been counted lately. Two instrumentations may report one call, and a call
 * may be reported once more by the span around it; each such report adds only what those before it
 * have left out, so that nothing counts twice and a library that knows less hides nothing.
 *
 * Two reports are of one call when one is the parent of the other and both name the same model; or
 * when they come from different scopes, one of them lasts within the other, and they have the same
 * response id, or, unless they have different ones, the same model and the same parent. Our own
 * instrumentation reports all calls, so that for its reports the same model is enough. A scope has
 * one report of a call, and those below it; of several calls that a report may be of, it is the one
 * that ended when it did.
 */
import { INSTRUMENTATION_SCOPE } from "@tidemark/semconv";
import type { SpanRows } from "../otlp/span-rows.js";
import { spanKey } from "./call-memory.js";
import type { ObservedModel } from "./observed-model.js";

/** Traces with calls that are remembered, about 1 KB each; their spans come within seconds. */
const TRACES_MAX = 4096;
const CALLS_MAX = 32;
/** Clocks of two instrumentations in one process may differ by so much. */
const SLACK_MS = 2;

/** One report of a model call. */
export interface CallReport {
  readonly model: ObservedModel;
  /** Empty when the report has none. */
  readonly responseId: string;
  readonly scope: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** What has been counted of one call: shared by all reports of it. */
export interface CountedCall {
  /** Where it has been counted. */
  readonly model: ObservedModel;
  /** Of the span that reported it first, as {@link spanKey} gives it. */
  readonly key: string;
  /** Names of its signals. */
  readonly keys: Set<string>;
}

/** A report that is remembered: by the ids of its span and of the parent, as their bytes. */
export interface KnownReport extends CallReport {
  readonly span: string;
  readonly parent: string;
  readonly counted: CountedCall;
}

/** A bounded memory of calls by trace; stored by `recent-calls-checkpoint.ts`. */
export class RecentCalls {
  /** Those of the traces below that have changed since they were stored. */
  readonly changed = new Set<string>();
  private readonly traces = new Map<string, KnownReport[]>();

  /**
   * Takes note of a report.
   * @returns what has been counted of its call so far, and whether this is the first report of it
   */
  add(rows: SpanRows, span: number, report: CallReport): { call: CountedCall; isFirst: boolean } {
    const trace = idAt(rows, rows.traceId[span] as number, 16);
    const ids = {
      span: idAt(rows, rows.spanId[span] as number, 8),
      parent: idAt(rows, rows.parentId[span] as number, 8),
    };
    const calls = this.callsOf(trace);
    const known = reportOf(calls, { ...report, ...ids });
    const { model } = report;
    const first = { model, key: spanKey(trace, ids.span), keys: new Set<string>() };
    const counted = known?.counted ?? first;
    if (calls.length === CALLS_MAX) calls.shift();
    calls.push({ ...report, ...ids, counted });
    this.changed.add(trace);
    return { call: counted, isFirst: known === undefined };
  }

  /** The reports of a trace, to be stored; undefined when it is forgotten. */
  reportsOf(trace: string): readonly KnownReport[] | undefined {
    return this.traces.get(trace);
  }

  /** Takes up reports of a trace that an earlier run has stored. */
  restore(trace: string, reports: readonly KnownReport[]): void {
    this.callsOf(trace).push(...reports);
  }

  /** Has everything stored again. */
  forgetSaved(): void {
    for (const trace of this.traces.keys()) this.changed.add(trace);
  }

  private callsOf(trace: string): KnownReport[] {
    let calls = this.traces.get(trace);
    if (calls === undefined) {
      calls = [];
      this.traces.set(trace, calls);
      if (this.traces.size > TRACES_MAX) {
        const [oldest] = this.traces.keys();
        this.traces.delete(oldest as string);
        this.changed.delete(oldest as string);
      }
    }
    return calls;
  }
}

type Placed = Omit<KnownReport, "counted">;

/** The report of the same call that ended most nearly when this one did. */
function reportOf(calls: readonly KnownReport[], report: Placed): KnownReport | undefined {
  let best: KnownReport | undefined;
  for (const other of calls) {
    if (!isSameCall(other, report) || isTaken(calls, other, report)) continue;
    if (best === undefined || apartMs(other, report) < apartMs(best, report)) best = other;
  }
  return best;
}

/**
 * Whether the scope of a report has already told of another one's call: in spans one below the
 * other it tells of it once in each, so that there only one beside the report has told of another.
 */
function isTaken(calls: readonly KnownReport[], of: KnownReport, report: Placed): boolean {
  const isInLine = isBelow(of, report);
  return calls.some((other) => {
    if (other.counted !== of.counted || other.scope !== report.scope) return false;
    return isInLine ? other.parent === report.parent : !isBelow(other, report);
  });
}

function apartMs(a: Placed, b: Placed): number {
  return Math.abs(a.endMs - b.endMs);
}

/** Whether one is the parent of the other. */
function isBelow(a: Placed, b: Placed): boolean {
  return a.span === b.parent || b.span === a.parent;
}

function isSameCall(a: Placed, b: Placed): boolean {
  const sameModel = a.model === b.model || isVersionOf(a.model.model, b.model.model);
  if (isBelow(a, b)) return sameModel;
  if (a.scope === b.scope || !(lastsWithin(a, b) || lastsWithin(b, a))) return false;
  if (a.responseId !== "" && b.responseId !== "") return a.responseId === b.responseId;
  if (!sameModel) return false;
  const isOurs = a.scope === INSTRUMENTATION_SCOPE || b.scope === INSTRUMENTATION_SCOPE;
  return isOurs || (a.parent !== "" && a.parent === b.parent);
}

/** One names the model, the other the dated version of it that has answered. */
function isVersionOf(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short !== "" && long.startsWith(short);
}

function lastsWithin(inner: Placed, outer: Placed): boolean {
  return inner.startMs >= outer.startMs - SLACK_MS && inner.endMs <= outer.endMs + SLACK_MS;
}

/** An id as a string of its bytes; empty for none. */
export function idAt({ bytes }: SpanRows, at: number, length: number): string {
  return at < 0 ? "" : Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("latin1");
}
