/** Real weather: a model that knows Seattle, asked about Seattle, and then about New York. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { TraceRequest } from "../src/otlp/schema.ts";
import { cliFolder } from "./cli-runs.ts";
import { post, requestOf, START_MS, startReceiver } from "./running-receiver.ts";

const WINDOW_MS = 300_000;
const FEATURES = ["precipitation", "wind", "temp_min"] as const;
const csv = readFileSync(
  new URL("../../../examples/weather/data/weather.csv", import.meta.url),
  "utf8",
);
const [header = "", ...days] = csv.trim().split("\n");
const columns = header.split(",");

const seattle = (years: string) => days.filter((day) => new RegExp(`^Seattle,${years}-`).test(day));
const newYork = days.filter((day) => day.startsWith("New York,"));

interface Verdict {
  signal: string;
  state: string;
  exemplars: { traceId: string }[];
}

it("is silent in Seattle, alarms on wind and nights in New York, and names requests from there", async () => {
  const { file, tidemark } = cliFolder();
  const training = file("training.csv", [header, ...seattle("201[23]")].join("\n"));
  const reference = file("weather.tidemark.json", "");
  const args = ["--model", "weather", "--columns", FEATURES.join(","), "--out", reference];
  expect(tidemark("baseline", "build", training, ...args).status).toBe(0);
  const receiver = await startReceiver(
    `processors:\n  references: [{ file: ${reference} }]\n` +
      "  observe: { allowedLateness: 0s, idleTimeout: 1h }\n" +
      "  evaluate: { windows: [5m], ladder: 1, dependence: none }\n",
  );

  /** Asks about each day in one window, and returns what the traces are called. */
  async function ask(fromMs: number, about: readonly string[]): Promise<Set<string>> {
    receiver.clock.nowMs = fromMs + WINDOW_MS;
    const spans = about.map((day, index) => {
      const cells = day.split(",");
      const feature = (name: string) => Number(cells[columns.indexOf(name)]);
      const values = FEATURES.map((name) => [`ml.feature.${name}`, feature(name)]);
      return {
        atMs: fromMs + (index / about.length) * (WINDOW_MS - 1000),
        attributes: { "ml.model.name": "weather", ...Object.fromEntries(values) },
      };
    });
    const request = requestOf(spans);
    const sent = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans[0]?.spans ?? []);
    const body = TraceRequest.encode(request).finish();
    expect((await post(`${receiver.otlp}/v1/traces`, body)).status).toBe(200);
    return new Set(sent.map(({ traceId }) => Buffer.from(traceId).toString("hex")));
  }
  async function verdicts(): Promise<Map<string, Verdict>> {
    await receiver.settled();
    const found = (await receiver.verdicts()) as unknown as Verdict[];
    return new Map(found.map((verdict) => [verdict.signal.replace("feature.", ""), verdict]));
  }
  const states = (found: ReadonlyMap<string, Verdict>) =>
    Object.fromEntries(FEATURES.map((name) => [name, found.get(name)?.state]));

  try {
    await ask(START_MS, seattle("201[45]"));
    // The next window ends this one.
    const there = await ask(START_MS + WINDOW_MS, newYork);
    const stable = { precipitation: "stable", wind: "stable", temp_min: "stable" };
    expect(states(await verdicts())).toEqual(stable);
    await ask(START_MS + 2 * WINDOW_MS, seattle("2014"));
    const found = await verdicts();
    expect(states(found)).toEqual({ ...stable, wind: "drifted", temp_min: "drifted" });
    for (const name of ["wind", "temp_min"]) {
      const named = found.get(name)?.exemplars.map(({ traceId }) => traceId) ?? [];
      expect(named.length).toBeGreaterThanOrEqual(3);
      expect(named.filter((traceId) => !there.has(traceId))).toEqual([]);
    }
    expect(found.get("precipitation")?.exemplars).toEqual([]);
  } finally {
    await receiver.shutdown();
  }
}, 30_000);
