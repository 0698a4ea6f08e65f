/**
 * Random Fourier features of embeddings: Rahimi and Recht, "Random features for large-scale kernel
 * machines" (2007). k numbers in place of a vector; distances between their means approximate the
 * kernel's maximum mean discrepancy, with an error of the order of 1/sqrt(k). The vector cannot be
 * computed from them: they are fewer than its dimensions, and periodic.
 */

/** Vectors are scaled to length 1, and lie about as far apart: so is the kernel's bandwidth. */
const BANDWIDTH = 1;
/** Projections for so many lengths of vectors are kept: an app has a model or two. */
const LENGTHS_MAX = 8;

interface Projection {
  readonly directions: Float64Array;
  readonly phases: Float64Array;
}

/** The same features for the same seed, in every process. */
export class RandomFeatures {
  private readonly count: number;
  private readonly seed: number;
  private readonly projections = new Map<number, Projection>();

  /** @param count k, the numbers that a vector becomes */
  constructor(count: number, seed: number) {
    this.count = count;
    this.seed = seed;
  }

  /** The features of a vector, each within ±sqrt(2); undefined for one without a direction. */
  of(vector: ArrayLike<number>): number[] | undefined {
    let square = 0;
    for (let i = 0; i < vector.length; i++) square += (vector[i] as number) ** 2;
    if (!(square > 0 && Number.isFinite(square))) return undefined;
    const { directions, phases } = this.projection(vector.length);
    const scale = 1 / (Math.sqrt(square) * BANDWIDTH);
    return Array.from(phases, (phase, feature) => {
      let dot = 0;
      const start = feature * vector.length;
      for (let i = 0; i < vector.length; i++) {
        dot += (directions[start + i] as number) * (vector[i] as number);
      }
      return Math.SQRT2 * Math.cos(dot * scale + phase);
    });
  }

  private projection(length: number): Projection {
    const known = this.projections.get(length);
    if (known !== undefined) return known;
    if (this.projections.size === LENGTHS_MAX) this.projections.clear();
    const random = uniform(this.seed);
    const directions = Float64Array.from({ length: this.count * length }, () => normal(random));
    const phases = Float64Array.from({ length: this.count }, () => 2 * Math.PI * random());
    const projection = { directions, phases };
    this.projections.set(length, projection);
    return projection;
  }
}

/** Box and Muller's transformation. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Numbers in [0, 1), by steps of an odd constant that are mixed (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
