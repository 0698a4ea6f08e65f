/** From the data to the two files that everything else needs: the model and its training data. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { forestOnnx } from "./forest-onnx.js";
import { trainForest } from "./temperature-forest.js";
import type { WeatherDay } from "./weather-data.js";
import { daysOf, FEATURE_NAMES, featuresOf, readWeather } from "./weather-data.js";

/** The model as spans, references and configuration name it. */
export const MODEL_NAME = "weather";
const CARD = {
  name: MODEL_NAME,
  version: "2013.1",
  featureNames: FEATURE_NAMES,
  input: "features",
  output: "temp_max",
};
const TRAINING = { location: "Seattle", firstYear: 2012, lastYear: 2013 } as const;

/** Where the files are. */
export interface Artifacts {
  readonly model: string;
  readonly trainingCsv: string;
}

/** The days that the model is trained on. */
export function trainingDays(days: readonly WeatherDay[]): WeatherDay[] {
  return daysOf(days, TRAINING.location, TRAINING.firstYear, TRAINING.lastYear);
}

/**
 * Trains and writes both files into `folder`, unless they are there and made from the same data by
 * the same program.
 */
export function ensureArtifacts(
  dataFile: string,
  folder: string,
  onTraining: () => void = () => {},
): Artifacts {
  const model = join(folder, "weather.onnx");
  const trainingCsv = join(folder, "training.csv");
  const stampFile = join(folder, "inputs.sha256");
  const stamp = fingerprint(dataFile);
  const made = [model, trainingCsv, stampFile].every((file) => existsSync(file));
  if (made && readFileSync(stampFile, "utf8") === stamp) return { model, trainingCsv };
  onTraining();
  mkdirSync(folder, { recursive: true });
  const days = trainingDays(readWeather(dataFile));
  const forest = trainForest(days);
  replaceFile(model, forestOnnx(forest.trees, CARD));
  replaceFile(trainingCsv, trainingTable(days, forest.outOfBag));
  replaceFile(stampFile, stamp);
  return { model, trainingCsv };
}

/** The training data with what the model predicts, as CSV. */
function trainingTable(days: readonly WeatherDay[], predictions: readonly number[]): string {
  const rows = days.map((day, row) =>
    [...featuresOf(day), predictions[row] as number].map(sevenDigits).join(","),
  );
  return `${[[...FEATURE_NAMES, "prediction"].join(","), ...rows].join("\n")}\n`;
}

/** All that a float32 is good for, and more than was measured: 12.8, not 12.800000190734863. */
function sevenDigits(value: number): string {
  return String(Number(value.toPrecision(7)));
}

/** What the files depend on: the data, and the modules that make them. */
function fingerprint(dataFile: string): string {
  const hash = createHash("sha256").update(readFileSync(dataFile));
  const extension = extname(fileURLToPath(import.meta.url));
  for (const module of ["forest-onnx", "temperature-forest", "training", "weather-data"]) {
    hash.update(readFileSync(new URL(`${module}${extension}`, import.meta.url)));
  }
  return hash.digest("hex");
}

/** Whoever reads the file meanwhile sees the old or the new one, never half of it. */
function replaceFile(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}
