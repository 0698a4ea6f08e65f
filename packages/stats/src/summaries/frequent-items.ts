// Frequent items of a stream of strings in bounded memory: Misra-Gries with the reverse purge of
// Anderson, Bevin, Lang, Liberty, Rhodes, Thaler, "A high-performance algorithm for identifying
// frequent items in data streams" (IMC 2017), as in Apache DataSketches.
//
// Guarantee: lowerBound <= true count <= upperBound, and the two differ by at most `error`, which
// is at most 3.5/mapSize of all rows: a purge subtracts the median of the counters, at least half
// of .75 mapSize, hence the subtracted sum is at most 8/3 of all rows by mapSize. Exact until more
// than .75 mapSize items were seen. Merging keeps the guarantee.
// Cost: at most .75 mapSize items; amortised O(log mapSize) an add.

import { wellFormed } from "./category-counts.js";
import { readFrequentItems, writeFrequentItems } from "./frequent-items-bytes.js";
import type { Summary } from "./summary.js";

/** mapSize unless said otherwise: 768 items, error .34 %. */
export const FREQUENT_MAP_SIZE_DEFAULT = 1024;
/** Smallest and largest mapSize of the serialised form that is accepted. */
export const FREQUENT_MAP_SIZE_MIN = 8;
export const FREQUENT_MAP_SIZE_MAX = 65_536;
/** UTF-16 units of the longest item; 768 items of the default size then take at most 1.5 MB. */
export const FREQUENT_ITEM_LENGTH_MAX = 1024;

const LOAD = 0.75;
const ERROR_FACTOR = 3.5;

export interface FrequentItemsOptions {
  /** A power of two, 8 to 65,536 (default 1,024): the error is 3.5/mapSize of all rows. */
  readonly mapSize?: number;
}

/** What the serialised form holds. */
export interface FrequentItemsContent {
  readonly mapSize: number;
  readonly count: number;
  readonly error: number;
  /** Item and lower bound. */
  readonly entries: Iterable<readonly [item: string, lowerBound: number]>;
  /** Number of entries. */
  readonly size: number;
}

/** One answer of `frequentItems`. */
export interface FrequentItem {
  readonly item: string;
  readonly lowerBound: number;
  readonly upperBound: number;
}

/** A bounded, mergeable count of the most frequent strings. */
export class FrequentItems implements Summary<FrequentItems> {
  readonly mapSize: number;
  /** Rows whose item was neither text nor bytes, or too long. */
  invalid = 0;
  /** Rows without an item: null and undefined. */
  missing = 0;
  readonly #counts = new Map<string, number>();
  #count = 0;
  #counted = 0;
  #error = 0;

  /** @throws RangeError naming mapSize when it is not a power of two in [8, 65536] */
  constructor(options: FrequentItemsOptions = {}) {
    this.mapSize = options.mapSize ?? FREQUENT_MAP_SIZE_DEFAULT;
    const inRange = this.mapSize >= FREQUENT_MAP_SIZE_MIN && this.mapSize <= FREQUENT_MAP_SIZE_MAX;
    if (!inRange || !Number.isInteger(Math.log2(this.mapSize))) {
      const range = `[${FREQUENT_MAP_SIZE_MIN}, ${FREQUENT_MAP_SIZE_MAX}]`;
      throw new RangeError(`mapSize ${this.mapSize} is not a power of two in ${range}`);
    }
  }

  /**
   * Decodes the bytes of a DataSketches `frequent_strings_sketch` (Java, C++, Python, ours).
   *
   * @throws SummaryFormatError on anything else
   */
  static deserialise(bytes: Uint8Array): FrequentItems {
    const { mapSize, count, error, entries } = readFrequentItems(bytes);
    const items = new FrequentItems({ mapSize });
    for (const [item, lowerBound] of entries) items.#increase(item, lowerBound);
    items.#count = count;
    items.#error = error;
    return items;
  }

  /** Rows with an item. */
  get count(): number {
    return this.#count;
  }

  /** Items kept. */
  get size(): number {
    return this.#counts.size;
  }

  /** Rows that no item kept accounts for: the pooled remainder. */
  get remainder(): number {
    return this.#count - this.#counted;
  }

  /** By how much upper and lower bounds differ, in rows; 0 while exact. */
  get error(): number {
    return this.#error;
  }

