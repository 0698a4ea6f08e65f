// Two laws over the same points, which is all that a two-sample test reads.
//
// Neither side on a grid: the points are those of both sides. One side on a grid: the other is
// counted on that grid first, as if its rows had been rounded to their bins alike. The null law of
// a test then still holds, which it would not if one side were rounded and the other not; how far
// rounding can move a statistic is stated with it. Two summaries on one grid: O(bins), no sorting.

import { KOLMOGOROV_99 } from "../distributions/kolmogorov-laws.js";
import { binOf } from "../summaries/grid-lookup.js";
import { GridSummary } from "../summaries/grid-summary.js";
import { ReferenceGrid } from "../summaries/reference-grid.js";
import { type EmpiricalLaw, empiricalLaw, type LawSource } from "./empirical-law.js";

/** One side of a pair. */
export interface LawSide {
  /** Rows at each point of the pair. */
  readonly rows: Float64Array | Uint32Array;
  /** Sum of `rows`, positive. */
  readonly count: number;
  /** Rows left out for being no finite number. */
  readonly invalid: number;
  /** 99 % bound on the error of every rank; 0 for rows and for windows counted on a grid. */
  readonly rankError: number;
  /** Largest share that rounding to bins can have moved past a value; 0 without a grid. */
  readonly resolution: number;
  /** Rows it is worth: 1 / (1/count + (rankError / 1.6276)^2). */
  readonly size: number;
}

export interface LawPair {
  /** Ascending; on a grid the middles of its bins, an atom itself. */
  readonly points: Float64Array;
  /** On a grid, how far a row can lie from its point; undefined when rows lie on the points. */
  readonly halfWidths: Float64Array | undefined;
  readonly reference: LawSide;
  readonly live: LawSide;
  /** Largest by which the exact distance of the cumulative shares can exceed that on the points. */
  readonly resolution: number;
}

/** What every test tells of its two sides. */
export interface ComparedRows {
  /** Rows of the reference. */
  readonly n: number;
  /** Rows of the live side. */
  readonly m: number;
  /** Rows left out on either side for being no finite number. */
  readonly invalid: { readonly reference: number; readonly live: number };
}

/** A test of the point null "both sides have one law". */
export interface TwoSampleTest extends ComparedRows {
  readonly statistic: number;
  /** P(statistic or a more extreme one | one law). A sketch counts for the rows it is worth. */
  readonly pValue: number;
  /** How far `statistic` can lie from that of the raw rows: 0 for rows, 99 % for sketches. */
  readonly errorBound: number;
}

/**
 * Puts two sources over the same points.
 *
 * @throws RangeError when a side has no finite row, Error when both are on grids and these differ
 */
export function pairLaws(reference: LawSource, live: LawSource): LawPair {
  const grid = gridOf(reference) ?? gridOf(live);
  if (grid) return pairOnGrid(grid, reference, live);
  return pairOnPoints(
    empiricalLaw(reference as Exclude<LawSource, ReferenceGrid | GridSummary>),
    empiricalLaw(live as Exclude<LawSource, ReferenceGrid | GridSummary>),
  );
}

/** The part of a result that tells of the rows compared. */
export function comparedRows({ reference, live }: LawPair): ComparedRows {
  const invalid = { reference: reference.invalid, live: live.invalid };
  return { n: reference.count, m: live.count, invalid };
}

/** 99 % bound on the error of F - G at any value: both rank errors. */
export function rankErrorOf({ reference, live }: LawPair): number {
  return reference.rankError + live.rankError;
}

/**
 * Whether an exact law applies: raw rows in whole numbers, at most `rowsMax` a side. The statistic
 * of a grid or a sketch is not on the lattice that an exact law counts.
 */
export function hasExactLaw({ halfWidths, reference, live }: LawPair, rowsMax: number): boolean {
  const isRaw = halfWidths === undefined && reference.rankError + live.rankError === 0;
  const isWhole = Number.isInteger(reference.count) && Number.isInteger(live.count);
  return isRaw && isWhole && Math.max(reference.count, live.count) <= rowsMax;
}

/** Rows the two sides are worth together, 1 / (1/n + 1/m) with n and m as `LawSide.size`. */
export function pairedSize({ reference, live }: LawPair): number {
  return 1 / (1 / reference.size + 1 / live.size);
}

function gridOf(source: LawSource): ReferenceGrid | undefined {
  if (source instanceof ReferenceGrid) return source;
  return source instanceof GridSummary ? source.grid : undefined;
}

