// Counts between explicit bounds: the OpenTelemetry data model's Histogram, as exported.
// https://opentelemetry.io/docs/specs/otel/metrics/data-model/#histogram
//
// Guarantee: counts are exact and merge exactly in any order; a quantile is off by at most the
// width of its bucket. Cost: one double a bucket; one binary search an add.

import { firstAtLeast } from "./sorted-runs.js";
import { leaveOut, type MaybeNumber, type Summary } from "./summary.js";
import { ByteReader, ByteWriter, checkExtremes } from "./summary-bytes.js";

const MAGIC = "TMBH";
const VERSION = 1;
/** More bounds make a series that no backend stores. */
export const HISTOGRAM_BOUNDS_MAX = 1024;

/** Mergeable counts between explicit bounds. */
export class BoundsHistogram implements Summary<BoundsHistogram> {
  /** Strictly increasing; bucket b is (bounds[b - 1], bounds[b]], the outer ones are unbounded. */
  readonly bounds: Float64Array;
  /** Finite values per bucket, length bounds.length + 1; doubles, exact to 2^53. */
  readonly counts: Float64Array;
  count = 0;
  invalid = 0;
  missing = 0;
  sum = 0;
  /** Smallest value, Infinity when there is none. */
  min = Infinity;
  /** Largest value, -Infinity when there is none. */
  max = -Infinity;

  /** @throws RangeError when the bounds are too many, not finite, or do not increase */
  constructor(bounds: ArrayLike<number>) {
    if (bounds.length > HISTOGRAM_BOUNDS_MAX) {
      throw new RangeError(`${bounds.length} bounds exceed ${HISTOGRAM_BOUNDS_MAX}`);
    }
    this.bounds = Float64Array.from(bounds);
    const wrong = firstWrongBound(this.bounds);
    if (wrong >= 0) throw new RangeError(`bound ${this.bounds[wrong]} does not increase`);
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): BoundsHistogram {
    const input = new ByteReader(bytes, MAGIC, VERSION, "histogram");
    const length = input.length(8);
    if (length > HISTOGRAM_BOUNDS_MAX) input.fail(`${length} bounds`);
    const bounds = Float64Array.from({ length }, () => input.double());
    const wrong = firstWrongBound(bounds);
    if (wrong >= 0) input.fail(`bound ${bounds[wrong]} does not increase`);
    const histogram = new BoundsHistogram(bounds);
    histogram.invalid = input.integer();
    histogram.missing = input.integer();
    histogram.sum = input.double();
    histogram.min = input.double();
    histogram.max = input.double();
    for (let bucket = 0; bucket <= length; bucket++) {
      const inBucket = input.integer();
      histogram.counts[bucket] = inBucket;
      histogram.count += inBucket;
    }
    input.finish();
    checkExtremes(input, histogram);
    return histogram;
  }

  /** Counts one value. */
  add(value: MaybeNumber): void {
    if (typeof value !== "number" || value - value !== 0) {
      leaveOut(this, value);
      return;
    }
    const x = value + 0;
    const bucket = firstAtLeast(this.bounds, x);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.count++;
    this.sum += x;
    if (x < this.min) this.min = x;
    if (x > this.max) this.max = x;
  }

  /** Counts `values[start]` up to but excluding `values[end]`. */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    for (let i = start; i < end; i++) this.add(values[i]);
  }

  /** Where the `q`-quantile lies: the bucket, narrowed to the extremes; NaN when empty. */
  quantileRange(q: number): [low: number, high: number] {
    if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not in [0, 1]`);
    if (this.count === 0) return [Number.NaN, Number.NaN];
    const target = Math.max(1, Math.ceil(q * this.count));
    let [bucket, upTo] = [0, this.counts[0] as number];
    while (upTo < target) upTo += this.counts[++bucket] as number;
    const low = this.bounds[bucket - 1] ?? -Infinity;
    const high = this.bounds[bucket] ?? Infinity;
    return [Math.max(low, this.min), Math.min(high, this.max)];
  }

  merge(other: BoundsHistogram): void {
    const { bounds } = other;
    if (bounds.length !== this.bounds.length || bounds.some((x, i) => x !== this.bounds[i])) {
      throw new Error(
        `a histogram with bounds ${listed(bounds)} cannot be merged into one with ` +
          listed(this.bounds),
      );
    }
    for (let bucket = 0; bucket < this.counts.length; bucket++) {
      this.counts[bucket] = (this.counts[bucket] as number) + (other.counts[bucket] as number);
    }
    this.count += other.count;
    this.invalid += other.invalid;
    this.missing += other.missing;
    this.sum += other.sum;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  clone(): BoundsHistogram {
    const copy = new BoundsHistogram(this.bounds);
    copy.merge(this);
    return copy;
  }

  serialise(): Uint8Array {
    const out = new ByteWriter(64 + 12 * this.counts.length);
    out.start(MAGIC, VERSION);
    out.integer(this.bounds.length);
    for (const bound of this.bounds) out.double(bound);
    out.integer(this.invalid);
    out.integer(this.missing);
    for (const x of [this.sum, this.min, this.max]) out.double(x);
    for (const count of this.counts) out.integer(count);
    return out.closed();
  }
}

/** Index of a bound that is not finite or not above the one before it; -1 when there is none. */
function firstWrongBound(bounds: Float64Array): number {
  return bounds.findIndex(
    (x, i) => !Number.isFinite(x) || (i > 0 && !(x > (bounds[i - 1] as number))),
  );
}

function listed(bounds: Float64Array): string {
  const shown = Array.from(bounds.subarray(0, 4)).join(", ");
  return bounds.length > 4 ? `[${shown}, ... ${bounds.length} in all]` : `[${shown}]`;
}
