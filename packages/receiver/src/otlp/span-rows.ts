/**
 * What the readers hand on: the spans of one request as columns, without an object per span.
 *
 * Offsets point into {@link SpanRows.bytes}. A span's values lie at [firstValue, endValue), its
 * resource's at [resourceFirst, resourceEnd) of the same value columns. The arrays are scratch:
 * they are valid until the next read into the same SpanRows, and grow by doubling up to what the
 * largest accepted body can hold (a span takes at least 2 bytes, a value at least 4).
 */

/** The type of one value: the low {@link TYPE_BITS} bits of {@link SpanRows.valueTag}. */
export const VALUE_STRING = 1;
export const VALUE_BOOL = 2;
export const VALUE_INT = 3;
export const VALUE_DOUBLE = 4;
/** An element the reader skips on purpose: bytes, a nested list, a map, or no value at all. */
export const VALUE_OTHER = 5;

export const TYPE_BITS = 3;
export const TYPE_MASK = (1 << TYPE_BITS) - 1;

/** The smallest value on the wire is an empty list element: a tag and a length of 0. */
export const VALUE_BYTES_MIN = 2;

/** Status code of a span, as `Status.StatusCode` numbers it. */
export const STATUS_ERROR = 2;

const INITIAL_SPANS = 1024;
const INITIAL_VALUES = 16_384;

/** The columns of one request. */
export class SpanRows {
  /** The bytes that offsets refer to. */
  bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes as numbers. */
  view = new DataView(this.bytes.buffer);

  /** Spans in the columns below; rejected ones (bad ids) are not among them. */
  spanCount = 0;
  /** Start in milliseconds since the epoch; a double keeps it to about a microsecond. */
  startMs = new Float64Array(INITIAL_SPANS);
  /** End minus start, exact to a nanosecond up to 104 days; negative when the clock went back. */
  durationNs = new Float64Array(INITIAL_SPANS);
  traceId = new Int32Array(INITIAL_SPANS);
  spanId = new Int32Array(INITIAL_SPANS);
  /** Span kind as the protocol numbers it, 0 to 5. */
  kind = new Uint8Array(INITIAL_SPANS);
  /** Status code as the protocol numbers it, 0 to 2. */
  status = new Uint8Array(INITIAL_SPANS);
  resource = new Int32Array(INITIAL_SPANS);
  firstValue = new Int32Array(INITIAL_SPANS);
  endValue = new Int32Array(INITIAL_SPANS);

  resourceCount = 0;
  resourceFirst = new Int32Array(64);
  resourceEnd = new Int32Array(64);

  valueCount = 0;
  /** (key id << {@link TYPE_BITS}) | type; the ids are those of the reader's {@link KeyTable}. */
  valueTag = new Int32Array(INITIAL_VALUES);
  /** The number; 0 or 1 for booleans; the length in bytes for strings. */
  valueNumber = new Float64Array(INITIAL_VALUES);
  /** Where a string starts; meaningless for other types. */
  valueOffset = new Int32Array(INITIAL_VALUES);

  /** Spans that were left out because their ids are missing, zero, or of a wrong length. */
  rejectedSpans = 0;
  /** What was wrong with the first rejected span; empty when none was. */
  rejectedReason = "";

  /** Forgets the last request and points the offsets at the next one's bytes. */
  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.spanCount = 0;
    this.resourceCount = 0;
    this.valueCount = 0;
    this.rejectedSpans = 0;
    this.rejectedReason = "";
  }

  /** Makes room for one more span. */
  growSpans(): void {
    const size = this.startMs.length * 2;
    this.startMs = grown(this.startMs, new Float64Array(size));
    this.durationNs = grown(this.durationNs, new Float64Array(size));
    this.traceId = grown(this.traceId, new Int32Array(size));
    this.spanId = grown(this.spanId, new Int32Array(size));
    this.kind = grown(this.kind, new Uint8Array(size));
    this.status = grown(this.status, new Uint8Array(size));
    this.resource = grown(this.resource, new Int32Array(size));
    this.firstValue = grown(this.firstValue, new Int32Array(size));
    this.endValue = grown(this.endValue, new Int32Array(size));
  }

  /** Makes room for one more resource. */
  growResources(): void {
    const size = this.resourceFirst.length * 2;
    this.resourceFirst = grown(this.resourceFirst, new Int32Array(size));
    this.resourceEnd = grown(this.resourceEnd, new Int32Array(size));
  }

  /** Makes room for `more` values, so that {@link pushValue} need not look. */
  reserveValues(more: number): void {
    if (this.valueCount + more <= this.valueTag.length) return;
    let size = this.valueTag.length * 2;
    while (size < this.valueCount + more) size *= 2;
    this.valueTag = grown(this.valueTag, new Int32Array(size));
    this.valueNumber = grown(this.valueNumber, new Float64Array(size));
    this.valueOffset = grown(this.valueOffset, new Int32Array(size));
  }

  /** Appends one value to reserved room; `number` is the length in bytes for strings. */
  pushValue(key: number, type: number, number: number, offset: number): void {
    const at = this.valueCount++;
    this.valueTag[at] = (key << TYPE_BITS) | type;
    this.valueNumber[at] = number;
    this.valueOffset[at] = offset;
  }
}

function grown<A extends Float64Array | Int32Array | Uint8Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
