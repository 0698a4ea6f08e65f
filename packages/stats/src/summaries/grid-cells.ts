// Cells for tests that compare shares (PSI, Jensen-Shannon, Hellinger): neighbouring bins of a
// grid joined into at most k groups of about equal reference mass, atoms whole. They depend on the
// reference only, never on the live data, which is what makes their null law known.

/** `cellOf[bin]` is the cell of a bin; cells are numbered 0 .. cellCount - 1. */
export interface GridCells {
  readonly cellOf: Uint8Array;
  readonly cellCount: number;
}

/** More cells than this make the test weak; statistics.md, section 3.1, never uses 256. */
export const CELLS_MAX = 10;

/**
 * Joins bins into at most `cellsTarget` cells: a cell closes at the bin boundary nearest to the
 * next multiple of n/k, and holds at least half of n/k. One value that carries nearly everything
 * would leave a single cell; then it is one cell and all the rest is the other.
 *
 * @param counts reference mass per bin
 * @param cellsTarget k in [1, 255]
 */
export function equalMassCells(counts: Uint32Array, cellsTarget: number): GridCells {
  const n = counts.reduce((sum, count) => sum + count, 0);
  const share = n / cellsTarget;
  const cellOf = new Uint8Array(counts.length);
  let cell = 0;
  let mass = 0;
  let cumulative = 0;
  let nextCut = share;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    const passesCut = cumulative + count / 2 > nextCut;
    if (passesCut && 2 * mass >= share && cumulative < n) {
      cell++;
      mass = 0;
      nextCut = share * Math.max(1, Math.ceil((cumulative + share / 2) / share));
    }
    cellOf[bin] = cell;
    mass += count;
    cumulative += count;
  }
  if (cell > 0 && 2 * mass < share) {
    for (let bin = counts.length - 1; cellOf[bin] === cell; bin--) cellOf[bin] = cell - 1;
    cell--;
  }
  if (cell === 0 && counts.length > 1 && cellsTarget > 1) return heaviestAgainstRest(counts);
  return { cellOf, cellCount: cell + 1 };
}

/** Sums `counts` per cell. */
export function cellCounts(cells: GridCells, counts: ArrayLike<number>): number[] {
  // Not typed: above 64 bytes it would have a buffer of its own, which takes ten times as long.
  const sums: number[] = [];
  for (let cell = 0; cell < cells.cellCount; cell++) sums.push(0);
  for (let bin = 0; bin < counts.length; bin++) {
    const cell = cells.cellOf[bin] as number;
    sums[cell] = (sums[cell] as number) + (counts[bin] as number);
  }
  return sums;
}

function heaviestAgainstRest(counts: Uint32Array): GridCells {
  const cellOf = new Uint8Array(counts.length).fill(1);
  let heaviest = 0;
  for (let bin = 1; bin < counts.length; bin++) {
    if ((counts[bin] as number) > (counts[heaviest] as number)) heaviest = bin;
  }
  cellOf[heaviest] = 0;
  return { cellOf, cellCount: 2 };
}
