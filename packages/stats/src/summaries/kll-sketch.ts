// KLL quantile sketch over doubles: Karnin, Lang, Liberty, "Optimal quantile approximation in
// streams" (FOCS 2016), in the lazy form with capacities that shrink by 2/3 a level.
//
// Guarantee: with 99 % confidence every rank is off by at most 2.296 / k^.9723 at once (k 200:
// 1.33 %, 2048: .138 %); exact until the first compaction. Merging keeps the guarantee.
// Cost: about 3.5 k doubles however many values, at most twice that after a merge; O(log k)
// an add. A merge copies a few hundred items and leaves the halving to whatever comes next.
// Deterministic: the coin is seeded and stirred with the data, so that sketches with the same seed
// do not err in the same direction when they are merged.

import type { GridSource } from "./grid-source.js";
import { readKll, writeKll } from "./kll-bytes.js";
import { KllLevels } from "./kll-levels.js";
import { firstAtLeast } from "./sorted-runs.js";
import { leaveOut, type MaybeNumber, type Summary } from "./summary.js";

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
export class KllSketch implements Summary<KllSketch> {
  readonly k: number;
  /** Rows that are not finite numbers; neither they nor `missing` are part of the bytes. */
  invalid = 0;
  missing = 0;
  #levels: KllLevels;
  #kMin: number;
  #count = 0;
  #min = Infinity;
  #max = -Infinity;

  /** @throws RangeError naming k when it is out of range */
  constructor(options: KllOptions = {}) {
    const k = options.k ?? KLL_K_DEFAULT;
    if (!Number.isInteger(k) || k < K_MIN || k > K_MAX) {
      throw new RangeError(`k ${k} is not an integer in [${K_MIN}, ${K_MAX}]`);
    }
    this.k = k;
    this.#kMin = k;
    this.#levels = new KllLevels(k, options.seed ?? 0);
  }

  /**
   * Decodes the bytes of a DataSketches `kll_doubles_sketch` (Java, C++, Python, Druid, ours).
   *
   * @throws SummaryFormatError on anything else
   */
  static deserialise(bytes: Uint8Array, seed = 0): KllSketch {
    const { k, kMin, count, min, max, levels } = readKll(bytes);
    const sketch = new KllSketch({ k, seed });
    sketch.#levels = KllLevels.of(k, seed, levels);
    sketch.#kMin = kMin;
    sketch.#count = count;
    sketch.#min = min;
    sketch.#max = max;
    return sketch;
  }

  /** Finite values seen. */
  get count(): number {
    return this.#count;
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
    return this.#levels.retained;
  }

  /** False until the first compaction: ranks and quantiles are exact up to then. */
  get isEstimate(): boolean {
    return this.#levels.isEstimate;
  }

  /** Counts one value. */
  add(value: MaybeNumber): void {
    if (typeof value !== "number" || value - value !== 0) {
      leaveOut(this, value);
      return;
    }
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#count++;
    this.#levels.push(value);
  }

  /** Counts `values[start]` up to but excluding `values[end]`. */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.add(values[i]);
  }

  /**
   * Adds everything `other` has seen; `other` is unchanged.
   *
   * @throws Error naming both k when they differ
   */
  merge(other: KllSketch): void {
    if (other.k !== this.k) {
      throw new Error(`a KLL sketch of k ${other.k} cannot be merged into one of k ${this.k}`);
    }
    this.invalid += other.invalid;
    this.missing += other.missing;
    if (other.#min < this.#min) this.#min = other.#min;
    if (other.#max > this.#max) this.#max = other.#max;
    this.#count += other.#count;
    if (other.isEstimate) this.#kMin = Math.min(this.#kMin, other.#kMin);
    this.#levels.absorb(other.#levels);
  }

  /** An independent copy. */
  clone(): KllSketch {
    const copy = new KllSketch({ k: this.k });
    copy.#levels = this.#levels.clone();
    copy.#kMin = this.#kMin;
    copy.#count = this.#count;
    copy.invalid = this.invalid;
    copy.missing = this.missing;
    copy.#min = this.#min;
    copy.#max = this.#max;
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
    const { values, weights } = this.#levels.sorted();
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
    return this.#levels.rowsAtOrBelow(x) / this.#count;
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
    return { ...this.#levels.sorted(), epsilon: this.rankError() };
  }

  /**
   * Bytes of a DataSketches `kll_doubles_sketch`, serial versions 1 and 2: identical to theirs
   * until the first compaction (whose coin differs), readable by them always.
   */
  serialise(): Uint8Array {
    return writeKll(this.content());
  }

  /** The levels as they are. Level 0 is a copy; the others must not be written to. */
  content(): KllContent {
    return {
      k: this.k,
      kMin: this.#kMin,
      count: this.#count,
      min: this.#min,
      max: this.#max,
      levels: this.#levels.arrays(),
    };
  }
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
