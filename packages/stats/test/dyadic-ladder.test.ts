import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  advanceLadder,
  type DyadicLadder,
  emptyLadder,
  GridSummary,
  type LadderWindow,
  pushPane,
  ReferenceGrid,
} from "../src/index.ts";

/** The indexes of the panes that went into a summary: a multiset that merges. */
class Panes {
  readonly indexes: number[];

  constructor(...indexes: number[]) {
    this.indexes = indexes;
  }

  clone(): Panes {
    return new Panes(...this.indexes);
  }

  merge(other: Panes): void {
    this.indexes.push(...other.indexes);
  }
}

const LEVELS = 5;
const LONGEST = 2 ** (LEVELS - 1);

function run(indexes: readonly number[], levels = LEVELS) {
  let ladder: DyadicLadder<Panes> = emptyLadder({ baseMs: 10, levels });
  const closed: LadderWindow<Panes>[] = [];
  const step = (next: { ladder: DyadicLadder<Panes>; closed: readonly LadderWindow<Panes>[] }) => {
    ladder = next.ladder;
    closed.push(...next.closed);
  };
  for (const index of indexes) step(pushPane(ladder, 10 * index, new Panes(index)));
  step(advanceLadder(ladder, 10 * LONGEST * (1 + Math.floor(Math.max(...indexes) / LONGEST))));
  return { ladder, closed };
}

function ofLevel(closed: LadderWindow<Panes>[], level: number): number[][] {
  return closed
    .filter((window) => window.level === level)
    .map(({ summary }) => summary.indexes.toSorted((a, b) => a - b));
}

const pane = fc.integer({ min: -40, max: 200 });

describe("the dyadic ladder", () => {
  it("closes 1, 2, 4, … panes, aligned to the epoch, the shorter first", () => {
    const { closed } = run([0, 1, 2, 3, 4, 5, 6, 7], 4);
    const spans = closed.map(({ level, startMs, endMs }) => [level, startMs / 10, endMs / 10]);
    expect(spans.slice(0, 7)).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [1, 0, 2],
      [0, 2, 3],
      [0, 3, 4],
      [1, 2, 4],
      [2, 0, 4],
    ]);
    expect(ofLevel(closed, 3)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7]]);
  });

  it("starts in the middle of its longest window without inventing a shorter one", () => {
    const { closed } = run([5, 6, 7, 8], 4);
    expect(ofLevel(closed, 1)).toEqual([[5], [6, 7], [8]]);
    expect(ofLevel(closed, 3)).toEqual([[5, 6, 7], [8]]);
  });

  it("puts every pane in order into exactly one window of every level, with its bounds", () => {
    fc.assert(
      fc.property(fc.uniqueArray(pane, { minLength: 1 }), (indexes) => {
        const inOrder = indexes.toSorted((a, b) => a - b);
        const { closed, ladder } = run(inOrder);
        for (let level = 0; level < LEVELS; level++) {
          expect(ofLevel(closed, level).flat()).toEqual(inOrder);
        }
        for (const { level, startMs, endMs, summary } of closed) {
          expect(endMs - startMs).toBe(10 * 2 ** level);
          expect(Number.isInteger(startMs / (endMs - startMs))).toBe(true);
          const [from, to] = [startMs / 10, endMs / 10];
          expect(summary.indexes.every((index) => index >= from && index < to)).toBe(true);
        }
        const ends = closed.map(({ endMs }) => endMs);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
        expect(ladder.waiting.every((waiting) => waiting === undefined)).toBe(true);
      }),
    );
  });

  it("keeps every pane or counts it as too late, whatever the order of arrival", () => {
    fc.assert(
      fc.property(fc.array(pane, { minLength: 1 }), (indexes) => {
        const { closed, ladder } = run(indexes);
        const kept = ofLevel(closed, LEVELS - 1).flat();
        expect(kept.length + ladder.tooLate).toBe(indexes.length);
        for (const { level, startMs, summary } of closed) {
          const inside = summary.indexes.map((index) => Math.floor(index / 2 ** level));
          expect(new Set(inside)).toEqual(new Set([startMs / 10 / 2 ** level]));
        }
      }),
    );
  });

  it("does not depend on the order within the longest window", () => {
    const within = fc.uniqueArray(fc.integer({ min: 0, max: LONGEST - 2 }), { minLength: 1 });
    fc.assert(
      fc.property(within, (indexes) => {
        const longest = ofLevel(run(indexes).closed, LEVELS - 1);
        expect(longest).toEqual([indexes.toSorted((a, b) => a - b)]);
      }),
    );
  });

  it("never changes a summary that it has handed out", () => {
    fc.assert(
      fc.property(fc.array(pane, { minLength: 1 }), (indexes) => {
        let ladder: DyadicLadder<Panes> = emptyLadder({ baseMs: 1, levels: LEVELS });
        const seen: [Panes, string][] = [];
        for (const index of indexes) {
          const next = pushPane(ladder, index, new Panes(index));
          ladder = next.ladder;
          for (const { summary } of next.closed) seen.push([summary, String(summary.indexes)]);
        }
        for (const [summary, text] of seen) expect(String(summary.indexes)).toBe(text);
      }),
    );
  });

  it("holds nine grids at most, about 9 KB", () => {
    const grid = ReferenceGrid.fromSample(Float64Array.from({ length: 1000 }, (_, i) => i));
    let ladder: DyadicLadder<GridSummary> = emptyLadder();
    for (let index = 0; index < 600; index++) {
      const live = new GridSummary(grid);
      live.add(index);
      ladder = pushPane(ladder, index * 300_000, live).ladder;
      const held = ladder.waiting.filter((summary) => summary !== undefined);
      expect(held.length).toBeLessThan(9);
      const bytes = held.reduce((sum, summary) => sum + summary.counts.byteLength, 0);
      expect(bytes).toBeLessThanOrEqual(9 * 1100);
    }
  });

  it("rejects options and panes that do not fit", () => {
    expect(() => emptyLadder({ baseMs: 0 })).toThrow("baseMs 0");
    expect(() => emptyLadder({ levels: 0 })).toThrow("levels 0");
    expect(() => pushPane(emptyLadder<Panes>({ baseMs: 10 }), 5, new Panes(0))).toThrow(
      "startMs 5",
    );
  });
});
