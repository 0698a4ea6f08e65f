/**
 * A growing buffer that protobuf fields are appended to. A message's length precedes it and is
 * known only at its end: room for the likely size of the length is left, and the message is moved
 * in the rare case that it was wrong.
 * https://protobuf.dev/programming-guides/encoding/
 */

const FIRST_BYTES = 1024;
/** A longer text is left to the platform, whose call costs as much as a loop over 40 characters. */
const LOOPED_CHARS_MAX = 40;
/** A UTF-16 unit becomes at most three bytes. */
const UTF8_BYTES_PER_UNIT = 3;
const VARINT32_BYTES_MAX = 5;
const TWO_32 = 2 ** 32;
const NS_PER_MS = 1e6;
/** Field 2 of a KeyValue, its value, is length-delimited. */
const VALUE_TAG = 0x12;

const encoder = new TextEncoder();

/** Appends; what has been written is `bytes` up to `length`. */
export class ByteWriter {
  bytes = new Uint8Array(FIRST_BYTES);
  length = 0;
  private view = new DataView(this.bytes.buffer);

  /** A copy of what has been written. */
  written(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** Makes room for `count` more bytes; the plain writing methods rely on it. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** One byte, such as a tag below 16; needs 1 reserved. */
  byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  /** Bytes that were made before; reserves. */
  copy(bytes: Uint8Array): void {
    const { length } = bytes;
    this.reserve(length);
    const target = this.bytes;
    let at = this.length;
    // Keys have about twenty bytes, for which a loop is faster than a call.
    for (let index = 0; index < length; index++) target[at++] = bytes[index] as number;
    this.length = at;
  }

  /** An unsigned 32-bit number; needs 5 reserved. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.bytes[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** A whole number as a signed 64-bit varint; needs 10 reserved. */
  int64(value: number): void {
    if (value >= 0 && value < TWO_32) {
      this.varint(value);
      return;
    }
    let low = (value % TWO_32) >>> 0;
    let high = Math.floor(value / TWO_32) >>> 0;
    while (high > 0 || low > 0x7f) {
      this.bytes[this.length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.bytes[this.length++] = low;
  }

  /** A 64-bit float; needs 8 reserved. */
  double(value: number): void {
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** 32 bits; needs 4 reserved. */
  fixed32(value: number): void {
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** A time in milliseconds as 64 bits of nanoseconds; needs 8 reserved. */
  nanoseconds(ms: number): void {
    const ns = ms * NS_PER_MS;
    const high = Math.floor(ns / TWO_32);
    this.view.setUint32(this.length, ns - high * TWO_32, true);
    this.view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  /** 32 bits of an id, whose first byte comes first; needs 4 reserved. */
  fixed32BigEndian(value: number): void {
    this.view.setInt32(this.length, value);
    this.length += 4;
  }

  /** Hexadecimal digits as bytes, such as a trace id; needs half their number reserved. */
  hex(digits: string): void {
    const { length } = digits;
    for (let index = 0; index < length; index += 2) {
      const high = nibble(digits.charCodeAt(index));
      this.bytes[this.length++] = (high << 4) | nibble(digits.charCodeAt(index + 1));
    }
  }

  /** Length and UTF-8 of a text; reserves. Half a surrogate pair becomes U+FFFD. */
  text(text: string): void {
    const units = text.length;
    this.reserve(VARINT32_BYTES_MAX + units * UTF8_BYTES_PER_UNIT);
    if (units <= LOOPED_CHARS_MAX && this.ascii(text)) return;
    const start = this.open(units);
    const { written } = encoder.encodeInto(text, this.bytes.subarray(this.length));
    this.length += written;
    this.close(start, units);
  }

  /**
   * Leaves room for the length of a message of about `likely` bytes and returns where it begins;
   * reserves.
   */
  open(likely: number): number {
    this.reserve(VARINT32_BYTES_MAX);
    this.length += varintBytes(likely);
    return this.length;
  }

  /** Writes the length of the message that began at `start`; `likely` is what `open` was told. */
  close(start: number, likely: number): void {
    const size = this.length - start;
    const room = varintBytes(likely);
    const needed = varintBytes(size);
    if (needed !== room) {
      this.reserve(needed);
      this.bytes.copyWithin(start + needed - room, start, this.length);
    }
    this.length = start - room;
    this.varint(size);
    this.length += size;
  }

  /**
   * The beginning of a KeyValue below 128 bytes, up to its value: reserves for all of it.
   * `key` is field 1 with its tag; the value of `valueBytes` bytes is to follow.
   */
  shortHead(fieldTag: number, size: number, key: Uint8Array, valueBytes: number): void {
    this.reserve(2 + size);
    const { bytes } = this;
    let at = this.length;
    bytes[at++] = fieldTag;
    bytes[at++] = size;
    const { length } = key;
    for (let index = 0; index < length; index++) bytes[at++] = key[index] as number;
    bytes[at++] = VALUE_TAG;
    bytes[at++] = valueBytes;
    this.length = at;
  }

  /**
   * Length and characters of a text below 128 characters, if they are all ASCII; else nothing.
   * Needs 1 more than its length reserved.
   */
  ascii(text: string): boolean {
    const { length: units } = text;
    const { bytes } = this;
    let at = this.length + 1;
    for (let index = 0; index < units; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    bytes[this.length] = units;
    this.length = at;
    return true;
  }
}

function nibble(code: number): number {
  // "0" to "9" are 0x30 to 0x39; "A" to "F" and "a" to "f" end in 1 to 6.
  return code < 0x40 ? code & 0xf : (code & 0xf) + 9;
}

/** How many bytes the number takes as a varint. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
