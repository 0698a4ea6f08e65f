// Compact little-endian encoding shared by the summaries of this package: LEB128 integers up to
// 2^53 - 1, IEEE doubles, and a 64-bit content hash that closes every message. The hash guards
// against truncation and bit rot, not against an adversary.

/** Bytes that do not decode: truncated, corrupt, of an unknown version, or of another summary. */
export class SummaryFormatError extends Error {
  override readonly name = "SummaryFormatError";
}

const HASH_BYTES = 8;
const SPARE_BYTES_MAX = 65_536;
const INTEGER_BYTES_MAX = 8; // 2^53 - 1 needs 8 groups of 7 bits

/** The buffer of the last writer that was closed, for the next one. */
let spare: Uint8Array | undefined;

/** Append-only buffer; grows by doubling. Owned by one serialise call. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 512) {
    const reused = spare !== undefined && spare.length >= capacityBytes ? spare : undefined;
    if (reused) spare = undefined;
    this.#bytes = reused ?? new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How every message begins: the ASCII `magic` that names what it holds, and a version. */
  start(magic: string, version: number): void {
    for (let i = 0; i < magic.length; i++) this.byte(magic.charCodeAt(i));
    this.byte(version);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** LEB128 of an integer in [0, 2^53). */
  integer(value: number): void {
    this.#reserve(INTEGER_BYTES_MAX);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written, followed by its content hash; the writer is done. */
  closed(): Uint8Array {
    const content = this.#bytes.subarray(0, this.#length);
    const out = new Uint8Array(this.#length + HASH_BYTES);
    out.set(content);
    out.set(contentHash(content), this.#length);
    if (this.#bytes.length <= SPARE_BYTES_MAX) spare = this.#bytes;
    return out;
  }

  #reserve(extraBytes: number): void {
    const needed = this.#length + extraBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/**
 * Reads what a ByteWriter closed. The hash and the magic are checked before anything else, so no
 * length taken from corrupt bytes is ever trusted; the caller still bounds each length by
 * `remaining` before it allocates.
 */
export class ByteReader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at = 0;

  /** @throws SummaryFormatError when `bytes` is not a closed message that starts with `magic`. */
  constructor(bytes: Uint8Array, magic: string, version: number, what: string) {
    this.#what = what;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length - HASH_BYTES;
    if (this.#end < magic.length + 1) this.fail(`${bytes.length} bytes are too few`);
    for (let i = 0; i < magic.length; i++) {
      if (bytes[i] !== magic.charCodeAt(i)) this.fail(`does not start with "${magic}"`);
    }
    this.#at = magic.length;
    const found = this.byte();
    if (found !== version) this.fail(`version ${found} is unknown, expected ${version}`);
    const hash = contentHash(bytes.subarray(0, this.#end));
    for (let i = 0; i < HASH_BYTES; i++) {
      if (bytes[this.#end + i] !== hash[i]) this.fail("content hash does not match");
    }
  }

  /** Bytes left before the closing hash. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  integer(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < INTEGER_BYTES_MAX; i++) {
      const next = this.byte();
      value += (next & 127) * scale;
      if (next < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    return this.fail("an integer exceeds 2^53");
  }

  /** An integer that counts things of which each takes at least `bytesEach` of what remains. */
  length(bytesEach: number): number {
    const value = this.integer();
    if (value * bytesEach > this.remaining) this.fail(`${value} items exceed the message`);
    return value;
  }

  double(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  raw(lengthBytes: number): Uint8Array {
    this.#need(lengthBytes);
    this.#at += lengthBytes;
    return this.#bytes.subarray(this.#at - lengthBytes, this.#at);
  }

  /** Asserts that everything was read. */
  finish(): void {
    if (this.remaining !== 0) this.fail(`${this.remaining} bytes are left over`);
  }

  fail(reason: string): never {
    throw new SummaryFormatError(`${this.#what}: ${reason}`);
  }

  #need(bytes: number): void {
    if (this.remaining < bytes) this.fail("ends too early");
  }
}

/** Asserts that what was read can be a count with its extremes. @throws SummaryFormatError */
export function checkExtremes(
  input: ByteReader,
  summary: { readonly count: number; readonly min: number; readonly max: number },
): void {
  const { count, min, max } = summary;
  if (!Number.isSafeInteger(count)) input.fail(`${count} values exceed 2^53`);
  const fits = count === 0 ? min === Infinity && max === -Infinity : min <= max;
  if (!fits) input.fail(`extremes ${min} and ${max} of ${count} values`);
}

/** 64-bit hash of `bytes` (two 32-bit multiplicative lanes), little-endian, 8 bytes. */
export function contentHash(bytes: Uint8Array): Uint8Array {
  let a = 0x9e3779b9 ^ bytes.length;
  let b = 0x7f4a7c15;
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul((b ^ byte ^ (a >>> 15)) | 0, 0x5bd1e995);
    b ^= b >>> 13;
  }
  const out = new Uint8Array(HASH_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(0, scramble(a ^ (b >>> 7)), true);
  view.setUint32(4, scramble(b), true);
  return out;
}

/** The hash that closes a message, as 16 hexadecimal digits. */
export function closingHash(message: Uint8Array): string {
  let text = "";
  for (const byte of message.subarray(message.length - HASH_BYTES)) {
    text += byte.toString(16).padStart(2, "0");
  }
  return text;
}

function scramble(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
