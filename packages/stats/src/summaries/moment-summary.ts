// Count, mean, variance and extremes: Welford's update and the pairwise merge of Chan, Golub and
// LeVeque, "Algorithms for computing the sample variance" (1983).
//
// Guarantee: relative rounding errors of about n ulp at worst, usually far less; nothing cancels
// when the mean is large beside the spread. Values up to 1e154 in magnitude keep a finite variance
// (its square is the limit of a double); beyond, the variance is Infinity and the mean stays right.
// Cost: six doubles; no division by what could be 0.

import { leaveOut, type MaybeNumber, type Summary } from "./summary.js";
import { ByteReader, ByteWriter, checkExtremes } from "./summary-bytes.js";

const MAGIC = "TMMO";
const VERSION = 1;

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
  #mean = 0;
  /** Sum of (x - mean)^2. */
  #squares = 0;

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): MomentSummary {
    const input = new ByteReader(bytes, MAGIC, VERSION, "moments");
    const moments = new MomentSummary();
    moments.count = input.integer();
    moments.invalid = input.integer();
    moments.missing = input.integer();
    moments.min = input.double();
    moments.max = input.double();
    moments.#mean = input.double();
    moments.#squares = input.double();
    input.finish();
    checkExtremes(input, moments);
    if (!Number.isFinite(moments.#mean)) input.fail(`mean ${moments.#mean}`);
    if (!(moments.#squares >= 0)) input.fail(`sum of squares ${moments.#squares}`);
    return moments;
  }

  /** Mean, NaN when there is no value. */
  get mean(): number {
    return this.count === 0 ? Number.NaN : this.#mean;
  }

  /** Population variance (divisor n), NaN when there is no value. */
  get variance(): number {
    return this.count === 0 ? Number.NaN : this.#squares / this.count;
  }

  /** Sample variance (divisor n - 1), NaN below two values. */
  get sampleVariance(): number {
    return this.count < 2 ? Number.NaN : this.#squares / (this.count - 1);
  }

  /** Standard error of the mean for independent values, NaN below two of them. */
  get meanError(): number {
    return Math.sqrt(this.sampleVariance / this.count);
  }

  /** Counts one value. */
  add(value: MaybeNumber): void {
    if (typeof value !== "number" || value - value !== 0) {
      leaveOut(this, value);
      return;
    }
    const x = value + 0;
    const count = ++this.count;
    const deviation = x - this.#mean;
    const mean = this.#mean + deviation / count;
    if (mean - mean === 0) {
      this.#squares += deviation * (x - mean);
      this.#mean = mean;
    } else {
      // The deviation itself is beyond the largest double.
      this.#squares = Infinity;
      this.#mean += x / count - this.#mean / count;
    }
    if (x < this.min) this.min = x;
    if (x > this.max) this.max = x;
  }

  /** Counts `values[start]` up to but excluding `values[end]`. */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.add(values[i]);
  }

  merge(other: MomentSummary): void {
    this.invalid += other.invalid;
    this.missing += other.missing;
    if (other.count === 0) return;
    const count = this.count + other.count;
    const share = other.count / count;
    const deviation = other.#mean - this.#mean;
    const weight = this.count * share;
    if (weight > 0) this.#squares += deviation * deviation * weight;
    this.#squares += other.#squares;
    if (this.count === 0) this.#mean = other.#mean;
    else if (deviation - deviation === 0) this.#mean += deviation * share;
    else this.#mean += other.#mean * share - this.#mean * share;
    this.count = count;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  clone(): MomentSummary {
    const copy = new MomentSummary();
    copy.merge(this);
    return copy;
  }

  serialise(): Uint8Array {
    const out = new ByteWriter(80);
    out.start(MAGIC, VERSION);
    for (const x of [this.count, this.invalid, this.missing]) out.integer(x);
    for (const x of [this.min, this.max, this.#mean, this.#squares]) out.double(x);
    return out.closed();
  }
}
