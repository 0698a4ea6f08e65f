import { GridSummary, ReferenceGrid } from "@tidemark/stats";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SignalPanes } from "../src/observe/signal.ts";
import type { Reference } from "../src/references/reference.ts";

const FIRST_OPEN = 1;
const rows = Array.from({ length: 500 }, (_, row) => row / 5);
const grid = ReferenceGrid.fromSample(rows);
const reference: Reference = { name: "r", provisional: false, missing: 0, kind: "numeric", grid };
const identity = { model: "m", version: "1", name: "feature.x", segment: "" };

describe("SignalPanes", () => {
  it("has every number in its pane once it is settled, as if each had been added alone", () => {
    const number = fc.oneof(
      fc.double({ min: -10, max: 110, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0),
    );
    // Pane 0 is closed: what comes for it is late. Runs are longer than what may wait.
    const run = fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.array(number, { maxLength: 200, size: "max" }),
    );
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
        const panes = new SignalPanes(identity, reference, 2);
        const alone = new Map<string, GridSummary>();
        for (const [pane, values] of runs) {
          const place = pane < FIRST_OPEN ? "late" : `pane ${pane}`;
          const summary = alone.get(place) ?? new GridSummary(grid);
          alone.set(place, summary);
          for (const value of values) {
            summary.add(value);
            const joined = panes.joinWaiting(value, pane);
            const added = joined || panes.addNumber(value, pane, FIRST_OPEN);
            expect(added).toBe(Number.isFinite(value));
          }
        }
        panes.settle();
        const places = new Map(panes.places());
        for (const [place, expected] of alone) {
          const summary = places.get(place) as GridSummary | undefined;
          expect(summary?.counts ?? expected.counts).toEqual(expected.counts);
          expect(summary?.count ?? 0).toBe(expected.count);
          expect(summary?.invalid ?? 0).toBe(expected.invalid);
          expect(summary?.min ?? Infinity).toBe(expected.min);
          expect(summary?.max ?? -Infinity).toBe(expected.max);
          expect(summary?.deviationSum ?? 0).toBeCloseTo(expected.deviationSum, 6);
        }
      }),
    );
  });
});