  /** Upper bound of `error` as a share of all rows, known beforehand: 3.5/mapSize. */
  get errorShareMax(): number {
    return ERROR_FACTOR / this.mapSize;
  }

  /**
   * Counts `times` rows of an item. Bytes are taken as UTF-8; what is not well-formed counts as
   * U+FFFD, as in the serialised form.
   *
   * @param times a positive integer
   */
  add(item: string | Uint8Array | null | undefined, times = 1): void {
    if (item === null || item === undefined) this.missing += times;
    else if (typeof item === "string") this.#addText(wellFormed(item), times);
    else if (item instanceof Uint8Array) this.#addText(UTF8.decode(item), times);
    else this.invalid += times;
  }

  /** Counts every item once. */
  addMany(items: Iterable<string | Uint8Array | null | undefined>): void {
    for (const item of items) this.add(item);
  }

  /** Rows of `item` for certain; 0 when it is not kept. */
  lowerBound(item: string): number {
    return this.#counts.get(wellFormed(item)) ?? 0;
  }

  /** Rows of `item` at most. */
  upperBound(item: string): number {
    return this.lowerBound(item) + this.#error;
  }

  /**
   * Items by falling count: those that certainly have more than `threshold` rows ("certain": none
   * that does not belong), or all that may have ("possible": none is left out).
   *
   * @param threshold in rows, at least `error`, below which nothing is known (default `error`)
   * @throws RangeError when the threshold is below `error`
   */
  frequentItems(which: "certain" | "possible", threshold: number = this.#error): FrequentItem[] {
    if (!(threshold >= this.#error)) {
      throw new RangeError(`threshold ${threshold} is below the error ${this.#error}`);
    }
    const allowance = which === "possible" ? this.#error : 0;
    const found: FrequentItem[] = [];
    for (const [item, lowerBound] of this.#counts) {
      if (lowerBound + allowance <= threshold) continue;
      found.push({ item, lowerBound, upperBound: lowerBound + this.#error });
    }
    return found.toSorted((a, b) => b.lowerBound - a.lowerBound);
  }

  /**
   * Adds everything `other` has seen; `other` is unchanged.
   *
   * @throws Error naming both map sizes when they differ
   */
  merge(other: FrequentItems): void {
    if (other.mapSize !== this.mapSize) {
      const sizes = `map size ${other.mapSize} cannot be merged into some of ${this.mapSize}`;
      throw new Error(`frequent items of ${sizes}`);
    }
    const { count, error, invalid, missing } = other.#facts();
    for (const [item, lowerBound] of Array.from(other.#counts)) this.#increase(item, lowerBound);
    this.#count += count;
    this.#error += error;
    this.invalid += invalid;
    this.missing += missing;
  }

  /** An independent copy. */
  clone(): FrequentItems {
    const copy = new FrequentItems({ mapSize: this.mapSize });
    copy.merge(this);
    return copy;
  }

  /**
   * Bytes of a DataSketches `frequent_strings_sketch`; `invalid` and `missing` have no place there.
   */
  serialise(): Uint8Array {
    return writeFrequentItems({
      mapSize: this.mapSize,
      count: this.#count,
      error: this.#error,
      entries: this.#counts,
      size: this.#counts.size,
    });
  }

  #facts() {
    return {
      count: this.#count,
      error: this.#error,
      invalid: this.invalid,
      missing: this.missing,
    };
  }

  #addText(item: string, times: number): void {
    if (item.length > FREQUENT_ITEM_LENGTH_MAX) {
      this.invalid += times;
      return;
    }
    this.#count += times;
    this.#increase(item, times);
  }

  #increase(item: string, times: number): void {
    this.#counts.set(item, (this.#counts.get(item) ?? 0) + times);
    this.#counted += times;
    if (this.#counts.size > LOAD * this.mapSize) this.#purge();
  }

  /** Subtracts the median counter from all; those that had no more are dropped. */
  #purge(): void {
    const sorted = Float64Array.from(this.#counts.values()).toSorted();
    const median = sorted[sorted.length >> 1] as number;
    for (const [item, count] of this.#counts) {
      if (count > median) this.#counts.set(item, count - median);
      else this.#counts.delete(item);
      this.#counted -= Math.min(count, median);
    }
    this.#error += median;
  }
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
