import { describe, expect, it } from "vitest";
import { GridSummary, gridDistance, mergeGrids, ReferenceGrid } from "../src/index.ts";
import { seededRandom } from "./seeded-random.ts";

const normals = (length: number, seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length }, () => random.normal());
};
const uniforms = (length: number, seed: number) => {
  const random = seededRandom(seed);
  return Array.from({ length }, () => random.uniform());
};

describe("merged grids", () => {
  const parts = [
    { name: "two halves of one law", values: [normals(6000, 1), normals(6000, 2)] },
    {
      name: "laws far apart",
      values: [normals(3000, 3), normals(9000, 4).map((x) => x * 5 + 40)],
    },
    {
      name: "atoms in one part only",
      values: [uniforms(4000, 5).map((x) => Math.floor(x * 3)), normals(8000, 6)],
    },
    { name: "three of them", values: [normals(500, 7), normals(700, 8), normals(5000, 9)] },
  ];

  it.each(parts)("are those of all rows, within the error that they state: $name", ({ values }) => {
    const rows = values.flat();
    const grids = values.map((part) => ReferenceGrid.fromSample(part));
    const merged = mergeGrids(grids);
    expect(merged.count).toBe(rows.length);
    expect(merged.min).toBe(Math.min(...rows) + 0);
    expect(merged.max).toBe(Math.max(...rows));
    const whole = ReferenceGrid.fromSample(rows);
    expect(Math.abs(merged.mean - whole.mean)).toBeLessThan(1e-9);
    expect(Math.abs(merged.variance / whole.variance - 1)).toBeLessThan(1e-9);
    const live = new GridSummary(merged);
    for (const row of rows) live.add(row);
    // What all rows have on the merged edges, against what the merged grid believes they have.
    expect(gridDistance(merged, live).distance).toBeLessThanOrEqual(merged.epsilon);
    expect(merged.epsilon).toBeLessThan(0.01);
  });

  it("keep an atom as an atom", () => {
    const flags = (n: number, share: number) =>
      ReferenceGrid.fromSample(Array.from({ length: n }, (_, i) => (i < n * share ? 1 : 0)));
    const merged = mergeGrids([flags(1000, 0.5), flags(3000, 0.1)]);
    expect(merged.epsilon).toBe(0);
    expect(merged.rank(0)).toBe((500 + 2700) / 4000);
    expect(merged.resolution).toBe(0);
  });

  it("show an atom as the value that it is, not as the double below it", () => {
    const flags = ReferenceGrid.fromSample(Array.from({ length: 100 }, (_, i) => i % 2));
    expect([0.1, 0.5, 0.51, 1].map((q) => flags.quantile(q))).toEqual([0, 0, 1, 1]);
    const live = new GridSummary(flags);
    for (let i = 0; i < 10; i++) live.add(i % 2);
    expect([0.1, 0.5, 0.51, 1].map((q) => live.quantile(q))).toEqual([0, 0, 1, 1]);
  });

  it("are the grid itself when there is one, and nothing when there is none", () => {
    const grid = ReferenceGrid.fromSample([1, 2, 3]);
    expect(mergeGrids([grid])).toBe(grid);
    expect(() => mergeGrids([])).toThrow(RangeError);
  });
});
