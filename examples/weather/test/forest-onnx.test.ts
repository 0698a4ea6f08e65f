import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { float32AtLeast } from "../src/forest-onnx.ts";
import type { TemperatureForest } from "../src/temperature-forest.ts";
import { trainForest } from "../src/temperature-forest.ts";
import type { Artifacts } from "../src/training.ts";
import { ensureArtifacts, trainingDays } from "../src/training.ts";
import type { WeatherDay } from "../src/weather-data.ts";
import { daysOf, featuresOf, readWeather } from "../src/weather-data.ts";

const dataFile = fileURLToPath(new URL("../data/weather.csv", import.meta.url));
const days = readWeather(dataFile);
const seattleAfter = daysOf(days, "Seattle", 2014, 2015);
const newYork = daysOf(days, "New York", 2012, 2015);
const folder = mkdtempSync(join(tmpdir(), "tidemark-weather-"));
let forest: TemperatureForest;
let artifacts: Artifacts;

beforeAll(() => {
  forest = trainForest(trainingDays(days));
  artifacts = ensureArtifacts(dataFile, folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function predictWithOnnx(file: string, rows: readonly WeatherDay[]): Promise<Float32Array> {
  const session = await InferenceSession.create(file);
  const features = new Tensor("float32", rows.flatMap(featuresOf), [rows.length, 4]);
  const { temp_max: output } = await session.run({ features });
  expect(output?.dims).toEqual([rows.length, 1]);
  return output?.data as Float32Array;
}

function meanAbsoluteError(rows: readonly WeatherDay[], predictions: ArrayLike<number>): number {
  let sum = 0;
  for (const [row, day] of rows.entries()) sum += Math.abs((predictions[row] ?? 0) - day.tempMax);
  return sum / rows.length;
}

describe("the ONNX model", () => {
  it("says what the forest says, within 5e-6 degrees, on every day of the data", async () => {
    const expected = forest.predict(days);
    const actual = await predictWithOnnx(artifacts.model, days);
    const worst = Math.max(...expected.map((value, row) => Math.abs(value - (actual[row] ?? 0))));
    expect(days).toHaveLength(2922);
    expect(worst).toBeLessThan(5e-6);
  });

  it("takes the forest's branch for values at and beside every threshold", async () => {
    const probes = thresholdProbes().slice(0, 20_000);
    const session = await InferenceSession.create(artifacts.model);
    const features = new Tensor("float32", probes.flatMap(featuresOf), [probes.length, 4]);
    const { temp_max: output } = await session.run({ features });
    const expected = forest.predict(probes);
    const actual = output?.data as Float32Array;
    const worst = Math.max(...expected.map((value, row) => Math.abs(value - (actual[row] ?? 0))));
    expect(worst).toBeLessThan(5e-6);
  });

  it("errs by 2.2 degrees on Seattle's next two years and by 2.8 in New York", async () => {
    const errors = await Promise.all(
      [seattleAfter, newYork].map(async (rows) =>
        meanAbsoluteError(rows, await predictWithOnnx(artifacts.model, rows)),
      ),
    );
    expect(errors[0]).toBeCloseTo(2.21, 2);
    expect(errors[1]).toBeCloseTo(2.81, 2);
  });

  /** Days that differ from a real one in a feature that is at, just below or above a threshold. */
  function thresholdProbes(): WeatherDay[] {
    const names = ["precipitation", "wind", "tempMin"] as const;
    const [day] = seattleAfter as [WeatherDay];
    const probes: WeatherDay[] = [];
    const open = [...forest.trees];
    for (let node = open.pop(); node; node = open.pop()) {
      if (node.kind === "leaf") continue;
      open.push(node.left, node.right);
      const name = names[node.feature];
      if (name === undefined) continue;
      const above = float32AtLeast(node.below);
      const around = [Math.fround(node.below), above, -float32AtLeast(-node.below), above + 1e-5];
      probes.push(...around.map((value) => ({ ...day, [name]: value })));
    }
    return probes;
  }
});

describe("float32AtLeast", () => {
  it.each([0, 1, -1, 0.1, -0.1, 1e-46, -1e-46, 16777217, -16777217, 2 ** -149])(
    "%d: is the smallest float32 that is not below",
    (value) => {
      const rounded = float32AtLeast(value);
      expect(Math.fround(rounded)).toBe(rounded);
      expect(rounded).toBeGreaterThanOrEqual(value);
      const spacing = Math.max(2 ** -149, Math.abs(rounded) * 2 ** -23);
      expect(Math.fround(rounded - spacing)).toBeLessThan(value);
    },
  );
});

describe("training", () => {
  it("writes the same bytes each time", () => {
    const other = mkdtempSync(join(tmpdir(), "tidemark-weather-"));
    const again = ensureArtifacts(dataFile, other);
    for (const name of ["model", "trainingCsv"] as const) {
      expect(readFileSync(again[name]).equals(readFileSync(artifacts[name]))).toBe(true);
    }
    rmSync(other, { recursive: true });
  });

  it("does not run again when nothing has changed", () => {
    const { mtimeMs } = statSync(artifacts.model);
    let trained = false;
    expect(ensureArtifacts(dataFile, folder, () => (trained = true))).toEqual(artifacts);
    expect(trained).toBe(false);
    expect(statSync(artifacts.model).mtimeMs).toBe(mtimeMs);
  });

  it("writes one row for each of the 731 days, with predictions for days not seen", () => {
    const [header, ...rows] = readFileSync(artifacts.trainingCsv, "utf8").trimEnd().split("\n");
    expect(header).toBe("precipitation,wind,temp_min,season,prediction");
    expect(rows).toHaveLength(731);
    expect(rows[0]).toMatch(/^0,4\.7,5,0,\d+\.\d+$/);
    const predictions = rows.map((row) => Number(row.split(",")[4]));
    const trained = trainingDays(days);
    expect(meanAbsoluteError(trained, forest.predict(trained))).toBeLessThan(1.7);
    expect(meanAbsoluteError(trained, predictions)).toBeCloseTo(2.28, 1);
  });
});
