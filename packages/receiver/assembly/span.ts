/**
 * Reads one Span message into the columns: the hot path of the receiver.
 * https://github.com/open-telemetry/opentelemetry-proto (trace/v1)
 *
 * An attribute whose parts are all shorter than 128 bytes and in the usual order costs two 32-bit
 * reads beside those of its key: one holds its tag, its length, its key's tag and its key's length,
 * the other the same of its value. Everything else (long values, other orders, unknown fields,
 * groups) takes the general path of any-value.ts. Reads may reach past the message, never past the
 * padding behind the body; what they find there counts only once it is known to lie within.
 */
import { anyValue, check, keyValue, TAG_BOOL, TAG_DOUBLE, TAG_INT, TAG_STRING } from "./any-value";
import {
  beginSpan,
  durationNsOf,
  growValues,
  kindOf,
  numberAt,
  offsetAt,
  pushValue,
  resourceCount,
  scopeCount,
  setValueCount,
  spanCount,
  spanWordOf,
  startMsOf,
  statusOf,
  TYPE_BITS,
  tagAt,
  takeSpan,
  VALUE_BOOL,
  VALUE_DOUBLE,
  VALUE_EVENT,
  VALUE_INT,
  VALUE_STRING,
  valueCapacity,
  valueCount,
} from "./columns";
import * as FAULTS from "./faults";
import { eventOf, isLikely, KEY_UNWANTED, lookup } from "./key-cache";
import {
  EVENT_COUNT,
  EVENT_TYPES,
  LINK_COUNT,
  LINK_TYPES,
  SPAN_COUNT,
  SPAN_TYPES,
  STATUS_COUNT,
  STATUS_TYPES,
} from "./schema";
import { contradicts, FAULT, fault, length, number, skip, tag, varint } from "./wire";

const TWO_POW_32: f64 = 4294967296;
const NS_PER_MS: f64 = 1e6;
const MS_PER_HIGH: f64 = TWO_POW_32 / NS_PER_MS;

const TAG_TRACE_ID: u32 = 0x0a;
const TAG_SPAN_ID: u32 = 0x12;
const TAG_PARENT_SPAN_ID: u32 = 0x22;
const TAG_NAME: u32 = 0x2a;
const TAG_KIND: u32 = 0x30;
const TAG_START: u32 = 0x39;
const TAG_END: u32 = 0x41;
const TAG_ATTRIBUTE: u32 = 0x4a;
const TAG_EVENT: u32 = 0x5a;
const TAG_LINK: u32 = 0x6a;
const TAG_STATUS: u32 = 0x7a;
const TAG_CODE: u32 = 0x18;

/** A tag and a length of one byte, as one number. */
const TRACE_ID_HEAD: u32 = 0x100a;
const SPAN_ID_HEAD: u32 = 0x0812;
const PARENT_HEAD: u32 = 0x0822;
const STATUS_EMPTY: u32 = 0x007a;
/** A status that is nothing but a code, which is the fourth byte. */
const STATUS_MASK: u32 = 0x80ffffff;
const STATUS_SHORT: u32 = 0x0018027a;

/** An attribute's head: tag 0x4a, a short length, the key's tag 0x0a, a short key length. */
const HEAD_MASK: u32 = 0x80ff80ff;
const HEAD_SHORT: u32 = 0x000a004a;
/** A value's head: tag 0x12 and a short length. */
const VALUE_HEAD_MASK: u32 = 0x80ff;
const VALUE_HEAD_SHORT: u32 = 0x0012;

/** The columns of words, as {@link spanWordOf} counts them. */
const TRACE_ID: i32 = 0;
const SPAN_ID: i32 = 1;
const RESOURCE: i32 = 2;
const FIRST_VALUE: i32 = 3;
const END_VALUE: i32 = 4;
const PARENT: i32 = 5;
const SCOPE: i32 = 6;
const NAME: i32 = 7;

/** An event's fields. */
const TAG_EVENT_TIME: u32 = 0x09;
const TAG_EVENT_NAME: u32 = 0x12;
const TAG_EVENT_ATTRIBUTE: u32 = 0x1a;
const EVENT_ATTRIBUTES: u32 = 3;

