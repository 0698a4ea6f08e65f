/**
 * Reads one Span message into {@link SpanRows}: the hot path of the receiver.
 * https://github.com/open-telemetry/opentelemetry-proto (trace/v1)
 *
 * An attribute whose parts are all shorter than 128 bytes and in the usual order costs two 32-bit
 * reads: one holds its tag, its length, its key's tag and its key's length, the other the same of
 * its value. Everything else (long values, other orders, unknown fields, groups) takes the general
 * path through {@link AnyValueReader}.
 */
import type { AnyValueReader } from "./any-value-reader.js";
import { TAG_DOUBLE, TAG_INT, TAG_STRING } from "./any-value-reader.js";
import type { KeyTable } from "./key-table.js";
import type { SpanRows } from "./span-rows.js";
import { TYPE_BITS, VALUE_BYTES_MIN, VALUE_DOUBLE, VALUE_INT, VALUE_STRING } from "./span-rows.js";
import {
  EVENT_WIRE_TYPES,
  LINK_WIRE_TYPES,
  SPAN_WIRE_TYPES,
  STATUS_WIRE_TYPES,
} from "./trace-schema.js";
import { FAULT } from "./wire.js";

const TWO_POW_32 = 4_294_967_296;
const NS_PER_MS = 1e6;
const MS_PER_HIGH = TWO_POW_32 / NS_PER_MS;

const TAG_TRACE_ID = 0x0a;
const TAG_SPAN_ID = 0x12;
const TAG_PARENT_SPAN_ID = 0x22;
const TAG_NAME = 0x2a;
const TAG_KIND = 0x30;
const TAG_START = 0x39;
const TAG_END = 0x41;
const TAG_ATTRIBUTE = 0x4a;
const TAG_EVENT = 0x5a;
const TAG_LINK = 0x6a;
const TAG_STATUS = 0x7a;

/** An attribute's head: tag 0x4a, a short length, the key's tag 0x0a, a short key length. */
const HEAD_MASK = 0x80ff80ff | 0;
const HEAD_SHORT = 0x000a004a;
/** A value's head: tag 0x12 and a short length. */
const VALUE_HEAD_MASK = 0x80ff;
const VALUE_HEAD_SHORT = 0x0012;

/** The spans of one request at a time; shared by all levels of a {@link TraceReader}. */
export class SpanReader {
  private readonly keys: KeyTable;
  private readonly values: AnyValueReader;
  private rows!: SpanRows;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the current span's fields start; -1 for those it does not have. */
  private startAt = -1;
  private endAt = -1;
  private traceId = -1;
  private spanId = -1;

  constructor(keys: KeyTable, values: AnyValueReader) {
    this.keys = keys;
    this.values = values;
  }

  begin(bytes: Uint8Array, view: DataView, rows: SpanRows): void {
    this.bytes = bytes;
    this.view = view;
    this.rows = rows;
  }

  /** Reads the span at [at, end) into the rows, or counts it as rejected. */
  read(at: number, end: number): number {
    const { rows, bytes } = this;
    const { cursor } = this.values;
    const index = rows.spanCount;
    if (index === rows.startMs.length) rows.growSpans();
    rows.reserveValues((end - at) / VALUE_BYTES_MIN);
    const firstValue = rows.valueCount;
    rows.kind[index] = 0;
    rows.status[index] = 0;
    this.startAt = this.endAt = this.traceId = this.spanId = -1;
    let p = this.spanHead(at, end, index);
    while (p < end) {
      const tag = bytes[p] as number;
      if (tag === TAG_ATTRIBUTE) p = this.attributes(p, end);
      else if (tag === TAG_NAME || tag === TAG_PARENT_SPAN_ID) {
        p = cursor.length(p + 1, end);
        if (p !== FAULT) p += cursor.low;
      } else if (p + 2 <= end && isCount(tag) && (bytes[p + 1] as number) < 0x80) p += 2;
      else if (tag === TAG_STATUS && p + 4 <= end && isShortStatus(bytes, p)) {
        rows.status[index] = bytes[p + 3] as number;
        p += 4;
      } else if (tag === TAG_STATUS && p + 2 <= end && bytes[p + 1] === 0) p += 2;
      else p = this.spanField(p, end, index);
      if (p === FAULT) return FAULT;
    }
    this.finishSpan(index, firstValue);
    return p;
  }

