/**
 * Writes protobuf messages into one buffer that grows. A message's length stands before it and is
 * known behind it: it is written where one byte has been left, and what follows moves if it needs
 * more. Reflection takes twice the time, as it makes an object of every field first.
 * https://protobuf.dev/programming-guides/encoding/
 */

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_BYTES = 2;
/** What one field may need beside its bytes: a tag and a length. */
const HEAD_BYTES = 16;
const FIRST_BYTES = 65_536;
/** Longest text in bytes, by its length: a character of UTF-16 has at most three. */
const UTF8_MAX = 3;

/** One message, which may hold others. Fields come in the order in which they are written. */
export class MessageWriter {
  private buffer: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  private at = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.at;
  }

  /** Begins a message within the present one. */
  begin(field: number): number {
    this.reserve(HEAD_BYTES);
    this.tag(field, WIRE_BYTES);
    return ++this.at;
  }

  /** Ends what {@link begin} has begun. */
  end(begin: number): void {
    const length = this.at - begin;
    let more = 0;
    for (let rest = length >>> 7; rest > 0; rest >>>= 7) more++;
    if (more > 0) {
      this.reserve(more);
      this.buffer.copyWithin(begin + more, begin, this.at);
    }
    this.at = begin - 1;
    this.varint(length);
    this.at += length;
  }

  text(field: number, text: string): void {
    this.reserve(HEAD_BYTES + UTF8_MAX * text.length);
    const begin = this.begin(field);
    this.at += this.buffer.write(text, this.at);
    this.end(begin);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.reserve(HEAD_BYTES + bytes.length);
    this.tag(field, WIRE_BYTES);
    this.varint(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  double(field: number, value: number): void {
    this.reserve(HEAD_BYTES);
    this.tag(field, WIRE_FIXED64);
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  /** A count: a whole number that is not negative, and below 2^53. */
  fixed64(field: number, value: number): void {
    this.time(field, Math.floor(value / 2 ** 32), value % 2 ** 32);
  }

  /** 64 bits, as two halves. */
  time(field: number, high: number, low: number): void {
    this.reserve(HEAD_BYTES);
    this.tag(field, WIRE_FIXED64);
    this.at = this.buffer.writeUInt32LE(low, this.at);
    this.at = this.buffer.writeUInt32LE(high, this.at);
  }

  /** A small number or a truth value; left out when it is 0, which is what it then means. */
  small(field: number, value: number): void {
    if (value === 0) return;
    this.reserve(HEAD_BYTES);
    this.tag(field, WIRE_VARINT);
    this.varint(value);
  }

  /** A number that may be negative, of 32 bits. */
  signed(field: number, value: number): void {
    this.small(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  doubles(field: number, values: readonly number[]): void {
    this.reserve(HEAD_BYTES + 8 * values.length);
    const begin = this.begin(field);
    for (const value of values) this.at = this.buffer.writeDoubleLE(value, this.at);
    this.end(begin);
  }

  /** Counts of eight bytes each. */
  counts(field: number, counts: ArrayLike<number>): void {
    this.reserve(HEAD_BYTES + 8 * counts.length);
    const begin = this.begin(field);
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at] as number;
      this.at = this.buffer.writeUInt32LE(count % 2 ** 32, this.at);
      this.at = this.buffer.writeUInt32LE(Math.floor(count / 2 ** 32), this.at);
    }
    this.end(begin);
  }

  /** Counts of as many bytes as each needs. */
  varints(field: number, counts: ArrayLike<number>): void {
    this.reserve(HEAD_BYTES + 8 * counts.length);
    const begin = this.begin(field);
    for (let at = 0; at < counts.length; at++) this.varint(counts[at] as number);
    this.end(begin);
  }

  /** All that was written; the writer is of no use afterwards. */
  finish(): Uint8Array {
    return this.buffer.subarray(0, this.at);
  }

  private tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  private varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.buffer[this.at++] = (rest % 128) + 128;
    this.buffer[this.at++] = rest;
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.buffer.length, this.at + bytes));
    larger.set(this.buffer.subarray(0, this.at));
    this.buffer = larger;
  }
}
