/** Spans of model calls as tests write them, and what the receiver reads in them. */
import { CallReader } from "../src/observe/call-reader.ts";
import { Observations } from "../src/observe/observations.ts";
import { ObserverState } from "../src/observe/observer-state.ts";
import { PreparedPast } from "../src/observe/prepared-past.ts";
import { KeyTable } from "../src/otlp/key-table.ts";
import { TraceRequest } from "../src/otlp/schema.ts";
import { SpanRows } from "../src/otlp/span-rows.ts";
import { TraceReader } from "../src/otlp/trace-reader.ts";
import { unwantedKeys, wantedKeys } from "../src/otlp/wanted-keys.ts";
import { ReferenceBook } from "../src/references/reference-book.ts";
import { windowLengths } from "../src/window-lengths.ts";
import { START_MS } from "./running-receiver.ts";

type Value = string | number | boolean | string[] | number[] | object;
type Attributes = Readonly<Record<string, Value>>;

/** One span; ids are small numbers, times are milliseconds after the start. */
export interface CallSpan {
  readonly id: number;
  readonly parent?: number;
  readonly trace?: number;
  readonly scope?: string;
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly error?: boolean;
  readonly attributes: Attributes;
  readonly events?: readonly { name: string; atMs?: number; attributes?: Attributes }[];
}

/** What was read of one span: the outcome, and the values of each signal. */
export interface ReadCall {
  readonly kind: string;
  readonly signals: Readonly<Record<string, (number | string)[]>>;
  /** Evaluations, where there are any. */
  readonly said?: readonly object[];
}

/** Reads spans with the real reader; `readAgain` reads more with the same memory. */
export function callReading(plan = { declared: [], segments: [] }) {
  const keys = new KeyTable(wantedKeys(), unwantedKeys());
  const rows = new SpanRows();
  const reader = new TraceReader(keys);
  const state = new ObserverState(
    {
      paneMs: 60_000,
      lengths: windowLengths([300_000], 0),
      retention: { paneMs: 3_600_000, hourMs: 86_400_000 },
      allowedLatenessMs: 0,
      idleTimeoutMs: 60_000,
      signalsMax: 1000,
      segmentsMax: 10,
      recentSpans: 1000,
      plan,
      learn: { samples: 1000, spanMs: 0 },
      references: new ReferenceBook([], [], new PreparedPast()),
    },
    keys,
  );
  const calls = new CallReader(state);
  const out = new Observations();
  const model = state.modelNamed("gpt", "");
  if (model === undefined) throw new Error("no model");
  const read = (spans: readonly CallSpan[]): ReadCall[] => {
    const error = reader.read(encodeCalls(spans), rows);
    if (error) throw new Error(error.message);
    return spans.map((_, span) => {
      out.clear();
      const { kind, evaluations } = calls.read(rows, span, model, out);
      const signals: Record<string, (number | string)[]> = {};
      for (let at = 0; at < out.count; at++) {
        const { suffix } = keys.known(out.keys[at] as number);
        const value = out.names[at] ?? (out.numbers[at] as number);
        signals[suffix] = [...(signals[suffix] ?? []), value];
      }
      const said = evaluations.map(({ name, score, label, names }) => {
        return { name, score, label, names };
      });
      return {
        kind,
        signals,
        ...(said.length > 0 && { said }),
        ...(out.invalid > 0 && { invalid: out.invalid }),
      };
    });
  };
  return { read, model };
}

/** A request in binary; each span in a scope of its own, so that they keep their order. */
export function encodeCalls(spans: readonly CallSpan[]): Uint8Array {
  const scopeSpans = spans.map((span) => ({
    scope: { name: span.scope ?? "test" },
    spans: [spanOf(span)],
  }));
  return TraceRequest.encode({ resourceSpans: [{ scopeSpans }] }).finish();
}

function spanOf(span: CallSpan) {
  const { id, parent, trace = 1, fromMs = 0, toMs = 1000, error = false } = span;
  return {
    traceId: bytesOf(trace, 16),
    spanId: bytesOf(id, 8),
    ...(parent !== undefined && { parentSpanId: bytesOf(parent, 8) }),
    startTimeUnixNano: nanos(fromMs),
    endTimeUnixNano: nanos(toMs),
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name, atMs = 0, attributes = {} }) => ({
      name,
      timeUnixNano: nanos(atMs),
      attributes: attributesOf(attributes),
    })),
    status: { code: error ? 2 : 0 },
  };
}

function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Value): object {
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "object")
    return { kvlistValue: { values: attributesOf(value as Attributes) } };
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}

function bytesOf(id: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(id, length - 4);
  return bytes;
}

function nanos(ms: number) {
  const value = BigInt(Math.round((START_MS + ms) * 1000)) * 1000n;
  return { low: Number(value & 0xffffffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
}
