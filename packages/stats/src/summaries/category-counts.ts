// Counts of categories in bounded memory. Names beyond the capacity are pooled in `other`, which
// is a count, not a name. Merging equals counting the concatenated streams exactly as long as the
// distinct names fit the capacity; beyond it the total stays exact and which names are kept
// depends on who came first, except for reserved names, which are always kept.

import { ByteReader, ByteWriter } from "./summary-bytes.js";

const MAGIC = "TMCC";
const VERSION = 1;

/** Distinct names kept unless said otherwise. */
export const CATEGORIES_DEFAULT = 256;
const CATEGORIES_MAX = 4096;
/** UTF-16 units of the longest name kept; longer ones are pooled in `other`. */
export const CATEGORY_LENGTH_MAX = 256;

export interface CategoryCountsOptions {
  /** Distinct names kept besides the reserved ones, 0 to 4,096 (default 256). */
  readonly capacity?: number;
  /** Names that are always counted by name, such as those of the reference. */
  readonly reserved?: Iterable<string>;
}

/** A bounded, mergeable map from category to count. */
export class CategoryCounts {
  /** Names beyond `reserved` that fit. */
  readonly capacity: number;
  /** Rows whose name found no place. */
  other = 0;
  /** Rows without a value. */
  missing = 0;
  readonly #counts = new Map<string, number>();
  readonly #reserved: ReadonlySet<string>;
  #unreserved = 0;
  #total = 0;

  /** @throws RangeError when the capacity is not an integer in [0, 4096] */
  constructor(options: CategoryCountsOptions = {}) {
    this.capacity = options.capacity ?? CATEGORIES_DEFAULT;
    if (!(Number.isInteger(this.capacity) && this.capacity >= 0)) {
      throw new RangeError(`capacity ${this.capacity} is not a count`);
    }
    if (this.capacity > CATEGORIES_MAX) {
      throw new RangeError(`capacity ${this.capacity} exceeds ${CATEGORIES_MAX}`);
    }
    this.#reserved = new Set(Array.from(options.reserved ?? [], wellFormed));
  }

  /** An empty window in which every name that `reference` knows keeps its place. */
  static liveFor(reference: CategoryCounts, capacity: number = CATEGORIES_DEFAULT): CategoryCounts {
    return new CategoryCounts({ capacity, reserved: reference.names() });
  }

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): CategoryCounts {
    const { counts, pooled } = readCounts(bytes);
    counts.other = pooled;
    counts.#total += pooled;
    return counts;
  }

  /** Rows with a value: all names and `other`. */
  get count(): number {
    return this.#total;
  }

  /** Distinct names kept. */
  get size(): number {
    return this.#counts.size;
  }

  /**
   * Counts `times` rows of `name`, or rows without one; a lone surrogate in a name counts as
   * U+FFFD.
   */
  add(name: string | null | undefined, times = 1): void {
    if (name === null || name === undefined) {
      this.addMissing(times);
      return;
    }
    this.#total += times;
    const known = this.#counts.get(name);
    if (known !== undefined) this.#counts.set(name, known + times);
    else this.#addNew(name, times);
  }

  /** Counts `times` rows without a value. */
  addMissing(times = 1): void {
    this.missing += times;
  }

  /** Rows of `name`; 0 when unknown or pooled. */
  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  names(): IterableIterator<string> {
    return this.#counts.keys();
  }

  entries(): IterableIterator<[name: string, count: number]> {
    return this.#counts.entries();
  }

  /** Adds everything `other` has seen. `other` is unchanged. */
  merge(other: CategoryCounts): void {
    const { missing, other: pooled } = other;
    for (const [name, count] of Array.from(other.#counts)) this.add(name, count);
    this.other += pooled;
    this.#total += pooled;
    this.missing += missing;
  }

  /** Forgets every row; capacity and reserved names stay. */
  reset(): void {
    this.#counts.clear();
    this.#unreserved = 0;
    this.#total = 0;
    this.other = 0;
    this.missing = 0;
  }

  /** An independent copy. */
  clone(): CategoryCounts {
    const copy = new CategoryCounts({ capacity: this.capacity, reserved: this.#reserved });
    copy.merge(this);
    return copy;
  }

  /** Versioned bytes: names by name, so that equal contents give equal bytes. */
  serialise(): Uint8Array {
    const out = new ByteWriter();
    const encoder = new TextEncoder();
    out.start(MAGIC, VERSION);
    out.integer(this.capacity);
    out.integer(this.missing);
    out.integer(this.other);
    const names = new Set([...this.#reserved, ...this.#counts.keys()]);
    out.integer(names.size);
    for (const name of Array.from(names).toSorted(byCodeUnit)) {
      const bytes = encoder.encode(name);
      out.integer(bytes.length);
      out.raw(bytes);
      out.byte(this.#reserved.has(name) ? 1 : 0);
      out.integer(this.get(name));
    }
    return out.closed();
  }

  #addNew(rawName: string, times: number): void {
    const name = wellFormed(rawName);
    const known = this.#counts.get(name);
    const reserved = this.#reserved.has(name);
    const fits = name.length <= CATEGORY_LENGTH_MAX && this.#unreserved < this.capacity;
    if (known === undefined && !reserved && !fits) {
      this.other += times;
      return;
    }
    if (known === undefined && !reserved) this.#unreserved++;
    this.#counts.set(name, (known ?? 0) + times);
  }
}

/** UTF-8 has no lone surrogates: two names that would be written alike are one name. */
export function wellFormed(name: string): string {
  return /\p{Surrogate}/u.test(name) ? name.replace(/\p{Surrogate}/gu, "\uFFFD") : name;
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function readCounts(bytes: Uint8Array): { counts: CategoryCounts; pooled: number } {
  const input = new ByteReader(bytes, MAGIC, VERSION, "category counts");
  const capacity = input.integer();
  if (capacity > CATEGORIES_MAX) input.fail(`capacity ${capacity} exceeds ${CATEGORIES_MAX}`);
  const missing = input.integer();
  const pooled = input.integer();
  const size = input.length(3);
  const entries: [name: string, count: number][] = [];
  const reserved: string[] = [];
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (let i = 0; i < size; i++) {
    const name = decoder.decode(input.raw(input.length(1)));
    if (input.byte() === 1) reserved.push(name);
    const count = input.integer();
    if (count > 0) entries.push([name, count]);
  }
  input.finish();
  if (size - reserved.length > capacity) input.fail(`${size} names exceed the capacity`);
  const counts = new CategoryCounts({ capacity, reserved });
  for (const [name, count] of entries) counts.add(name, count);
  counts.addMissing(missing);
  return { counts, pooled };
}