/** Why a span is rejected; src/otlp/trace-faults.ts has the words, in the same order. */
const NO_TRACE_ID: i32 = 1;
const NO_SPAN_ID: i32 = 2;
const ZERO_TRACE_ID: i32 = 3;
const ZERO_SPAN_ID: i32 = 4;

/** Spans that were left out, and why the first one was. */
export let rejectedCount: i32 = 0;
export let rejectedReason: i32 = 0;

let body: usize = 0;
/** Where the current span's fields start; 0 for those it does not have. */
let startAt: usize = 0;
let endAt: usize = 0;
let traceId: usize = 0;
let spanId: usize = 0;
let parentId: usize = 0;
/** Where the length of the name is. */
let nameAt: usize = 0;

/** Begins a body: offsets count from where it is. */
export function beginBody(at: usize): void {
  body = at;
  rejectedCount = 0;
  rejectedReason = 0;
}

/** Reads the span at [at, end) into the columns, or counts it as rejected. */
export function span(at: usize, end: usize): usize {
  beginSpan();
  const firstValue = valueCount;
  startAt = endAt = traceId = spanId = parentId = nameAt = 0;
  let p = spanHead(at, end);
  while (p < end) {
    const field = <u32>load<u8>(p);
    if (field == TAG_ATTRIBUTE) p = attributes(p, end);
    else if (field == TAG_NAME) {
      nameAt = p + 1;
      p = length(p + 1, end);
      if (p) p += <usize>number;
    } else if (field == TAG_STATUS) p = spanStatus(p, end);
    else if (isCount(field) && p + 2 <= end && load<u8>(p, 1) < 0x80) p += 2;
    else p = spanField(p, end);
    if (!p) return FAULT;
  }
  finishSpan(firstValue);
  return p;
}

/** The fields that all encoders write first and in this order; stops at the first other one. */
function spanHead(at: usize, end: usize): usize {
  let p = at;
  if (p + 18 <= end && load<u16>(p) == TRACE_ID_HEAD) {
    traceId = p + 2;
    p += 18;
  }
  if (p + 10 <= end && load<u16>(p) == SPAN_ID_HEAD) {
    spanId = p + 2;
    p += 10;
  }
  if (p + 10 <= end && load<u16>(p) == PARENT_HEAD) {
    parentId = p + 2;
    p += 10;
  }
  if (p + 2 <= end && load<u8>(p) == TAG_NAME) {
    const nameEnd = p + 2 + <usize>load<u8>(p, 1);
    if (load<u8>(p, 1) >= 0x80 || nameEnd > end) return p;
    nameAt = p + 1;
    p = nameEnd;
  }
  if (p + 2 <= end && load<u8>(p) == TAG_KIND && load<u8>(p, 1) < 0x80) {
    store<u8>(kindOf(spanCount), load<u8>(p, 1));
    p += 2;
  }
  if (p + 9 <= end && load<u8>(p) == TAG_START) {
    startAt = p + 1;
    p += 9;
  }
  if (p + 9 <= end && load<u8>(p) == TAG_END) {
    endAt = p + 1;
    p += 9;
  }
  return p;
}

/** A span's less usual fields, and ids of a wrong length. */
function spanField(at: usize, end: usize): usize {
  let p = tag(at, end);
  if (!p) return FAULT;
  const field = <u32>number;
  if (contradicts(field, SPAN_TYPES, SPAN_COUNT)) return fault(FAULTS.SPAN_FIELD, at, <f64>field);
  const valueAt = p;
  p = skip(p, end, field & 7);
  if (!p) return FAULT;
  const contentAt = p - <usize>number;
  if (field == TAG_KIND) store<u8>(kindOf(spanCount), <u8>number);
  else if (field == TAG_START) startAt = valueAt;
  else if (field == TAG_END) endAt = valueAt;
  else if (field == TAG_TRACE_ID) traceId = number == 16 ? contentAt : 0;
  else if (field == TAG_SPAN_ID) spanId = number == 8 ? contentAt : 0;
  else if (field == TAG_PARENT_SPAN_ID) parentId = number == 8 ? contentAt : 0;
  else if (field == TAG_ATTRIBUTE) return keyValue(contentAt, p);
  else if (field == TAG_EVENT) return event(contentAt, p);
  else if (field == TAG_LINK) return check(contentAt, p, LINK_TYPES, LINK_COUNT, 4);
  else if (field == TAG_STATUS) return status(contentAt, p);
  return p;
}

