// The reference, frozen as equi-depth edges with the reference's own counts between them.
//
// Guarantee: the Kolmogorov-Smirnov distance of two summaries on these edges never exceeds the
// exact one and is at most `resolution` below it (<= 1/B + 1/n, 2/B with small ties).
// Cost: 2 to 4 KB of edges, as much of means, 1 to 2 KB of counts, 2 KB of lookup table; a lookup
// takes a few nanoseconds.

import { CELLS_MAX, cellCounts, equalMassCells, type GridCells } from "./grid-cells.js";
import {
  type EquiDepthEdges,
  equiDepthEdges,
  nextDown,
  type WeightedSample,
} from "./grid-edges.js";
import { type EdgeLookup, edgeLookup } from "./grid-lookup.js";
import { quantileOfBins, rankOfBins } from "./grid-rank.js";
import { type GridSketch, type GridSource, weightedMoments, withExtremes } from "./grid-source.js";
import { ByteReader, ByteWriter, closingHash } from "./summary-bytes.js";

/** Equi-depth bins of a reference unless said otherwise. */
export const GRID_BINS_DEFAULT = 256;
const GRID_BINS_MIN = 16;
/** With an atom a bin there are twice as many edges, and one bin more. */
export const GRID_BINS_MAX = 1024;
/** Rows that fit one Uint32 bin. */
export const GRID_ROWS_MAX = 2 ** 32 - 1;

const MAGIC = "TMRG";
const VERSION = 2;
const FLAG_FLOAT32 = 1;

export interface ReferenceGridOptions {
  /** B, equi-depth bins aimed at, 16 to 1,024 (default 256); atoms add up to as many again. */
  readonly bins?: number;
  /**
   * True when either side is float32: reference and live values are then rounded with
   * `Math.fround`, without which .1 and fround(.1) are two different atoms.
   */
  readonly float32?: boolean;
}

/** Values counted on a grid's edges: a GridSummary. */
interface CountedOnGrid {
  readonly grid: ReferenceGrid;
  readonly counts: Uint32Array;
  readonly count: number;
  readonly invalid: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly variance: number;
}

interface GridFields extends EquiDepthEdges {
  readonly bins: number;
  readonly float32: boolean;
  readonly invalid: number;
  readonly epsilon: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly variance: number;
  /** That of the same edges, where there is one. */
  readonly lookup?: EdgeLookup;
}

/** A frozen reference, built by `fromSample` or `fromSketch`; live data goes to GridSummary. */
export class ReferenceGrid {
  /** Strictly increasing; bin b is (edges[b-1], edges[b]], the outer bins are unbounded. */
  readonly edges: Float64Array;
  /** The reference's own rows per bin, length edges.length + 1. */
  readonly counts: Uint32Array;
  /** Mean of the reference's rows in each bin, an edge where it has none; never decreasing. */
  readonly binMeans: Float64Array;
  /** B, the equi-depth bins aimed at. */
  readonly bins: number;
  readonly float32: boolean;
  /** Finite rows of the reference. */
  readonly count: number;
  /** NaN and infinite rows of the reference, left out. */
  readonly invalid: number;
  /** 99 % rank error inherited from a sketch; 0 when built from raw rows. */
  readonly epsilon: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Population variance (divisor n). */
  readonly variance: number;
  /** Upper bound of D_exact - D_grid: the largest share of a bin that is not an atom. */
  readonly resolution: number;
  /** Lookup table of `GridSummary.add`. */
  readonly lookup: EdgeLookup;
  /** Made when it is asked for: most references of a moment are not. */
  #id: string | undefined;
  readonly #cells: (GridCells | undefined)[] = [];
  readonly #cellCounts: (readonly number[] | undefined)[] = [];

  private constructor(fields: GridFields) {
    this.lookup = fields.lookup ?? edgeLookup(fields.edges);
    // The same numbers are kept once.
    this.edges = this.lookup.fence.subarray(0, fields.edges.length);
    this.counts = fields.counts;
    this.binMeans = fields.binMeans;
    this.bins = fields.bins;
    this.float32 = fields.float32;
    this.invalid = fields.invalid;
    this.epsilon = fields.epsilon;
    this.min = fields.min;
    this.max = fields.max;
    this.mean = fields.mean;
    this.variance = fields.variance;
    this.count = fields.counts.reduce((sum, count) => sum + count, 0);
    this.resolution = largestPlainBin(fields.edges, fields.counts) / this.count;
    Object.freeze(this);
  }

