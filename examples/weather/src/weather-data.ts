/** The data: daily weather of two cities, as committed in `data/weather.csv`. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Whoever changes the data changes the model and every figure in the README; see NOTICE. */
const SHA256 = "27219f1ca8dbd94c9b6f4b9f4f52ab2f1eb33dfdcf719cd9fc6481ed50b74549";
const HEADER = "location,date,precipitation,temp_max,temp_min,wind,weather";

/** One day in one city. */
export interface WeatherDay {
  readonly location: string;
  /** `2014-03-01`. */
  readonly date: string;
  /** Millimetres. */
  readonly precipitation: number;
  /** Degrees Celsius. */
  readonly tempMax: number;
  readonly tempMin: number;
  /** Mean speed; the source states no unit that can be relied on. */
  readonly wind: number;
}

/** The columns of the model's input, in order. */
export const FEATURE_NAMES = ["precipitation", "wind", "temp_min", "season"] as const;

/**
 * Reads the file.
 * @throws Error when it is not the very file that the example was made with
 */
export function readWeather(file: string): WeatherDay[] {
  const bytes = readFileSync(file);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== SHA256) {
    throw new Error(`${file}: has sha256 ${sha256}, not ${SHA256}; restore it with git`);
  }
  const [header, ...lines] = bytes.toString("utf8").trimEnd().split("\n");
  if (header !== HEADER) throw new Error(`${file}:1: the header is not ${HEADER}`);
  return lines.map((line) => {
    const [location = "", date = "", ...cells] = line.split(",");
    const [precipitation = 0, tempMax = 0, tempMin = 0, wind = 0] = cells.map(Number);
    return { location, date, precipitation, tempMax, tempMin, wind };
  });
}

/** The days of one city from the first to the last year, both included. */
export function daysOf(
  days: readonly WeatherDay[],
  location: string,
  firstYear: number,
  lastYear: number,
): WeatherDay[] {
  return days.filter((day) => {
    const year = Number(day.date.slice(0, 4));
    return day.location === location && year >= firstYear && year <= lastYear;
  });
}

/** A day as the model sees it: {@link FEATURE_NAMES}, as float32. */
export function featuresOf(day: WeatherDay): number[] {
  const { precipitation, wind, tempMin, date } = day;
  return [precipitation, wind, tempMin, seasonOf(date)].map(Math.fround);
}

/** 0 December to February, 1 March to May, 2 June to August, 3 September to November. */
function seasonOf(date: string): number {
  return Math.floor((Number(date.slice(5, 7)) % 12) / 3);
}
