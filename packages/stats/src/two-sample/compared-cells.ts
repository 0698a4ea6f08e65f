// Counts over the same cells, which is what tests of shares read: numeric laws cut into cells of
// equal reference mass, categories matched by name.

import type { CategoryCounts } from "../summaries/category-counts.js";
import { CELLS_MAX, cellCounts } from "../summaries/grid-cells.js";
import { GridSummary } from "../summaries/grid-summary.js";
import { ReferenceGrid } from "../summaries/reference-grid.js";
import type { LawSource } from "./empirical-law.js";
import { type ComparedRows, comparedRows, pairLaws } from "./law-pair.js";

/** Two count vectors of the same length. */
export interface ComparedCells {
  /** Counts of the reference per cell. */
  readonly reference: Float64Array;
  /** Counts of the live side per cell. */
  readonly live: Float64Array;
}

export interface NumericCells extends ComparedCells {
  /** 99 % bound on the error of each side's share of a cell; 0 without sketches. */
  readonly shareError: { readonly reference: number; readonly live: number };
  /** Rows that each side is worth; its count without sketches. */
  readonly size: { readonly reference: number; readonly live: number };
  /** Rows left out of each side for being no finite number. */
  readonly invalid: ComparedRows["invalid"];
}

export interface CategoryCells extends ComparedCells {
  /** Names in order of first appearance, the reference's first; "" for rows that were pooled. */
  readonly names: readonly string[];
}

/** Counts by name: ours, a Map, or pairs. */
export type CategorySource = CategoryCounts | Iterable<readonly [name: string, count: number]>;

/**
 * Cuts two numeric sources into cells that depend on the reference alone.
 *
 * @param cellsTarget cells of about equal reference mass, 2 to 10; fewer where atoms are heavy
 * @throws RangeError when a side has no finite row, Error when both are on grids and these differ
 */
export function numericCells(
  reference: LawSource,
  live: LawSource,
  cellsTarget: number = CELLS_MAX,
): NumericCells {
  const grid = gridFor(reference, live);
  const cells = grid.cells(cellsTarget);
  const pair = pairLaws(grid, live);
  // A cell lies between two ranks, and each of them may be off.
  const shareError = {
    reference: 2 * pair.reference.rankError,
    live: 2 * pair.live.rankError,
  };
  return {
    reference: Float64Array.from(grid.cellCounts(cellsTarget)),
    live: Float64Array.from(cellCounts(cells, pair.live.rows)),
    shareError,
    size: { reference: pair.reference.size, live: pair.live.size },
    invalid: comparedRows(pair).invalid,
  };
}

function gridFor(reference: LawSource, live: LawSource): ReferenceGrid {
  if (reference instanceof ReferenceGrid) return reference;
  if (reference instanceof GridSummary || live instanceof GridSummary) {
    throw new RangeError("cells need the reference itself, not a window on its grid");
  }
  if ("sortedView" in reference) return ReferenceGrid.fromSketch(reference);
  // Entries that are no numbers are left out and counted there like NaN.
  if (!("points" in reference)) return ReferenceGrid.fromSample(reference as ArrayLike<number>);
  const view = { values: reference.points, weights: reference.rows, epsilon: reference.rankError };
  return ReferenceGrid.fromSketch({ sortedView: () => view });
}

/**
 * Matches two sets of categories by name; a name that one side lacks counts 0 there. Pooled rows of
 * a CategoryCounts are one more cell.
 */
export function categoryCells(reference: CategorySource, live: CategorySource): CategoryCells {
  const [r, c] = [countsByName(reference), countsByName(live)];
  const names = [...new Set([...r.keys(), ...c.keys()])];
  return {
    names,
    reference: Float64Array.from(names, (name) => r.get(name) ?? 0),
    live: Float64Array.from(names, (name) => c.get(name) ?? 0),
  };
}

function countsByName(source: CategorySource): Map<string, number> {
  if (!("entries" in source && "other" in source)) {
    return new Map(source as Iterable<readonly [string, number]>);
  }
  const { other } = source;
  const counts = new Map(source.entries());
  if (other > 0) counts.set("", (counts.get("") ?? 0) + other);
  return counts;
}
