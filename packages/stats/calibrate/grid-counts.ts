/**
 * A reference and a window as the tests see them, counts on a grid, drawn without any rows.
 *
 * For a continuous law the edges are reference rows of fixed ranks, so the counts between them are
 * fixed and only the mass between them is random: that of uniform order statistics. Given them, the
 * live counts are multinomial. One reference grid per size therefore serves all laws, and a window
 * of a million rows costs as much as one of a thousand. `raw-levels.ts` draws the rows themselves
 * and compares.
 */
import { GridSummary, ReferenceGrid } from "../dist/index.js";
import type { SeededRandom } from "../test/seeded-random.ts";
import { multinomial, orderStatistics } from "./random-counts.ts";

/** Below this, drawing rows one by one is cheaper than drawing counts bin by bin. */
const ROWS_FEW = 1500;

/** Draws windows against fresh references of one size. */
export class GridCountDraws {
  readonly grid: ReferenceGrid;
  private readonly random: SeededRandom;
  private readonly ranks: Float64Array;
  private readonly edges: Float64Array;
  private readonly shares: Float64Array;
  private readonly live: GridSummary;

  constructor(random: SeededRandom, referenceRows: number) {
    this.random = random;
    this.grid = ReferenceGrid.fromSample(Float64Array.from({ length: referenceRows }, (_, i) => i));
    const { counts } = this.grid;
    this.ranks = new Float64Array(counts.length - 1);
    let rank = 0;
    for (let edge = 0; edge < this.ranks.length; edge++) {
      rank += counts[edge] as number;
      this.ranks[edge] = rank;
    }
    this.edges = new Float64Array(this.ranks.length);
    this.shares = new Float64Array(counts.length);
    this.live = new GridSummary(this.grid);
  }

  /**
   * A window of `rows` rows against a fresh reference; the next draw overwrites it.
   *
   * @param liveLaw G(F^-1(u)), when the live law is not the reference's
   */
  window(rows: number, liveLaw?: (u: number) => number): GridSummary {
    const { edges, shares, live, grid } = this;
    orderStatistics(this.random, grid.count, this.ranks, edges);
    if (liveLaw) for (let i = 0; i < edges.length; i++) edges[i] = liveLaw(edges[i] as number);
    if (rows < ROWS_FEW) {
      this.drawRows(rows);
    } else {
      let before = 0;
      for (let i = 0; i < edges.length; i++) {
        const edge = edges[i] as number;
        shares[i] = edge - before;
        before = edge;
      }
      shares[edges.length] = 1 - before;
      multinomial(this.random, rows, shares, live.counts);
    }
    live.count = rows;
    return live;
  }

  private drawRows(rows: number): void {
    const { edges, live, random } = this;
    live.counts.fill(0);
    for (let i = 0; i < rows; i++) {
      const u = random.uniform();
      let [from, to] = [0, edges.length];
      while (from < to) {
        const middle = (from + to) >>> 1;
        if ((edges[middle] as number) < u) from = middle + 1;
        else to = middle;
      }
      live.counts[from] = (live.counts[from] as number) + 1;
    }
  }
}