  /** The fields that all encoders write first and in this order; stops at the first other one. */
  private spanHead(at: number, end: number, index: number): number {
    const { rows, bytes } = this;
    let p = at;
    if (p + 18 <= end && bytes[p] === TAG_TRACE_ID && bytes[p + 1] === 16) {
      this.traceId = p + 2;
      p += 18;
    }
    if (p + 10 <= end && bytes[p] === TAG_SPAN_ID && bytes[p + 1] === 8) {
      this.spanId = p + 2;
      p += 10;
    }
    if (p + 10 <= end && bytes[p] === TAG_PARENT_SPAN_ID && bytes[p + 1] === 8) p += 10;
    if (p + 2 <= end && bytes[p] === TAG_NAME) {
      const length = bytes[p + 1] as number;
      if (length >= 0x80 || p + 2 + length > end) return p;
      p += 2 + length;
    }
    if (p + 2 <= end && bytes[p] === TAG_KIND && (bytes[p + 1] as number) < 0x80) {
      rows.kind[index] = bytes[p + 1] as number;
      p += 2;
    }
    if (p + 9 <= end && bytes[p] === TAG_START) {
      this.startAt = p + 1;
      p += 9;
    }
    if (p + 9 <= end && bytes[p] === TAG_END) {
      this.endAt = p + 1;
      p += 9;
    }
    return p;
  }

  /** A span's less usual fields, and ids of a wrong length. */
  private spanField(at: number, end: number, index: number): number {
    const { rows } = this;
    const { cursor } = this.values;
    let p = cursor.tag(at, end);
    if (p === FAULT) return FAULT;
    const tag = cursor.low;
    const number = tag >>> 3;
    if (number < SPAN_WIRE_TYPES.length && (tag & 7) !== SPAN_WIRE_TYPES[number]) {
      return cursor.fault(`Span's field ${number} has the wire type ${tag & 7}`, at);
    }
    if (tag === TAG_KIND) {
      p = cursor.varint(p, end);
      rows.kind[index] = cursor.low;
      return p;
    }
    const valueAt = p;
    p = cursor.skip(p, end, tag & 7);
    if (p === FAULT) return FAULT;
    const contentAt = p - cursor.low;
    switch (tag) {
      case TAG_START:
        this.startAt = valueAt;
        return p;
      case TAG_END:
        this.endAt = valueAt;
        return p;
      case TAG_TRACE_ID:
        this.traceId = cursor.low === 16 ? contentAt : -1;
        return p;
      case TAG_SPAN_ID:
        this.spanId = cursor.low === 8 ? contentAt : -1;
        return p;
      case TAG_ATTRIBUTE:
        return this.values.keyValue(contentAt, p);
      case TAG_EVENT:
        return this.values.check(contentAt, p, EVENT_WIRE_TYPES, 3);
      case TAG_LINK:
        return this.values.check(contentAt, p, LINK_WIRE_TYPES, 4);
      case TAG_STATUS:
        return this.spanStatus(contentAt, p, index);
      default:
        return p;
    }
  }

