/**
 * The rows of one body as columns. Each of the three tables is one block of memory, its columns
 * one behind the other, widest first; src/otlp/span-rows.ts lays its views over them. A table
 * that is full moves to a block of twice the size.
 */
import { allocate, extend } from "./memory";

/** The types of values, as span-rows.ts numbers them. */
export const VALUE_STRING: i32 = 1;
export const VALUE_BOOL: i32 = 2;
export const VALUE_INT: i32 = 3;
export const VALUE_DOUBLE: i32 = 4;
export const VALUE_OTHER: i32 = 5;
/** An event that somebody wants: its time in ms, and how many values follow for an offset. */
export const VALUE_EVENT: i32 = 6;
export const TYPE_BITS: i32 = 3;

/** Two doubles, eight words and two bytes. */
const SPAN_BYTES: usize = 50;
/** Four words. */
const SCOPE_BYTES: usize = 16;
/** Two words. */
const RESOURCE_BYTES: usize = 8;
/** A double and two words. */
const VALUE_BYTES: usize = 16;

/**
 * 128 MiB of values. A body of 64 MiB, the default bound, holds six million numbers as doubles in
 * lists, and fewer as attributes; elements of two bytes would take eight times its memory as rows.
 */
const VALUES_MAX: i32 = 1 << 23;
const RESOURCES_MAX: i32 = 1 << 20;
const SCOPES_MAX: i32 = 1 << 20;

/** Why a read was broken off: there were more rows than a table may have. */
export let isFull: bool = false;

export let spanCount: i32 = 0;
export let spanCapacity: i32 = 1024;
export let spansAt: usize = allocate(SPAN_BYTES * 1024);

export let resourceCount: i32 = 0;
export let resourceCapacity: i32 = 64;
export let resourcesAt: usize = allocate(RESOURCE_BYTES * 64);

export let scopeCount: i32 = 0;
export let scopeCapacity: i32 = 64;
export let scopesAt: usize = allocate(SCOPE_BYTES * 64);

export let valueCount: i32 = 0;
export let valueCapacity: i32 = 16384;
export let valuesAt: usize = allocate(VALUE_BYTES * 16384);

/** Empties all tables. */
export function clear(): void {
  spanCount = 0;
  resourceCount = 0;
  scopeCount = 0;
  valueCount = 0;
  isFull = false;
}

/** The columns of spans, for a span's place. */
export function startMsOf(span: i32): usize {
  return spansAt + ((<usize>span) << 3);
}
export function durationNsOf(span: i32): usize {
  return spansAt + ((<usize>(spanCapacity + span)) << 3);
}
/** A column of words: trace id, span id, resource, first, end value, parent, scope, name. */
export function spanWordOf(column: i32, span: i32): usize {
  return spansAt + ((<usize>((4 + column) * spanCapacity + span)) << 2);
}
export function kindOf(span: i32): usize {
  return spansAt + <usize>(48 * spanCapacity + span);
}
export function statusOf(span: i32): usize {
  return spansAt + <usize>(49 * spanCapacity + span);
}

/** Makes room for one more span, and forgets what a rejected one has left there. */
export function beginSpan(): void {
  if (spanCount == spanCapacity) growSpans();
  store<u8>(kindOf(spanCount), 0);
  store<u8>(statusOf(spanCount), 0);
}

/** Takes the span that {@link beginSpan} began. */
export function takeSpan(): void {
  spanCount++;
}

/** Begins a resource, whose values are those from here on, so far none. */
export function beginResource(): void {
  if (resourceCount == resourceCapacity) growResources();
  store<i32>(resourceFirstOf(resourceCount), valueCount);
  store<i32>(resourceEndOf(resourceCount), valueCount);
  resourceCount++;
}

export function resourceFirstOf(resource: i32): usize {
  return resourcesAt + ((<usize>resource) << 2);
}
export function resourceEndOf(resource: i32): usize {
  return resourcesAt + ((<usize>(resourceCapacity + resource)) << 2);
}

/** Begins a scope, which has neither a name nor values so far. */
export function beginScope(): void {
  if (scopeCount == scopeCapacity) growScopes();
  for (let column = 0; column < 4; column++) store<i32>(scopeWordOf(column, scopeCount), 0);
  scopeCount++;
}

/** One of the four columns of words: first and end value, where the name is, and its length. */
export function scopeWordOf(column: i32, scope: i32): usize {
  return scopesAt + ((<usize>(column * scopeCapacity + scope)) << 2);
}

/** Where values go next; {@link growValues} moves all three. */
export function numberAt(): usize {
  return valuesAt;
}
export function tagAt(): usize {
  return valuesAt + ((<usize>valueCapacity) << 3);
}
export function offsetAt(): usize {
  return valuesAt + ((<usize>valueCapacity) << 3) + ((<usize>valueCapacity) << 2);
}

/** Drops the values behind `count`, or takes those that were written there. */
export function setValueCount(count: i32): void {
  valueCount = count;
}

/** Appends one value, unless its key is unwanted; `number` is the length in bytes of a string. */
export function pushValue(key: i32, type: i32, number: f64, offset: i32 = 0): void {
  if (key < 0) return;
  if (valueCount == valueCapacity) growValues();
  store<f64>(numberAt() + ((<usize>valueCount) << 3), number);
  store<i32>(tagAt() + ((<usize>valueCount) << 2), (key << TYPE_BITS) | type);
  store<i32>(offsetAt() + ((<usize>valueCount) << 2), offset);
  valueCount++;
}

/** Doubles the table of values; traps when it is as large as it may be. */
export function growValues(): void {
  if (valueCapacity == VALUES_MAX) breakOff();
  valuesAt = grown(valuesAt, valueCapacity, VALUE_BYTES, 1, 2, 0);
  valueCapacity <<= 1;
}

function growSpans(): void {
  spansAt = grown(spansAt, spanCapacity, SPAN_BYTES, 2, 8, 2);
  spanCapacity <<= 1;
}

function growResources(): void {
  if (resourceCapacity == RESOURCES_MAX) breakOff();
  resourcesAt = grown(resourcesAt, resourceCapacity, RESOURCE_BYTES, 0, 2, 0);
  resourceCapacity <<= 1;
}

function growScopes(): void {
  if (scopeCapacity == SCOPES_MAX) breakOff();
  scopesAt = grown(scopesAt, scopeCapacity, SCOPE_BYTES, 0, 4, 0);
  scopeCapacity <<= 1;
}

/** Ends the read from within; it is hardly ever needed, and a check at every row would be felt. */
function breakOff(): void {
  isFull = true;
  unreachable();
}

/**
 * A block of twice the capacity with the same rows: so many columns of doubles, words and bytes.
 * The last column moves first, since the block may be the same one, only longer.
 */
function grown(
  from: usize,
  capacity: i32,
  rowBytes: usize,
  doubles: i32,
  words: i32,
  bytes: i32,
): usize {
  const size = <usize>capacity * rowBytes;
  const block = extend(from, size, 2 * size);
  let before = size;
  for (let column = doubles + words + bytes - 1; column >= 0; column--) {
    const width = column < doubles ? 8 : column < doubles + words ? 4 : 1;
    before -= <usize>capacity * width;
    memory.copy(block + 2 * before, from + before, <usize>capacity * width);
  }
  return block;
}
