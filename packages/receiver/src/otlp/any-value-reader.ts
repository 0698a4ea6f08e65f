/**
 * Reads KeyValue and AnyValue messages (opentelemetry-proto, common/v1) in any form that the wire
 * format allows: other field orders, repeated fields (the last one counts), arrays, nested values.
 */
import type { KeyTable } from "./key-table.js";
import { KEY_UNWANTED } from "./key-table.js";
import type { SpanRows } from "./span-rows.js";
import { VALUE_BOOL, VALUE_DOUBLE, VALUE_INT, VALUE_OTHER, VALUE_STRING } from "./span-rows.js";
import { FAULT, WireCursor } from "./wire.js";

/**
 * protobuf's own implementations stop at 100 messages in each other. A list adds two and a map
 * three; an event's attribute lies in seven: 7 + 3 x 31 = 100.
 */
const DEPTH_MAX = 31;
const TWO_POW_32 = 4_294_967_296;

const TAG_KEY = 0x0a;
const TAG_VALUE = 0x12;

/** AnyValue's fields by number, with the wire type each must have. */
export const TAG_STRING = 0x0a;
export const TAG_BOOL = 0x10;
export const TAG_INT = 0x18;
export const TAG_DOUBLE = 0x21;
const TAG_ARRAY = 0x2a;
const TAG_KVLIST = 0x32;
const TAG_BYTES = 0x3a;
const ANY_VALUE_TAGS = [
  -1,
  TAG_STRING,
  TAG_BOOL,
  TAG_INT,
  TAG_DOUBLE,
  TAG_ARRAY,
  TAG_KVLIST,
  TAG_BYTES,
];

/** Shared by all levels of one {@link TraceReader}. */
export class AnyValueReader {
  readonly cursor = new WireCursor();
  private readonly keys: KeyTable;
  private rows!: SpanRows;
  private view: DataView = new DataView(new ArrayBuffer(0));

  constructor(keys: KeyTable) {
    this.keys = keys;
  }

  begin(bytes: Uint8Array, view: DataView, rows: SpanRows): void {
    this.cursor.bytes = bytes;
    this.cursor.error = undefined;
    this.view = view;
    this.rows = rows;
  }

