/** A model's traffic, made of the weather of two cities: predictions as spans, dated as asked. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Attributes } from "./otlp-spans.ts";
import { sendSpans } from "./otlp-spans.ts";
import { ROOT } from "./peer-programs.ts";
import { TIDEMARK } from "./peer-stack.ts";

export const WINDOW_MS = 300_000;
export const SERVICE = "prediction-service";

const COLUMNS = ["precipitation", "temp_max", "temp_min", "wind"] as const;
type Day = Readonly<Record<(typeof COLUMNS)[number] | "weather", string>>;

const days = new Map<string, Day[]>();
const lines = readFileSync(join(ROOT, "examples/weather/data/weather.csv"), "utf8").trim();
for (const line of lines.split("\n").slice(1)) {
  const [city = "", , precipitation = "", temp_max = "", temp_min = "", wind = "", weather = ""] =
    line.split(",");
  const day = { precipitation, temp_max, temp_min, wind, weather };
  days.set(city, [...(days.get(city) ?? []), day]);
}

/** A reference of Seattle's days, as a file. */
export function seattleReference(folder: string): string {
  const csv = join(folder, "training.csv");
  const rows = (days.get("Seattle") ?? []).map((day) =>
    [day.wind, day.temp_min, day.precipitation, day.temp_max].join(","),
  );
  writeFileSync(csv, ["wind,temp_min,precipitation,predicted", ...rows].join("\n"));
  const reference = join(folder, "weather.tidemark.json");
  const build = ["baseline", "build", csv, "--model", "weather", "--prediction", "predicted"];
  execFileSync(process.execPath, [TIDEMARK, ...build, "--out", reference]);
  return reference;
}

/** Sends a window's worth of a city's days, as many as it has. */
export async function sendCity(otlpUrl: string, city: string, fromMs: number): Promise<number> {
  const all = days.get(city) ?? [];
  const spread = (index: number) => fromMs + 20 + Math.floor((index / all.length) * 299_000);
  const ofDay = (index: number) => prediction(all[index], city);
  await sendSpans(otlpUrl, SERVICE, all.length, ofDay, spread, { binary: true });
  return all.length;
}

/** Closes every window before `atMs` with one ordinary prediction. */
export async function closeWindows(otlpUrl: string, atMs: number): Promise<void> {
  const [day] = days.get("Seattle") ?? [];
  await sendSpans(otlpUrl, SERVICE, 1, prediction(day, "Seattle"), () => atMs + 20);
}

function prediction(day: Day | undefined, city: string): Attributes {
  return {
    "app.city": city,
    "ml.stage": "inference",
    "ml.model.name": "weather",
    "ml.model.version": "2",
    "ml.feature.wind": Number(day?.wind),
    "ml.feature.temp_min": Number(day?.temp_min),
    "ml.feature.precipitation": Number(day?.precipitation),
    "ml.prediction.value": Number(day?.temp_max),
    "ml.prediction.class": day?.weather ?? "sun",
    "ml.prediction.confidence": 0.5 + Number(day?.wind) / 40,
  };
}
