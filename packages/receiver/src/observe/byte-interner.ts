/**
 * Strings by their bytes: the same bytes give the same small integer, and are decoded once.
 * Cost: one pass over the bytes (FNV-1a) and a comparison; no allocation for known strings.
 */

/** The string is not valid UTF-8. */
export const INTERN_INVALID = -1;
/** There is no room for another string. */
export const INTERN_FULL = -2;

const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
const STRING_BYTES_MAX = 256;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Maps byte strings to ids 0, 1, 2, … in the order in which they are first seen. */
export class ByteInterner {
  private readonly capacity: number;
  private readonly strings: string[] = [];
  private readonly starts: number[] = [0];
  private arena = new Uint8Array(4096);
  /** Open addressing, at most half full; id + 1 per slot, 0 when free. */
  private readonly slots: Int32Array;

  /** @param capacity how many strings there may be; each takes at most 256 bytes. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.slots = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2)));
  }

  /** The id of the bytes at [start, start + length), or one of the INTERN_ constants. */
  intern(bytes: Uint8Array, start: number, length: number): number {
    const mask = this.slots.length - 1;
    let hash = FNV_OFFSET;
    for (let i = start; i < start + length; i++) {
      hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    }
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const id = (this.slots[slot] as number) - 1;
      if (id < 0) return this.add(bytes, start, length, slot);
      if (this.same(id, bytes, start, length)) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** The string of an id; empty for ids that {@link intern} did not return. */
  text(id: number): string {
    return this.strings[id] ?? "";
  }

  private same(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    const from = this.starts[id] as number;
    if ((this.starts[id + 1] as number) - from !== length) return false;
    for (let i = 0; i < length; i++) {
      if (this.arena[from + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  private add(bytes: Uint8Array, start: number, length: number, slot: number): number {
    const id = this.strings.length;
    if (id >= this.capacity || length > STRING_BYTES_MAX) return INTERN_FULL;
    const text = bytes.subarray(start, start + length);
    try {
      this.strings.push(decoder.decode(text));
    } catch {
      return INTERN_INVALID;
    }
    const from = this.starts[id] as number;
    if (from + length > this.arena.length) {
      const grown = new Uint8Array(Math.max(this.arena.length * 2, from + length));
      grown.set(this.arena);
      this.arena = grown;
    }
    this.arena.set(text, from);
    this.starts.push(from + length);
    this.slots[slot] = id + 1;
    return id;
  }
}
