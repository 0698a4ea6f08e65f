/**
 * Protocol Buffers' wire format, as far as a reader needs it: varints, fields and skipping.
 * https://protobuf.dev/programming-guides/encoding/
 *
 * Positions are addresses. A function that fails returns {@link FAULT} and leaves what was wrong in
 * {@link faultCode}; the words for it are on the other side (src/otlp/trace-faults.ts).
 */
import * as FAULTS from "./faults";

/** Returned instead of a position when the bytes are no valid message. */
export const FAULT: usize = 0;

const WIRE_VARINT: u32 = 0;
const WIRE_FIXED64: u32 = 1;
const WIRE_LENGTH: u32 = 2;
const WIRE_GROUP: u32 = 3;
const WIRE_GROUP_END: u32 = 4;
const WIRE_FIXED32: u32 = 5;
/** In a message's schema: a field that is reserved, whatever its type. */
const ANY_TYPE: u32 = 7;

/** Groups are long deprecated; nobody nests them deeper on purpose. */
const GROUP_DEPTH_MAX: i32 = 32;
/** Tags and lengths have 32 bits; many decoders refuse one that takes more bytes than it need. */
const SHORT_VARINT_BYTES_MAX: usize = 5;

/** The last varint, tag or length. */
export let number: u64 = 0;

/** What was wrong: one of {@link FAULTS}, where, and a number that belongs to its words. */
export let faultCode: i32 = 0;
export let faultAt: usize = 0;
export let faultDetail: f64 = 0;

/** Forgets the last body's fault. */
export function clearFault(): void {
  faultCode = 0;
}

/** Says what is wrong at an address. */
export function fault(code: i32, at: usize, detail: f64 = 0): usize {
  faultCode = code;
  faultAt = at;
  faultDetail = detail;
  return FAULT;
}

/** Reads a varint into {@link number}; returns the position after it. */
export function varint(at: usize, end: usize): usize {
  let bits: u64 = 0;
  let p = at;
  for (let shift: u64 = 0; p < end; shift += 7) {
    const byte = <u64>load<u8>(p++);
    if (shift == 63 && byte > 1) return fault(FAULTS.VARINT_TOO_LONG, at);
    bits |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      number = bits;
      return p;
    }
  }
  return fault(FAULTS.VARINT_CUT_OFF, at);
}

/** Reads a length and checks that as many bytes follow; the length is in {@link number}. */
export function length(at: usize, end: usize): usize {
  const p = varint(at, end);
  if (!p) return FAULT;
  if (p - at > SHORT_VARINT_BYTES_MAX) return fault(FAULTS.LENGTH_TOO_LONG, at);
  if (number > <u64>(end - p)) return fault(FAULTS.PAST_END, at, <f64>number);
  return p;
}

/** Reads a tag into {@link number}; field number 0 is a fault. */
export function tag(at: usize, end: usize): usize {
  const p = varint(at, end);
  if (!p) return FAULT;
  if (number > u32.MAX_VALUE || number < 8 || p - at > SHORT_VARINT_BYTES_MAX) {
    return fault(FAULTS.NUMBER_IMPOSSIBLE, at);
  }
  return p;
}

/**
 * Skips the value of a field of this wire type; returns the position after it. The tag must still
 * be in {@link number}: a group ends with the number that it began with.
 */
export function skip(at: usize, end: usize, wireType: u32, depth: i32 = 0): usize {
  if (wireType == WIRE_LENGTH) {
    const p = length(at, end);
    return p ? p + <usize>number : FAULT;
  }
  if (wireType == WIRE_VARINT) return varint(at, end);
  if (wireType == WIRE_FIXED64) return end - at >= 8 ? at + 8 : fault(FAULTS.FIXED64_CUT_OFF, at);
  if (wireType == WIRE_FIXED32) return end - at >= 4 ? at + 4 : fault(FAULTS.FIXED32_CUT_OFF, at);
  if (wireType == WIRE_GROUP) return skipGroup(at, end, depth);
  if (wireType == WIRE_GROUP_END) return fault(FAULTS.GROUP_NOT_BEGUN, at);
  return fault(FAULTS.WIRE_TYPE_UNKNOWN, at, <f64>wireType);
}

function skipGroup(at: usize, end: usize, depth: i32): usize {
  if (depth >= GROUP_DEPTH_MAX) return fault(FAULTS.GROUPS_TOO_DEEP, at);
  const groupEnd = (number & ~7) | WIRE_GROUP_END;
  let p = at;
  while (p < end) {
    p = tag(p, end);
    if (!p) return FAULT;
    const wireType = <u32>number & 7;
    if (wireType == WIRE_GROUP_END) {
      return number == groupEnd ? p : fault(FAULTS.GROUP_ENDS_OTHER, at);
    }
    p = skip(p, end, wireType, depth + 1);
    if (!p) return FAULT;
  }
  return fault(FAULTS.GROUP_NO_END, at);
}

/**
 * Whether a tag's wire type contradicts the message's schema: three bits for each field number, and
 * {@link ANY_TYPE} where the wire type does not matter.
 */
export function contradicts(tag: u32, types: u64, count: u32): bool {
  const field = tag >> 3;
  if (field >= count) return false;
  const type = <u32>(types >> (3 * field)) & 7;
  return type != (tag & 7) && type != ANY_TYPE;
}
