import { describe, expect, it } from "vitest";
import {
  CategoryCounts,
  categoryRows,
  decileCounts,
  GridSummary,
  INITIAL_VARIATION,
  inflationOf,
  ReferenceGrid,
  VARIATION_WINDOWS_MIN,
  type WindowVariation,
  withWindow,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const random = seededRandom(80);
const grid = ReferenceGrid.fromSample(draws(20_000, random.normal));
const ROWS = 200;

/** A stationary N(0,1) sequence in which neighbours correlate by `rho`. */
function autocorrelated(rho: number): () => number {
  let x = random.normal();
  return () => (x = rho * x + Math.sqrt(1 - rho * rho) * random.normal());
}

function variationOf(windows: number, law: () => number): WindowVariation {
  let variation = INITIAL_VARIATION;
  for (let t = 0; t < windows; t++) {
    const live = new GridSummary(grid);
    live.addMany(draws(ROWS, law));
    variation = withWindow(variation, decileCounts(grid, live));
  }
  return variation;
}

/** The two standard errors by which phi is raised. */
const slack = (windows: number): number => 1 + 2 * Math.sqrt(2 / (3 * (windows - 1)));

describe("phi", () => {
  it("agrees with its definition, two passes over the shares", () => {
    const law = autocorrelated(0.8);
    const windows = Array.from({ length: 40 }, (_, t) => {
      const live = new GridSummary(grid);
      live.addMany(draws(100 + 10 * t, law));
      return decileCounts(grid, live);
    });
    let variation = INITIAL_VARIATION;
    for (const window of windows) variation = withWindow(variation, window);
    const { phi } = inflationOf(variation);
    const rows = windows.reduce((sum, window) => sum + window.rows, 0);
    let [between, within] = [0, 0];
    for (let j = 0; j < 9; j++) {
      const mean = windows.reduce((sum, { counts }) => sum + (counts[j] ?? 0), 0) / rows;
      for (const window of windows) {
        between += window.rows * ((window.counts[j] ?? 0) / window.rows - mean) ** 2;
      }
      within += mean * (1 - mean);
    }
    expect(phi).toBeCloseTo((between / (39 * within)) * slack(40), 10);
  });

  it("is 1 and two standard errors for independent rows", () => {
    const { phi, learning } = inflationOf(variationOf(400, random.normal));
    expect(learning).toBe(false);
    expect(phi / slack(400)).toBeLessThan(1.15);
  });

  it("is about (1 + rho)/(1 - rho) where neighbours correlate by rho", () => {
    const { phi } = inflationOf(variationOf(2000, autocorrelated(0.8)));
    // That is the mean's; the indicators of deciles decorrelate sooner, the outer ones soonest.
    expect(phi).toBeGreaterThan(5);
    expect(phi).toBeLessThan(9);
  });

  it("is not known from fewer than 24 windows", () => {
    const few = variationOf(VARIATION_WINDOWS_MIN - 1, random.normal);
    expect(inflationOf(few)).toEqual({ phi: 1, learning: true });
    expect(inflationOf(variationOf(VARIATION_WINDOWS_MIN, random.normal)).learning).toBe(false);
  });

  it("learns nothing from windows in alarm and from empty ones", () => {
    const live = new GridSummary(grid);
    expect(withWindow(INITIAL_VARIATION, decileCounts(grid, live))).toBe(INITIAL_VARIATION);
    live.add(0);
    const window = decileCounts(grid, live);
    expect(withWindow(INITIAL_VARIATION, window, "drifted")).toBe(INITIAL_VARIATION);
    expect(withWindow(INITIAL_VARIATION, window, "warning")).toBe(INITIAL_VARIATION);
    const variation = withWindow(INITIAL_VARIATION, window);
    expect(variation.counts.length + variation.squares.length + 2).toBe(20);
    expect(JSON.parse(JSON.stringify(variation))).toEqual(variation);
    expect(() => withWindow(variation, { counts: [1], rows: 1 })).toThrow("1 points do not fit 9");
  });

  it("follows a grid of one value, and categories, by their commonest nine", () => {
    const constant = ReferenceGrid.fromSample([7, 7, 7]);
    const live = new GridSummary(constant);
    live.addMany(Float64Array.of(7, 7, 8));
    expect(decileCounts(constant, live)).toEqual({ counts: Array(9).fill(2), rows: 3 });
    let variation = INITIAL_VARIATION;
    for (let t = 0; t < 30; t++) variation = withWindow(variation, { counts: [5], rows: 5 });
    expect(inflationOf(variation).phi).toBeCloseTo(slack(30), 12);
    const counts = new CategoryCounts();
    for (let i = 0; i < 12; i++) counts.add(`c${i}`, i + 1);
    expect(categoryRows(counts, counts).counts).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4]);
  });
});