  /** 16 hexadecimal digits that name edges and counts: equal ids, equal references. */
  get id(): string {
    return (this.#id ??= closingHash(this.serialise()));
  }

  /**
   * Freezes a sample as the reference. NaN and infinities are left out and counted.
   *
   * @param values rows in any order; copied
   * @throws RangeError without a finite value, above 2^32 - 1 rows, or with bins out of range
   */
  static fromSample(values: ArrayLike<number>, options: ReferenceGridOptions = {}): ReferenceGrid {
    const finite = new Float64Array(values.length);
    let length = 0;
    const float32 = options.float32 ?? false;
    for (let i = 0; i < values.length; i++) {
      const value = float32 ? Math.fround(values[i] as number) : (values[i] as number);
      if (Number.isFinite(value)) finite[length++] = value;
    }
    const sorted = finite.subarray(0, length).toSorted();
    const source = { values: sorted, epsilon: 0 };
    return new ReferenceGrid(fieldsOf(source, values.length - length, options));
  }

  /**
   * Freezes what a quantile sketch has seen as the reference; its rank error is carried in
   * `epsilon`. Minimum and maximum, mean and variance are the true ones where `sketch` knows them,
   * and otherwise those of its retained items.
   *
   * @param sketch anything with a sorted view, in particular a KllSketch
   * @throws RangeError when the sketch is empty
   */
  static fromSketch(sketch: GridSketch, options: ReferenceGridOptions = {}): ReferenceGrid {
    const { min, max } = sketch;
    const fields = fieldsOf(withExtremes(sketch.sortedView(), min, max), 0, options);
    const { mean = fields.mean, variance = fields.variance } = sketch;
    return new ReferenceGrid({ ...fields, mean, variance });
  }

  /**
   * A reference on the edges of `summary` that holds what it has counted, such as last week's
   * values. The edges are then equi-depth of another reference, which `resolution` allows for.
   *
   * @throws RangeError when nothing was counted
   */
  static fromSummary(summary: CountedOnGrid): ReferenceGrid {
    const { grid, min, max, mean, variance, invalid } = summary;
    if (summary.count === 0) throw new RangeError("a reference needs at least one finite value");
    const { edges, lookup, binMeans, bins, float32 } = grid;
    const edged = { edges, lookup, binMeans, bins, float32, counts: summary.counts.slice() };
    return new ReferenceGrid({ ...edged, min, max, mean, variance, invalid, epsilon: 0 });
  }

  /** Decodes `serialise`. @throws SummaryFormatError on anything else */
  static deserialise(bytes: Uint8Array): ReferenceGrid {
    return new ReferenceGrid(readFields(bytes));
  }

  /** Versioned bytes, about 6 KB at B = 256: edges, counts, moments, content hash. */
  serialise(): Uint8Array {
    const out = new ByteWriter(64 + 16 * this.edges.length + 3 * this.counts.length);
    out.start(MAGIC, VERSION);
    out.byte(this.float32 ? FLAG_FLOAT32 : 0);
    out.integer(this.bins);
    out.integer(this.invalid);
    for (const x of [this.epsilon, this.min, this.max, this.mean, this.variance]) out.double(x);
    out.integer(this.edges.length);
    for (const edge of this.edges) out.double(edge);
    for (const count of this.counts) out.integer(count);
    for (const mean of this.binMeans) out.double(mean);
    return out.closed();
  }

  /**
   * The cells for share-based tests, at most `cellsTarget` (1 to 10) of about equal reference
   * mass; the same object each time.
   */
  cells(cellsTarget: number = CELLS_MAX): GridCells {
    assertCells(cellsTarget);
    return (this.#cells[cellsTarget] ??= equalMassCells(this.counts, cellsTarget));
  }

  /** The reference's own rows per cell of `cells(cellsTarget)`. */
  cellCounts(cellsTarget: number = CELLS_MAX): readonly number[] {
    return (this.#cellCounts[cellsTarget] ??= cellCounts(this.cells(cellsTarget), this.counts));
  }

  /** The value below or at which a share `q` of the reference lies, interpolated inside a bin. */
  quantile(q: number): number {
    return quantileOfBins(this, q);
  }

  /** The share of the reference at or below `x`: exact at an edge, interpolated inside a bin. */
  rank(x: number): number {
    return rankOfBins(this, this.lookup, x);
  }

  /** Whether summaries of either grid can be compared with both: the bins are the same. */
  hasEdgesOf(other: ReferenceGrid): boolean {
    if (other.lookup === this.lookup) return other.float32 === this.float32;
    if (other.float32 !== this.float32 || other.edges.length !== this.edges.length) return false;
    return this.edges.every((edge, i) => edge === other.edges[i]);
  }

  /** Whether bin `bin` holds a single value, which then is edges[bin]. */
  isAtom(bin: number): boolean {
    return isAtomBin(this.edges, bin);
  }
}

function fieldsOf(source: GridSource, invalid: number, options: ReferenceGridOptions): GridFields {
  const bins = options.bins ?? GRID_BINS_DEFAULT;
  const float32 = options.float32 ?? false;
  if (!Number.isInteger(bins) || bins < GRID_BINS_MIN || bins > GRID_BINS_MAX) {
    throw new RangeError(`bins ${bins} is not an integer in [${GRID_BINS_MIN}, ${GRID_BINS_MAX}]`);
  }
  if (source.values.length === 0) {
    throw new RangeError("a reference needs at least one finite value");
  }
  // `+ 0` turns -0 into 0, so that the two zeros are one atom.
  const values = source.values.map((x) => (float32 ? Math.fround(x) : x) + 0);
  const { weights } = source;
  const moments = weightedMoments(values, weights);
  if (moments.count > GRID_ROWS_MAX) {
    throw new RangeError(`a reference holds at most ${GRID_ROWS_MAX} rows, not ${moments.count}`);
  }
  const sample: WeightedSample = weights ? { values, weights } : { values };
  return {
    ...equiDepthEdges(sample, bins, source.epsilon > 0 ? 2 : 1),
    bins,
    float32,
    invalid,
    epsilon: source.epsilon,
    min: values[0] as number,
    max: values[values.length - 1] as number,
    mean: moments.mean,
    variance: moments.variance,
  };
}

function isAtomBin(edges: Float64Array, bin: number): boolean {
  if (bin < 1 || bin >= edges.length) return false;
  return edges[bin - 1] === nextDown(edges[bin] as number);
}

function largestPlainBin(edges: Float64Array, counts: Uint32Array): number {
  let largest = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    if (count > largest && !isAtomBin(edges, bin)) largest = count;
  }
  return largest;
}

function assertCells(cellsTarget: number): void {
  if (Number.isInteger(cellsTarget) && cellsTarget >= 1 && cellsTarget <= CELLS_MAX) return;
  throw new RangeError(`cells ${cellsTarget} is not an integer in [1, ${CELLS_MAX}]`);
}

function readFields(bytes: Uint8Array): GridFields {
  const input = new ByteReader(bytes, MAGIC, VERSION, "reference grid");
  const flags = input.byte();
  if (flags > FLAG_FLOAT32) input.fail(`flags ${flags} are unknown`);
  const bins = input.integer();
  if (bins < GRID_BINS_MIN || bins > GRID_BINS_MAX) input.fail(`${bins} bins are out of range`);
  const invalid = input.integer();
  const epsilon = input.double();
  if (!(epsilon >= 0 && epsilon < 1)) input.fail(`epsilon ${epsilon} is out of range`);
  const [min, max, mean, variance] = [
    input.double(),
    input.double(),
    input.double(),
    input.double(),
  ];
  const edgeCount = input.length(8);
  if (edgeCount < 1 || edgeCount > 2 * bins) input.fail(`${edgeCount} edges are out of range`);
  const edges = new Float64Array(edgeCount);
  for (let i = 0; i < edgeCount; i++) {
    const edge = input.double();
    edges[i] = edge;
    if (!Number.isFinite(edge)) input.fail("an edge is not finite");
    if (i > 0 && edge <= (edges[i - 1] as number)) input.fail("edges do not increase");
  }
  const counts = new Uint32Array(edgeCount + 1);
  let count = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const rows = input.integer();
    count += rows;
    counts[bin] = rows;
  }
  const binMeans = readMeans(input, edgeCount + 1);
  input.finish();
  if (count < 1 || count > GRID_ROWS_MAX) input.fail(`${count} rows are out of range`);
  if (!(min <= max)) input.fail("its minimum exceeds its maximum");
  const float32 = flags === FLAG_FLOAT32;
  return { edges, counts, binMeans, bins, float32, invalid, epsilon, min, max, mean, variance };
}

function readMeans(input: ByteReader, length: number): Float64Array {
  const means = new Float64Array(length);
  for (let bin = 0; bin < length; bin++) {
    const mean = input.double();
    means[bin] = mean;
    if (!Number.isFinite(mean)) input.fail("a bin's mean is not finite");
    if (bin > 0 && mean < (means[bin - 1] as number)) input.fail("the bins' means decrease");
  }
  return means;
}
