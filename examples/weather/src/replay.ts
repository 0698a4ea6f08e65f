/** Sends days to the prediction service, as a busy day of requests. */
import type { WeatherDay } from "./weather-data.js";

/** What came of it. */
export interface Replay {
  readonly startMs: number;
  readonly endMs: number;
  /** Degrees Celsius, in the order of the days. */
  readonly predictions: readonly number[];
}

/** Enough to keep one small service busy. */
const CONCURRENCY = 8;

/**
 * Asks for every day once, several at a time.
 * @throws Error when one request fails; the others are not sent then
 */
export async function replay(
  url: string,
  days: readonly WeatherDay[],
  onProgress: (done: number) => void = () => {},
): Promise<Replay> {
  const startMs = Date.now();
  const predictions: number[] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < days.length) {
      const index = next++;
      predictions[index] = await predict(url, days[index] as WeatherDay);
      onProgress(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  } finally {
    next = days.length;
  }
  return { startMs, endMs: Date.now(), predictions };
}

async function predict(url: string, { location, date }: WeatherDay): Promise<number> {
  const response = await fetch(`${url}/predict`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ location, date }),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${location} ${date}: ${response.status} ${body.trim()}`);
  return (JSON.parse(body) as { temp_max: number }).temp_max;
}

/** Days spread evenly over all: every season is among them as often as in the whole. */
export function spread(days: readonly WeatherDay[], count: number): WeatherDay[] {
  return Array.from(
    { length: count },
    (_, index) => days[Math.floor((index * days.length) / count)] as WeatherDay,
  );
}

/** How far the predictions are from what was measured, on average. */
export function meanAbsoluteError(
  days: readonly WeatherDay[],
  predictions: readonly number[],
): number {
  let sum = 0;
  for (const [index, { tempMax }] of days.entries()) {
    sum += Math.abs((predictions[index] as number) - tempMax);
  }
  return sum / days.length;
}
