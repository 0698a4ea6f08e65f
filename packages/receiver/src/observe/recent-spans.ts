/**
 * Which spans have been seen lately: delivery is at least once, counting must be exactly once.
 *
 * Two generations of at most `horizon` spans each: a span is remembered for at least `horizon`
 * further ones. Ids are kept as 64-bit hashes of trace id and span id: with a million of them a new
 * span is taken for a seen one with a probability of 5e-14. 24 bytes a span and generation.
 *
 * What a span costs is two misses of the cache, one a generation. So spans come in blocks: all that
 * a block needs of the tables is read first, with a dozen misses under way at a time, and only then
 * is decided.
 */

/** How many spans may be added at once: their places in both tables fit into a small cache. */
export const SPANS_AT_ONCE = 256;

/** One generation: an open-addressed table, at most half full, and the order of arrival. */
class Generation {
  number = 0;
  /** Pairs of 32-bit words in the order of arrival, which is what is stored. */
  readonly hashes: Int32Array;
  count = 0;
  saved = 0;
  /** The same pairs in their slots, so that a lookup touches one cache line; (0, 0) is free. */
  readonly table: Int32Array;

  constructor(capacity: number) {
    this.hashes = new Int32Array(2 * capacity);
    this.table = new Int32Array(2 * 2 ** Math.ceil(Math.log2(2 * capacity)));
  }

  /** Begins anew, in the same memory. */
  restart(number: number): this {
    this.number = number;
    if (this.count > 0) this.table.fill(0);
    this.count = this.saved = 0;
    return this;
  }

  has(high: number, low: number): boolean {
    const place = placeOf(this.table, high, low);
    return this.table[place + 1] !== 0;
  }

  /** Adds a hash; false when it is here already. */
  add(high: number, low: number): boolean {
    const { table, hashes, count } = this;
    const place = placeOf(table, high, low);
    if (table[place + 1] !== 0) return false;
    table[place] = high;
    table[place + 1] = low;
    hashes[2 * count] = high;
    hashes[2 * count + 1] = low;
    this.count = count + 1;
    return true;
  }
}

/** What a span takes where it is stored. */
export const SPAN_BYTES = 8;

/** A part of the set as it is stored: hashes in the order of arrival. */
export interface SavedSpans {
  readonly generation: number;
  readonly from: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A generation, and how many spans it has. */
export interface SavedGeneration {
  readonly generation: number;
  readonly count: number;
}

/** Where the ids of a request's spans lie; SpanRows are such. */
export interface SpanIds {
  readonly view: DataView;
  /** Offsets in `view`, by span. */
  readonly traceId: Int32Array;
  readonly spanId: Int32Array;
}

/** A bounded set of span ids. */
export class RecentSpans {
  private readonly horizon: number;
  private current: Generation;
  private previous: Generation | undefined;
  /** Scratch: the hashes of the present block, and which of its spans are new. */
  private readonly block = new Int32Array(2 * SPANS_AT_ONCE);
  private readonly isNew = new Uint8Array(SPANS_AT_ONCE);
  /** What {@link touch} has read, so that no compiler takes the reading for useless. */
  protected touched = 0;

  /** @param horizon spans that are remembered at least; 0 remembers none */
  constructor(horizon: number) {
    this.horizon = horizon;
    this.current = new Generation(Math.max(1, horizon));
  }

  /**
   * Adds `spans[0]` to `spans[count - 1]`, at most {@link SPANS_AT_ONCE}.
   * @returns scratch with a 1 for each that is new, and a 0 for each that was here already
   */
  add(ids: SpanIds, spans: Int32Array, count: number): Uint8Array {
    const { block, isNew } = this;
    if (this.horizon === 0) return isNew.fill(1, 0, count);
    hashBlock(block, ids, spans, count);
    this.touched = touch(this.current.table, block, count);
    if (this.previous) this.touched ^= touch(this.previous.table, block, count);
    for (let at = 0; at < count; at++) {
      isNew[at] = Number(this.addHash(block[2 * at] as number, block[2 * at + 1] as number));
    }
    return isNew;
  }

