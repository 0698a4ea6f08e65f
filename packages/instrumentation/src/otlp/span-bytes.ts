/**
 * One span as OTLP's message `Span`, written as it ends: no object is made for it and none is kept.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
import type {
  Attributes,
  HrTime,
  Link,
  SpanContext,
  SpanStatus,
  TraceState,
} from "@opentelemetry/api";
import { ByteWriter } from "./byte-writer.js";

/** Which span it is, and when it was, as the SDK's ended spans say it. */
interface SpanHead {
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** The same of a span that has it in numbers, and writes it itself; 100 bytes are reserved. */
export interface OwnHead {
  writeHead(writer: ByteWriter): void;
}

/** What is read of a span; the SDK's ended spans and this package's own ones have it. */
export type EndedSpan = SpanBody & (SpanHead | OwnHead);

/** What is read of every span. */
export interface SpanBody {
  readonly name: string;
  readonly kind: number;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: readonly (Link & { readonly droppedAttributesCount?: number })[];
  readonly events: readonly SpanEvent[];
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

interface SpanEvent {
  readonly name: string;
  readonly time: HrTime;
  readonly attributes?: Attributes;
  readonly droppedAttributesCount?: number;
}

const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const tag = (field: number, wireType: number) => (field << 3) | wireType;

/** Tags of what a span's head holds; the first two are the same in links. */
export const TRACE_ID = tag(1, BYTES);
export const SPAN_ID = tag(2, BYTES);
export const PARENT_SPAN_ID = tag(4, BYTES);
export const START_TIME = tag(7, FIXED64);
export const END_TIME = tag(8, FIXED64);
const SPAN_ATTRIBUTES = 9;
const SPAN_EVENTS = tag(11, BYTES);
const SPAN_LINKS = tag(13, BYTES);
const EVENT_ATTRIBUTES = 3;
const LINK_ATTRIBUTES = 4;
/** Field 16 is the first one whose tag takes two bytes. */
const SPAN_FLAGS = [(tag(16, FIXED32) & 0x7f) | 0x80, 1] as const;

/** Trace and span ids with their tags, times, kind, counts and flags are below 100 bytes. */
const FIXED_PARTS_BYTES = 128;
/** Sizes that messages likely have; another size only costs a move. */
const SPAN_LIKELY = 1000;
const SMALL_LIKELY = 100;

/** Numbers below this are one byte as a varint. */
const ONE_BYTE = 0x80;
/** A double with its tag. */
const DOUBLE_BYTES = 9;

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
/** Where numbers stop being 64-bit integers. */
const TWO_63 = 2 ** 63;
/** Attributes may nest objects in arrays; deeper ones are left out. */
const DEPTH_MAX = 16;

/** Keys that have been seen, as field 1 of a KeyValue; they recur in every span. */
const keys = new Map<string, Uint8Array>();
/** A key takes about 100 bytes here, so these take 200 KB; keys beyond it are written each time. */
const KEYS_MAX = 2000;
const KEY_LENGTH_MAX = 128;

/** Appends the span with its length, as the value of a field whose tag has been written. */
export function writeSpan(writer: ByteWriter, span: EndedSpan): void {
  const start = writer.open(SPAN_LIKELY);
  writer.reserve(FIXED_PARTS_BYTES);
  writer.byte(tag(6, 0));
  writer.varint(span.kind + 1);
  if ("writeHead" in span) span.writeHead(writer);
  else writeHead(writer, span);
  writeCount(writer, 10, span.droppedAttributesCount);
  writeCount(writer, 12, span.droppedEventsCount);
  writeCount(writer, 14, span.droppedLinksCount);
  writeText(writer, 5, span.name);
  writeAttributes(writer, SPAN_ATTRIBUTES, span.attributes);
  for (const event of span.events) writeEvent(writer, event);
  for (const link of span.links) writeLink(writer, link);
  writeStatus(writer, span.status);
  writer.close(start, SPAN_LIKELY);
}

function writeHead(writer: ByteWriter, span: SpanHead): void {
  const { traceId, spanId, traceState, traceFlags } = span.spanContext();
  const parent = span.parentSpanContext;
  writeId(writer, TRACE_ID, traceId);
  writeId(writer, SPAN_ID, spanId);
  if (parent) writeId(writer, PARENT_SPAN_ID, parent.spanId);
  writeTime(writer, START_TIME, span.startTime);
  writeTime(writer, END_TIME, span.endTime);
  writeFlags(writer, traceFlags, parent?.isRemote);
  if (traceState) writeTraceState(writer, traceState);
}

/** Appends what a vendor has noted in the trace; reserves. */
export function writeTraceState(writer: ByteWriter, state: TraceState): void {
  writeText(writer, 3, state.serialize());
}

/** Appends a span's flags; needs 6 reserved. */
export function writeFlags(
  writer: ByteWriter,
  traceFlags: number,
  parentIsRemote: boolean | undefined,
): void {
  writer.byte(SPAN_FLAGS[0]);
  writer.byte(SPAN_FLAGS[1]);
  writer.fixed32(flagsOf(traceFlags, parentIsRemote));
}

/** Appends attributes as repeated KeyValues of a field below 16. */
export function writeAttributes(writer: ByteWriter, field: number, attributes: Attributes): void {
  const fieldTag = tag(field, BYTES);
  // oxlint-disable-next-line guard-for-in -- made by the SDK, and it is the fastest way
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined && value !== null) writeKeyValue(writer, fieldTag, key, value, 0);
  }
}

