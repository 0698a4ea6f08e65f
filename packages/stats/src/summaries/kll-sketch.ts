// KLL quantile sketch over doubles: Karnin, Lang, Liberty, "Optimal quantile approximation in
// streams" (FOCS 2016), in the lazy form with capacities that shrink by 2/3 a level.
//
// Guarantee: with 99 % confidence every rank is off by at most 2.296 / k^.9723 at once (k 200:
// 1.33 %, 2048: .138 %); exact until the first compaction. Merging keeps the guarantee.
// Cost: about 3 k doubles however many values; amortised O(log k) an update.
// Deterministic: the coin is seeded and stirred with the data, so that sketches with the same seed
// do not err in the same direction when they are merged.

import { readKll, writeKll } from "./kll-bytes.js";
import { levelCapacity, totalCapacity } from "./kll-capacity.js";
import type { GridSource } from "./reference-grid.js";

/** k for baselines: ranks within .138 %. */
export const KLL_K_DEFAULT = 2048;
const K_MIN = 8;
const K_MAX = 65_535;

export interface KllOptions {
  /** Accuracy, 8 to 65,535 (default 2,048). */
  readonly k?: number;
  /** Seed of the coin, any integer (default 0). */
  readonly seed?: number;
}

/** What the serialised form holds. Level h stands for 2^h rows an item; levels >= 1 are sorted. */
export interface KllContent {
  readonly k: number;
  /** Smallest k of all sketches merged into this one: it governs the error. */
  readonly kMin: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** levels[0] in the order of arrival. */
  readonly levels: readonly Float64Array[];
}

/** A mergeable quantile sketch of doubles. */
export class KllSketch {
  readonly k: number;
  #kMin: number;
  #coin: number;
  #count = 0;
  #invalid = 0;
  #min = Infinity;
  #max = -Infinity;
  /** Level 0: unsorted, filled up to #baseLength; grows up to the sketch's free capacity. */
  #base: Float64Array;
  #baseLength = 0;
  /** Levels 1 and up, each ascending. */
  #upper: Float64Array[] = [];
  #upperLength = 0;
  /** Items that fit in all levels together. */
  #capacity: number;

  /** @throws RangeError naming k when it is out of range */
  constructor(options: KllOptions = {}) {
    const k = options.k ?? KLL_K_DEFAULT;
    if (!Number.isInteger(k) || k < K_MIN || k > K_MAX) {
      throw new RangeError(`k ${k} is not an integer in [${K_MIN}, ${K_MAX}]`);
    }
    this.k = k;
    this.#kMin = k;
    this.#coin = (options.seed ?? 0) | 0;
    this.#base = new Float64Array(Math.min(k, 64));
    this.#capacity = totalCapacity(k, 1);
  }

  /**
   * Decodes the bytes of a DataSketches `kll_doubles_sketch` (Java, C++, Python, Druid, ours).
   *
   * @throws SummaryFormatError on anything else
   */
  static deserialise(bytes: Uint8Array, seed = 0): KllSketch {
    const content = readKll(bytes);
    const sketch = new KllSketch({ k: content.k, seed });
    sketch.#kMin = content.kMin;
    sketch.#count = content.count;
    sketch.#min = content.min;
    sketch.#max = content.max;
    const [base, ...upper] = content.levels;
    sketch.#base = (base as Float64Array).slice();
    sketch.#baseLength = sketch.#base.length;
    sketch.#upper = upper;
    sketch.#upperLength = upper.reduce((sum, level) => sum + level.length, 0);
    sketch.#capacity = totalCapacity(content.k, content.levels.length);
    return sketch;
  }

  /** Finite values seen. */
  get count(): number {
    return this.#count;
  }

  /** NaN and infinite values seen, which are left out (not part of the serialised form). */
  get invalid(): number {
    return this.#invalid;
  }

  /** Smallest value, Infinity when there is none. */
  get min(): number {
    return this.#min;
  }