  /**
   * Reads the KeyValue at [at, end) and appends its values when its key is wanted, and when
   * `append` says that this message's attributes are.
   */
  keyValue(at: number, end: number, append = true): number {
    const { cursor } = this;
    let keyAt = at;
    let keyLength = 0;
    let valueAt = -1;
    let valueEnd = -1;
    let p = at;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const tag = cursor.low;
      if (tag !== TAG_KEY && tag !== TAG_VALUE) {
        if (tag >>> 3 < 3) return cursor.fault("KeyValue has a field of a wrong type", fieldAt);
        p = cursor.skip(p, end, tag & 7);
        if (p === FAULT) return FAULT;
        continue;
      }
      p = cursor.length(p, end);
      if (p === FAULT) return FAULT;
      const fieldEnd = p + cursor.low;
      if (tag === TAG_KEY) {
        keyAt = p;
        keyLength = cursor.low;
      } else {
        // Of several values the last one counts; those before it are checked like all the rest.
        if (valueAt >= 0 && this.anyValue(KEY_UNWANTED, valueAt, valueEnd) === FAULT) return FAULT;
        valueAt = p;
        valueEnd = fieldEnd;
      }
      p = fieldEnd;
    }
    const key = append ? this.keys.lookup(cursor.bytes, this.view, keyAt, keyLength) : KEY_UNWANTED;
    if (valueAt >= 0) return this.anyValue(key, valueAt, valueEnd) === FAULT ? FAULT : end;
    if (key >= 0) this.rows.pushValue(key, VALUE_OTHER, 0, 0);
    return end;
  }

  /** Reads the AnyValue at [at, end); appends it, or an array's elements, when `key` is wanted. */
  anyValue(key: number, at: number, end: number, depth = 0): number {
    const { cursor, rows, view } = this;
    const before = rows.valueCount;
    let p = at;
    let empty = true;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const tag = cursor.low;
      const number = tag >>> 3;
      if (number < ANY_VALUE_TAGS.length) {
        if (tag !== ANY_VALUE_TAGS[number]) {
          return cursor.fault(`AnyValue's field ${number} has the wire type ${tag & 7}`, fieldAt);
        }
        empty = false;
        rows.valueCount = before;
      }
      const valueAt = p;
      p = cursor.skip(p, end, tag & 7);
      if (p === FAULT) return FAULT;
      if (tag === TAG_DOUBLE) this.push(key, VALUE_DOUBLE, view.getFloat64(valueAt, true));
      else if (tag === TAG_INT) this.push(key, VALUE_INT, signed(cursor.low, cursor.high));
      else if (tag === TAG_BOOL) this.push(key, VALUE_BOOL, cursor.low | cursor.high ? 1 : 0);
      else if (tag === TAG_STRING) this.push(key, VALUE_STRING, cursor.low, p - cursor.low);
      else if (tag === TAG_BYTES) this.push(key, VALUE_OTHER, 0);
      else if (tag === TAG_ARRAY || tag === TAG_KVLIST) {
        if (this.list(key, p - cursor.low, p, depth, tag) === FAULT) return FAULT;
      }
    }
    if (empty) this.push(key, VALUE_OTHER, 0);
    return p;
  }

  private push(key: number, type: number, number: number, offset = 0): void {
    if (key >= 0) this.rows.pushValue(key, type, number, offset);
  }

  /** An ArrayValue's elements are observations; a map, or a list in a list, is just checked. */
  private list(key: number, at: number, end: number, depth: number, listTag: number): number {
    const { cursor } = this;
    if (depth >= DEPTH_MAX) return cursor.fault("attribute values are nested too deeply", at);
    const elements = listTag === TAG_ARRAY && depth === 0;
    if (!elements) this.push(key, VALUE_OTHER, 0);
    const elementKey = elements ? key : KEY_UNWANTED;
    let p = at;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const tag = cursor.low;
      if (tag >>> 3 === 1 && tag !== TAG_KEY) {
        return cursor.fault("a list has a field of a wrong wire type", fieldAt);
      }
      p = cursor.skip(p, end, tag & 7);
      if (p === FAULT) return FAULT;
      if (tag !== TAG_KEY) continue;
      const elementAt = p - cursor.low;
      const read =
        listTag === TAG_ARRAY
          ? this.anyValue(elementKey, elementAt, p, depth + 1)
          : this.mapEntry(elementAt, p, depth + 1);
      if (read === FAULT) return FAULT;
    }
    return p;
  }

  private mapEntry(at: number, end: number, depth: number): number {
    const { cursor } = this;
    let p = at;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const tag = cursor.low;
      p = cursor.skip(p, end, tag & 7);
      if (p === FAULT) return FAULT;
      if (tag >>> 3 < 3 && tag !== TAG_KEY && tag !== TAG_VALUE) {
        return cursor.fault("KeyValue has a field of a wrong type", fieldAt);
      }
      if (tag === TAG_VALUE) {
        if (this.anyValue(KEY_UNWANTED, p - cursor.low, p, depth) === FAULT) return FAULT;
      }
    }
    return p;
  }

  /**
   * Checks a message whose content nobody wants: its known fields have the wire types of
   * `wireTypes` (by number), and those of `attributesNumber` are KeyValues. Returns `end`.
   */
  check(at: number, end: number, wireTypes: readonly number[], attributesNumber: number): number {
    const { cursor } = this;
    let p = at;
    while (p < end) {
      const fieldAt = p;
      p = cursor.tag(p, end);
      if (p === FAULT) return FAULT;
      const number = cursor.low >>> 3;
      const wireType = cursor.low & 7;
      if (number < wireTypes.length && wireType !== wireTypes[number]) {
        return cursor.fault(`a message's field ${number} has the wire type ${wireType}`, fieldAt);
      }
      p = cursor.skip(p, end, wireType);
      if (p === FAULT) return FAULT;
      if (number === attributesNumber && this.keyValue(p - cursor.low, p, false) === FAULT) {
        return FAULT;
      }
    }
    return p;
  }
}

/** A 64-bit two's complement integer as a double: exact up to 2^53. */
function signed(low: number, high: number): number {
  return (high | 0) * TWO_POW_32 + low;
}
