import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GridSummary, packGrid, packGridInto, ReferenceGrid, unpackGrid } from "../src/index.ts";

const grid = ReferenceGrid.fromSample(Array.from({ length: 1000 }, (_, row) => row));

describe("a packed grid", () => {
  it("is the same summary again, whatever its counts, and wherever its bytes lie", () => {
    const value = fc.oneof(fc.double(), fc.integer({ min: 0, max: 999 }), fc.constant(undefined));
    const times = fc.constantFrom(0, 1, 300, 70_000);
    fc.assert(
      fc.property(fc.array(value), times, fc.nat({ max: 9 }), (values, most, offset) => {
        const into = new Uint8Array(9000).fill(255);
        const summary = new GridSummary(grid);
        for (const one of values) summary.add(one);
        summary.addMany(new Float64Array(most).fill(7));
        const packed = packGrid(summary);
        const elsewhere = new Uint8Array(packed.length + offset);
        elsewhere.set(packed, offset);
        const again = unpackGrid(grid, elsewhere.subarray(offset));
        expect(again.serialise()).toEqual(summary.serialise());
        expect(again.count).toBe(summary.count);
        expect(packGridInto(summary, into, 8 * offset)).toBe(packed.length);
        expect(into.slice(8 * offset, 8 * offset + packed.length)).toEqual(packed);
        expect(into[8 * offset + packed.length]).toBe(255);
      }),
      { numRuns: 100 },
    );
  });

  it("takes a third of the room while no bin has more than 255 rows", () => {
    const summary = new GridSummary(grid);
    summary.addMany(Float64Array.from({ length: 1000 }, (_, row) => row));
    expect(packGrid(summary).length).toBe(56 + summary.counts.length);
    expect(packGrid(summary).length).toBeLessThan(summary.counts.byteLength / 3);
  });

  it("takes a tenth while few bins have any", () => {
    const summary = new GridSummary(grid);
    summary.addMany(Float64Array.from({ length: 10 }, (_, row) => 90 * row));
    expect(packGrid(summary).length).toBe(56 + Math.ceil(summary.counts.length / 32) * 4 + 10);
    expect(packGrid(summary).length).toBeLessThan(summary.counts.byteLength / 10);
  });

  it("is not read when it was cut or grown", () => {
    const [sparse, dense] = [new GridSummary(grid), new GridSummary(grid)];
    sparse.addMany(Float64Array.from({ length: 10 }, (_, row) => 90 * row));
    dense.addMany(Float64Array.from({ length: 1000 }, (_, row) => row));
    for (const packed of [sparse, dense].map(packGrid)) {
      const longer = new Uint8Array(packed.length + 1);
      longer.set(packed);
      for (const bytes of [packed.subarray(0, -1), packed.subarray(0, 57), longer]) {
        expect(() => unpackGrid(grid, bytes)).toThrow(/packed summary of this grid/);
      }
      const odd = packed.slice();
      odd[0] = 3;
      expect(() => unpackGrid(grid, odd)).toThrow(/packed summary of this grid/);
    }
  });

  it("is not read as one of another grid", () => {
    const other = ReferenceGrid.fromSample([1, 2, 3]);
    const packed = packGrid(new GridSummary(other));
    expect(() => unpackGrid(grid, packed)).toThrow(/packed summary of this grid/);
  });
});
