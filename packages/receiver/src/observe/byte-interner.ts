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
const STRING_WORDS_MAX = STRING_BYTES_MAX / WORD_BYTES;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Maps byte strings to ids 0, 1, 2, … in the order in which they are first seen. */
export class ByteInterner {
  private readonly capacity: number;
  private readonly strings: string[] = [];
  /** Lengths in bytes and first words, by id. */
  private readonly lengths: number[] = [];
  private readonly starts: number[] = [];
  /** The strings' bytes, four at a time; the last word of a string may overlap the one before. */
  private words = new Int32Array(1024);
  private wordCount = 0;
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
    if (this.lengths[id] !== length) return false;
    const { words } = this;
    let word = this.starts[id] as number;
    if (length < WORD_BYTES) return words[word] === shortWord(view, start, length);
    const last = start + length - WORD_BYTES;
    for (let at = start; at < last; at += WORD_BYTES) {
      if (words[word++] !== view.getInt32(at, true)) return false;
    }
    return words[word] === view.getInt32(last, true);
  }

  private add(view: DataView, start: number, length: number, slot: number): number {
    const id = this.strings.length;
    if (id >= this.capacity || length > STRING_BYTES_MAX) return INTERN_FULL;
    try {
      const text = new Uint8Array(view.buffer, view.byteOffset + start, length);
      this.strings.push(decoder.decode(text));
    } catch {
      return INTERN_INVALID;
    }
    this.lengths.push(length);
    this.starts.push(this.wordCount);
    this.addWords(view, start, length);
    this.slots[slot] = id + 1;
    return id;
  }

  private addWords(view: DataView, start: number, length: number): void {
    if (this.wordCount + STRING_WORDS_MAX > this.words.length) {
      const grown = new Int32Array(2 * this.words.length);
      grown.set(this.words);
      this.words = grown;
    }
    const last = start + length - WORD_BYTES;
    for (let at = start; at < last; at += WORD_BYTES) {
      this.words[this.wordCount++] = view.getInt32(at, true);
    }
    this.words[this.wordCount++] =
      last < start ? shortWord(view, start, length) : view.getInt32(last, true);
  }
}

/** Rotated, so that the later words of a string reach all bits, too. */
function hashOf(view: DataView, start: number, length: number): number {
  if (length < WORD_BYTES) return mix(length, shortWord(view, start, length));
  const last = start + length - WORD_BYTES;
  let hash = length;
  for (let at = start; at < last; at += WORD_BYTES) hash = mix(hash, view.getInt32(at, true));
  return mix(hash, view.getInt32(last, true));
}

/** The bytes of a string that is shorter than a word. */
function shortWord(view: DataView, start: number, length: number): number {
  let word = 0;
  for (let at = start; at < start + length; at++) word = (word << 8) | view.getUint8(at);
  return word;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, HASH_WORD);
  return (mixed << 15) | (mixed >>> 17);
}