  /** What has come since the last call, to be stored, and all that is remembered by now. */
  unsaved(): { parts: SavedSpans[]; generations: SavedGeneration[] } {
    const generations = [this.previous, this.current].filter((one) => one !== undefined);
    const parts = generations.flatMap((generation) => {
      const { number, hashes, saved, count } = generation;
      if (saved === count) return [];
      generation.saved = count;
      const { buffer } = hashes.slice(2 * saved, 2 * count);
      return [{ generation: number, from: saved, bytes: new Uint8Array(buffer) }];
    });
    const counts = generations.map(({ number, count }) => ({ generation: number, count }));
    return { parts, generations: counts };
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
    this.current.restart(latest + 1);
    for (const { bytes } of parts) {
      const hashes = new Int32Array(bytes.slice().buffer);
      for (let at = 0; at < hashes.length; at += 2) {
        this.addHash(hashes[at] as number, hashes[at + 1] as number);
      }
    }
  }

  private addHash(high: number, low: number): boolean {
    if (this.previous?.has(high, low)) return false;
    if (!this.current.add(high, low)) return false;
    if (this.current.count === this.horizon) this.rotate();
    return true;
  }

  /** The current generation is full: it becomes the previous one, whose memory is used anew. */
  private rotate(): void {
    const spent = this.previous ?? new Generation(this.horizon);
    this.previous = this.current;
    this.current = spent.restart(this.previous.number + 1);
  }
}

/** Where a hash belongs in a table of which a mask is known. */
function homeOf(high: number, mask: number): number {
  return (high << 1) & mask;
}

/** Where a hash is in a table, or the free place where it would be put. */
function placeOf(table: Int32Array, high: number, low: number): number {
  const mask = table.length - 1;
  let place = homeOf(high, mask);
  while (table[place + 1] !== 0 && (table[place + 1] !== low || table[place] !== high)) {
    place = (place + 2) & mask;
  }
  return place;
}

/** Reads where the hashes of a block belong: no read waits for another, so that misses overlap. */
function touch(table: Int32Array, block: Int32Array, count: number): number {
  const mask = table.length - 1;
  let touched = 0;
  for (let at = 0; at < count; at++) {
    touched ^= table[homeOf(block[2 * at] as number, mask)] as number;
  }
  return touched;
}

function hashBlock(block: Int32Array, ids: SpanIds, spans: Int32Array, count: number): void {
  const { view, traceId, spanId } = ids;
  for (let at = 0; at < count; at++) {
    const span = spans[at] as number;
    hashInto(block, 2 * at, view, traceId[span] as number, spanId[span] as number);
  }
}

/**
 * Two independent 32-bit mixes of the six words, so that ids need not be random. The words are
 * written out: a loop over them was measured to take three times as long.
 */
function hashInto(
  block: Int32Array,
  at: number,
  view: DataView,
  traceIdAt: number,
  spanIdAt: number,
): void {
  const a = view.getInt32(traceIdAt);
  const b = view.getInt32(traceIdAt + 4);
  const c = view.getInt32(traceIdAt + 8);
  const d = view.getInt32(traceIdAt + 12);
  const e = view.getInt32(spanIdAt);
  const f = view.getInt32(spanIdAt + 4);
  const high = mixHigh(mixHigh(mixHigh(mixHigh(mixHigh(mixHigh(0x2545f491, a), b), c), d), e), f);
  const low = mixLow(mixLow(mixLow(mixLow(mixLow(mixLow(0x61c88647, a), b), c), d), e), f);
  block[at] = finish(high);
  // A low word of 0 marks a free place.
  block[at + 1] = finish(low) || 1;
}

/** Mixes a word into the one half of a hash. */
export function mixHigh(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0xcc9e2d51);
  return (mixed << 15) | (mixed >>> 17);
}

/** The same, for the other half. */
export function mixLow(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x1b873593);
  return (mixed << 13) | (mixed >>> 19);
}

/** Lets every bit of a mix have a say in every bit of the hash. */
export function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
