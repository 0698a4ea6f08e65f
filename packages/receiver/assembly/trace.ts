/**
 * Reads an ExportTraceServiceRequest into columns, touching only what somebody wants.
 * https://github.com/open-telemetry/opentelemetry-proto (trace/v1, common/v1, resource/v1)
 *
 * This file is what the other side calls (src/otlp/trace-module.ts), and the levels above the
 * spans; span.ts is the hot path. All framing is checked, wanted or not: what this accepts, any
 * other protobuf decoder accepts too. Cost: linear in bytes.
 */
import { check, keyValue, setBody as setValuesBody } from "./any-value";
import * as columns from "./columns";
import * as FAULTS from "./faults";
import { setBody as setKeysBody } from "./key-cache";
import { allocate } from "./memory";
import {
  CONTAINER_COUNT,
  CONTAINER_TYPES,
  REQUEST_COUNT,
  REQUEST_TYPES,
  RESOURCE_COUNT,
  RESOURCE_TYPES,
  SCOPE_COUNT,
  SCOPE_TYPES,
} from "./schema";
import { beginBody, rejectedCount, rejectedReason, span } from "./span";
import {
  clearFault,
  contradicts,
  FAULT,
  fault,
  faultAt,
  faultCode,
  faultDetail,
  length,
  number,
  skip,
  tag,
} from "./wire";

export { remember, rememberEvent, rememberTemplate } from "./key-cache";

/** Reads may reach so far past the body: span.ts looks behind a key of 127 bytes for a value. */
const PADDING_BYTES: usize = 256;

/** Fields that hold a list at each level; the tags are (number << 3) | WIRE_LENGTH. */
const TAG_1: u32 = 0x0a;
const TAG_2: u32 = 0x12;
const TAG_3: u32 = 0x1a;

/** The levels that {@link repeated} walks, each with what an element of its list is. */
const LEVEL_REQUEST: i32 = 0;
const LEVEL_RESOURCE_OF: i32 = 1;
const LEVEL_SCOPES_OF: i32 = 2;
const LEVEL_RESOURCE: i32 = 3;
const LEVEL_SCOPE_OF: i32 = 4;

/** The columns of words of a scope, as {@link columns.scopeWordOf} counts them. */
const FIRST_VALUE: i32 = 0;
const END_VALUE: i32 = 1;
const NAME_AT: i32 = 2;
const NAME_LENGTH: i32 = 3;

let body: usize = 0;
let bodyCapacity: usize = 0;

/** The present ScopeSpans' scope: how often it is given, and where it was last. */
let scopeParts: i32 = 0;
let scopeAt: usize = 0;
let scopeEnd: usize = 0;

/** What a read has left: sixteen words and a double. */
const report: usize = allocate(72);

/** Where the report is. */
export function reportAt(): usize {
  return report;
}

/** Room for a body of so many bytes, and where it is. */
export function reserve(bytes: i32): usize {
  const size = <usize>bytes;
  if (size > bodyCapacity || !body) {
    bodyCapacity = max(size, 2 * bodyCapacity);
    body = allocate(bodyCapacity + PADDING_BYTES);
    setKeysBody(body);
    setValuesBody(body);
  }
  return body;
}

/** Reads the body of so many bytes that is in the reserved room. */
export function read(bytes: i32): void {
  columns.clear();
  beginBody(body);
  clearFault();
  const end = body + <usize>bytes;
  repeated(body, end, TAG_1, REQUEST_TYPES, REQUEST_COUNT, LEVEL_REQUEST);
  writeReport();
}

/** After a trap: whether it was the tables that were full, which is then the fault reported. */
export function reportFull(): bool {
  if (!columns.isFull) return false;
  fault(FAULTS.ROWS_TOO_MANY, body);
  writeReport();
  return true;
}

function writeReport(): void {
  store<i32>(report, columns.spanCount, 0);
  store<i32>(report, columns.resourceCount, 4);
  store<i32>(report, columns.valueCount, 8);
  store<i32>(report, rejectedCount, 12);
  store<i32>(report, rejectedReason, 16);
  store<i32>(report, columns.spanCapacity, 20);
  store<u32>(report, <u32>columns.spansAt, 24);
  store<i32>(report, columns.valueCapacity, 28);
  store<u32>(report, <u32>columns.valuesAt, 32);
  store<i32>(report, columns.resourceCapacity, 36);
  store<u32>(report, <u32>columns.resourcesAt, 40);
  store<i32>(report, faultCode, 44);
  store<u32>(report, <u32>(faultAt - body), 48);
  store<i32>(report, columns.scopeCount, 52);
  store<i32>(report, columns.scopeCapacity, 56);
  store<u32>(report, <u32>columns.scopesAt, 60);
  store<f64>(report, faultDetail, 64);
}

