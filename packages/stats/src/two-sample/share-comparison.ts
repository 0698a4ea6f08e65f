// All distances of shares at once, with p-values where a null law is known and with what a sketch's
// error can do to each. Numbers are cut into cells of equal reference mass first. O(cells) after
// that; on grids about 30 us.

import {
  type CategorySource,
  categoryCells,
  type NumericCells,
  numericCells,
} from "./compared-cells.js";
import {
  chebyshev,
  hellinger,
  jensenShannon,
  kullbackLeibler,
  populationStabilityIndex,
  totalVariation,
} from "./count-distances.js";
import { countTotal } from "./count-total.js";
import type { LawSource } from "./empirical-law.js";
import type { ComparedRows } from "./law-pair.js";
import { jensenShannonUpper, populationStabilityUpper } from "./share-laws.js";

/** A distance of shares with its own error. */
export interface ShareDistance {
  readonly statistic: number;
  /** How far `statistic` can lie from that of the raw rows in the same cells; 99 % for sketches. */
  readonly errorBound: number;
}

/** One whose law is known when nothing has changed. */
export interface TestedShareDistance extends ShareDistance {
  /** P(statistic or more | one law); good where each cell expects five rows on either side. */
  readonly pValue: number;
}

export interface ShareComparison extends ComparedRows {
  /** Cells that either side has rows in. */
  readonly cells: number;
  /** PSI, 1/2 added to each count. */
  readonly populationStability: TestedShareDistance;
  /** Root of the divergence in base 2. */
  readonly jensenShannon: TestedShareDistance;
  readonly hellinger: TestedShareDistance;
  /** KL(reference || live) in nats; Infinity when the live side lacks a cell. */
  readonly kullbackLeibler: ShareDistance;
  readonly totalVariation: ShareDistance;
  /** Largest difference of a cell's shares. */
  readonly chebyshev: ShareDistance;
}

/**
 * Compares two numeric sources by the shares of cells that depend on the reference alone.
 *
 * @param cellsTarget cells of about equal reference mass, 2 to 10
 * @throws RangeError when a side has no finite row, Error when both are on grids and these differ
 */
export function compareShares(
  reference: LawSource,
  live: LawSource,
  cellsTarget?: number,
): ShareComparison {
  return comparisonOf(numericCells(reference, live, cellsTarget));
}

/**
 * Compares two sets of categories, matched by name; unseen names are cells of their own.
 *
 * @throws RangeError when a side has no rows
 */
export function compareCategories(
  reference: CategorySource,
  live: CategorySource,
): ShareComparison {
  const cells = categoryCells(reference, live);
  const size = { reference: countTotal(cells.reference), live: countTotal(cells.live) };
  return comparisonOf({ ...cells, size, shareError: NONE, invalid: NONE });
}

const NONE = { reference: 0, live: 0 };

function comparisonOf(cells: NumericCells): ShareComparison {
  const { reference: r, live: c, size, shareError, invalid } = cells;
  const count = r.filter((rows, i) => rows + (c[i] as number) > 0).length;
  const error = shareError.reference + shareError.live;
  const moved = rootsMoved(r, shareError.reference) + rootsMoved(c, shareError.live);
  const stability = populationStabilityIndex(r, c);
  const divergence = jensenShannon(r, c);
  const roots = hellinger(r, c);
  const upper = (psi: number): number =>
    count < 2 ? 1 : populationStabilityUpper(psi, count, size.reference, size.live);
  return {
    n: countTotal(r),
    m: countTotal(c),
    invalid,
    cells: count,
    populationStability: {
      statistic: stability,
      pValue: upper(stability),
      errorBound: boxError(cells, 0.5, stability, (p, q) => (q - p) * Math.log(q / p)),
    },
    jensenShannon: {
      statistic: divergence,
      pValue: count < 2 ? 1 : jensenShannonUpper(divergence, count, size.reference, size.live),
      // Its square in nats is at most Hellinger's, and both are metrics.
      errorBound: moved / Math.sqrt(Math.LN2),
    },
    hellinger: { statistic: roots, pValue: upper(8 * roots * roots), errorBound: moved },
    kullbackLeibler: {
      statistic: kullbackLeibler(r, c),
      errorBound: boxError(cells, 0, kullbackLeibler(r, c), surprise),
    },
    totalVariation: { statistic: totalVariation(r, c), errorBound: (count * error) / 2 },
    chebyshev: { statistic: chebyshev(r, c), errorBound: error },
  };
}

/** Hellinger distance that shares can have from themselves when each may be off by `error`. */
function rootsMoved(counts: Float64Array, error: number): number {
  if (error === 0) return 0;
  const rows = countTotal(counts);
  const squares = counts.reduce((sum, count) => {
    const share = count / rows;
    const down = Math.sqrt(share) - Math.sqrt(Math.max(0, share - error));
    return sum + Math.max(down, Math.sqrt(share + error) - Math.sqrt(share)) ** 2;
  }, 0);
  return Math.sqrt(squares / 2);
}

/**
 * How far a sum of `term`(p, q), each jointly convex in a cell's two shares, can rise: a convex
 * term is largest in a corner of the box that the errors span. It can fall to 0, no further.
 */
function boxError(
  { reference, live, shareError }: NumericCells,
  added: number,
  statistic: number,
  term: (p: number, q: number) => number,
): number {
  if (shareError.reference + shareError.live === 0) return 0;
  const n = countTotal(reference) + added * reference.length;
  const m = countTotal(live) + added * live.length;
  const highest = reference.reduce((sum, rows, i) => {
    const ps = corners((rows + added) / n, shareError.reference, added / n);
    const qs = corners(((live[i] as number) + added) / m, shareError.live, added / m);
    return sum + Math.max(...ps.flatMap((p) => qs.map((q) => term(p, q))));
  }, 0);
  return statistic === Infinity ? Infinity : Math.max(statistic, highest - statistic);
}

/** Both ends of where a share can lie. */
function corners(share: number, error: number, least: number): [low: number, high: number] {
  return [Math.max(least, share - error), share + error];
}

function surprise(p: number, q: number): number {
  return p === 0 ? 0 : p * Math.log(p / q);
}
