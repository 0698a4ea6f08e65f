/**
 * What a signal's values have been since the start, in ten buckets that end at the deciles of its
 * reference: while nothing drifts, each has a tenth of the values, and PSI is a sum in PromQL.
 * Panes are added when they close, so that it costs nothing per value.
 */
import type { GridSummary, ReferenceGrid } from "@tidemark/stats";
import type { HistogramPoint, Labels } from "../metric-family.js";

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
    this.counts = new Float64Array(decileBuckets(grid).bounds.length + 1);
  }

  /** Adds what a pane has counted. */
  add({ counts, count, sum }: GridSummary): void {
    const { bucketOf } = decileBuckets(this.grid);
    for (let bin = 0; bin < counts.length; bin++) {
      const bucket = bucketOf[bin] as number;
      this.counts[bucket] = (this.counts[bucket] as number) + (counts[bin] as number);
    }
    this.count += count;
    this.sum += count === 0 ? 0 : sum;
  }

  /** The same and the panes that are still open, as a histogram. */
  point(labels: Labels, open: readonly GridSummary[]): HistogramPoint {
    const all = new ValueTotals(this.grid);
    all.counts.set(this.counts);
    all.sum = this.sum;
    all.count = this.count;
    for (const pane of open) all.add(pane);
    const { counts, sum, count } = all;
    return { labels, bounds: decileBuckets(this.grid).bounds, counts, sum, count };
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
