import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GridSummary, packGrid, ReferenceGrid, unpackGrid } from "../src/index.ts";

const grid = ReferenceGrid.fromSample(Array.from({ length: 1000 }, (_, row) => row));

describe("a packed grid", () => {
  it("is the same summary again, whatever its counts, and wherever its bytes lie", () => {
    const value = fc.oneof(fc.double(), fc.integer({ min: 0, max: 999 }), fc.constant(undefined));
    const times = fc.constantFrom(1, 300, 70_000);
    fc.assert(
      fc.property(fc.array(value), times, fc.nat({ max: 9 }), (values, most, offset) => {
        const summary = new GridSummary(grid);
        for (const one of values) summary.add(one);
        summary.addMany(new Float64Array(most).fill(7));
        const packed = packGrid(summary);
        const elsewhere = new Uint8Array(packed.length + offset);
        elsewhere.set(packed, offset);
        expect(unpackGrid(grid, elsewhere.subarray(offset))).toEqual(summary);
      }),
      { numRuns: 30 },
    );
  });

  it("takes a third of the room while no bin has more than 255 rows", () => {
    const summary = new GridSummary(grid);
    summary.addMany(Float64Array.from({ length: 1000 }, (_, row) => row));
    expect(packGrid(summary).length).toBe(56 + summary.counts.length);
    expect(packGrid(summary).length).toBeLessThan(summary.counts.byteLength / 3);
  });

  it("is not read as one of another grid", () => {
    const other = ReferenceGrid.fromSample([1, 2, 3]);
    const packed = packGrid(new GridSummary(other));
    expect(() => unpackGrid(grid, packed)).toThrow(/packed summary of this grid/);
  });
});
