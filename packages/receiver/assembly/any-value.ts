/**
 * Reads KeyValue and AnyValue messages (opentelemetry-proto, common/v1) in any form that the wire
 * format allows: other field orders, repeated fields (the last one counts), arrays, nested values.
 */
import {
  pushValue,
  setValueCount,
  VALUE_BOOL,
  VALUE_DOUBLE,
  VALUE_INT,
  VALUE_OTHER,
  VALUE_STRING,
  valueCount,
} from "./columns";
import * as FAULTS from "./faults";
import { KEY_UNWANTED, lookup } from "./key-cache";
import { ANY_VALUE_COUNT, ANY_VALUE_TYPES } from "./schema";
import { contradicts, FAULT, fault, length, number, skip, tag } from "./wire";

/**
 * protobuf's own implementations stop at 100 messages in each other. A list adds two and a map
 * three; an event's attribute lies in seven: 7 + 3 x 31 = 100.
 */
const DEPTH_MAX: i32 = 31;

const TAG_KEY: u32 = 0x0a;
const TAG_VALUE: u32 = 0x12;

export const TAG_STRING: u32 = 0x0a;
export const TAG_BOOL: u32 = 0x10;
export const TAG_INT: u32 = 0x18;
export const TAG_DOUBLE: u32 = 0x21;
const TAG_ARRAY: u32 = 0x2a;
const TAG_KVLIST: u32 = 0x32;
const TAG_BYTES: u32 = 0x3a;

/** Where the body is: offsets of strings count from there. */
let body: usize = 0;

/** Says where the body is that offsets refer to. */
export function setBody(at: usize): void {
  body = at;
}

/**
 * Reads the KeyValue at [at, end) and appends its values when its key is wanted, and when
 * `append` says that this message's attributes are.
 */
export function keyValue(at: usize, end: usize, append: bool = true): usize {
  let keyAt = at;
  let keyLength: usize = 0;
  let valueAt: usize = 0;
  let valueEnd: usize = 0;
  let p = at;
  while (p < end) {
    const fieldAt = p;
    p = tag(p, end);
    if (!p) return FAULT;
    const field = <u32>number;
    if (field != TAG_KEY && field != TAG_VALUE) {
      if (field >> 3 < 3) return fault(FAULTS.KEY_VALUE_FIELD, fieldAt);
      p = skip(p, end, field & 7);
      if (!p) return FAULT;
      continue;
    }
    p = length(p, end);
    if (!p) return FAULT;
    const fieldEnd = p + <usize>number;
    if (field == TAG_KEY) {
      keyAt = p;
      keyLength = <usize>number;
    } else {
      // Of several values the last one counts; those before it are checked like all the rest.
      if (valueAt && !anyValue(KEY_UNWANTED, valueAt, valueEnd)) return FAULT;
      valueAt = p;
      valueEnd = fieldEnd;
    }
    p = fieldEnd;
  }
  const key = append ? lookup(keyAt, keyLength) : KEY_UNWANTED;
  if (valueAt) return anyValue(key, valueAt, valueEnd) ? end : FAULT;
  pushValue(key, VALUE_OTHER, 0);
  return end;
}

/** Reads the AnyValue at [at, end); appends it, or an array's elements, when `key` is wanted. */
export function anyValue(key: i32, at: usize, end: usize, depth: i32 = 0): usize {
  const before = valueCount;
  let p = at;
  let empty = true;
  while (p < end) {
    const fieldAt = p;
    p = tag(p, end);
    if (!p) return FAULT;
    const field = <u32>number;
    if (contradicts(field, ANY_VALUE_TYPES, ANY_VALUE_COUNT)) {
      return fault(FAULTS.ANY_VALUE_FIELD, fieldAt, <f64>field);
    }
    if (field >> 3 < ANY_VALUE_COUNT) {
      empty = false;
      setValueCount(before);
    }
    const valueAt = p;
    p = skip(p, end, field & 7);
    if (!p) return FAULT;
    if (field == TAG_DOUBLE) pushValue(key, VALUE_DOUBLE, load<f64>(valueAt));
    else if (field == TAG_INT) pushValue(key, VALUE_INT, <f64>(<i64>number));
    else if (field == TAG_BOOL) pushValue(key, VALUE_BOOL, number ? 1 : 0);
    else if (field == TAG_STRING) {
      pushValue(key, VALUE_STRING, <f64>number, <i32>(p - <usize>number - body));
    } else if (field == TAG_BYTES) pushValue(key, VALUE_OTHER, 0);
    else if (field == TAG_ARRAY || field == TAG_KVLIST) {
      if (!list(key, p - <usize>number, p, depth, field)) return FAULT;
    }
  }
  if (empty) pushValue(key, VALUE_OTHER, 0);
  return p;
}

/** An ArrayValue's elements are observations; a map, or a list in a list, is just checked. */
function list(key: i32, at: usize, end: usize, depth: i32, listTag: u32): usize {
  if (depth >= DEPTH_MAX) return fault(FAULTS.VALUES_TOO_DEEP, at);
  const elements = listTag == TAG_ARRAY && depth == 0;
  if (!elements) pushValue(key, VALUE_OTHER, 0);
  const elementKey = elements ? key : KEY_UNWANTED;
  let p = at;
  while (p < end) {
    const fieldAt = p;
    p = tag(p, end);
    if (!p) return FAULT;
    const field = <u32>number;
    if (field >> 3 == 1 && field != TAG_KEY) return fault(FAULTS.LIST_FIELD, fieldAt);
    p = skip(p, end, field & 7);
    if (!p) return FAULT;
    if (field != TAG_KEY) continue;
    const elementAt = p - <usize>number;
    const read =
      listTag == TAG_ARRAY
        ? anyValue(elementKey, elementAt, p, depth + 1)
        : mapEntry(elementAt, p, depth + 1);
    if (!read) return FAULT;
  }
  return p;
}

function mapEntry(at: usize, end: usize, depth: i32): usize {
  let p = at;
  while (p < end) {
    const fieldAt = p;
    p = tag(p, end);
    if (!p) return FAULT;
    const field = <u32>number;
    p = skip(p, end, field & 7);
    if (!p) return FAULT;
    if (field >> 3 < 3 && field != TAG_KEY && field != TAG_VALUE) {
      return fault(FAULTS.KEY_VALUE_FIELD, fieldAt);
    }
    if (field == TAG_VALUE && !anyValue(KEY_UNWANTED, p - <usize>number, p, depth)) return FAULT;
  }
  return p;
}

/**
 * Checks a message whose content nobody wants: its known fields have the wire types of its
 * schema, and those of `attributesField` are KeyValues. Returns `end`.
 */
export function check(at: usize, end: usize, types: u64, count: u32, attributesField: u32): usize {
  let p = at;
  while (p < end) {
    const fieldAt = p;
    p = tag(p, end);
    if (!p) return FAULT;
    const field = <u32>number;
    if (contradicts(field, types, count)) {
      return fault(FAULTS.MESSAGE_FIELD, fieldAt, <f64>field);
    }
    p = skip(p, end, field & 7);
    if (!p) return FAULT;
    if (field >> 3 == attributesField && !keyValue(p - <usize>number, p, false)) return FAULT;
  }
  return p;
}