  /** Largest value, -Infinity when there is none. */
  get max(): number {
    return this.#max;
  }

  /** Items held. */
  get retained(): number {
    return this.#baseLength + this.#upperLength;
  }

  /** False until the first compaction: ranks and quantiles are exact up to then. */
  get isEstimate(): boolean {
    return this.#upper.length > 0;
  }

  /** Counts one value. */
  add(value: number): void {
    if (value - value !== 0) {
      this.#invalid++;
      return;
    }
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#count++;
    this.#push(value);
  }

  /** Counts `values[start]` up to but excluding `values[end]`. */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.add(values[i] as number);
  }

  /** Adds everything `other` has seen; `other` is unchanged. Sketches of different k may merge. */
  merge(other: KllSketch): void {
    this.#invalid += other.#invalid;
    if (other.#count === 0) return;
    const content = other.content();
    if (content.min < this.#min) this.#min = content.min;
    if (content.max > this.#max) this.#max = content.max;
    this.#count += content.count;
    if (other.isEstimate) this.#kMin = Math.min(this.#kMin, content.kMin);
    for (let level = 1; level < content.levels.length; level++) {
      const incoming = content.levels[level] as Float64Array;
      if (this.#upper.length < level) this.#addLevel();
      this.#upper[level - 1] = mergeSorted(this.#upper[level - 1] as Float64Array, incoming);
      this.#upperLength += incoming.length;
    }
    while (this.retained > this.#capacity) this.#compact();
    for (const value of content.levels[0] as Float64Array) this.#push(value);
  }

  /** An independent copy. */
  clone(): KllSketch {
    const copy = KllSketch.deserialise(this.serialise(), this.#coin);
    copy.#invalid = this.#invalid;
    return copy;
  }

  /**
   * The smallest retained value at or below which a share `q` of the rows lies.
   *
   * @param q in [0, 1]; 0 gives the minimum, 1 the maximum, both exact
   * @returns NaN when empty
   * @throws RangeError when q is outside [0, 1]
   */
  quantile(q: number): number {
    return this.quantiles([q])[0] as number;
  }

  /** `quantile` for several shares at the price of one sort. */
  quantiles(shares: readonly number[]): number[] {
    const { values, weights } = this.sortedView();
    const cumulative = runningSum(weights);
    return shares.map((q) => {
      if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not in [0, 1]`);
      if (this.#count === 0) return Number.NaN;
      if (q === 0) return this.#min;
      if (q === 1) return this.#max;
      const index = firstAtLeast(cumulative, Math.ceil(q * this.#count));
      return values[Math.min(index, values.length - 1)] as number;
    });
  }

  /** The share of rows at or below `x`, within `rankError()`; NaN when empty. */
  rank(x: number): number {
    let below = 0;
    for (let i = 0; i < this.#baseLength; i++) if ((this.#base[i] as number) <= x) below++;
    for (const [index, level] of this.#upper.entries()) {
      below += atOrBelow(level, x) * 2 ** (index + 1);
    }
    return below / this.#count;
  }

  /** 99 % bound on the error of every rank at once, 2.296 / k^.9723; 0 while exact. */
  rankError(): number {
    return this.isEstimate ? 2.296 / this.#kMin ** 0.9723 : 0;
  }

  /** 99 % bound on the error of a share between two values, 2.446 / k^.9433; 0 while exact. */
  shareError(): number {
    return this.isEstimate ? 2.446 / this.#kMin ** 0.9433 : 0;
  }

  /** All items ascending with the rows each stands for; what `ReferenceGrid.fromSketch` reads. */
  sortedView(): GridSource & { readonly weights: Float64Array } {
    const levels = [this.#base.slice(0, this.#baseLength).toSorted(), ...this.#upper];
    const length = this.retained;
    const values = new Float64Array(length);
    const weights = new Float64Array(length);
    const next = levels.map(() => 0);
    for (let i = 0; i < length; i++) {
      let best = -1;
      let least = Infinity;
      for (let level = 0; level < levels.length; level++) {
        const value = levels[level]?.[next[level] as number] ?? Number.NaN;
        if (value < least) [best, least] = [level, value];
      }
      values[i] = least;
      weights[i] = 2 ** best;
      next[best] = (next[best] as number) + 1;
    }
    return { values, weights, epsilon: this.rankError() };
  }

  /**
   * Bytes of a DataSketches `kll_doubles_sketch`, serial versions 1 and 2: identical to theirs
   * until the first compaction (whose coin differs), readable by them always.
   */
  serialise(): Uint8Array {
    return writeKll(this.content());
  }

  /** The levels as they are; level 0 is a copy. */
  content(): KllContent {
    return {
      k: this.k,
      kMin: this.#kMin,
      count: this.#count,
      min: this.#min,
      max: this.#max,
      levels: [this.#base.slice(0, this.#baseLength), ...this.#upper],
    };
  }

  #push(value: number): void {
    if (this.retained >= this.#capacity) this.#compact();
    if (this.#baseLength === this.#base.length) {
      const grown = new Float64Array(Math.min(2 * this.#base.length + 8, this.#capacity));
      grown.set(this.#base);
      this.#base = grown;
    }
    this.#base[this.#baseLength++] = value;
  }

  #addLevel(): void {
    this.#upper.push(new Float64Array(0));
    this.#capacity = totalCapacity(this.k, this.#upper.length + 1);
  }

  /** Halves the lowest level that is full: a random half of its items moves up, doubled. */
  #compact(): void {
    const levels = this.#upper.length + 1;
    let level = 0;
    let length = this.#baseLength;
    while (length < levelCapacity(this.k, levels, level)) {
      length = (this.#upper[level] as Float64Array).length;
      level++;
    }
    if (level === levels - 1) this.#addLevel();
    const source = level === 0 ? this.#base : (this.#upper[level - 1] as Float64Array);
    if (level === 0) source.subarray(0, length).sort();
    // An odd item stays where it is.
    const kept = length % 2;
    const half = (length - kept) / 2;
    const promoted = new Float64Array(half);
    const offset = kept + this.#flip(source[kept] as number);
    for (let i = 0; i < half; i++) promoted[i] = source[offset + 2 * i] as number;
    this.#upper[level] = mergeSorted(this.#upper[level] as Float64Array, promoted);
    this.#upperLength += half;
    if (level === 0) {
      this.#baseLength = kept;
    } else {
      this.#upper[level - 1] = source.slice(0, kept);
      this.#upperLength -= length - kept;
    }
  }

  /** The next fair bit of a 32-bit mixing generator, stirred with the bits of `item`. */
  #flip(item: number): 0 | 1 {
    stirDouble[0] = item;
    const stir = (stirWords[0] as number) ^ (stirWords[1] as number);
    this.#coin = (this.#coin + 0x9e3779b9 + stir) | 0;
    let x = this.#coin;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) & 1) as 0 | 1;
  }
}

const stirDouble = new Float64Array(1);
const stirWords = new Int32Array(stirDouble.buffer);

function mergeSorted(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length === 0) return b;
  const out = new Float64Array(a.length + b.length);
  let [i, j] = [0, 0];
  for (let at = 0; at < out.length; at++) {
    const fromA = j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number));
    out[at] = (fromA ? a[i++] : b[j++]) as number;
  }
  return out;
}

function runningSum(weights: Float64Array): Float64Array {
  const sums = new Float64Array(weights.length);
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i] as number;
    sums[i] = sum;
  }
  return sums;
}

/** Index of the first entry of ascending `sums` that is at least `target`. */
function firstAtLeast(sums: Float64Array, target: number): number {
  let [low, high] = [0, sums.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] as number) < target) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many entries of ascending `values` are at most `x`. */
function atOrBelow(values: Float64Array, x: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