/** Reads a message whose one field of interest is a list, handing on each element. */
function repeated(at: usize, end: usize, listTag: u32, types: u64, count: u32, level: i32): usize {
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
    if (p && field == listTag) p = element(level, p - <usize>number, p);
    if (!p) return FAULT;
  }
  return p;
}

function element(level: i32, at: usize, end: usize): usize {
  if (level == LEVEL_REQUEST) return resourceSpans(at, end);
  if (level == LEVEL_RESOURCE_OF) return resource(at, end);
  if (level == LEVEL_SCOPE_OF) return scope(at, end);
  return level == LEVEL_SCOPES_OF ? scopeSpans(at, end) : keyValue(at, end);
}

function resourceSpans(at: usize, end: usize): usize {
  columns.beginResource();
  // The resource may come after the spans; they refer to it by index, so order does not matter.
  if (at == end) return end;
  if (!repeated(at, end, TAG_1, CONTAINER_TYPES, CONTAINER_COUNT, LEVEL_RESOURCE_OF)) return FAULT;
  return repeated(at, end, TAG_2, CONTAINER_TYPES, CONTAINER_COUNT, LEVEL_SCOPES_OF);
}

function resource(at: usize, end: usize): usize {
  const p = repeated(at, end, TAG_1, RESOURCE_TYPES, RESOURCE_COUNT, LEVEL_RESOURCE);
  const index = columns.resourceCount - 1;
  store<i32>(columns.resourceEndOf(index), columns.valueCount);
  return p;
}

function scopeSpans(at: usize, end: usize): usize {
  columns.beginScope();
  scopeParts = 0;
  let p = at;
  while (p < end) {
    // A list of spans is nearly all there is here, and worth a path of its own.
    if (load<u8>(p) == TAG_2) {
      p = length(p + 1, end);
      if (p) p = span(p, p + <usize>number);
    } else p = scopeSpansField(p, end);
    if (!p) return FAULT;
  }
  // The scope's values come after those of its spans, so that they lie together.
  const index = columns.scopeCount - 1;
  store<i32>(columns.scopeWordOf(FIRST_VALUE, index), columns.valueCount);
  if (scopeParts == 1) p = scope(scopeAt, scopeEnd) ? p : FAULT;
  else if (scopeParts > 1) {
    p = repeated(at, end, TAG_1, CONTAINER_TYPES, CONTAINER_COUNT, LEVEL_SCOPE_OF);
  }
  store<i32>(columns.scopeWordOf(END_VALUE, index), columns.valueCount);
  return p;
}

/** A scope that has been checked: its name and its attributes. */
function scope(at: usize, end: usize): usize {
  let p = at;
  while (p < end) {
    p = tag(p, end);
    const field = <u32>number;
    p = skip(p, end, field & 7);
    const contentAt = p - <usize>number;
    if (field == TAG_1) {
      const index = columns.scopeCount - 1;
      store<i32>(columns.scopeWordOf(NAME_AT, index), <i32>(contentAt - body));
      store<i32>(columns.scopeWordOf(NAME_LENGTH, index), <i32>number);
    } else if (field == TAG_3 && !keyValue(contentAt, p)) return FAULT;
  }
  return end;
}

function scopeSpansField(at: usize, end: usize): usize {
  let p = tag(at, end);
  if (!p) return FAULT;
  const field = <u32>number;
  if (contradicts(field, CONTAINER_TYPES, CONTAINER_COUNT)) {
    return fault(FAULTS.SCOPE_SPANS_FIELD, at, <f64>field);
  }
  p = skip(p, end, field & 7);
  if (!p) return FAULT;
  const contentAt = p - <usize>number;
  if (field == TAG_1) {
    scopeParts++;
    scopeAt = contentAt;
    scopeEnd = p;
    return check(contentAt, p, SCOPE_TYPES, SCOPE_COUNT, 3) ? p : FAULT;
  }
  return field == TAG_2 ? span(contentAt, p) : p;
}
