// The mean of random Fourier features of embeddings: Rahimi, Recht, "Random features for
// large-scale kernel machines" (NeurIPS 2007), as pairs of cosine and sine of w x with w normal of
// deviation 1/bandwidth, which err less than single cosines (Sutherland, Schneider, "On the error
// of random Fourier features", UAI 2015). Over the draw, z(x) z(y) has the Gaussian kernel
// k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2)) as its mean; z(x) z(x) is 1 always.
//
// The distance of two means is the maximum mean discrepancy (Gretton et al., "A kernel two-sample
// test", JMLR 2012) within these features; MMD^2 is the unbiased estimate, which may be negative.
// Guarantee: that estimate is itself a mean over D/2 independent pairs, whose spread states how far
// it is from that of the kernel. Cost: D doubles a summary, D/2 x dimension multiplications an add.
// Two streams merge exactly, up to the rounding of sums.

import { SeededGenerator } from "./seeded-generator.js";
import type { Summary } from "./summary.js";
import { ByteReader, ByteWriter } from "./summary-bytes.js";

const MAGIC = "TMFM";
const VERSION = 1;
/** D unless said otherwise. */
export const FEATURES_DEFAULT = 256;
export const FEATURES_MAX = 65_536;
export const EMBEDDING_DIMENSION_MAX = 65_536;
/** A normal variable is beyond this, either way, once in a hundred draws. */
const NORMAL_99 = 2.5758293035489;
/** 2^24 weights are 128 MB, shared by all summaries of a map. */
const WEIGHTS_MAX = 2 ** 24;

export interface FeatureMapOptions {
  /** Length of an embedding. */
  readonly dimension: number;
  /** Distance at which two embeddings are hardly alike; the median distance is a usual choice. */
  readonly bandwidth: number;
  /** D, the number of features, even (default 256). */
  readonly features?: number;
  /** Seed of the draw, an integer; summaries compare only when they share it (default 0). */
  readonly seed?: number;
}

/** One draw of features, shared by all summaries that are to be compared. */
export class FeatureMap {
  readonly dimension: number;
  readonly bandwidth: number;
  readonly features: number;
  readonly seed: number;
  /** What a message names it by: equal names, equal features. */
  readonly name: string;
  readonly #weights: Float64Array;

  /** @throws RangeError naming the option that is out of range */
  constructor(options: FeatureMapOptions) {
    const { dimension, bandwidth, features = FEATURES_DEFAULT, seed = 0 } = options;
    assertCount("dimension", dimension, EMBEDDING_DIMENSION_MAX);
    assertCount("features", features, FEATURES_MAX);
    assertCount("dimension x features", dimension * features, WEIGHTS_MAX);
    if (features % 2 !== 0) throw new RangeError(`features ${features} is odd`);
    if (!(bandwidth > 0 && bandwidth < Infinity)) {
      throw new RangeError(`bandwidth ${bandwidth} is not a positive number`);
    }
    if (!Number.isSafeInteger(seed)) throw new RangeError(`seed ${seed} is not an integer`);
    this.dimension = dimension;
    this.bandwidth = bandwidth;
    this.features = features;
    this.seed = seed;
    const kernel = `dimension ${dimension}, bandwidth ${bandwidth}`;
    this.name = `${kernel}, ${features} features, seed ${seed}`;
    const random = new SeededGenerator(seed);
    this.#weights = new Float64Array((dimension * features) / 2);
    for (let i = 0; i < this.#weights.length; i++) this.#weights[i] = random.normal() / bandwidth;
  }

  /** Adds cosines and sines in turn to `sums`, of length `features`; the caller checks lengths. */
  addTo(sums: Float64Array, embedding: ArrayLike<number>): void {
    const { dimension } = this;
    const weights = this.#weights;
    let at = 0;
    for (let pair = 0; pair < sums.length; pair += 2) {
      let phase = 0;
      for (let i = 0; i < dimension; i++) {
        phase += (weights[at++] as number) * (embedding[i] as number);
      }
      sums[pair] = (sums[pair] as number) + Math.cos(phase);
      sums[pair + 1] = (sums[pair + 1] as number) + Math.sin(phase);
    }
  }
}

/** What `discrepancy` says of two means. */
export interface Discrepancy {
  /** Unbiased estimate of MMD^2; its mean is 0 when both laws are the same. */
  readonly squared: number;
  /** sqrt(max(0, squared)). */
  readonly distance: number;
  /**
   * Half of a 99 % interval around `squared` from the draw of the features alone (normal, over D/2
   * pairs). What the rows' own sampling adds is the business of a test.
   */
  readonly featureError: number;
}

/** The mergeable mean feature vector of a stream of embeddings. */
export class FeatureMean implements Summary<FeatureMean> {
  readonly map: FeatureMap;
  /** Embeddings seen. */
  count = 0;
  /** Embeddings of another length or with a component that is not finite. */
  invalid = 0;
  missing = 0;
  /** Cosine and sine of each pair in turn. */
  readonly #sums: Float64Array;

