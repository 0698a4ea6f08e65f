// Count, mean, variance and extremes: sums around a shift in blocks of 256 rows, and the pairwise
// merge of Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983). Each
// block's shift is the mean so far: sums around it cancel as little as Welford's update, and need
// no division a row, which would take longer than all the rest.
//
// Guarantee: relative rounding errors of about n ulp at worst, usually far less; nothing cancels
// when the mean is large beside the spread. Values up to 1e154 in magnitude keep a finite variance
// (its square is the limit of a double); beyond, the variance is Infinity and the mean stays right.
// Cost: six doubles; no division by what could be 0.

import { leaveOut, type MaybeNumber, type Summary } from "./summary.js";
import { ByteReader, ByteWriter, checkExtremes } from "./summary-bytes.js";

const MAGIC = "TMMO";
const VERSION = 1;
const BLOCK = 256;
/** The sum of a block's squares stays a double, and so does the square of its sum. */
const DEVIATION_MAX = 2 ** 500;

/** Mergeable moments of a stream of numbers. */
export class MomentSummary implements Summary<MomentSummary> {
  /** Finite values. */
  count = 0;
  invalid = 0;
  missing = 0;
  /** Smallest value, Infinity when there is none. */
  min = Infinity;
  /** Largest value, -Infinity when there is none. */
  max = -Infinity;
  /** Mean and sum of (x - mean)^2 of the first #folded values. */
  #mean = 0;
  #squares = 0;
  #folded = 0;
  /** What the sums of the others are around; NaN before the first value. */
  #shift = Number.NaN;
  #shiftedSum = 0;
  #shiftedSquares = 0;

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): MomentSummary {
    const input = new ByteReader(bytes, MAGIC, VERSION, "moments");
    const moments = new MomentSummary();
    const count = input.integer();
    moments.invalid = input.integer();
    moments.missing = input.integer();
    moments.min = input.double();
    moments.max = input.double();
    const [mean, squares] = [input.double(), input.double()];
    input.finish();
    moments.count = count;
    checkExtremes(input, moments);
    if (!Number.isFinite(mean)) input.fail(`mean ${mean}`);
    if (!(squares >= 0)) input.fail(`sum of squares ${squares}`);
    moments.#join(count, mean, squares);
    return moments;
  }

  /** Mean, NaN when there is no value. */
  get mean(): number {
    this.#fold();
    return this.count === 0 ? Number.NaN : this.#mean;
  }

  /** Population variance (divisor n), NaN when there is no value. */
  get variance(): number {
    this.#fold();
    return this.count === 0 ? Number.NaN : this.#squares / this.count;
  }

  /** Sample variance (divisor n - 1), NaN below two values. */
  get sampleVariance(): number {
    this.#fold();
    return this.count < 2 ? Number.NaN : this.#squares / (this.count - 1);
  }

  /** Standard error of the mean for independent values, NaN below two of them. */
  get meanError(): number {
    return Math.sqrt(this.sampleVariance / this.count);
  }

  /** Counts one value. */
  add(value: MaybeNumber): void {
    if (typeof value !== "number") {
      leaveOut(this, value);
      return;
    }
    const x = value + 0;
    const deviation = x - this.#shift;
    // Neither for NaN and infinities, nor for the first value, nor where a square could overflow.
    if (!(deviation < DEVIATION_MAX && deviation > -DEVIATION_MAX)) {
      this.#addFar(x);
      return;
    }
    this.#shiftedSum += deviation;
    this.#shiftedSquares += deviation * deviation;
    this.count++;
    if (x < this.min) this.min = x;
    if (x > this.max) this.max = x;
    if (this.count - this.#folded === BLOCK) this.#fold();
  }

  /** Counts `values[start]` up to but excluding `values[end]`. */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.add(values[i]);
  }

  merge(other: MomentSummary): void {
    other.#fold();
    this.#fold();
    this.invalid += other.invalid;
    this.missing += other.missing;
    this.count += other.count;
    this.#join(other.count, other.#mean, other.#squares);
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  clone(): MomentSummary {
    const copy = new MomentSummary();
    copy.merge(this);
    return copy;
  }

  serialise(): Uint8Array {
    this.#fold();
    const out = new ByteWriter(80);
    out.start(MAGIC, VERSION);
    for (const x of [this.count, this.invalid, this.missing]) out.integer(x);
    for (const x of [this.min, this.max, this.#mean, this.#squares]) out.double(x);
    return out.closed();
  }

  #addFar(x: number): void {
    if (x - x !== 0) {
      this.invalid++;
      return;
    }
    this.#fold();
    this.count++;
    this.#join(1, x, 0);
    if (x < this.min) this.min = x;
    if (x > this.max) this.max = x;
  }

  #fold(): void {
    const rows = this.count - this.#folded;
    if (rows === 0) return;
    const sum = this.#shiftedSum;
    const squares = Math.max(0, this.#shiftedSquares - (sum * sum) / rows);
    this.#join(rows, this.#shift + sum / rows, squares);
    this.#shiftedSum = 0;
    this.#shiftedSquares = 0;
  }

  /** Adds `rows` values of a mean and a sum of squares around it to the first #folded. */
  #join(rows: number, mean: number, squares: number): void {
    if (rows === 0) return;
    const share = rows / (this.#folded + rows);
    const deviation = mean - this.#mean;
    this.#squares += squares;
    if (this.#folded === 0) {
      this.#mean = mean;
    } else {
      this.#squares += deviation * deviation * this.#folded * share;
      // Where the deviation itself is beyond the largest double, its parts are not.
      const isFar = deviation - deviation !== 0;
      this.#mean += isFar ? mean * share - this.#mean * share : deviation * share;
    }
    this.#folded += rows;
    this.#shift = this.#mean;
  }
}
