// Equi-depth edges of a sorted, weighted sample.
//
// Guarantee: with edges at ranks ceil(jn/B), no bin without an atom holds more than n/B + 1 units
// of reference mass strictly inside it, so the Kolmogorov-Smirnov distance on the edges is at most
// 1/B + 1/n below the exact one, and never above it. A value that carries n/B or more enters as
// nextDown(v) and v: its bin is {v}, and the distance is exact at v and just below it.
// At most 2B edges: each of the B ranks yields one edge, each atom covers a rank and adds one.

/** Edges and what the sample itself puts between them. */
export interface EquiDepthEdges {
  /** Strictly increasing; bin b is (edges[b-1], edges[b]], the first and last are unbounded. */
  readonly edges: Float64Array;
  /** Reference mass per bin, length edges.length + 1. */
  readonly counts: Uint32Array;
  /** Mean of the sample inside each bin, an edge where it has none; never decreasing. */
  readonly binMeans: Float64Array;
}

/** A sorted sample in which `values[i]` stands for `weights[i]` rows. */
export interface WeightedSample {
  /** Ascending, finite; equal values may repeat. */
  readonly values: Float64Array;
  /** Positive integers; absent when every value stands for one row. */
  readonly weights?: Float64Array;
}

/**
 * Edges at the ranks ceil(jn/B), j = 1..B, plus nextDown(minimum), atoms doubled.
 *
 * @param sample ascending sample of n >= 1 rows
 * @param binsTarget B
 * @param atomCopiesMin how often a value must be retained to count as an atom: 1 for raw rows, 2
 *   for a sketch, whose heavier items would otherwise look like atoms
 */
export function equiDepthEdges(
  sample: WeightedSample,
  binsTarget: number,
  atomCopiesMin: number,
): EquiDepthEdges {
  const { values, weights } = sample;
  let n = values.length;
  if (weights) n = weights.reduce((sum, weight) => sum + weight, 0);
  const edges: number[] = [];
  const counts: number[] = [];
  const means: number[] = [];
  let inBin = 0;
  let mean = 0;
  const close = (edge: number): void => {
    if (edges.length > 0 && edge <= (edges[edges.length - 1] as number)) return;
    edges.push(edge);
    counts.push(inBin);
    means.push(inBin > 0 ? mean : edge);
    inBin = 0;
  };
  const below = nextDown(values[0] as number);
  if (Number.isFinite(below)) close(below);
  let cumulative = 0;
  let j = 1;
  for (let i = 0; i < values.length; ) {
    const value = values[i] as number;
    let mass = 0;
    let copies = 0;
    for (; i < values.length && values[i] === value; i++, copies++) mass += weights?.[i] ?? 1;
    cumulative += mass;
    const atom = mass * binsTarget >= n && copies >= atomCopiesMin;
    if (atom) close(nextDown(value));
    inBin += mass;
    // As a step towards `value`, which neither overflows nor leaves the bin but by rounding.
    mean = inBin === mass ? value : Math.min(value, mean + (value - mean) * (mass / inBin));
    const isRank = Math.ceil((j * n) / binsTarget) <= cumulative;
    if (isRank || atom) close(value);
    while (j <= binsTarget && Math.ceil((j * n) / binsTarget) <= cumulative) j++;
  }
  counts.push(inBin);
  means.push(inBin > 0 ? mean : (edges[edges.length - 1] as number));
  return {
    edges: Float64Array.from(edges),
    counts: Uint32Array.from(counts),
    binMeans: Float64Array.from(means),
  };
}

const doubles = new Float64Array(1);
const words = new BigInt64Array(doubles.buffer);

/** The largest double below `x` (IEEE 754 nextDown); -0 counts as 0. */
export function nextDown(x: number): number {
  if (x === 0) return -Number.MIN_VALUE;
  if (!Number.isFinite(x)) return x === Infinity ? Number.MAX_VALUE : x;
  doubles[0] = x;
  words[0] = (words[0] as bigint) + (x > 0 ? -1n : 1n);
  return doubles[0];
}
