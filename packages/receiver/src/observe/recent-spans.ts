/**
 * Which spans have been seen lately: delivery is at least once, counting must be exactly once.
 *
 * Two generations of at most `horizon` spans each: a span is remembered for at least `horizon`
 * further ones. Ids are kept as 64-bit hashes of trace id and span id: with a million of them a new
 * span is taken for a seen one with a probability of 5e-14. 24 bytes a span and generation.
 */

const ID_WORDS = 6;

/** One generation: an open-addressed table, at most half full, and the order of arrival. */
class Generation {
  readonly number: number;
  /** Pairs of 32-bit words in the order of arrival, which is what is stored. */
  readonly hashes: Int32Array;
  count = 0;
  saved = 0;
  /** The same pairs in their slots, so that a lookup touches one cache line; (0, 0) is free. */
  private readonly table: Int32Array;

  constructor(number: number, capacity: number) {
    this.number = number;
    this.hashes = new Int32Array(2 * capacity);
    this.table = new Int32Array(2 * 2 ** Math.ceil(Math.log2(2 * capacity)));
  }

  /** Where a hash is in the table, or the free place where it belongs. */
  placeOf(high: number, low: number): number {
    const { table } = this;
    const mask = table.length - 1;
    let place = (high << 1) & mask;
    while (table[place] !== high || table[place + 1] !== low) {
      if (table[place] === 0 && table[place + 1] === 0) break;
      place = (place + 2) & mask;
    }
    return place;
  }

  isFree(place: number): boolean {
    return this.table[place] === 0 && this.table[place + 1] === 0;
  }

  add(place: number, high: number, low: number): void {
    this.table[place] = high;
    this.table[place + 1] = low;
    this.hashes[2 * this.count] = high;
    this.hashes[2 * this.count + 1] = low;
    this.count++;
  }
}

/** A part of the set as it is stored: hashes in the order of arrival. */
export interface SavedSpans {
  readonly generation: number;
  readonly from: number;
  readonly bytes: Uint8Array;
}

/** A bounded set of span ids. */
export class RecentSpans {
  private readonly horizon: number;
  private current: Generation;
  private previous: Generation | undefined;
  private high = 0;
  private low = 0;

  /** @param horizon spans that are remembered at least; 0 remembers none */
  constructor(horizon: number) {
    this.horizon = horizon;
    this.current = new Generation(0, Math.max(1, horizon));
  }

  /** Adds a span; false when it is here already. The ids lie at the offsets in `view`. */
  add(view: DataView, traceIdAt: number, spanIdAt: number): boolean {
    if (this.horizon === 0) return true;
    this.hash(view, traceIdAt, spanIdAt);
    return this.addHash(this.high, this.low);
  }

  /** What has come since the last call, to be stored; generations before `oldest` are forgotten. */
  unsaved(): { parts: SavedSpans[]; oldest: number } {
    const generations = [this.previous, this.current].filter((one) => one !== undefined);
    const parts = generations.flatMap((generation) => {
      const { number, hashes, saved, count } = generation;
      if (saved === count) return [];
      generation.saved = count;
      const { buffer } = hashes.slice(2 * saved, 2 * count);
      return [{ generation: number, from: saved, bytes: new Uint8Array(buffer) }];
    });
    return { parts, oldest: (this.previous ?? this.current).number };
  }

  /** Asks for everything to be stored again. */
  forgetSaved(): void {
    this.current.saved = 0;
    if (this.previous) this.previous.saved = 0;
  }

  /** Adds what {@link unsaved} gave, oldest first; all of it is then to be stored anew. */
  restore(parts: readonly SavedSpans[]): void {
    if (this.horizon === 0) return;
    const latest = Math.max(-1, ...parts.map(({ generation }) => generation));
    this.current = new Generation(latest + 1, this.horizon);
    for (const { bytes } of parts) {
      const hashes = new Int32Array(bytes.slice().buffer);
      for (let at = 0; at < hashes.length; at += 2) {
        this.addHash(hashes[at] as number, hashes[at + 1] as number);
      }
    }
  }

  private addHash(high: number, low: number): boolean {
    const { previous } = this;
    if (previous && !previous.isFree(previous.placeOf(high, low))) return false;
    const place = this.current.placeOf(high, low);
    if (!this.current.isFree(place)) return false;
    this.current.add(place, high, low);
    if (this.current.count === this.horizon) {
      this.previous = this.current;
      this.current = new Generation(this.previous.number + 1, this.horizon);
    }
    return true;
  }

  /** Two independent 32-bit mixes of the six words, so that ids need not be random. */
  private hash(view: DataView, traceIdAt: number, spanIdAt: number): void {
    let high = 0x2545f491;
    let low = 0x61c88647;
    for (let word = 0; word < ID_WORDS; word++) {
      const value = view.getInt32(word < 4 ? traceIdAt + 4 * word : spanIdAt + 4 * (word - 4));
      high = Math.imul(high ^ value, 0xcc9e2d51);
      high = (high << 15) | (high >>> 17);
      low = Math.imul(low ^ value, 0x1b873593);
      low = (low << 13) | (low >>> 19);
    }
    this.high = finish(high);
    // (0, 0) marks a free place.
    this.low = finish(low) || 1;
  }
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
