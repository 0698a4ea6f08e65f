// Which bin of a frozen grid holds x, in a few nanoseconds and without a branch to mispredict.
//
// A table cuts the middle of the grid's range into equal cells, with one more for all that is below
// and one for all above, and remembers, per cell, how many edges lie in lower ones; from there on
// the next edges are compared one by one, of which there is mostly one or none. x and the edges go
// through the same monotone arithmetic, so rounding cannot put an edge into a cell that hides it:
// the result is exactly the number of edges below x.

/** Table over the middle of the edges. Shared by every summary on the grid; never changes. */
export interface EdgeLookup {
  /** The edges and Infinity, which ends every search. */
  readonly fence: Float64Array;
  readonly low: number;
  /** Cells per unit of x; 0 when the range does not lend itself to a table. */
  readonly scale: number;
  /** table[c] = edges whose cell is below c; length CELLS + 3. */
  readonly table: Uint16Array;
  /** Whether any cell has so many edges that comparing them one by one does not pay. */
  readonly crowded: boolean;
}

// 2 KB a grid, four cells an edge at B = 256: more than one edge in a cell is rare.
const CELLS = 1022;
/** The cell of all that is above the middle; 0 is that of all below. */
const TOP = CELLS + 1;
/** A table with a cell of more edges is searched by halving throughout. */
const CROWDED = 64;
const TRIMS = [0, 1, 2, 4, 8, 16, 32, 64];
/** The table that is being tried: the memory of eight a grid would outlive them. */
const tried = new Uint16Array(TOP + 2);

/** Values that `countBlock` takes at most. */
export const BLOCK_MAX = 256;
const later = new Float64Array(BLOCK_MAX + 1);

/** Builds the table; tries how many edges to leave out at each end and keeps the cheapest. */
export function edgeLookup(edges: Float64Array): EdgeLookup {
  const fence = new Float64Array(edges.length + 1);
  fence.set(edges);
  fence[edges.length] = Infinity;
  let best = 0;
  let bestCost = Infinity;
  for (const trim of TRIMS) {
    if (trim > 0 && 4 * trim >= edges.length) break;
    const cost = expectedSteps(trimmedLookup(edges, trim, { fence, table: tried }));
    if (cost >= bestCost) continue;
    best = trim;
    bestCost = cost;
  }
  return trimmedLookup(edges, best, { fence, table: new Uint16Array(TOP + 2) });
}

/**
 * The bin of `x`: the number of edges below it, so that bin b is (edges[b-1], edges[b]].
 *
 * @param x a finite number
 */
export function binOf(lookup: EdgeLookup, x: number): number {
  const { fence, table } = lookup;
  const cell = cellOf(lookup.low, lookup.scale, x);
  let bin = table[cell] as number;
  if (lookup.crowded) bin = halved(fence, bin, table[cell + 1] as number, x);
  // Added, not branched upon: half of all x lie above the one edge of their cell.
  bin += Number((fence[bin] as number) < x);
  while ((fence[bin] as number) < x) bin++;
  return bin;
}

/**
 * Bins of `values[start]` up to but excluding `values[end]`, with nothing that is not needed: the
 * way for many values, in blocks of some hundred, each of which is counted `times` times.
 *
 * @param sums to be added to: the sum of x - centre and that of its square; to be narrowed: the
 *   smallest and the largest x. These and the counts are worthless when a value is not finite.
 */
export function countBlock(
  lookup: EdgeLookup,
  values: Float64Array | Float32Array,
  start: number,
  end: number,
  counts: Uint32Array,
  centre: number,
  sums: Float64Array,
): void {
  const { fence, table, low, scale } = lookup;
  let put = 0;
  let sum = 0;
  let squares = 0;
  let min = sums[2] as number;
  let max = sums[3] as number;
  for (let i = start; i < end; i++) {
    const x = values[i] as number;
    const cell = cellOf(low, scale, x);
    let bin = table[cell] as number;
    bin += Number((fence[bin] as number) < x);
    // Those that lie beyond a second edge are put off without a branch, and without a loop here,
    // each of which would cost as much as all the rest.
    const beyond = Number((fence[bin] as number) < x);
    later[put] = x;
    put += beyond;
    counts[bin] = (counts[bin] as number) + 1 - beyond;
    const deviation = x - centre;
    sum += deviation;
    squares += deviation * deviation;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  for (let i = 0; i < put; i++) {
    const bin = binOf(lookup, later[i] as number);
    counts[bin] = (counts[bin] as number) + 1;
  }
  sums[0] = (sums[0] as number) + sum;
  sums[1] = (sums[1] as number) + squares;
  sums[2] = min;
  sums[3] = max;
}

function cellOf(low: number, scale: number, x: number): number {
  const cell = (x - low) * scale + 1;
  return cell > 0 ? (cell < TOP ? cell | 0 : TOP) : 0;
}

/** The first of fence[from] .. fence[to] that is not below x, or `to`. */
function halved(fence: Float64Array, from: number, to: number, x: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((fence[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Fills the table for the edges that are left when so many are left out at each end. */
function trimmedLookup(
  edges: Float64Array,
  trim: number,
  { fence, table }: Pick<EdgeLookup, "fence" | "table">,
): EdgeLookup {
  const low = edges[trim] as number;
  const high = edges[edges.length - 1 - trim] as number;
  const perUnit = CELLS / (high - low);
  // An empty, overflowing or subnormal range: all edges are in one cell.
  const scale = perUnit > 0 && perUnit < Infinity ? perUnit : 0;
  table[0] = 0;
  let cell = 0;
  for (let i = 0; i < edges.length; i++) {
    const edgeCell = cellOf(low, scale, edges[i] as number);
    while (cell < edgeCell) table[++cell] = i;
  }
  while (cell < TOP + 1) table[++cell] = edges.length;
  return { fence, low, scale, table, crowded: isCrowded(table) };
}

function isCrowded(table: Uint16Array): boolean {
  return table.some((below, cell) => cell > 0 && below - (table[cell - 1] as number) > CROWDED);
}

/** Mean number of comparisons when each bin is equally likely. */
function expectedSteps(lookup: EdgeLookup): number {
  const { table, fence, crowded } = lookup;
  let steps = 0;
  for (let cell = 0; cell <= TOP; cell++) {
    const width = (table[cell + 1] as number) - (table[cell] as number);
    steps += width * (crowded ? 4 + Math.log2(width + 1) : width);
  }
  return steps / fence.length;
}
