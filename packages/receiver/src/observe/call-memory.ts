/**
 * Which calls have been counted lately, and for whom: what people and judges say of an answer comes
 * seconds or hours after it, and is to count where the answer did.
 *
 * Two generations of at most `capacity` calls each: a call is remembered for at least `capacity`
 * further ones. A call is found by any of its keys: where its span is, its trace, the id of its
 * response or of its prediction. Keys are kept as 64-bit hashes; with 400,000 of them a key that
 * was never added is taken for another with a probability of 2e-14. A call takes 136 bytes a
 * generation, and up to twice as many where the capacity is no power of two.
 */
import { finish, mixHigh, mixLow } from "./recent-spans.js";

/** Keys of one call; further ones are not looked at. */
const KEYS_MAX = 4;
/** Of a call in 32-bit words: its group, two for each key, and the minute in which it was made. */
const CALL_WORDS = 2 + 2 * KEYS_MAX;
const KEYS_AT = 1;
const MINUTE_AT = KEYS_AT + 2 * KEYS_MAX;
/** What a call takes where it is stored. */
export const CALL_BYTES = 4 * CALL_WORDS;
/** Of a slot of the table: the hash, and the number of the call plus one. */
const SLOT_WORDS = 3;

/** Which call it is, and when it was made. */
export interface CallPlace {
  /** Minutes since the epoch. */
  readonly minute: number;
  /** Of its first key: the same in each run. */
  readonly id: number;
}

/** A call that is remembered. */
export interface RememberedCall extends CallPlace {
  readonly group: number;
}

/** The key of a span, or of a whole trace, by ids as strings of their bytes. */
export function spanKey(trace: string, span = ""): string {
  return `s${trace}${span}`;
}

/** The key of a response or a prediction by its id. */
export function idKey(id: string): string {
  return `i${id}`;
}

/** A part of the memory as it is stored: calls in the order in which they came. */
export interface SavedCalls {
  readonly generation: number;
  readonly from: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

class Generation {
  number = 0;
  count = 0;
  saved = 0;
  /** The latest one in which a call was made: they come only about in the order of their times. */
  lastMinute = Number.NEGATIVE_INFINITY;
  readonly calls: Int32Array;
  private readonly table: Int32Array;

  constructor(capacity: number) {
    this.calls = new Int32Array(CALL_WORDS * capacity);
    this.table = new Int32Array(SLOT_WORDS * 2 ** Math.ceil(Math.log2(2 * KEYS_MAX * capacity)));
  }

  restart(number: number): this {
    this.number = number;
    this.table.fill(0);
    this.calls.fill(0);
    this.count = this.saved = 0;
    this.lastMinute = Number.NEGATIVE_INFINITY;
    return this;
  }

  /** Adds a call, whose words lie at `at`; a key that another call had leads to this one now. */
  add(words: Int32Array, at: number): void {
    const { calls, table } = this;
    calls.set(words.subarray(at, at + CALL_WORDS), this.count * CALL_WORDS);
    this.lastMinute = Math.max(this.lastMinute, words[at + MINUTE_AT] as number);
    for (let key = at + KEYS_AT; key < at + MINUTE_AT; key += 2) {
      if (words[key + 1] === 0) break;
      const slot = this.slotOf(words[key] as number, words[key + 1] as number);
      table[slot] = words[key] as number;
      table[slot + 1] = words[key + 1] as number;
      table[slot + 2] = this.count + 1;
    }
    this.count++;
  }

  /** The call with a key. */
  find(high: number, low: number): RememberedCall | undefined {
    const call = (this.table[this.slotOf(high, low) + 2] as number) - 1;
    return call < 0 ? undefined : callIn(this.calls, call * CALL_WORDS);
  }

