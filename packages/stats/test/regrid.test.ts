import { describe, expect, it } from "vitest";
import {
  driftPolicy,
  evaluateNumeric,
  GridSummary,
  gridDistance,
  kolmogorovSmirnov,
  ReferenceGrid,
  regrid,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

function normals(length: number, seed: number, shift = 0): Float64Array {
  const random = seededRandom(seed);
  return draws(length, () => random.normal() + shift);
}

describe("regridding", () => {
  it.each([0, 0.1, 1, 5])("is within the error that it states at a shift of %s", (shift) => {
    const target = ReferenceGrid.fromSample(normals(20_000, 1));
    const rows = normals(8000, 2, shift);
    const counted = new GridSummary(target);
    counted.addMany(rows);
    const { summary, epsilon } = regrid(target, ReferenceGrid.fromSample(rows));
    expect(summary.count).toBe(8000);
    expect(summary.counts.reduce((sum, count) => sum + count, 0)).toBe(8000);
    expect(epsilon).toBeLessThan(0.005);
    let [below, exactBelow] = [0, 0];
    for (const [bin, count] of summary.counts.entries()) {
      below += count;
      exactBelow += counted.counts[bin] as number;
      expect(Math.abs(below - exactBelow) / 8000).toBeLessThanOrEqual(epsilon);
    }
    expect(summary.mean).toBeCloseTo(counted.mean, 9);
    expect(summary.variance).toBeCloseTo(counted.variance, 9);
    expect([summary.min, summary.max]).toEqual([counted.min, counted.max]);
  });

  it("is exact on its own edges and between atoms", () => {
    const grid = ReferenceGrid.fromSample(normals(5000, 3));
    const own = regrid(grid, grid);
    expect(own.epsilon).toBe(0);
    expect(gridDistance(grid, own.summary).distance).toBe(0);
    const flags = (ones: number) =>
      ReferenceGrid.fromSample(Float64Array.from({ length: 1000 }, (_, i) => (i < ones ? 1 : 0)));
    const { summary, epsilon } = regrid(flags(500), flags(200));
    expect(epsilon).toBe(0);
    expect(gridDistance(flags(500), summary).distance).toBeCloseTo(0.3, 12);
  });
});

describe("a reference of what was counted on another's edges", () => {
  it("is compared with windows on these edges, exactly", () => {
    const base = ReferenceGrid.fromSample(normals(20_000, 5));
    const [lastWeek, today] = [normals(9000, 6, 0.5), normals(4000, 7, 0.5)];
    const [counted, live] = [new GridSummary(base), new GridSummary(base)];
    counted.addMany(lastWeek);
    live.addMany(today);
    const rolling = ReferenceGrid.fromSummary(counted);
    expect([rolling.count, rolling.epsilon]).toEqual([9000, 0]);
    expect([rolling.min, rolling.max]).toEqual([counted.min, counted.max]);
    expect(rolling.mean).toBeCloseTo(counted.mean, 12);
    expect(rolling.hasEdgesOf(base)).toBe(true);
    expect(rolling.id).not.toBe(base.id);
    const policy = driftPolicy({ evaluationMinutes: 60, windowLengths: 1 });
    const exact = kolmogorovSmirnov(lastWeek, today).statistic;
    const moved = evaluateNumeric({ reference: rolling, live, policy });
    expect(moved.outcome).toBe("stable");
    expect(exact - moved.statistic).toBeGreaterThanOrEqual(0);
    expect(exact - moved.statistic).toBeLessThanOrEqual(moved.errorBound);
    expect(evaluateNumeric({ reference: base, live, policy }).outcome).toBe("drifted");
    expect(() => ReferenceGrid.fromSummary(new GridSummary(base))).toThrow(RangeError);
    const elsewhere = ReferenceGrid.fromSample(normals(20_000, 8));
    expect(() => evaluateNumeric({ reference: elsewhere, live, policy })).toThrow("on grid");
  });
});
