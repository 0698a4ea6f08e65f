import { describe, expect, it } from "vitest";
import {
  GridSummary,
  ReferenceGrid,
  type WassersteinFloorTest,
  wassersteinDistance,
  wassersteinFloorTest,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const random = seededRandom(100);
const grid = ReferenceGrid.fromSample(draws(20_000, random.normal));
const phi = { reference: 1, live: 1 };

function tested(
  rows: ArrayLike<number>,
  floor = 0.25,
  reference = grid,
  inflation = phi,
): WassersteinFloorTest {
  const live = new GridSummary(reference);
  live.addMany(Float64Array.from(rows));
  const test = wassersteinFloorTest(reference, live, { floor, alpha: 1e-6, phi: inflation });
  if (test === undefined) throw new Error("no test");
  return test;
}

describe("the Wasserstein test with a floor", () => {
  it("measures the distance between the laws snapped to the bins' means", () => {
    const rows = draws(3000, () => 1.3 * random.normal() + 0.4);
    const expected = wassersteinDistance(
      snapped(grid, grid.counts),
      snapped(grid, liveOf(grid, rows).counts),
    );
    expect(tested(rows).statistic).toBeCloseTo(expected.statistic / Math.sqrt(grid.variance), 10);
  });

  it.each([0.7, 1.4])("has the spread and the variance of its definition, at %f sigma", (scale) => {
    const rows = draws(500, () => scale * random.normal());
    const live = liveOf(grid, rows);
    let [below, liveBelow, spread] = [0, 0, 0];
    for (let j = 0; j + 1 < grid.counts.length; j++) {
      below += (grid.counts[j] ?? 0) / grid.count;
      liveBelow += (live.counts[j] ?? 0) / live.count;
      const variance = (below * (1 - below)) / grid.count + (liveBelow * (1 - liveBelow)) / 500;
      const width = (grid.binMeans[j + 1] ?? 0) - (grid.binMeans[j] ?? 0);
      spread += Math.sqrt(Math.max(0, variance)) * width;
    }
    const perRow = Math.max(momentOf(grid, grid.counts), momentOf(grid, live.counts));
    const variance = perRow / grid.count + perRow / live.count;
    const sigma = Math.sqrt(grid.variance);
    const chance = Math.sqrt(2 / Math.PI) * spread;
    // The floor's own variance: d^2 (mu_4 - sigma^4) / (4 sigma^2 n).
    const fourth = snapped(grid, grid.counts).reduce((sum, x) => sum + (x - grid.mean) ** 4, 0);
    const ofSigma = (fourth / grid.count - sigma ** 4) / (4 * sigma ** 2 * grid.count);
    const all = variance + 0.25 ** 2 * ofSigma;
    const margin = (chance + Math.sqrt(2 * all * Math.log(1e6))) / sigma;
    expect(tested(rows).threshold).toBeCloseTo(0.25 + margin, 10);
  });

  it("rejects exactly beyond its threshold", () => {
    for (let shift = 0.2; shift < 0.6; shift += 0.01) {
      const test = tested(draws(4000, () => random.normal() + shift));
      expect(test.pValue < 1e-6).toBe(test.statistic > test.threshold);
    }
  });

  it("does not depend on the unit", () => {
    const rows = draws(1000, () => random.normal() + 0.6);
    const sample = draws(5000, random.normal);
    const scaled = ReferenceGrid.fromSample(sample.map((x) => 1000 * x - 7));
    const plain = tested(rows, 0.25, ReferenceGrid.fromSample(sample));
    const other = tested(
      rows.map((x) => 1000 * x - 7),
      0.25,
      scaled,
    );
    expect(other.statistic).toBeCloseTo(plain.statistic, 9);
    expect(other.pValue / plain.pValue).toBeCloseTo(1, 6);
  });

  it("believes dependent rows less", () => {
    const rows = draws(2000, () => random.normal() + 0.5);
    const dependent = tested(rows, 0.25, grid, { reference: 4, live: 4 });
    expect(dependent.statistic).toBe(tested(rows).statistic);
    expect(dependent.pValue).toBeGreaterThan(tested(rows).pValue);
  });

  it("is absent for an empty window and a reference that does not vary", () => {
    const options = { floor: 0.25, alpha: 0.01, phi };
    expect(wassersteinFloorTest(grid, new GridSummary(grid), options)).toBeUndefined();
    const constant = ReferenceGrid.fromSample([3, 3, 3]);
    const live = new GridSummary(constant);
    live.add(3);
    expect(wassersteinFloorTest(constant, live, options)).toBeUndefined();
  });
});

function liveOf(reference: ReferenceGrid, rows: Float64Array): GridSummary {
  const live = new GridSummary(reference);
  live.addMany(rows);
  return live;
}

/** The rows of `counts`, each at its bin's mean. */
function snapped(reference: ReferenceGrid, counts: Uint32Array): number[] {
  return Array.from(counts).flatMap((count, bin) =>
    Array<number>(count).fill(reference.binMeans[bin] ?? Number.NaN),
  );
}

/** Population variance of the snapped rows. */
function momentOf(reference: ReferenceGrid, counts: Uint32Array): number {
  const rows = snapped(reference, counts);
  const mean = rows.reduce((sum, x) => sum + x, 0) / rows.length;
  return rows.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rows.length;
}