function sideOf(counted: Counted, resolution: number): LawSide {
  const { rows, count, invalid, rankError } = counted;
  if (!(count > 0)) throw new RangeError("a sample is empty: it has no finite value");
  // Not 1 / (1 / count) for rows: that is not always `count`.
  const size = rankError === 0 ? count : 1 / (1 / count + (rankError / KOLMOGOROV_99) ** 2);
  return { rows, count, invalid, rankError, resolution, size };
}

type Counted = Pick<LawSide, "rows" | "count" | "invalid" | "rankError">;

function pairOnPoints(reference: EmpiricalLaw, live: EmpiricalLaw): LawPair {
  const { points: x } = reference;
  const { points: y } = live;
  const points = new Float64Array(x.length + y.length);
  const rows = new Float64Array(points.length);
  const liveRows = new Float64Array(points.length);
  let length = 0;
  for (let i = 0, j = 0; i < x.length || j < y.length; length++) {
    const nextX = i < x.length ? (x[i] as number) : Infinity;
    const nextY = j < y.length ? (y[j] as number) : Infinity;
    points[length] = Math.min(nextX, nextY);
    if (nextX <= nextY) rows[length] = reference.rows[i++] as number;
    if (nextY <= nextX) liveRows[length] = live.rows[j++] as number;
  }
  return {
    points: points.subarray(0, length),
    halfWidths: undefined,
    reference: sideOf({ ...reference, rows: rows.subarray(0, length) }, 0),
    live: sideOf({ ...live, rows: liveRows.subarray(0, length) }, 0),
    resolution: 0,
  };
}

/** A side counted on a grid, with the extremes that bound its outer bins. */
interface CountedOnGrid extends Counted {
  readonly min: number;
  readonly max: number;
}

function pairOnGrid(grid: ReferenceGrid, reference: LawSource, live: LawSource): LawPair {
  const r = countedOn(grid, reference);
  const c = countedOn(grid, live);
  const { edges } = grid;
  const min = Math.min(r.min, c.min);
  const max = Math.max(r.max, c.max);
  const points = new Float64Array(edges.length + 1);
  const halfWidths = new Float64Array(points.length);
  let [resolution, largest, liveLargest] = [0, 0, 0];
  for (let bin = 0; bin < points.length; bin++) {
    const high = bin < edges.length ? (edges[bin] as number) : max;
    const low = Math.min(high, bin > 0 ? (edges[bin - 1] as number) : min);
    const middle = low / 2 + high / 2;
    // The bin of an atom lies between neighbouring doubles: its rows are all on the upper one.
    const isAtom = middle <= low || middle >= high;
    points[bin] = isAtom ? high : middle;
    if (isAtom) continue;
    halfWidths[bin] = high / 2 - low / 2;
    const share = (r.rows[bin] as number) / r.count;
    const liveShare = (c.rows[bin] as number) / c.count;
    largest = Math.max(largest, share);
    liveLargest = Math.max(liveLargest, liveShare);
    resolution = Math.max(resolution, Math.min(share, liveShare));
  }
  const sides = { reference: sideOf(r, largest), live: sideOf(c, liveLargest) };
  return { points, halfWidths, ...sides, resolution };
}

function countedOn(grid: ReferenceGrid, source: LawSource): CountedOnGrid {
  if (source instanceof ReferenceGrid || source instanceof GridSummary) {
    const other = gridOf(source) as ReferenceGrid;
    if (other !== grid && other.id !== grid.id) {
      throw new Error(`a law on grid ${other.id} cannot be compared with one on grid ${grid.id}`);
    }
    const { counts, count, invalid, min, max } = source;
    const rankError = source instanceof ReferenceGrid ? source.epsilon : 0;
    return { rows: counts, count, invalid, rankError, min, max };
  }
  return countLaw(grid, empiricalLaw(source));
}

function countLaw(grid: ReferenceGrid, law: EmpiricalLaw): CountedOnGrid {
  const rows = new Float64Array(grid.edges.length + 1);
  let [count, invalid, min, max] = [0, law.invalid, Infinity, -Infinity];
  for (let i = 0; i < law.points.length; i++) {
    const point = law.points[i] as number;
    const x = grid.float32 ? Math.fround(point) : point;
    const weight = law.rows[i] as number;
    if (!Number.isFinite(x)) {
      invalid += weight;
      continue;
    }
    const bin = binOf(grid.lookup, x);
    rows[bin] = (rows[bin] as number) + weight;
    count += weight;
    min = Math.min(min, x);
    max = Math.max(max, x);
  }
  return { rows, count, invalid, rankError: law.rankError, min, max };
}
