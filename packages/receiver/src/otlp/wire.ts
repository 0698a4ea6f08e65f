/**
 * Protocol Buffers' wire format, as far as a reader needs it: varints, fields and skipping.
 * https://protobuf.dev/programming-guides/encoding/
 *
 * Positions are byte offsets. A function that fails returns {@link FAULT} and leaves what was wrong
 * in the cursor; nothing throws, because bodies come from strangers and failing must be cheap.
 */

/** Returned instead of a position when the bytes are no valid message. */
export const FAULT = -1;

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_LENGTH = 2;
export const WIRE_GROUP = 3;
export const WIRE_GROUP_END = 4;
export const WIRE_FIXED32 = 5;

/** Groups are long deprecated; nobody nests them deeper on purpose. */
const GROUP_DEPTH_MAX = 32;
const VARINT_BYTES_MAX = 10;
/** Tags and lengths have 32 bits; many decoders refuse one that takes more bytes than it need. */
const SHORT_VARINT_BYTES_MAX = 5;
const TWO_POW_32 = 4_294_967_296;

/** Why a body is no valid message, and where. */
export interface WireError {
  readonly message: string;
  /** Byte offset in the (inflated) body. */
  readonly offset: number;
}

/** Reads varints and fields of one body; the owner sets {@link bytes} before use. */
export class WireCursor {
  bytes: Uint8Array = new Uint8Array(0);
  error: WireError | undefined;
  /** The low and high 32 bits of the last varint, as unsigned numbers. */
  low = 0;
  high = 0;

  fault(message: string, offset: number): typeof FAULT {
    this.error ??= { message, offset };
    return FAULT;
  }

  /** Reads a varint into {@link low} and {@link high}; returns the position after it. */
  varint(at: number, end: number): number {
    const bytes = this.bytes;
    let low = 0;
    let high = 0;
    let p = at;
    for (let shift = 0; p < end && shift < 7 * VARINT_BYTES_MAX; shift += 7) {
      const byte = bytes[p++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else if (byte > 1) return this.fault("a varint has more than 64 bits", at);
      else high |= bits << 31;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return p;
      }
    }
    return this.fault(p < end ? "a varint is longer than 10 bytes" : "a varint is cut off", at);
  }

  /** Reads a length and checks that as many bytes follow; the length is in {@link low}. */
  length(at: number, end: number): number {
    if (at < end && (this.bytes[at] as number) < 0x80) {
      this.low = this.bytes[at] as number;
      this.high = 0;
      if (at + 1 + this.low <= end) return at + 1;
      return this.fault(`a field of ${this.low} bytes reaches past its message's end`, at);
    }
    const p = this.varint(at, end);
    if (p === FAULT) return FAULT;
    if (p - at > SHORT_VARINT_BYTES_MAX) return this.fault("a length takes more than 5 bytes", at);
    if (this.high !== 0 || p + this.low > end) {
      const length = this.high * TWO_POW_32 + this.low;
      return this.fault(`a field of ${length} bytes reaches past its message's end`, at);
    }
    return p;
  }

  /** Reads a tag into {@link low}; field number 0 is a fault. */
  tag(at: number, end: number): number {
    const p = this.varint(at, end);
    if (p === FAULT) return FAULT;
    if (this.high !== 0 || this.low < 8 || p - at > SHORT_VARINT_BYTES_MAX) {
      return this.fault("a field has an impossible number", at);
    }
    return p;
  }

  /**
   * Skips the value of a field of this wire type; returns the position after it. The tag must still
   * be in {@link low}: a group ends with the number that it began with.
   */
  skip(at: number, end: number, wireType: number, depth = 0): number {
    switch (wireType) {
      case WIRE_VARINT:
        return this.varint(at, end);
      case WIRE_FIXED64:
        return at + 8 <= end ? at + 8 : this.fault("a 64-bit value is cut off", at);
      case WIRE_LENGTH: {
        const p = this.length(at, end);
        return p === FAULT ? FAULT : p + this.low;
      }
      case WIRE_GROUP:
        return this.skipGroup(at, end, depth);
      case WIRE_FIXED32:
        return at + 4 <= end ? at + 4 : this.fault("a 32-bit value is cut off", at);
      case WIRE_GROUP_END:
        return this.fault("a group ends that has not begun", at);
      default:
        return this.fault(`a field has the wire type ${wireType}, which does not exist`, at);
    }
  }

  private skipGroup(at: number, end: number, depth: number): number {
    if (depth >= GROUP_DEPTH_MAX) return this.fault("groups are nested too deeply", at);
    const groupEnd = (this.low & ~7) | WIRE_GROUP_END;
    let p = at;
    while (p < end) {
      p = this.tag(p, end);
      if (p === FAULT) return FAULT;
      const wireType = this.low & 7;
      if (wireType === WIRE_GROUP_END) {
        if ((this.low | 0) === groupEnd) return p;
        return this.fault("a group ends with another number than it began with", at);
      }
      p = this.skip(p, end, wireType, depth + 1);
      if (p === FAULT) return FAULT;
    }
    return this.fault("a group has no end", at);
  }
}