/** Appends an event that somebody wants, and behind it the values of its attributes. */
function event(at: usize, end: usize): usize {
  if (!check(at, end, EVENT_TYPES, EVENT_COUNT, EVENT_ATTRIBUTES)) return FAULT;
  let timeAt: usize = 0;
  let eventNameAt: usize = 0;
  let nameLength: usize = 0;
  for (let p = at; p < end; ) {
    p = tag(p, end);
    const field = <u32>number;
    const valueAt = p;
    p = skip(p, end, field & 7);
    if (field == TAG_EVENT_TIME) timeAt = valueAt;
    else if (field == TAG_EVENT_NAME) {
      eventNameAt = p - <usize>number;
      nameLength = <usize>number;
    }
  }
  const key = eventOf(eventNameAt, nameLength);
  if (key < 0) return end;
  const marker = valueCount;
  pushValue(key, VALUE_EVENT, timeAt ? millisecondsAt(timeAt) : 0);
  for (let p = at; p < end; ) {
    p = tag(p, end);
    const field = <u32>number;
    p = skip(p, end, field & 7);
    if (field == TAG_EVENT_ATTRIBUTE && !keyValue(p - <usize>number, p)) return FAULT;
  }
  store<i32>(offsetAt() + ((<usize>marker) << 2), valueCount - marker - 1);
  return end;
}

/** A status, mostly empty or nothing but a code. */
function spanStatus(at: usize, end: usize): usize {
  const head = load<u32>(at);
  if ((head & 0xffff) == STATUS_EMPTY && at + 2 <= end) return at + 2;
  if ((head & STATUS_MASK) != STATUS_SHORT || at + 4 > end) return spanField(at, end);
  store<u8>(statusOf(spanCount), <u8>(head >> 24));
  return at + 4;
}

function status(at: usize, end: usize): usize {
  let p = at;
  while (p < end) {
    const fieldAt = p;
    p = tag(p, end);
    if (!p) return FAULT;
    const field = <u32>number;
    if (contradicts(field, STATUS_TYPES, STATUS_COUNT)) {
      return fault(FAULTS.STATUS_FIELD, fieldAt, <f64>field);
    }
    p = skip(p, end, field & 7);
    if (!p) return FAULT;
    if (field == TAG_CODE) store<u8>(statusOf(spanCount), <u8>number);
  }
  return p;
}

/** Takes the span into the columns, or counts it as rejected when it has no usable ids. */
function finishSpan(firstValue: i32): void {
  const reason = idFault();
  if (reason) {
    rejectedCount++;
    if (!rejectedReason) rejectedReason = reason;
    setValueCount(firstValue);
    return;
  }
  const span = spanCount;
  finishTimes(span);
  store<i32>(spanWordOf(TRACE_ID, span), <i32>(traceId - body));
  store<i32>(spanWordOf(SPAN_ID, span), <i32>(spanId - body));
  store<i32>(spanWordOf(RESOURCE, span), resourceCount - 1);
  store<i32>(spanWordOf(FIRST_VALUE, span), firstValue);
  store<i32>(spanWordOf(END_VALUE, span), valueCount);
  store<i32>(spanWordOf(PARENT, span), parentId ? <i32>(parentId - body) : -1);
  store<i32>(spanWordOf(SCOPE, span), scopeCount - 1);
  store<i32>(spanWordOf(NAME, span), nameAt ? <i32>(nameAt - body) : -1);
  takeSpan();
}

function finishTimes(span: i32): void {
  const start = startAt ? load<u64>(startAt) : 0;
  const end = endAt ? load<u64>(endAt) : 0;
  const startHigh = <f64>(<u32>(start >> 32));
  const startLow = <f64>(<u32>start);
  const highs = <f64>(<u32>(end >> 32)) - startHigh;
  store<f64>(startMsOf(span), startAt ? millisecondsAt(startAt) : 0);
  store<f64>(durationNsOf(span), highs * TWO_POW_32 + (<f64>(<u32>end) - startLow));
}