  private slotOf(high: number, low: number): number {
    const { table } = this;
    const slots = table.length / SLOT_WORDS;
    let slot = (high & (slots - 1)) * SLOT_WORDS;
    while (table[slot + 1] !== 0 && (table[slot + 1] !== low || table[slot] !== high)) {
      slot = slot + SLOT_WORDS === table.length ? 0 : slot + SLOT_WORDS;
    }
    return slot;
  }
}

/** A bounded memory; it takes no room before the first call. */
export class CallMemory {
  /** Calls of up to this minute may have been forgotten. */
  forgottenMinute = Number.NEGATIVE_INFINITY;
  private readonly capacity: number;
  private current: Generation | undefined;
  private previous: Generation | undefined;
  private readonly words = new Int32Array(CALL_WORDS);
  private readonly hash = new Int32Array(2);

  /** @param capacity calls that are remembered at least; 0 remembers none */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Remembers that the call with these keys, made in that minute, counts for a group. */
  add(keys: readonly string[], group: number, minute: number): RememberedCall {
    const { words, hash } = this;
    words.fill(0);
    words[0] = group;
    words[MINUTE_AT] = minute;
    for (const [index, key] of keys.slice(0, KEYS_MAX).entries()) {
      hashText(key, hash);
      words.set(hash, KEYS_AT + 2 * index);
    }
    if (this.capacity > 0) this.addWords(words, 0);
    return callIn(words, 0);
  }

  /** The latest call with a key. */
  find(key: string): RememberedCall | undefined {
    const { hash } = this;
    hashText(key, hash);
    const [high, low] = hash as unknown as [number, number];
    return this.current?.find(high, low) ?? this.previous?.find(high, low);
  }

  /** What has come since the last call, to be stored, and how much is remembered by now. */
  unsaved(): { parts: SavedCalls[]; generations: { generation: number; count: number }[] } {
    const generations = [this.previous, this.current].filter((one) => one !== undefined);
    const parts = generations.flatMap((generation) => {
      const { number, calls, saved, count } = generation;
      if (saved === count) return [];
      generation.saved = count;
      const { buffer } = calls.slice(saved * CALL_WORDS, count * CALL_WORDS);
      return [{ generation: number, from: saved, bytes: new Uint8Array(buffer) }];
    });
    const counts = generations.map(({ number, count }) => ({ generation: number, count }));
    return { parts, generations: counts };
  }

  /** Asks for everything to be stored again. */
  forgetSaved(): void {
    for (const generation of [this.previous, this.current]) if (generation) generation.saved = 0;
  }

  /**
   * Adds what {@link unsaved} gave, oldest first; all of it is then to be stored anew.
   * @param forgottenMinute what it was then
   */
  restore(parts: readonly SavedCalls[], forgottenMinute: number): void {
    this.forgetUpTo(forgottenMinute);
    if (this.capacity === 0 || parts.length === 0) return;
    const latest = Math.max(...parts.map(({ generation }) => generation));
    this.current = new Generation(this.capacity).restart(latest + 1);
    for (const { bytes } of parts) {
      const words = new Int32Array(bytes.slice().buffer);
      for (let at = 0; at < words.length; at += CALL_WORDS) this.addWords(words, at);
    }
  }

  private addWords(words: Int32Array, at: number): void {
    this.current ??= new Generation(this.capacity);
    this.current.add(words, at);
    if (this.current.count < this.capacity) return;
    const spent = this.previous ?? new Generation(this.capacity);
    this.forgetUpTo(spent.lastMinute);
    this.previous = this.current;
    this.current = spent.restart(this.previous.number + 1);
  }

  private forgetUpTo(minute: number): void {
    this.forgottenMinute = Math.max(this.forgottenMinute, minute);
  }
}

/** Of the first key's hash, the 53 bits that a number holds. */
function callIn(words: Int32Array, at: number): RememberedCall {
  const high = (words[at + KEYS_AT] as number) >>> 0;
  const low = (words[at + KEYS_AT + 1] as number) >>> 11;
  const minute = words[at + MINUTE_AT] as number;
  return { group: words[at] as number, minute, id: high * 2 ** 21 + low };
}

/** Two independent 32-bit mixes of a text's UTF-16 units. */
function hashText(text: string, hash: Int32Array): void {
  let high = 0x2545f491;
  let low = 0x61c88647;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = mixHigh(high, unit);
    low = mixLow(low, unit);
  }
  hash[0] = finish(high);
  // A low word of 0 marks a free place.
  hash[1] = finish(low) || 1;
}
