/**
 * Strings by their bytes: the same bytes give the same small integer, and are decoded once.
 * Cost: one pass over the bytes, four at a time, and a comparison; no allocation for known strings.
 */

/** The string is not valid UTF-8. */
export const INTERN_INVALID = -1;
/** There is no room for another string. */
export const INTERN_FULL = -2;

const WORD_BYTES = 4;
const HASH_WORD = 0x9e3779b1;
const STRING_BYTES_MAX = 256;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Maps byte strings to ids 0, 1, 2, … in the order in which they are first seen. */
export class ByteInterner {
  private readonly capacity: number;
  private readonly strings: string[] = [];
  private readonly starts: number[] = [0];
  private arena = new DataView(new ArrayBuffer(4096));
  /** Open addressing, at most half full; id + 1 per slot, 0 when free. */
  private readonly slots: Int32Array;

  /** @param capacity how many strings there may be; each takes at most 256 bytes. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  /** The id of the bytes at [start, start + length), or one of the INTERN_ constants. */
  intern(view: DataView, start: number, length: number): number {
    const mask = this.slots.length - 1;
    const hash = hashOf(view, start, length);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const id = (this.slots[slot] as number) - 1;
      if (id < 0) return this.add(view, start, length, slot);
      if (this.isText(id, view, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** The string of an id; empty for ids that {@link intern} did not return. */
  text(id: number): string {
    return this.strings[id] ?? "";
  }

  /** Whether the bytes at [start, start + length) are those of an id that {@link intern} gave. */
  isText(id: number, view: DataView, start: number, length: number): boolean {
    const { arena } = this;
    const from = this.starts[id] as number;
    if ((this.starts[id + 1] as number) - from !== length) return false;
    const whole = length - WORD_BYTES;
    let at = 0;
    for (; at <= whole; at += WORD_BYTES) {
      if (arena.getInt32(from + at, true) !== view.getInt32(start + at, true)) return false;
    }
    for (; at < length; at++) {
      if (arena.getUint8(from + at) !== view.getUint8(start + at)) return false;
    }
    return true;
  }

  private add(view: DataView, start: number, length: number, slot: number): number {
    const id = this.strings.length;
    if (id >= this.capacity || length > STRING_BYTES_MAX) return INTERN_FULL;
    const text = new Uint8Array(view.buffer, view.byteOffset + start, length);
    try {
      this.strings.push(decoder.decode(text));
    } catch {
      return INTERN_INVALID;
    }
    const from = this.starts[id] as number;
    const { byteLength } = this.arena;
    if (from + length > byteLength) {
      const grown = new Uint8Array(Math.max(byteLength * 2, from + length));
      grown.set(new Uint8Array(this.arena.buffer));
      this.arena = new DataView(grown.buffer);
    }
    new Uint8Array(this.arena.buffer).set(text, from);
    this.starts.push(from + length);
    this.slots[slot] = id + 1;
    return id;
  }
}

/** Rotated, so that the later words of a string reach all bits, too. */
function hashOf(view: DataView, start: number, length: number): number {
  const whole = start + length - WORD_BYTES;
  let hash = length;
  let at = start;
  for (; at <= whole; at += WORD_BYTES) hash = mix(hash, view.getInt32(at, true));
  for (; at < start + length; at++) hash = mix(hash, view.getUint8(at));
  return hash;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, HASH_WORD);
  return (mixed << 15) | (mixed >>> 17);
}