/** A time in nanoseconds since the epoch, in milliseconds. */
function millisecondsAt(at: usize): f64 {
  const ns = load<u64>(at);
  return <f64>(<u32>(ns >> 32)) * MS_PER_HIGH + <f64>(<u32>ns) / NS_PER_MS;
}

function idFault(): i32 {
  if (!traceId) return NO_TRACE_ID;
  if (!spanId) return NO_SPAN_ID;
  if (!(load<u64>(traceId) | load<u64>(traceId, 8))) return ZERO_TRACE_ID;
  return load<u64>(spanId) ? 0 : ZERO_SPAN_ID;
}

/** Reads a run of attributes; returns the position of the first field that is none. */
function attributes(at: usize, end: usize): usize {
  let count = <usize>valueCount;
  let capacity = <usize>valueCapacity;
  let numbers = numberAt();
  let p = at;
  while (p < end) {
    const head = load<u32>(p);
    if ((head & HEAD_MASK) != HEAD_SHORT) break;
    const keyLength = <usize>(head >> 24);
    const valueAt = p + 4 + keyLength;
    const attributeEnd = p + 2 + <usize>((head >> 8) & 0x7f);
    const valueHead = load<u32>(valueAt);
    const valueEnd = valueAt + 2 + <usize>((valueHead >> 8) & 0x7f);
    if ((valueHead & VALUE_HEAD_MASK) != VALUE_HEAD_SHORT || valueEnd != attributeEnd) break;
    if (attributeEnd > end) break;
    const key = isLikely(p + 4, keyLength) ? lookup(p + 4, keyLength) : KEY_UNWANTED;
    const type = shortType(valueHead, valueAt, attributeEnd);
    if (!type) {
      setValueCount(<i32>count);
      if (!anyValue(key, valueAt + 2, attributeEnd)) return FAULT;
      count = <usize>valueCount;
      capacity = <usize>valueCapacity;
      numbers = numberAt();
    } else if (key >= 0) {
      if (count == capacity) {
        growValues();
        capacity = <usize>valueCapacity;
        numbers = numberAt();
      }
      const tags = numbers + (capacity << 3) + (count << 2);
      store<f64>(numbers + (count << 3), shortNumber(valueHead, valueAt, type));
      store<i32>(tags, (key << TYPE_BITS) | type);
      store<i32>(tags + (capacity << 2), <i32>(valueAt + 4 - body));
      count++;
    }
    p = attributeEnd;
  }
  setValueCount(<i32>count);
  return p < end && load<u8>(p) == TAG_ATTRIBUTE ? spanField(p, end) : p;
}

/** The type of a value that is one string, double, bool or small integer and no more, or 0. */
function shortType(head: u32, at: usize, end: usize): i32 {
  const type = (head >> 16) & 0xff;
  const fourth = head >> 24;
  if (type == TAG_STRING) return at + 4 + <usize>fourth == end ? VALUE_STRING : 0;
  if (type == TAG_DOUBLE) return at + 11 == end ? VALUE_DOUBLE : 0;
  if (type == TAG_INT) return isSmall(fourth, at, end) ? VALUE_INT : 0;
  return type == TAG_BOOL && at + 4 == end && fourth < 0x80 ? VALUE_BOOL : 0;
}

/** A varint of one or two bytes, of which the first is the one at at + 3. */
function isSmall(first: u32, at: usize, end: usize): bool {
  return first < 0x80 ? at + 4 == end : at + 5 == end && load<u8>(at, 4) < 0x80;
}

/** The number of a value of a {@link shortType}; a string's is its length. */
function shortNumber(head: u32, at: usize, type: i32): f64 {
  if (type == VALUE_DOUBLE) return load<f64>(at, 3);
  const first = head >> 24;
  if (type == VALUE_INT && first >= 0x80) {
    return <f64>((first & 0x7f) | ((<u32>load<u8>(at, 4)) << 7));
  }
  return <f64>(type == VALUE_BOOL ? <u32>(first != 0) : first);
}

/** The three dropped_*_count fields. */
function isCount(field: u32): bool {
  return field == 0x50 || field == 0x60 || field == 0x70;
}