/** Appends a text as a field below 16; reserves. */
export function writeText(writer: ByteWriter, field: number, text: string): void {
  writer.reserve(1);
  writer.byte(tag(field, BYTES));
  writer.text(text);
}

/** Appends a count as a field below 16, unless it is 0; reserves. */
export function writeCount(writer: ByteWriter, field: number, count: number): void {
  if (!(count > 0)) return;
  writer.reserve(6);
  writer.byte(tag(field, 0));
  writer.varint(count);
}

function writeKeyValue(
  writer: ByteWriter,
  fieldTag: number,
  key: string,
  value: unknown,
  depth: number,
): void {
  const keyBytes = keys.get(key) ?? encodeKey(key);
  if (writeShort(writer, fieldTag, keyBytes, value)) return;
  writer.reserve(1);
  writer.byte(fieldTag);
  const likely = typeof value === "object" ? SPAN_LIKELY : SMALL_LIKELY;
  const start = writer.open(likely);
  writer.copy(keyBytes);
  writer.reserve(1);
  writer.byte(tag(2, BYTES));
  writeAnyValue(writer, value, depth);
  writer.close(start, likely);
}

/**
 * The usual attributes in one go: a KeyValue below 128 bytes, whose lengths are known beforehand.
 * Of numbers those that are no integers or small ones, of texts short ones in ASCII.
 */
function writeShort(
  writer: ByteWriter,
  fieldTag: number,
  key: Uint8Array,
  value: unknown,
): boolean {
  if (typeof value === "number") {
    const small = value >= 0 && value < ONE_BYTE && Number.isInteger(value);
    if (!small && Number.isInteger(value)) return false;
    const valueBytes = small ? 2 : DOUBLE_BYTES;
    const size = key.length + 2 + valueBytes;
    if (size >= ONE_BYTE) return false;
    writer.shortHead(fieldTag, size, key, valueBytes);
    if (small) {
      writer.byte(tag(3, 0));
      writer.byte(value);
    } else {
      writer.byte(tag(4, FIXED64));
      writer.double(value);
    }
    return true;
  }
  if (typeof value !== "string") return false;
  const size = key.length + 4 + value.length;
  if (size >= ONE_BYTE) return false;
  const before = writer.length;
  writer.shortHead(fieldTag, size, key, value.length + 2);
  writer.byte(tag(1, BYTES));
  if (writer.ascii(value)) return true;
  writer.length = before;
  return false;
}

function encodeKey(key: string): Uint8Array {
  const writer = new ByteWriter();
  writeText(writer, 1, key);
  const bytes = writer.written();
  if (keys.size < KEYS_MAX && key.length <= KEY_LENGTH_MAX) keys.set(key, bytes);
  return bytes;
}

/** An AnyValue with its length. A whole number is an integer: JavaScript tells no other. */
function writeAnyValue(writer: ByteWriter, value: unknown, depth: number): void {
  if (typeof value === "number") {
    writeNumber(writer, value);
    return;
  }
  if (typeof value === "boolean") {
    writer.reserve(3);
    writer.byte(2);
    writer.byte(tag(2, 0));
    writer.byte(value ? 1 : 0);
    return;
  }
  const likely = typeof value === "string" ? SMALL_LIKELY : SPAN_LIKELY;
  const start = writer.open(likely);
  if (typeof value === "string") writeText(writer, 1, value);
  else if (value instanceof Uint8Array) writeBytes(writer, value);
  else if (Array.isArray(value)) writeArray(writer, value, depth + 1);
  else if (typeof value === "object" && value !== null) writeObject(writer, value, depth + 1);
  writer.close(start, likely);
}

