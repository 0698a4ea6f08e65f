// The buckets of one sign of an exponential histogram: a window of neighbouring indexes.

import type { ByteReader, ByteWriter } from "./summary-bytes.js";

/** Added to an index to make it positive: at scale 20 they reach from -1075 to 1024, times 2^20. */
const INDEX_BOUND = 2 ** 31;
const FINEST_MIN = -1075 * 2 ** 20;
const FINEST_MAX = 1024 * 2 ** 20 - 1;

/** Counts by bucket index; all indexes with a count lie within `lengthMax` of each other. */
export class ExponentialBuckets {
  readonly #lengthMax: number;
  /** Ring: bucket `index` is at index modulo its length. */
  readonly #ring: Float64Array;
  #first = 0;
  #last = -1;
  #total = 0;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
    this.#ring = new Float64Array(lengthMax);
  }

  /** Values in all buckets. */
  get total(): number {
    return this.#total;
  }

  /** Index of the first bucket with a count; 0 when there is none. */
  get offset(): number {
    return this.#first;
  }

  /** Counts from `offset` on, the last one positive: as exported. */
  counts(): Float64Array {
    const length = this.#last - this.#first + 1;
    return Float64Array.from({ length }, (_, i) => this.#at(this.#first + i));
  }

  /** Bucket indexes and positive counts, ascending. */
  entries(): [index: number, count: number][] {
    const entries: [number, number][] = [];
    for (let index = this.#first; index <= this.#last; index++) {
      const count = this.#at(index);
      if (count > 0) entries.push([index, count]);
    }
    return entries;
  }

  /** Adds `count` values to a bucket; false, with nothing done, when it lies too far off. */
  increase(index: number, count: number): boolean {
    if (this.#total === 0) {
      this.#first = index;
      this.#last = index;
    }
    const first = Math.min(this.#first, index);
    const last = Math.max(this.#last, index);
    if (last - first >= this.#lengthMax) return false;
    this.#first = first;
    this.#last = last;
    const slot = this.#slot(index);
    this.#ring[slot] = (this.#ring[slot] as number) + count;
    this.#total += count;
    return true;
  }

  /** Joins 2^by neighbours into one bucket. */
  coarsen(by: number): void {
    const entries = this.entries();
    this.#ring.fill(0);
    this.#total = 0;
    this.#first = 0;
    this.#last = -1;
    for (const [index, count] of entries) this.increase(index >> by, count);
  }

  /** The bucket of the value of a rank, 1 the smallest. */
  indexOfRank(rank: number): number {
    let index = this.#first;
    let upTo = this.#at(index);
    while (upTo < rank && index < this.#last) upTo += this.#at(++index);
    return index;
  }

  write(out: ByteWriter): void {
    const counts = this.counts();
    out.integer(counts.length);
    if (counts.length > 0) out.integer(this.#first + INDEX_BOUND);
    for (const count of counts) out.integer(count);
  }

  /**
   * Reads `write` into an empty instance, whose scale is by `coarser` below 20.
   *
   * @throws SummaryFormatError
   */
  read(input: ByteReader, coarser: number): void {
    const length = input.length(1);
    if (length === 0) return;
    if (length > this.#lengthMax) input.fail(`${length} buckets exceed ${this.#lengthMax}`);
    const first = input.integer() - INDEX_BOUND;
    const last = first + length - 1;
    if (first < FINEST_MIN >> coarser || last > FINEST_MAX >> coarser) {
      input.fail(`buckets ${first} to ${last} hold no number at scale ${20 - coarser}`);
    }
    for (let i = 0; i < length; i++) {
      const count = input.integer();
      const outer = i === 0 || i === length - 1;
      if (outer && count === 0) input.fail("an outer bucket is empty");
      if (count > 0) this.increase(first + i, count);
    }
  }

  #slot(index: number): number {
    const slot = index % this.#lengthMax;
    return slot < 0 ? slot + this.#lengthMax : slot;
  }

  #at(index: number): number {
    return this.#ring[this.#slot(index)] as number;
  }
}