  private spanStatus(at: number, end: number, index: number): number {
    const { cursor } = this.values;
    let p = at;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const tag = cursor.low;
      const number = tag >>> 3;
      if (
        number < STATUS_WIRE_TYPES.length &&
        number > 1 &&
        (tag & 7) !== STATUS_WIRE_TYPES[number]
      ) {
        return cursor.fault(`Status's field ${number} has the wire type ${tag & 7}`, fieldAt);
      }
      p = cursor.skip(p, end, tag & 7);
      if (p === FAULT) return FAULT;
      if (tag === 0x18) this.rows.status[index] = cursor.low;
    }
    return p;
  }

  /** Takes the span into the columns, or counts it as rejected when it has no usable ids. */
  private finishSpan(index: number, firstValue: number): void {
    const { rows } = this;
    const reason = this.idFault();
    if (reason !== "") {
      rows.rejectedSpans++;
      rows.rejectedReason ||= reason;
      rows.valueCount = firstValue;
      return;
    }
    rows.traceId[index] = this.traceId;
    rows.spanId[index] = this.spanId;
    this.finishTimes(index);
    rows.resource[index] = rows.resourceCount - 1;
    rows.firstValue[index] = firstValue;
    rows.endValue[index] = rows.valueCount;
    rows.spanCount = index + 1;
  }

  private finishTimes(index: number): void {
    const { rows, view, startAt, endAt } = this;
    const startLow = startAt < 0 ? 0 : view.getUint32(startAt, true);
    const startHigh = startAt < 0 ? 0 : view.getUint32(startAt + 4, true);
    const endLow = endAt < 0 ? 0 : view.getUint32(endAt, true);
    const endHigh = endAt < 0 ? 0 : view.getUint32(endAt + 4, true);
    rows.startMs[index] = startHigh * MS_PER_HIGH + startLow / NS_PER_MS;
    rows.durationNs[index] = (endHigh - startHigh) * TWO_POW_32 + (endLow - startLow);
  }

  private idFault(): string {
    const { traceId, spanId } = this;
    if (traceId < 0) return "trace_id must be 16 bytes";
    if (spanId < 0) return "span_id must be 8 bytes";
    if (this.isZero(traceId, 16)) return "trace_id must not be zero";
    return this.isZero(spanId, 8) ? "span_id must not be zero" : "";
  }

  private isZero(at: number, length: number): boolean {
    for (let p = at; p < at + length; p += 4) {
      if (this.view.getInt32(p, true) !== 0) return false;
    }
    return true;
  }

  /** Reads a run of attributes; returns the position of the first field that is none. */
  private attributes(at: number, end: number): number {
    const { bytes, view, rows, keys } = this;
    const { valueTag, valueNumber, valueOffset } = rows;
    const safeEnd = Math.min(end, bytes.length - 4);
    let count = rows.valueCount;
    let p = at;
    while (p < safeEnd) {
      const head = view.getInt32(p, true);
      if ((head & HEAD_MASK) !== HEAD_SHORT) break;
      const valueAt = p + 4 + (head >>> 24);
      const attributeEnd = p + 2 + ((head >>> 8) & 0x7f);
      if (attributeEnd > safeEnd || valueAt + 4 > attributeEnd) break;
      const valueHead = view.getInt32(valueAt, true);
      const valueEnd = valueAt + 2 + ((valueHead >>> 8) & 0x7f);
      if ((valueHead & VALUE_HEAD_MASK) !== VALUE_HEAD_SHORT || valueEnd !== attributeEnd) break;
      const valueType = (valueHead >>> 16) & 0xff;
      const fourth = valueHead >>> 24;
      const key = keys.lookup(bytes, view, p + 4, head >>> 24);
      if (valueType === TAG_STRING && valueAt + 4 + fourth === attributeEnd) {
        if (key >= 0) {
          valueTag[count] = (key << TYPE_BITS) | VALUE_STRING;
          valueNumber[count] = fourth;
          valueOffset[count++] = valueAt + 4;
        }
      } else if (valueType === TAG_DOUBLE && valueAt + 11 === attributeEnd) {
        if (key >= 0) {
          valueTag[count] = (key << TYPE_BITS) | VALUE_DOUBLE;
          valueNumber[count++] = view.getFloat64(valueAt + 3, true);
        }
      } else if (valueType === TAG_INT && valueAt + 4 === attributeEnd && fourth < 0x80) {
        if (key >= 0) {
          valueTag[count] = (key << TYPE_BITS) | VALUE_INT;
          valueNumber[count++] = fourth;
        }
      } else if (
        valueType === TAG_INT &&
        valueAt + 5 === attributeEnd &&
        isShort(fourth, bytes, valueAt)
      ) {
        if (key >= 0) {
          valueTag[count] = (key << TYPE_BITS) | VALUE_INT;
          valueNumber[count++] = (fourth & 0x7f) | ((bytes[valueAt + 4] as number) << 7);
        }
      } else {
        rows.valueCount = count;
        if (this.values.anyValue(key, valueAt + 2, attributeEnd) === FAULT) return FAULT;
        count = rows.valueCount;
      }
      p = attributeEnd;
    }
    rows.valueCount = count;
    return p < end && bytes[p] === TAG_ATTRIBUTE ? this.spanField(p, end, rows.spanCount) : p;
  }
}

/** A status that is nothing but a code. */
function isShortStatus(bytes: Uint8Array, at: number): boolean {
  return bytes[at + 1] === 2 && bytes[at + 2] === 0x18 && (bytes[at + 3] as number) < 0x80;
}

/** A varint of two bytes, of which `first` is the one at valueAt + 3. */
function isShort(first: number, bytes: Uint8Array, valueAt: number): boolean {
  return first >= 0x80 && (bytes[valueAt + 4] as number) < 0x80;
}

/** The three dropped_*_count fields. */
function isCount(tag: number): boolean {
  return tag === 0x50 || tag === 0x60 || tag === 0x70;
}
