// ADWIN: a window over the newest values of a stream that shrinks when two of its parts differ.
//
// Bifet and Gavalda 2007, "Learning from time-changing data with adaptive windowing", in the form
// ADWIN2 with the variance-aware cut, and River's semantics (drift.ADWIN 0.26): buckets of 2^i
// values, cuts tried every `clock` values, the value after an alarm starts anew.
//
// Assumptions: independent values in [0, 1] before a change; then each check is false with
// probability about `delta`. Checks recur, so that delta is no alarm rate: use `EDetector` where a
// rate has to be promised. Cost: O(M log n) memory, amortised O(log n) a value.

export interface AdwinOptions {
  /** Confidence of one check, in (0, 1) (default .002). */
  readonly delta?: number;
  /** Values between two checks (default 32). */
  readonly clock?: number;
  /** M, buckets of one size before two of them are joined (default 5). */
  readonly bucketsMax?: number;
  /** Least values on either side of a cut (default 5). */
  readonly sideRowsMin?: number;
  /** Values before the first check (default 10). */
  readonly graceRows?: number;
}

/** 2^i values summed up: their total, and their summed squared deviations. */
interface Bucket {
  readonly total: number;
  readonly squares: number;
}

/** An adaptive window, and a detector of changes in the mean of one stream. */
export class Adwin {
  readonly #options: Required<AdwinOptions>;
  /** #levels[i]: buckets of 2^i values, the oldest first. */
  #levels: Bucket[][] = [[]];
  #width = 0;
  #total = 0;
  #squares = 0;
  #ticks = 0;
  #detected = false;

  /** @throws RangeError naming the option that is out of range */
  constructor(options: AdwinOptions = {}) {
    this.#options = {
      delta: options.delta ?? 0.002,
      clock: options.clock ?? 32,
      bucketsMax: options.bucketsMax ?? 5,
      sideRowsMin: options.sideRowsMin ?? 5,
      graceRows: options.graceRows ?? 10,
    };
    const { delta, clock, bucketsMax, sideRowsMin } = this.#options;
    if (!(delta > 0 && delta < 1)) throw new RangeError(`delta ${delta} is not in (0, 1)`);
    for (const [name, value] of Object.entries({ clock, bucketsMax, sideRowsMin })) {
      if (!(Number.isInteger(value) && value >= 1)) {
        throw new RangeError(`${name} ${value} is not a positive integer`);
      }
    }
  }

  /** Values in the window. */
  get width(): number {
    return this.#width;
  }

  /** Sum of the values in the window. */
  get total(): number {
    return this.#total;
  }

  /** Mean of the window; 0 when it is empty. */
  get mean(): number {
    return this.#width > 0 ? this.#total / this.#width : 0;
  }

  /** Population variance of the window (divisor n); 0 when it is empty. */
  get variance(): number {
    return this.#width > 0 ? this.#squares / this.#width : 0;
  }

  /**
   * Takes one value and says whether the window has been cut.
   *
   * @throws RangeError when the value is not finite
   */
  add(value: number): boolean {
    if (!Number.isFinite(value)) throw new RangeError(`value ${value} is not finite`);
    if (this.#detected) this.#restart();
    this.#insert(value);
    this.#ticks++;
    const { clock, graceRows } = this.#options;
    this.#detected = false;
    if (this.#ticks % clock === 0 && this.#width > graceRows) {
      while (this.#dropOldestIfCut()) this.#detected = true;
    }
    return this.#detected;
  }

  #insert(value: number): void {
    if (this.#width > 0) {
      const deviation = value - this.#total / this.#width;
      this.#squares += (this.#width * deviation * deviation) / (this.#width + 1);
    }
    this.#width++;
    this.#total += value;
    this.#levels[0]?.push({ total: value, squares: 0 });
    for (let level = 0; level < this.#levels.length; level++) {
      const buckets = this.#levels[level] as Bucket[];
      if (buckets.length <= this.#options.bucketsMax) break;
      const [first, second] = buckets.splice(0, 2) as [Bucket, Bucket];
      const size = 2 ** level;
      const above = (this.#levels[level + 1] ??= []);
      above.push({
        total: first.total + second.total,
        squares: first.squares + second.squares + between(first.total, size, second.total, size),
      });
    }
  }

  /** Tries every cut between buckets, oldest first; at one that holds drops the oldest bucket. */
  #dropOldestIfCut(): boolean {
    const { sideRowsMin } = this.#options;
    let [oldRows, oldTotal] = [0, 0];
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const size = 2 ** level;
      for (const bucket of this.#levels[level] as Bucket[]) {
        oldRows += size;
        oldTotal += bucket.total;
        const newRows = this.#width - oldRows;
        if (newRows < sideRowsMin) return false;
        if (oldRows < sideRowsMin) continue;
        const gap = oldTotal / oldRows - (this.#total - oldTotal) / newRows;
        if (Math.abs(gap) > this.#tolerated(oldRows, newRows)) {
          this.#dropOldest();
          return true;
        }
      }
    }
    return false;
  }

  /** epsilon_cut: the gap of means that `delta` allows, by Bernstein's inequality. */
  #tolerated(oldRows: number, newRows: number): number {
    const { delta, sideRowsMin } = this.#options;
    const confidence = Math.log((2 * Math.log(this.#width)) / delta);
    const inverse = 1 / (oldRows - sideRowsMin + 1) + 1 / (newRows - sideRowsMin + 1);
    return Math.sqrt(2 * inverse * this.variance * confidence) + (2 / 3) * confidence * inverse;
  }

  #dropOldest(): void {
    const level = this.#levels.length - 1;
    const buckets = this.#levels[level] as Bucket[];
    const oldest = buckets.shift() as Bucket;
    const size = 2 ** level;
    this.#width -= size;
    this.#total -= oldest.total;
    const across = between(oldest.total, size, this.#total, this.#width);
    this.#squares = Math.max(0, this.#squares - oldest.squares - across);
    if (buckets.length === 0 && level > 0) this.#levels.pop();
  }

  #restart(): void {
    this.#levels = [[]];
    this.#width = 0;
    this.#total = 0;
    this.#squares = 0;
    this.#ticks = 0;
    this.#detected = false;
  }
}

/** Squared deviations that two groups have from their common mean (Chan, Golub, LeVeque). */
function between(total: number, rows: number, otherTotal: number, otherRows: number): number {
  const gap = total / rows - otherTotal / otherRows;
  return (rows * otherRows * gap * gap) / (rows + otherRows);
}
