import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  driftPolicy,
  evaluateNumeric,
  GridSummary,
  populationStabilityIndex,
  ReferenceGrid,
} from "@tidemark/stats";
import { describe, expect, it } from "vitest";
import type { WeatherDay } from "../src/weather-data.ts";
import { daysOf, readWeather } from "../src/weather-data.ts";

const dataFile = fileURLToPath(new URL("../data/weather.csv", import.meta.url));
const days = readWeather(dataFile);
const trained = daysOf(days, "Seattle", 2012, 2013);
const after = daysOf(days, "Seattle", 2014, 2015);
const newYork = daysOf(days, "New York", 2012, 2015);

type Signal = "tempMin" | "wind" | "tempMax" | "precipitation";

const valuesOf = (rows: readonly WeatherDay[], signal: Signal) => rows.map((row) => row[signal]);

/** PSI over the reference's deciles, with bins closed on the left. */
function psiByDeciles(
  reference: readonly WeatherDay[],
  live: readonly WeatherDay[],
  signal: Signal,
): number {
  const sorted = valuesOf(reference, signal).toSorted((a, b) => a - b);
  const edges = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9].map((decile) => quantile(sorted, decile / 10)));
  const count = (rows: readonly WeatherDay[]) => {
    const counts = new Float64Array(edges.size + 1);
    for (const value of valuesOf(rows, signal)) {
      let bin = 0;
      for (const edge of edges) if (value >= edge) bin++;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts;
  };
  return populationStabilityIndex(count(reference), count(live));
}

function quantile(sorted: readonly number[], share: number): number {
  const rank = (sorted.length - 1) * share;
  const below = sorted[Math.floor(rank)] as number;
  const above = sorted[Math.ceil(rank)] as number;
  return below + (rank - Math.floor(rank)) * (above - below);
}

function evaluate(live: readonly WeatherDay[], signal: Signal) {
  const reference = ReferenceGrid.fromSample(valuesOf(trained, signal), { float32: true });
  const summary = new GridSummary(reference);
  for (const value of valuesOf(live, signal)) summary.add(value);
  const policy = driftPolicy({ evaluationMinutes: 1 / 3, windowLengths: 1 });
  return evaluateNumeric({ reference, live: summary, policy });
}

describe("the data", () => {
  it("has every day of four years in two cities, and no holes", () => {
    expect(days).toHaveLength(2922);
    expect([trained.length, after.length, newYork.length]).toEqual([731, 730, 1461]);
    const numbers = days.flatMap((day) => [day.precipitation, day.wind, day.tempMin, day.tempMax]);
    expect(numbers.every(Number.isFinite)).toBe(true);
  });

  it("is refused when a byte of it is another", () => {
    const folder = mkdtempSync(join(tmpdir(), "tidemark-weather-"));
    const file = join(folder, "weather.csv");
    writeFileSync(file, readFileSync(dataFile, "utf8").replace("12.8", "12.9"));
    expect(() => readWeather(file)).toThrow(/sha256 .* restore it/);
    rmSync(folder, { recursive: true });
  });
});

describe("the drift that is in the data", () => {
  it.each<[Signal, number]>([
    ["tempMin", 0.05],
    ["wind", 0.06],
    ["tempMax", 0.08],
    ["precipitation", 0.03],
  ])("is small in Seattle's next two years: %s has PSI %d", (signal, psi) => {
    expect(Math.abs(psiByDeciles(trained, after, signal) - psi)).toBeLessThan(0.02);
  });

  it.each<[Signal, number, number]>([
    ["tempMin", 0.61, 0.62],
    ["wind", 1.17, 1.21],
    ["tempMax", 0.26, 0.3],
    ["precipitation", 0.06, 0.07],
  ])(
    "is plain in New York: %s has PSI %d against all of Seattle, %d against the training years",
    (signal, againstAll, againstTraining) => {
      const seattle = daysOf(days, "Seattle", 2012, 2015);
      expect(Math.abs(psiByDeciles(seattle, newYork, signal) - againstAll)).toBeLessThan(0.02);
      expect(Math.abs(psiByDeciles(trained, newYork, signal) - againstTraining)).toBeLessThan(0.02);
    },
  );

  it.each<[Signal, string, number, string, number]>([
    ["precipitation", "stable", 0.047, "stable", 0.128],
    ["wind", "stable", 0.061, "drifted", 0.436],
    ["tempMin", "stable", 0.101, "drifted", 0.265],
  ])("makes %s %s (D %d) at home and %s (D %d) in New York", (signal, home, d, away, dAway) => {
    const [atHome, elsewhere] = [evaluate(after, signal), evaluate(newYork, signal)];
    expect([atHome.outcome, elsewhere.outcome]).toEqual([home, away]);
    expect(atHome.statistic).toBeCloseTo(d, 3);
    expect(elsewhere.statistic).toBeCloseTo(dAway, 3);
  });

  it("would be an alarm for half a year at home: summer against whole years", () => {
    const summer = after.filter(({ date }) => /-0[5-9]-/.test(date));
    expect(psiByDeciles(trained, summer, "tempMin")).toBeGreaterThan(1);
  });
});
