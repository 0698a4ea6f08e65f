/**
 * What a signal's values have been since the start, in ten buckets that end at the deciles of its
 * reference: while nothing drifts, each has a tenth of the values, and PSI is a sum in PromQL.
 * Panes are added when they close, so that it costs nothing per value.
 */
import type { GridSummary, ReferenceGrid } from "@tidemark/stats";
import type { HistogramPoint, Labels } from "../metric-family.js";
import { lastingNumbers } from "../number-slabs.js";

const DECILES = 10;

/** Where a grid's bins belong. */
interface DecileBuckets {
  readonly bounds: readonly number[];
  readonly bucketOf: Uint8Array;
}

/** Many signals may share one reference, and all windows of one do. */
const bucketsOf = new WeakMap<ReferenceGrid, DecileBuckets>();

/** Counts by decile. */
export class ValueTotals {
  private readonly grid: ReferenceGrid;
  private readonly counts: Float64Array;
  private sum = 0;
  private count = 0;

  constructor(grid: ReferenceGrid) {
    this.grid = grid;
    this.counts = lastingNumbers(decileBuckets(grid).bounds.length + 1);
  }

  /** Adds what a pane has counted. */
  add(pane: GridSummary): void {
    addByDecile(this.counts, pane);
    this.count += pane.count;
    this.sum += pane.count === 0 ? 0 : pane.sum;
  }

  /** The same and the panes that are still open, as a histogram. */
  point(labels: Labels, open: readonly GridSummary[]): HistogramPoint {
    const counts = this.counts.slice();
    let { sum, count } = this;
    for (const pane of open) {
      addByDecile(counts, pane);
      count += pane.count;
      sum += pane.count === 0 ? 0 : pane.sum;
    }
    return { labels, bounds: decileBuckets(this.grid).bounds, counts, sum, count };
  }
}

function addByDecile(sums: Float64Array, { counts, grid }: GridSummary): void {
  const { bucketOf } = decileBuckets(grid);
  for (let bin = 0; bin < counts.length; bin++) {
    const bucket = bucketOf[bin] as number;
    sums[bucket] = (sums[bucket] as number) + (counts[bin] as number);
  }
}

function decileBuckets(grid: ReferenceGrid): DecileBuckets {
  const known = bucketsOf.get(grid);
  if (known) return known;
  const bounds: number[] = [];
  const bucketOf = new Uint8Array(grid.counts.length);
  let rows = 0;
  let decile = 1;
  for (const [bin, edge] of grid.edges.entries()) {
    bucketOf[bin] = bounds.length;
    rows += grid.counts[bin] as number;
    if (decile >= DECILES || rows < (grid.count * decile) / DECILES) continue;
    bounds.push(edge);
    // A value that many rows have may be several deciles at once: it ends one bucket.
    while (rows >= (grid.count * decile) / DECILES) decile++;
  }
  bucketOf[grid.edges.length] = bounds.length;
  const buckets = { bounds, bucketOf };
  bucketsOf.set(grid, buckets);
  return buckets;
}
