// One window of one numeric signal, counted on the edges of its reference.
//
// Guarantee: counts after merge are those of the concatenated streams, exactly and in any order;
// the moments agree to rounding. Cost: 1 to 2 KB, or a fraction of that while the values are few,
// when there is a list of their bins in place of a count for every bin. No raw value is kept.

import { BLOCK_MAX, binOf, countBlock } from "./grid-lookup.js";
import { quantileOfBins, rankOfBins } from "./grid-rank.js";
import { GRID_BINS_MAX, GRID_ROWS_MAX, type ReferenceGrid } from "./reference-grid.js";
import { leaveOut, type MaybeNumber, type Summary } from "./summary.js";
import { ByteReader, ByteWriter, checkExtremes } from "./summary-bytes.js";

const MAGIC = "TMGS";
const VERSION = 1;
/** So many values are kept as a list of bins, if the grid has at least as many bins as below. */
const FEW_MAX = 34;
const FEW_BINS_MIN = 4 * FEW_MAX;
/** Two bins share an element of the list: V8 gives a list room for 17 elements, and then for 43. */
const BIN_BITS = 15;
const BIN_MASK = (1 << BIN_BITS) - 1;

/** Rooms for counts that were given back, by how many counts; so many in all. */
const spareRooms = new Map<number, Uint32Array[]>();
const SPARE_MAX = 64;
let spareCount = 0;

const rounded = new Float32Array(BLOCK_MAX);
const sums = new Float64Array(4);
const scratch = new Uint32Array(2 * GRID_BINS_MAX + 1);

/** Mergeable counts of live values between the frozen edges of a reference. */
export class GridSummary implements Summary<GridSummary> {
  readonly grid: ReferenceGrid;
  /** Finite values. */
  count = 0;
  /** Values that were NaN or infinite (after rounding, on a float32 grid). */
  invalid = 0;
  /** Rows without a value, as told by `addMissing`. */
  missing = 0;
  /** Smallest value, Infinity when there is none. */
  min = Infinity;
  /** Largest value, -Infinity when there is none. */
  max = -Infinity;
  /** Sum of x - grid.mean: centred, so that a tight distribution far from 0 keeps its variance. */
  deviationSum = 0;
  /** Sum of (x - grid.mean)^2. */
  deviationSquares = 0;
  /** Undefined as long as `few` has the bin of every finite value. */
  private dense: Uint32Array | undefined;
  private few: number[] = [];
  private fewCount = 0;

  constructor(grid: ReferenceGrid) {
    this.grid = grid;
    if (grid.edges.length < FEW_BINS_MIN) this.#makeRoom();
  }

  /** Decodes `serialise`. @throws SummaryFormatError when corrupt or of another grid */
  static deserialise(grid: ReferenceGrid, bytes: Uint8Array): GridSummary {
    return readSummary(grid, bytes);
  }

  /** Finite values per bin, length grid.edges.length + 1. Makes room for them if there is none. */
  get counts(): Uint32Array {
    return this.dense ?? this.#makeRoom();
  }

  /** The same without making room: to be read only, and before anything else is asked. */
  readCounts(): Uint32Array {
    if (this.dense !== undefined) return this.dense;
    return this.#countFew(scratch.subarray(0, this.grid.edges.length + 1).fill(0));
  }

  /** Sum of the values, to rounding. */
  get sum(): number {
    return this.deviationSum + this.count * this.grid.mean;
  }

  /** Sum of the squared values, to rounding; prefer `variance`, which does not cancel. */
  get sumSquares(): number {
    const centre = this.grid.mean;
    const cross = 2 * centre * this.deviationSum;
    return this.deviationSquares + cross + this.count * centre * centre;
  }

  /** Mean of the values, NaN when there is none. */
  get mean(): number {
    return this.grid.mean + this.deviationSum / this.count;
  }

  /** Population variance (divisor n), NaN when there is no value. */
  get variance(): number {
    const shift = this.deviationSum / this.count;
    return Math.max(0, this.deviationSquares / this.count - shift * shift);
  }

