/**
 * What a signal's values have been since the start, in the cells that its PSI is made of: about a
 * tenth of the reference each, and with the reference's own counts beside them, so that PSI is a
 * sum in PromQL too. Panes are added when they close, so that it costs nothing per value.
 */
import type { ReferenceGrid } from "@tidemark/stats";
import { GridSummary, SummaryFormatError } from "@tidemark/stats";
import type { Summary } from "../closed-window.js";
import type { HistogramPoint, Labels } from "../metric-family.js";
import { lastingNumbers, type NumberSlab } from "../slabs.js";

/** Where a grid's bins belong. */
interface CellBuckets {
  readonly bounds: readonly number[];
  readonly bucketOf: Uint8Array;
}

/** Many signals may share one reference, and all windows of one do. */
const bucketsOf = new WeakMap<ReferenceGrid, CellBuckets>();

/** Counts by cell. */
export class ValueTotals {
  /** Values of all cells. */
  count = 0;
  readonly missing = 0;
  private readonly grid: ReferenceGrid;
  private readonly slab: NumberSlab;
  /** Where the first cell is among the slab's doubles. */
  private readonly start: number;
  private sum = 0;

  constructor(grid: ReferenceGrid) {
    this.grid = grid;
    [this.slab, this.start] = lastingNumbers(cellBuckets(grid).bounds.length + 1);
  }

  /** Adds what a pane has counted, if anything. */
  add(pane: Summary | undefined): void {
    if (!(pane instanceof GridSummary)) return;
    const { count, sum } = pane;
    addByCell(this.slab.doubles, this.start, cellBuckets(this.grid), pane.readCounts());
    this.count += count;
    this.sum += count === 0 ? 0 : sum;
  }

  /** The same as bytes for this receiver's own store, behind the id of the reference. */
  serialise(): Uint8Array {
    const { grid, sum, count } = this;
    const numbers = new Uint8Array(Float64Array.of(sum, count, ...this.counts()).buffer);
    return Buffer.concat([Buffer.from(grid.id, "latin1"), numbers]);
  }

  /** Takes up {@link serialise}. @throws SummaryFormatError when it is of another reference */
  restore(bytes: Uint8Array): void {
    const { id } = this.grid;
    const found = String.fromCharCode(...bytes.subarray(0, id.length));
    const numbers = new Uint8Array(bytes.subarray(id.length));
    if (found !== id || numbers.length !== 8 * (this.counts().length + 2)) {
      throw new SummaryFormatError(`totals of grid ${found} are not of this reference`);
    }
    const [sum, count, ...counts] = new Float64Array(numbers.buffer);
    this.counts().set(counts);
    this.sum = sum as number;
    this.count = count as number;
  }

  /** The same and the panes that are still open, as a histogram. */
  point(labels: Labels, open: readonly (Summary | undefined)[]): HistogramPoint {
    const buckets = cellBuckets(this.grid);
    const counts = this.counts().slice();
    let { sum, count } = this;
    for (const pane of open) {
      if (!(pane instanceof GridSummary)) continue;
      addByCell(counts, 0, buckets, pane.readCounts());
      count += pane.count;
      sum += pane.count === 0 ? 0 : pane.sum;
    }
    return { labels, bounds: buckets.bounds, counts, sum, count };
  }

  private counts(): Float64Array {
    const cells = cellBuckets(this.grid).bounds.length + 1;
    return this.slab.doubles.subarray(this.start, this.start + cells);
  }
}

/** What the reference itself has in these buckets. */
export function referencePoint(labels: Labels, grid: ReferenceGrid): HistogramPoint {
  const buckets = cellBuckets(grid);
  const counts = new Float64Array(buckets.bounds.length + 1);
  addByCell(counts, 0, buckets, grid.counts);
  const { count, mean } = grid;
  return { labels, bounds: buckets.bounds, counts, sum: count * mean, count };
}

/** @param start where the first cell is */
function addByCell(
  cells: Float64Array,
  start: number,
  { bucketOf }: CellBuckets,
  counts: Uint32Array,
): void {
  for (let bin = 0; bin < counts.length; bin++) {
    const at = start + (bucketOf[bin] as number);
    cells[at] = (cells[at] as number) + (counts[bin] as number);
  }
}

function cellBuckets(grid: ReferenceGrid): CellBuckets {
  const known = bucketsOf.get(grid);
  if (known) return known;
  const { cellOf } = grid.cells();
  const bounds: number[] = [];
  const bucketOf = new Uint8Array(cellOf.length);
  for (const [bin, cell] of cellOf.entries()) {
    // Around a value that nearly all rows have, a cell is what lies on both sides of it.
    if (bin > 0 && cell !== cellOf[bin - 1]) bounds.push(grid.edges[bin - 1] as number);
    bucketOf[bin] = bounds.length;
  }
  const buckets = { bounds, bucketOf };
  bucketsOf.set(grid, buckets);
  return buckets;
}
