/**
 * Reads an ExportTraceServiceRequest into {@link SpanRows}, touching only what somebody wants.
 * https://github.com/open-telemetry/opentelemetry-proto (trace/v1, common/v1, resource/v1)
 *
 * This file walks the levels above the spans; span-reader.ts is the hot path. All framing is
 * checked, wanted or not: what this accepts, any other protobuf decoder accepts too.
 * Cost: linear in bytes, no allocation per span.
 */
import { AnyValueReader } from "./any-value-reader.js";
import type { KeyTable } from "./key-table.js";
import { SpanReader } from "./span-reader.js";
import type { SpanRows } from "./span-rows.js";
import { VALUE_BYTES_MIN } from "./span-rows.js";
import {
  CONTAINER_WIRE_TYPES,
  REQUEST_WIRE_TYPES,
  RESOURCE_WIRE_TYPES,
  SCOPE_WIRE_TYPES,
} from "./trace-schema.js";
import type { WireError } from "./wire.js";
import { FAULT } from "./wire.js";

/** Fields that hold a span list at each level; the tags are (number << 3) | WIRE_LENGTH. */
const TAG_1 = 0x0a;
const TAG_2 = 0x12;

/** Reads trace requests with one table of wanted keys; not re-entrant, the rows are scratch. */
export class TraceReader {
  private readonly values: AnyValueReader;
  private readonly spans: SpanReader;
  private rows!: SpanRows;

  constructor(keys: KeyTable) {
    this.values = new AnyValueReader(keys);
    this.spans = new SpanReader(keys, this.values);
  }

  /**
   * Fills `rows` from the bytes of a request. Spans with unusable ids are left out and counted in
   * the rows; bytes that are no trace request at all are an error, and the rows are then void.
   */
  read(bytes: Uint8Array, rows: SpanRows): WireError | undefined {
    rows.reset(bytes);
    this.rows = rows;
    const { view } = rows;
    this.values.begin(bytes, view, rows);
    this.spans.begin(bytes, view, rows);
    const { cursor } = this.values;
    this.repeated(0, bytes.length, TAG_1, REQUEST_WIRE_TYPES, this.resourceSpans);
    return cursor.error;
  }

  /** Reads a message whose one field of interest is a list, handing each element to `read`. */
  private repeated(
    at: number,
    end: number,
    listTag: number,
    wireTypes: readonly number[],
    read: (at: number, end: number) => number,
  ): number {
    const { cursor } = this.values;
    let p = at;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const tag = cursor.low;
      const number = tag >>> 3;
      if (number < wireTypes.length && (tag & 7) !== wireTypes[number]) {
        return cursor.fault(`a message's field ${number} has the wire type ${tag & 7}`, fieldAt);
      }
      if (tag !== listTag) {
        p = cursor.skip(p, end, tag & 7);
      } else {
        p = cursor.length(p, end);
        if (p !== FAULT) p = read.call(this, p, p + cursor.low);
      }
      if (p === FAULT) return FAULT;
    }
    return p;
  }

  private resourceSpans(at: number, end: number): number {
    const { rows } = this;
    if (rows.resourceCount === rows.resourceFirst.length) rows.growResources();
    const resource = rows.resourceCount++;
    rows.resourceFirst[resource] = rows.valueCount;
    rows.resourceEnd[resource] = rows.valueCount;
    // The resource may come after the spans; they refer to it by index, so order does not matter.
    if (this.repeated(at, end, TAG_1, CONTAINER_WIRE_TYPES, this.resource) === FAULT) return FAULT;
    return this.repeated(at, end, TAG_2, CONTAINER_WIRE_TYPES, this.scopeSpans);
  }

  private resource(at: number, end: number): number {
    const { rows } = this;
    const resource = rows.resourceCount - 1;
    rows.reserveValues((end - at) / VALUE_BYTES_MIN);
    const p = this.repeated(at, end, TAG_1, RESOURCE_WIRE_TYPES, this.keyValue);
    rows.resourceEnd[resource] = rows.valueCount;
    return p;
  }

  private keyValue(at: number, end: number): number {
    return this.values.keyValue(at, end);
  }

  private scopeSpans(at: number, end: number): number {
    const { cursor } = this.values;
    const { bytes } = cursor;
    let p = at;
    while (p < end) {
      // A list of spans is nearly all there is here, and worth a path of its own.
      if (bytes[p] === TAG_2) {
        p = cursor.length(p + 1, end);
        if (p !== FAULT) p = this.spans.read(p, p + cursor.low);
      } else p = this.scopeSpansField(p, end);
      if (p === FAULT) return FAULT;
    }
    return p;
  }

  private scopeSpansField(at: number, end: number): number {
    const { cursor } = this.values;
    let p = cursor.tag(at, end);
    if (p === FAULT) return FAULT;
    const tag = cursor.low;
    const number = tag >>> 3;
    if (number < CONTAINER_WIRE_TYPES.length && (tag & 7) !== CONTAINER_WIRE_TYPES[number]) {
      return cursor.fault(`ScopeSpans' field ${number} has the wire type ${tag & 7}`, at);
    }
    p = cursor.skip(p, end, tag & 7);
    if (p === FAULT) return FAULT;
    const contentAt = p - cursor.low;
    if (tag === TAG_1) return this.values.check(contentAt, p, SCOPE_WIRE_TYPES, 3);
    return tag === TAG_2 ? this.spans.read(contentAt, p) : p;
  }
}