  /** Counts one value. At most 2^32 - 1 values fit. */
  add(value: MaybeNumber): void {
    if (typeof value !== "number") {
      leaveOut(this, value);
      return;
    }
    const grid = this.grid;
    // `+ 0` turns -0 into 0: otherwise the extremes would depend on the order of the zeros.
    const x = (grid.float32 ? Math.fround(value) : value) + 0;
    if (x - x !== 0) {
      this.invalid++;
      return;
    }
    this.addToBin(binOf(grid.lookup, x), 1);
    this.count++;
    const deviation = x - grid.mean;
    this.deviationSum += deviation;
    this.deviationSquares += deviation * deviation;
    if (x < this.min) this.min = x;
    if (x > this.max) this.max = x;
  }

  /**
   * Counts `values[start]` up to but excluding `values[end]`.
   *
   * @throws RangeError when a bin could exceed 2^32 - 1 values
   */
  addMany(values: Float64Array | Float32Array, start = 0, end: number = values.length): void {
    this.#assertRoom(end - start);
    if (this.staysFew(end - start)) {
      for (let at = start; at < end; at++) this.add(values[at]);
      return;
    }
    for (let from = start; from < end; from += BLOCK_MAX) {
      this.#addBlock(values, from, Math.min(from + BLOCK_MAX, end));
    }
  }

  /** Counts `times` rows that had no value. */
  addMissing(times = 1): void {
    this.missing += times;
  }

  /**
   * Adds everything `other` has seen. `other` is unchanged.
   *
   * @throws Error naming both grids when they differ, RangeError above 2^32 - 1 values
   */
  merge(other: GridSummary): void {
    if (other.grid !== this.grid && other.grid.id !== this.grid.id) {
      throw new Error(
        `a summary on grid ${other.grid.id} cannot be merged into one on grid ${this.grid.id}`,
      );
    }
    this.#assertRoom(other.count);
    if (other.dense !== undefined) this.#addCounts(other.dense);
    else for (let at = 0; at < other.fewCount; at++) this.addToBin(other.#fewAt(at), 1);
    this.count += other.count;
    this.invalid += other.invalid;
    this.missing += other.missing;
    this.deviationSum += other.deviationSum;
    this.deviationSquares += other.deviationSquares;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  /** Forgets every value, and gives back the room for counts; the grid stays. */
  reset(): void {
    if (this.dense !== undefined && this.grid.edges.length >= FEW_BINS_MIN) {
      giveBack(this.dense);
      this.dense = undefined;
    }
    this.dense?.fill(0);
    this.few.length = 0;
    this.fewCount = 0;
    this.count = 0;
    this.invalid = 0;
    this.missing = 0;
    this.min = Infinity;
    this.max = -Infinity;
    this.deviationSum = 0;
    this.deviationSquares = 0;
  }

  /** An independent copy on the same grid. */
  clone(): GridSummary {
    const copy = new GridSummary(this.grid);
    copy.merge(this);
    return copy;
  }

  /** The value at or below which a share `q` lies; NaN when empty. @throws RangeError */
  quantile(q: number): number {
    return quantileOfBins(this.#binned(), q);
  }

  /** The share of values at or below `x`; NaN when empty. */
  rank(x: number): number {
    return rankOfBins(this.#binned(), this.grid.lookup, x);
  }

  /** Versioned bytes: at most 2 KB at B = 256 up to 10^9 values, about 400 for a usual window. */
  serialise(): Uint8Array {
    const out = new ByteWriter(128 + 2 * this.grid.edges.length);
    out.start(MAGIC, VERSION);
    for (let i = 0; i < 16; i += 2) out.byte(Number.parseInt(this.grid.id.slice(i, i + 2), 16));
    out.integer(this.invalid);
    out.integer(this.missing);
    for (const x of [this.min, this.max, this.deviationSum, this.deviationSquares]) out.double(x);
    for (const count of this.readCounts()) out.integer(count);
    return out.closed();
  }

  /** Whether so many more values could do without room for counts. @internal */
  staysFew(more: number): boolean {
    return this.dense === undefined && this.fewCount + more <= FEW_MAX;
  }

  /**
   * Counts `times` values in a bin and nowhere else: the count and the moments are the caller's.
   * @internal
   */
  addToBin(bin: number, times: number): void {
    const { dense } = this;
    if (dense !== undefined) dense[bin] = (dense[bin] as number) + times;
    else if (this.staysFew(times)) for (let i = 0; i < times; i++) this.#addFew(bin);
    else this.counts[bin] = (this.counts[bin] as number) + times;
  }

  #addFew(bin: number): void {
    const { few } = this;
    const at = this.fewCount++;
    if (at % 2 === 0) few.push(bin);
    else few[at >> 1] = (few[at >> 1] as number) | (bin << BIN_BITS);
  }

  #fewAt(at: number): number {
    const two = this.few[at >> 1] as number;
    return at % 2 === 0 ? two & BIN_MASK : two >> BIN_BITS;
  }

  #countFew(counts: Uint32Array): Uint32Array {
    for (let at = 0; at < this.fewCount; at++) {
      const bin = this.#fewAt(at);
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  }

  #addCounts(more: Uint32Array): void {
    const { counts } = this;
    for (let bin = 0; bin < counts.length; bin++) {
      counts[bin] = (counts[bin] as number) + (more[bin] as number);
    }
  }

  #makeRoom(): Uint32Array {
    this.dense = this.#countFew(takeRoom(this.grid.edges.length + 1));
    this.few = [];
    this.fewCount = 0;
    return this.dense;
  }

