// The OpenTelemetry data model's ExponentialHistogram: buckets (b^i, b^(i + 1)], b = 2^(2^-scale).
// https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
//
// Guarantee: counts are exact at the scale they are at; a quantile is off by at most a factor of
// sqrt(b), `relativeError`. Merging gives the very buckets of the concatenated stream, in any
// order: the scale is the finest at which all values fit, halved in number whenever they do not.
// Cost: at most 160 buckets a sign. Logarithmic buckets are blind to a shift that is small beside
// the mean: for latencies and export, never for drift.

import { ExponentialBuckets } from "./exponential-buckets.js";
import { leaveOut, type MaybeNumber, type Summary } from "./summary.js";
import { ByteReader, ByteWriter, checkExtremes } from "./summary-bytes.js";

const MAGIC = "TMEH";
const VERSION = 1;
/** Buckets a sign unless said otherwise: the default of the OpenTelemetry SDKs. */
export const EXPONENTIAL_BUCKETS_MAX = 160;
/** The finest scale: beyond it neighbouring doubles fall into different buckets. */
export const EXPONENTIAL_SCALE_MAX = 20;
/** Here every positive double is in one of two buckets. */
const SCALE_MIN = -11;

export interface ExponentialHistogramOptions {
  /** Buckets a sign at most, 2 to 160 (default 160). */
  readonly bucketsMax?: number;
}

/** Mergeable counts in buckets of constant relative width. */
export class ExponentialHistogram implements Summary<ExponentialHistogram> {
  readonly bucketsMax: number;
  /** Buckets of positive values, and of negative ones by magnitude; both at `scale`. */
  readonly positive: ExponentialBuckets;
  readonly negative: ExponentialBuckets;
  zeroCount = 0;
  invalid = 0;
  missing = 0;
  sum = 0;
  /** Smallest value, Infinity when there is none. */
  min = Infinity;
  /** Largest value, -Infinity when there is none. */
  max = -Infinity;
  #scale = EXPONENTIAL_SCALE_MAX;