  constructor(map: FeatureMap) {
    this.map = map;
    this.#sums = new Float64Array(map.features);
  }

  /** Decodes `serialise`. @throws SummaryFormatError when corrupt or of another map */
  static deserialise(map: FeatureMap, bytes: Uint8Array): FeatureMean {
    const input = new ByteReader(bytes, MAGIC, VERSION, "feature mean");
    const name = new TextDecoder().decode(input.raw(input.length(1)));
    if (name !== map.name) input.fail(`it is of ${name}, not of ${map.name}`);
    const mean = new FeatureMean(map);
    mean.count = input.integer();
    mean.invalid = input.integer();
    mean.missing = input.integer();
    for (let j = 0; j < map.features; j++) {
      const sum = input.double();
      // No cosine exceeds 1; a little more for rounding.
      if (!(Math.abs(sum) <= 1.001 * mean.count)) input.fail(`a sum ${sum} of ${mean.count} rows`);
      mean.#sums[j] = sum;
    }
    input.finish();
    return mean;
  }

  /** Counts one embedding; nothing of it is kept. */
  add(embedding: ArrayLike<number> | null | undefined): void {
    if (embedding === null || embedding === undefined) {
      this.missing++;
      return;
    }
    if (!isEmbedding(embedding, this.map.dimension)) {
      this.invalid++;
      return;
    }
    this.map.addTo(this.#sums, embedding);
    this.count++;
  }

  /** Counts the embeddings that follow each other in `values`, `map.dimension` components each. */
  addMany(values: Float64Array | Float32Array): void {
    const { dimension } = this.map;
    for (let at = 0; at < values.length; at += dimension) {
      this.add(values.subarray(at, at + dimension));
    }
  }

  /** The mean of the features; NaN when empty. */
  mean(): Float64Array {
    return this.#sums.map((sum) => sum / (this.count * Math.sqrt(this.map.features / 2)));
  }

  /**
   * How far the two laws are apart.
   *
   * @throws Error naming both maps when they differ, RangeError below two embeddings a side
   */
  discrepancy(other: FeatureMean): Discrepancy {
    this.#assertSameMap(other, "compared with");
    if (this.count < 2 || other.count < 2) {
      throw new RangeError(`${this.count} and ${other.count} embeddings: each side needs two`);
    }
    const { count } = this;
    const pairs = this.#sums.length / 2;
    // What a row's product with itself adds to the squared length of each mean.
    const own = 1 / (count - 1) + 1 / (other.count - 1);
    const weight = count / (count - 1);
    const otherWeight = other.count / (other.count - 1);
    let [sum, squares] = [0, 0];
    for (let j = 0; j < this.#sums.length; j += 2) {
      const [a, b] = [(this.#sums[j] as number) / count, (this.#sums[j + 1] as number) / count];
      const c = (other.#sums[j] as number) / other.count;
      const d = (other.#sums[j + 1] as number) / other.count;
      const ofPair = weight * (a * a + b * b) + otherWeight * (c * c + d * d) - 2 * (a * c + b * d);
      sum += ofPair;
      squares += ofPair * ofPair;
    }
    const mean = sum / pairs;
    const variance = Math.max(0, squares / pairs - mean * mean);
    return {
      squared: mean - own,
      distance: Math.sqrt(Math.max(0, mean - own)),
      featureError: NORMAL_99 * Math.sqrt(variance / pairs),
    };
  }

  merge(other: FeatureMean): void {
    this.#assertSameMap(other, "merged into");
    const { count, invalid, missing } = other;
    for (let j = 0; j < this.#sums.length; j++) {
      this.#sums[j] = (this.#sums[j] as number) + (other.#sums[j] as number);
    }
    this.count += count;
    this.invalid += invalid;
    this.missing += missing;
  }

  clone(): FeatureMean {
    const copy = new FeatureMean(this.map);
    copy.merge(this);
    return copy;
  }

  serialise(): Uint8Array {
    const out = new ByteWriter(128 + 8 * this.#sums.length);
    const name = new TextEncoder().encode(this.map.name);
    out.start(MAGIC, VERSION);
    out.integer(name.length);
    out.raw(name);
    for (const x of [this.count, this.invalid, this.missing]) out.integer(x);
    for (const sum of this.#sums) out.double(sum);
    return out.closed();
  }

  #assertSameMap(other: FeatureMean, verb: string): void {
    if (other.map === this.map || other.map.name === this.map.name) return;
    throw new Error(
      `a feature mean of ${other.map.name} cannot be ${verb} one of ${this.map.name}`,
    );
  }
}

function isEmbedding(values: ArrayLike<number>, dimension: number): boolean {
  if (values.length !== dimension) return false;
  for (let i = 0; i < dimension; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}

function assertCount(what: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`${what} ${value} is not an integer in [1, ${max}]`);
}
