/**
 * What the reader hands on: the spans of one request as columns, without an object per span.
 *
 * Offsets point into {@link SpanRows.bytes}. A span's values lie at [firstValue, endValue), its
 * resource's at [resourceFirst, resourceEnd) of the same value columns, its scope's likewise. The
 * columns are views of the decoder's memory: they are valid until its next read, and longer than
 * their counts say.
 */
import { rejectionOf } from "./trace-faults.js";
import type { TraceInstance } from "./trace-instance.js";
import { REPORT } from "./trace-instance.js";

/** The type of one value: the low {@link TYPE_BITS} bits of {@link SpanRows.valueTag}. */
export const VALUE_STRING = 1;
export const VALUE_BOOL = 2;
export const VALUE_INT = 3;
export const VALUE_DOUBLE = 4;
/** An element the reader skips on purpose: bytes, a nested list, a map, or no value at all. */
export const VALUE_OTHER = 5;
/**
 * An event of the span that somebody wants: the number is its time in milliseconds since the epoch,
 * and the offset how many of the values behind it are its attributes.
 */
export const VALUE_EVENT = 6;

export const TYPE_BITS = 3;
export const TYPE_MASK = (1 << TYPE_BITS) - 1;

/** Status code of a span, as `Status.StatusCode` numbers it. */
export const STATUS_ERROR = 2;

/** The columns of one request. */
export class SpanRows {
  /** The bytes that offsets refer to. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes as numbers. */
  view = new DataView(this.bytes.buffer);

  /** Spans in the columns below; rejected ones (bad ids) are not among them. */
  spanCount = 0;
  /** Start in milliseconds since the epoch; a double keeps it to about a microsecond. */
  startMs = new Float64Array(0);
  /** End minus start, exact to a nanosecond up to 104 days; negative when the clock went back. */
  durationNs = new Float64Array(0);
  traceId = new Int32Array(0);
  spanId = new Int32Array(0);
  /** Span kind as the protocol numbers it, 0 to 5. */
  kind = new Uint8Array(0);
  /** Status code as the protocol numbers it, 0 to 2. */
  status = new Uint8Array(0);
  /** Where the parent's id is; negative when the span has none. */
  parentId = new Int32Array(0);
  resource = new Int32Array(0);
  scope = new Int32Array(0);
  /** Where the name's length is, as a varint before the name; negative when the span has none. */
  nameAt = new Int32Array(0);
  firstValue = new Int32Array(0);
  endValue = new Int32Array(0);

  resourceCount = 0;
  resourceFirst = new Int32Array(0);
  resourceEnd = new Int32Array(0);

  scopeCount = 0;
  scopeFirst = new Int32Array(0);
  scopeEnd = new Int32Array(0);
  /** Where the scope's name is, and its length in bytes. */
  scopeName = new Int32Array(0);
  scopeNameLength = new Int32Array(0);

  valueCount = 0;
  /** (key id << {@link TYPE_BITS}) | type; the ids are those of the reader's {@link KeyTable}. */
  valueTag = new Int32Array(0);
  /** The number; 0 or 1 for booleans; the length in bytes for strings. */
  valueNumber = new Float64Array(0);
  /** Where a string starts; meaningless for other types. */
  valueOffset = new Int32Array(0);

  /** Spans that were left out because their ids are missing, zero, or of a wrong length. */
  rejectedSpans = 0;
  /** What was wrong with the first rejected span; empty when none was. */
  rejectedReason = "";

  /** Shows what a decoder has read from these bytes. */
  point(bytes: Uint8Array, { report, buffer }: TraceInstance): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.spanCount = report[REPORT.spanCount] as number;
    this.resourceCount = report[REPORT.resourceCount] as number;
    this.scopeCount = report[REPORT.scopeCount] as number;
    this.valueCount = report[REPORT.valueCount] as number;
    this.rejectedSpans = report[REPORT.rejectedCount] as number;
    this.rejectedReason = rejectionOf(report[REPORT.rejectedReason] as number);
    const spansAt = report[REPORT.spansAt] as number;
    const valuesAt = report[REPORT.valuesAt] as number;
    const resourcesAt = report[REPORT.resourcesAt] as number;
    const scopesAt = report[REPORT.scopesAt] as number;
    if (isElsewhere(this.startMs, buffer, spansAt)) {
      this.pointSpans(buffer, spansAt, report[REPORT.spanCapacity] as number);
    }
    if (isElsewhere(this.valueNumber, buffer, valuesAt)) {
      this.pointValues(buffer, valuesAt, report[REPORT.valueCapacity] as number);
    }
    if (isElsewhere(this.resourceFirst, buffer, resourcesAt)) {
      this.pointResources(buffer, resourcesAt, report[REPORT.resourceCapacity] as number);
    }
    if (isElsewhere(this.scopeFirst, buffer, scopesAt)) {
      this.pointScopes(buffer, scopesAt, report[REPORT.scopeCapacity] as number);
    }
  }

  /** The columns lie one behind the other, as assembly/columns.ts has put them. */
  private pointSpans(buffer: ArrayBuffer, at: number, capacity: number): void {
    const wordsAt = at + 16 * capacity;
    const words = (column: number) =>
      new Int32Array(buffer, wordsAt + column * 4 * capacity, capacity);
    this.startMs = new Float64Array(buffer, at, capacity);
    this.durationNs = new Float64Array(buffer, at + 8 * capacity, capacity);
    this.traceId = words(0);
    this.spanId = words(1);
    this.resource = words(2);
    this.firstValue = words(3);
    this.endValue = words(4);
    this.parentId = words(5);
    this.scope = words(6);
    this.nameAt = words(7);
    this.kind = new Uint8Array(buffer, at + 48 * capacity, capacity);
    this.status = new Uint8Array(buffer, at + 49 * capacity, capacity);
  }

  private pointValues(buffer: ArrayBuffer, at: number, capacity: number): void {
    this.valueNumber = new Float64Array(buffer, at, capacity);
    this.valueTag = new Int32Array(buffer, at + 8 * capacity, capacity);
    this.valueOffset = new Int32Array(buffer, at + 12 * capacity, capacity);
  }

  private pointResources(buffer: ArrayBuffer, at: number, capacity: number): void {
    this.resourceFirst = new Int32Array(buffer, at, capacity);
    this.resourceEnd = new Int32Array(buffer, at + 4 * capacity, capacity);
  }

  private pointScopes(buffer: ArrayBuffer, at: number, capacity: number): void {
    const words = (column: number) => new Int32Array(buffer, at + column * 4 * capacity, capacity);
    this.scopeFirst = words(0);
    this.scopeEnd = words(1);
    this.scopeName = words(2);
    this.scopeNameLength = words(3);
  }
}

/** Whether a column is not where this place is: the table has moved, or its memory has grown. */
function isElsewhere(column: Float64Array | Int32Array, buffer: ArrayBuffer, at: number): boolean {
  return column.buffer !== buffer || column.byteOffset !== at;
}
