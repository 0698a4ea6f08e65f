// Which bin of a frozen grid holds x, in about the time of one cache miss.
//
// A table cuts the middle of the grid's range into equal cells and remembers, per cell, how many
// edges lie below it; the search then starts inside one cell. Both x and the edges go through the
// same monotone arithmetic, so rounding cannot put an edge into a cell that hides it: the result
// is exactly the number of edges below x. Outside the middle (heavy tails) it is a binary search.

/** Table over the middle of `edges`. Shared by every summary on the grid; never changes. */
export interface EdgeLookup {
  readonly edges: Float64Array;
  /** Edge indexes that bound the middle: lowIndex <= highIndex. */
  readonly lowIndex: number;
  readonly highIndex: number;
  readonly low: number;
  readonly high: number;
  /** Cells per unit of x; 0 when the range does not lend itself to a table. */
  readonly scale: number;
  /** table[c] = edges whose cell is below c; length cells + 2. */
  readonly table: Uint16Array;
}

// 2 KB a grid, four cells an edge at B = 256: about a third of a plain binary search's time.
const CELLS = 1022;
const TRIMS = [0, 1, 2, 4, 8, 16, 32, 64];

/** Builds the table; tries how much of each tail to leave out and keeps the cheapest. */
export function edgeLookup(edges: Float64Array): EdgeLookup {
  let best: EdgeLookup | undefined;
  let bestCost = Infinity;
  for (const trim of TRIMS) {
    if (trim > 0 && 4 * trim >= edges.length) break;
    const candidate = trimmedLookup(edges, trim);
    const cost = expectedSteps(candidate);
    if (cost < bestCost) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best ?? trimmedLookup(edges, 0);
}

/**
 * The bin of `x`: the number of edges below it, so that bin b is (edges[b-1], edges[b]].
 *
 * @param x a finite number
 */
export function binOf(lookup: EdgeLookup, x: number): number {
  const edges = lookup.edges;
  let from = 0;
  let to = lookup.lowIndex;
  if (x > lookup.low) {
    if (x > lookup.high) {
      from = lookup.highIndex + 1;
      to = edges.length;
    } else {
      const cell = ((x - lookup.low) * lookup.scale) | 0;
      from = lookup.table[cell] as number;
      to = lookup.table[cell + 1] as number;
    }
  }
  while (to - from > 4) {
    const middle = (from + to) >>> 1;
    if ((edges[middle] as number) < x) from = middle + 1;
    else to = middle;
  }
  while (from < to && (edges[from] as number) < x) from++;
  return from;
}

function trimmedLookup(edges: Float64Array, trim: number): EdgeLookup {
  const lowIndex = Math.min(trim, edges.length - 1);
  const highIndex = edges.length - 1 - lowIndex;
  const low = edges[lowIndex] as number;
  const high = edges[highIndex] as number;
  const scale = CELLS / (high - low);
  // An empty, overflowing or subnormal range: one cell, and the search is binary.
  const usable = Number.isFinite(scale) && scale > 0 && Number.isFinite(high - low);
  const table = new Uint16Array(usable ? CELLS + 2 : 2);
  const used = usable ? scale : 0;
  let cell = 0;
  for (let i = 0; i < edges.length; i++) {
    const edge = Math.min(Math.max(edges[i] as number, low), high);
    const edgeCell = ((edge - low) * used) | 0;
    while (cell < edgeCell) table[++cell] = i;
  }
  while (cell < table.length - 1) table[++cell] = edges.length;
  // A lookup happens only for low < x <= high, so the answer is in [lowIndex + 1, highIndex].
  for (let c = 0; c < table.length; c++) {
    table[c] = Math.min(Math.max(table[c] as number, lowIndex + 1), highIndex);
  }
  return { edges, lowIndex, highIndex, low, high, scale: used, table };
}

/** Mean width of the final search, when each bin is equally likely. */
function expectedSteps(lookup: EdgeLookup): number {
  const { table, edges, lowIndex, highIndex } = lookup;
  let steps = 0;
  for (let cell = 0; cell + 1 < table.length; cell++) {
    const width = (table[cell + 1] as number) - (table[cell] as number);
    steps += width * Math.min(width, 2 + Math.log2(width + 1));
  }
  const outside = lowIndex + (edges.length - 1 - highIndex);
  steps += outside * (4 + Math.log2(lowIndex + 1));
  return steps / edges.length;
}