  /** @throws RangeError naming bucketsMax when it is out of range */
  constructor(options: ExponentialHistogramOptions = {}) {
    const bucketsMax = options.bucketsMax ?? EXPONENTIAL_BUCKETS_MAX;
    if (!Number.isInteger(bucketsMax) || bucketsMax < 2 || bucketsMax > EXPONENTIAL_BUCKETS_MAX) {
      const range = `[2, ${EXPONENTIAL_BUCKETS_MAX}]`;
      throw new RangeError(`bucketsMax ${bucketsMax} is not an integer in ${range}`);
    }
    this.bucketsMax = bucketsMax;
    this.positive = new ExponentialBuckets(bucketsMax);
    this.negative = new ExponentialBuckets(bucketsMax);
  }

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): ExponentialHistogram {
    const input = new ByteReader(bytes, MAGIC, VERSION, "exponential histogram");
    const bucketsMax = input.integer();
    const fits = bucketsMax >= 2 && bucketsMax <= EXPONENTIAL_BUCKETS_MAX;
    if (!fits) input.fail(`${bucketsMax} buckets`);
    const histogram = new ExponentialHistogram({ bucketsMax });
    histogram.#scale = input.integer() + SCALE_MIN;
    if (histogram.#scale > EXPONENTIAL_SCALE_MAX) input.fail(`scale ${histogram.#scale}`);
    histogram.zeroCount = input.integer();
    histogram.invalid = input.integer();
    histogram.missing = input.integer();
    histogram.sum = input.double();
    histogram.min = input.double();
    histogram.max = input.double();
    histogram.positive.read(input, EXPONENTIAL_SCALE_MAX - histogram.#scale);
    histogram.negative.read(input, EXPONENTIAL_SCALE_MAX - histogram.#scale);
    input.finish();
    checkExtremes(input, histogram);
    return histogram;
  }

  /** Finite values. */
  get count(): number {
    return this.zeroCount + this.positive.total + this.negative.total;
  }

  /** Buckets are (2^(i 2^-scale), 2^((i + 1) 2^-scale)]; from 20 down to -11 as values spread. */
  get scale(): number {
    return this.#scale;
  }

  /** By how much the middle of a bucket can be off, as a share: sqrt(b) - 1. */
  get relativeError(): number {
    return Math.expm1((Math.LN2 * 2 ** -this.#scale) / 2);
  }

  /** Counts one value. */
  add(value: MaybeNumber): void {
    if (typeof value !== "number" || value - value !== 0) {
      leaveOut(this, value);
      return;
    }
    this.sum += value;
    if (value < this.min) this.min = value + 0;
    if (value > this.max) this.max = value + 0;
    if (value === 0) {
      this.zeroCount++;
      return;
    }
    const buckets = value > 0 ? this.positive : this.negative;
    const finest = finestIndex(Math.abs(value));
    while (!buckets.increase(finest >> (EXPONENTIAL_SCALE_MAX - this.#scale), 1)) this.#coarsen(1);
  }

  /** Counts `values[start]` up to but excluding `values[end]`. */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.add(values[i]);
  }

  /**
   * The middle, by ratio, of the bucket that the `q`-quantile lies in, narrowed to the extremes.
   *
   * @throws RangeError when q is outside [0, 1]
   */
  quantile(q: number): number {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not in [0, 1]`);
    if (this.count === 0) return Number.NaN;
    let rest = Math.max(1, Math.ceil(q * this.count));
    const { negative, positive } = this;
    if (rest <= negative.total) {
      // Negative values ascend as their magnitudes descend.
      return this.#within(-this.#middle(negative.indexOfRank(negative.total - rest + 1)));
    }
    rest -= negative.total;
    if (rest <= this.zeroCount) return 0;
    return this.#within(this.#middle(positive.indexOfRank(rest - this.zeroCount)));
  }

  merge(other: ExponentialHistogram): void {
    if (other.bucketsMax !== this.bucketsMax) {
      throw new Error(
        `an exponential histogram of ${other.bucketsMax} buckets cannot be merged into one of ` +
          `${this.bucketsMax}`,
      );
    }
    if (other.#scale < this.#scale) this.#coarsen(this.#scale - other.#scale);
    const theirs = other.#scale;
    for (const sign of ["positive", "negative"] as const) {
      for (const [index, count] of other[sign].entries()) {
        while (!this[sign].increase(index >> (theirs - this.#scale), count)) this.#coarsen(1);
      }
    }
    this.zeroCount += other.zeroCount;
    this.invalid += other.invalid;
    this.missing += other.missing;
    this.sum += other.sum;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  clone(): ExponentialHistogram {
    const copy = new ExponentialHistogram({ bucketsMax: this.bucketsMax });
    copy.merge(this);
    return copy;
  }

  serialise(): Uint8Array {
    const out = new ByteWriter();
    out.start(MAGIC, VERSION);
    out.integer(this.bucketsMax);
    out.integer(this.#scale - SCALE_MIN);
    for (const x of [this.zeroCount, this.invalid, this.missing]) out.integer(x);
    for (const x of [this.sum, this.min, this.max]) out.double(x);
    this.positive.write(out);
    this.negative.write(out);
    return out.closed();
  }

  #coarsen(by: number): void {
    this.#scale -= by;
    this.positive.coarsen(by);
    this.negative.coarsen(by);
  }

  #middle(index: number): number {
    return 2 ** ((index + 0.5) * 2 ** -this.#scale);
  }

  #within(value: number): number {
    return Math.min(Math.max(value, this.min), this.max);
  }
}

/**
 * Index at scale 20; shifted right by s, at scale 20 - s, so that rounding is alike at all scales.
 *
 * @param x positive and finite
 */
function finestIndex(x: number): number {
  doubles[0] = x;
  let exponent = ((words[1] as number) >>> 20) - 1023;
  if (exponent === -1023) {
    // Subnormal: read from the normal number that is 2^54 times as large.
    doubles[0] = x * 2 ** 54;
    exponent = ((words[1] as number) >>> 20) - 1023 - 54;
  }
  const buckets = 2 ** EXPONENTIAL_SCALE_MAX;
  // Powers of two are bounds, and exact; elsewhere the logarithm errs by far less than a bucket.
  const inside = Math.ceil(Math.log2(x / 2 ** exponent) * buckets) - 1;
  return exponent * buckets + Math.min(inside, buckets - 1);
}

const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);