  #addBlock(values: Float64Array | Float32Array, start: number, end: number): void {
    const { lookup, mean, float32 } = this.grid;
    if (float32 && values instanceof Float64Array) {
      rounded.set(values.subarray(start, end));
      this.#addBlock(rounded, 0, end - start);
      return;
    }
    if (lookup.crowded) {
      for (let i = start; i < end; i++) this.add(values[i]);
      return;
    }
    const { counts } = this;
    sums[0] = this.deviationSum;
    sums[1] = this.deviationSquares;
    sums[2] = this.min;
    sums[3] = this.max;
    scratch.set(counts);
    countBlock(lookup, values, start, end, counts, mean, sums);
    const sum = sums[0];
    const squares = sums[1];
    if (sum - sum !== 0 || squares - squares !== 0) {
      // Something is not finite, or huge: one by one.
      counts.set(scratch.subarray(0, counts.length));
      for (let i = start; i < end; i++) this.add(values[i]);
      return;
    }
    this.count += end - start;
    this.deviationSum = sum;
    this.deviationSquares = squares;
    // `+ 0` turns -0 into 0, as in `add`.
    this.min = sums[2] + 0;
    this.max = sums[3] + 0;
  }

  #binned() {
    const { count, min, max } = this;
    return { edges: this.grid.edges, counts: this.readCounts(), count, min, max };
  }

  #assertRoom(more: number): void {
    if (this.count + more <= GRID_ROWS_MAX) return;
    throw new RangeError(`a summary holds at most ${GRID_ROWS_MAX} values`);
  }
}

/** Zeros. A buffer that comes and goes with every window is what a garbage collector does worst. */
function takeRoom(bins: number): Uint32Array {
  const room = spareRooms.get(bins)?.pop();
  if (room === undefined) return new Uint32Array(bins);
  spareCount--;
  return room.fill(0);
}

function giveBack(room: Uint32Array): void {
  if (spareCount === SPARE_MAX) {
    // Whatever is asked for now gets room soon.
    spareRooms.clear();
    spareCount = 0;
  }
  const alike = spareRooms.get(room.length);
  if (alike) alike.push(room);
  else spareRooms.set(room.length, [room]);
  spareCount++;
}

function readSummary(grid: ReferenceGrid, bytes: Uint8Array): GridSummary {
  const input = new ByteReader(bytes, MAGIC, VERSION, "grid summary");
  const id = Array.from(input.raw(8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (id !== grid.id) input.fail(`it belongs to grid ${id}, not to grid ${grid.id}`);
  const summary = new GridSummary(grid);
  summary.invalid = input.integer();
  summary.missing = input.integer();
  summary.min = input.double();
  summary.max = input.double();
  summary.deviationSum = input.double();
  summary.deviationSquares = input.double();
  for (let bin = 0; bin <= grid.edges.length; bin++) {
    const inBin = input.integer();
    if (inBin > 0) summary.addToBin(bin, inBin);
    summary.count += inBin;
  }
  input.finish();
  checkExtremes(input, summary);
  if (summary.count > GRID_ROWS_MAX) input.fail(`${summary.count} values are out of range`);
  return summary;
}