function writeNumber(writer: ByteWriter, value: number): void {
  writer.reserve(12);
  if (Number.isInteger(value) && value >= -TWO_63 && value < TWO_63) {
    const start = writer.open(1);
    writer.byte(tag(3, 0));
    writer.int64(value);
    writer.close(start, 1);
  } else {
    writer.byte(9);
    writer.byte(tag(4, FIXED64));
    writer.double(value);
  }
}

function writeBytes(writer: ByteWriter, value: Uint8Array): void {
  writer.reserve(6);
  writer.byte(tag(7, BYTES));
  writer.varint(value.length);
  writer.copy(value);
}

function writeArray(writer: ByteWriter, values: readonly unknown[], depth: number): void {
  writer.reserve(1);
  writer.byte(tag(5, BYTES));
  const start = writer.open(SPAN_LIKELY);
  for (const value of depth > DEPTH_MAX ? [] : values) {
    writer.reserve(1);
    writer.byte(tag(1, BYTES));
    writeAnyValue(writer, value, depth);
  }
  writer.close(start, SPAN_LIKELY);
}

function writeObject(writer: ByteWriter, object: object, depth: number): void {
  writer.reserve(1);
  writer.byte(tag(6, BYTES));
  const start = writer.open(SPAN_LIKELY);
  for (const [key, value] of depth > DEPTH_MAX ? [] : Object.entries(object)) {
    writeKeyValue(writer, tag(1, BYTES), key, value, depth);
  }
  writer.close(start, SPAN_LIKELY);
}

function writeEvent(writer: ByteWriter, event: SpanEvent): void {
  writer.reserve(FIXED_PARTS_BYTES);
  writer.byte(SPAN_EVENTS);
  const start = writer.open(SMALL_LIKELY);
  writeTime(writer, tag(1, FIXED64), event.time);
  writeText(writer, 2, event.name);
  if (event.attributes) writeAttributes(writer, EVENT_ATTRIBUTES, event.attributes);
  writeCount(writer, 4, event.droppedAttributesCount ?? 0);
  writer.close(start, SMALL_LIKELY);
}

function writeLink(writer: ByteWriter, link: EndedSpan["links"][number]): void {
  writer.reserve(FIXED_PARTS_BYTES);
  writer.byte(SPAN_LINKS);
  const start = writer.open(SMALL_LIKELY);
  const { traceId, spanId, traceState, traceFlags, isRemote } = link.context;
  writeId(writer, TRACE_ID, traceId);
  writeId(writer, SPAN_ID, spanId);
  writer.byte(tag(6, FIXED32));
  writer.fixed32(flagsOf(traceFlags, isRemote));
  if (traceState) writeTraceState(writer, traceState);
  if (link.attributes) writeAttributes(writer, LINK_ATTRIBUTES, link.attributes);
  writeCount(writer, 5, link.droppedAttributesCount ?? 0);
  writer.close(start, SMALL_LIKELY);
}

function writeStatus(writer: ByteWriter, { code, message }: SpanStatus): void {
  // oxlint-disable-next-line typescript/no-unsafe-enum-comparison -- 0 is UNSET on the wire too
  if (code === 0 && !message) return;
  writer.reserve(8);
  writer.byte(tag(15, BYTES));
  const start = writer.open(SMALL_LIKELY);
  if (message) writeText(writer, 2, message);
  writeCount(writer, 3, code);
  writer.close(start, SMALL_LIKELY);
}

function writeId(writer: ByteWriter, idTag: number, id: string): void {
  writer.byte(idTag);
  writer.byte(id.length >> 1);
  writer.hex(id);
}

/** Nanoseconds since 1970 in 64 bits, from two numbers whose products stay exact below 2^53. */
function writeTime(writer: ByteWriter, timeTag: number, [seconds, nanos]: HrTime): void {
  const upper = Math.floor(seconds / 0x1_0000) * 1e9;
  const lower = (upper % 0x1_0000) * 0x1_0000 + (seconds % 0x1_0000) * 1e9 + nanos;
  writer.byte(timeTag);
  writer.fixed32(lower % 0x1_0000_0000);
  writer.fixed32(Math.floor(upper / 0x1_0000) + Math.floor(lower / 0x1_0000_0000));
}

function flagsOf(traceFlags: number, isRemote: boolean | undefined): number {
  return (traceFlags & 0xff) | HAS_IS_REMOTE | (isRemote === true ? IS_REMOTE : 0);
}
