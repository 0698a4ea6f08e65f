/** What protobufjs, generated and reflective, reads from a request: the oracle of the reader. */
import { isUtf8 } from "node:buffer";
import type { DecodedAttribute, DecodedValue } from "../bench/trace-bodies.ts";
import { ExportTraceServiceRequest } from "../bench/trace-bodies.ts";
import type { KeyTable, SpanRows } from "../src/index.ts";

/** Stands for a string that is no UTF-8; decoders differ in how they repair one. */
export const INVALID = "\u0000invalid";

/** One value in the order of the wire: key, type, and content. */
export type PlainValue = [
  key: string | null,
  type: string,
  value: string | number | boolean | null,
];

/** One span as both sides can tell it. */
export interface PlainSpan {
  traceId: string;
  spanId: string;
  kind: number;
  status: number;
  /** In steps of 2^12 ns: without Long objects the oracle rounds 64-bit times to doubles. */
  durationStep: number;
  resource: PlainValue[];
  values: PlainValue[];
}

/** The spans with usable ids, by the generated decoder. @throws when it rejects the bytes */
export function oracleSpans(bytes: Uint8Array, wanted: (key: string) => boolean): PlainSpan[] {
  const spans: PlainSpan[] = [];
  for (const { resource, scopeSpans } of ExportTraceServiceRequest.decode(bytes).resourceSpans) {
    const shared = plainValues(resource?.attributes ?? [], wanted);
    for (const scope of scopeSpans) {
      for (const span of scope.spans) {
        const traceId = Buffer.from(span.traceId ?? []).toString("hex");
        const spanId = Buffer.from(span.spanId ?? []).toString("hex");
        if (!/^(?!0+$)[0-9a-f]{32}$/.test(traceId) || !/^(?!0+$)[0-9a-f]{16}$/.test(spanId))
          continue;
        const [start, end] = [span.startTimeUnixNano, span.endTimeUnixNano].map(toNumber);
        spans.push({
          traceId,
          spanId,
          kind: (span.kind ?? 0) & 0xff,
          status: (span.status?.code ?? 0) & 0xff,
          durationStep: step((end as number) - (start as number)),
          resource: shared,
          values: plainValues(span.attributes, wanted),
        });
      }
    }
  }
  return spans;
}

/** The same from the columns. */
export function rowSpans(rows: SpanRows, keys: KeyTable): PlainSpan[] {
  return Array.from({ length: rows.spanCount }, (_, span) => {
    const resource = rows.resource[span] as number;
    return {
      traceId: hex(rows, rows.traceId[span], 16),
      spanId: hex(rows, rows.spanId[span], 8),
      kind: rows.kind[span] as number,
      status: rows.status[span] as number,
      durationStep: step(rows.durationNs[span] as number),
      resource: rowValues(rows, keys, rows.resourceFirst[resource], rows.resourceEnd[resource]),
      values: rowValues(rows, keys, rows.firstValue[span], rows.endValue[span]),
    };
  });
}

/** Times are told in steps, since a rounded one may fall into the next. */
function step(ns: number): number {
  return Math.round(ns / 4096);
}

function plainValues(attributes: DecodedAttribute[], wanted: (key: string) => boolean) {
  return attributes
    .filter(({ key }) => wanted(key ?? ""))
    .flatMap(({ key, value }) => plainValue(key, value, 0));
}

function plainValue(key: string | null, value: DecodedValue | null, depth: number): PlainValue[] {
  if (value?.arrayValue && depth === 0) {
    return value.arrayValue.values.flatMap((element) => plainValue(key, element, 1));
  }
  if (value?.stringValue != null) return [[key, "string", value.stringValue]];
  if (value?.boolValue != null) return [[key, "bool", value.boolValue]];
  if (value?.intValue != null) return [[key, "int", toNumber(value.intValue)]];
  if (value?.doubleValue != null) return [[key, "double", value.doubleValue]];
  return [[key, "other", null]];
}

type Long = { low: number; high: number; unsigned?: boolean };

function toNumber(value: number | Long | null): number {
  if (value === null || typeof value === "number") return value ?? 0;
  const high = value.unsigned ? value.high >>> 0 : value.high;
  return high * 2 ** 32 + (value.low >>> 0);
}

function rowValues(rows: SpanRows, keys: KeyTable, first = 0, end = 0): PlainValue[] {
  return Array.from({ length: end - first }, (_, index): PlainValue => {
    const at = first + index;
    const tag = rows.valueTag[at] as number;
    const number = rows.valueNumber[at] as number;
    const { name } = keys.known(tag >> 3);
    const type = ["none", "string", "bool", "int", "double", "other"][tag & 7] as string;
    if (type === "string") {
      const start = rows.valueOffset[at] as number;
      const text = Buffer.from(rows.bytes.subarray(start, start + number));
      return [name, type, isUtf8(text) ? text.toString("utf8") : INVALID];
    }
    if (type === "bool") return [name, type, number === 1];
    return [name, type, type === "other" ? null : number];
  });
}

function hex(rows: SpanRows, start = 0, length = 0): string {
  return Buffer.from(rows.bytes.subarray(start, start + length)).toString("hex");
}
