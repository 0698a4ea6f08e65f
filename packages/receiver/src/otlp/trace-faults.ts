/** The words for what the decoder in WebAssembly finds wrong; it knows only the numbers. */
import type { WireError } from "./wire.js";

/** Spans that are left out; the numbers are those of assembly/span.ts. */
const REJECTIONS = [
  "",
  "trace_id must be 16 bytes",
  "span_id must be 8 bytes",
  "trace_id must not be zero",
  "span_id must not be zero",
];

const field = (whose: string) => (tag: number) =>
  `${whose} field ${tag >>> 3} has the wire type ${tag & 7}`;

/** Bodies that are no trace request; the numbers are those of assembly/faults.ts. */
const FAULTS: readonly (string | ((detail: number) => string))[] = [
  "",
  "a varint is cut off",
  "a varint has more than 64 bits",
  "a length takes more than 5 bytes",
  (length) => `a field of ${length} bytes reaches past its message's end`,
  "a field has an impossible number",
  "a 64-bit value is cut off",
  "a 32-bit value is cut off",
  "a group ends that has not begun",
  (wireType) => `a field has the wire type ${wireType}, which does not exist`,
  "groups are nested too deeply",
  "a group ends with another number than it began with",
  "a group has no end",
  field("a message's"),
  field("ScopeSpans'"),
  field("Span's"),
  field("Status's"),
  field("AnyValue's"),
  "KeyValue has a field of a wrong type",
  "a list has a field of a wrong wire type",
  "attribute values are nested too deeply",
  "it holds more than 8,388,608 values, or 1,048,576 resources",
];

/** Why the first span was left out that was. */
export function rejectionOf(code: number): string {
  return REJECTIONS[code] as string;
}

/** What is wrong with a body; `detail` is the number that belongs into the words. */
export function wireErrorOf(code: number, offset: number, detail: number): WireError {
  const words = FAULTS[code] as string | ((detail: number) => string);
  return { message: typeof words === "string" ? words : words(detail), offset };
}
