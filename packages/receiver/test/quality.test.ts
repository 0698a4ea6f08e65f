import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const MINUTES_5 = 300_000;
const folder = mkdtempSync(join(tmpdir(), "tidemark-quality-"));
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(processors = ""): Promise<Receiver> {
  const receiver = await startReceiver(
    "processors:\n  learn: { samples: 1000, span: 0s }\n  evaluate: { windows: [5m], ladder: 1, dependence: none }\n" +
      processors,
  );
  running.push(receiver);
  return receiver;
}

/** A thousand rows: `wind` from 0 to 10, `sky` of two kinds, and whatever is changed. */
function rows(fromMs: number, change: (index: number) => Record<string, unknown> = () => ({})) {
  const random = seeded(fromMs);
  return Array.from({ length: 1000 }, (_, index): TestSpan => {
    const attributes = {
      "ml.model.name": "weather",
      "ml.feature.wind": 10 * random(),
      "ml.feature.sky": random() < 0.5 ? "sun" : "rain",
      ...change(index),
    };
    const kept = Object.entries(attributes).filter(([, value]) => value !== undefined);
    return {
      atMs: fromMs + index * 290,
      attributes: Object.fromEntries(kept) as TestSpan["attributes"],
    };
  });
}

/** Sends windows one behind the other, and one more that closes the last of them. */
async function sendWindows(receiver: Receiver, ...windows: ((fromMs: number) => TestSpan[])[]) {
  for (const [index, window] of [...windows, (fromMs: number) => rows(fromMs)].entries()) {
    const fromMs = START_MS + index * MINUTES_5;
    receiver.clock.nowMs = fromMs + MINUTES_5;
    expect((await receiver.send(window(fromMs))).status).toBe(200);
  }
  await receiver.settled();
}

async function violations(receiver: Receiver): Promise<Record<string, number>> {
  const points = Object.entries(await receiver.metric("ml_quality_violations_total"));
  return Object.fromEntries(
    points.map(([labels, value]) => {
      const [, signal = "", kind = ""] = /signal="([^"]*)",kind="([^"]*)"/.exec(labels) ?? [];
      return [`${signal} ${kind}`, value];
    }),
  );
}

const usual = (fromMs: number) => rows(fromMs);

describe("data quality", () => {
  it("finds nothing in data like the reference", async () => {
    const receiver = await started();
    await sendWindows(receiver, usual, usual, usual);
    const found = await violations(receiver);
    // The extremes of a thousand values are passed now and then by a thousand others.
    expect(found["feature.wind range"] ?? 0).toBeLessThan(15);
    const { "feature.wind range": _, ...others } = found;
    expect(others).toEqual({});
  });

  it("counts values of another type, outside the range, of new categories, and no numbers", async () => {
    const receiver = await started();
    const wrong = (index: number) => ({
      "ml.feature.wind": [5, "windy", 99, Number.NaN, -3][index % 5],
      "ml.feature.sky": ["sun", "hail", 7, "rain", "sun"][index % 5],
    });
    await sendWindows(receiver, usual, (fromMs) => rows(fromMs, wrong));
    await expect
      .poll(() => violations(receiver))
      .toMatchObject({
        "feature.wind type": 200,
        "feature.wind invalid": 200,
        "feature.sky type": 200,
        "feature.sky new_category": 200,
      });
    expect((await violations(receiver))["feature.wind range"]).toBeGreaterThanOrEqual(400);
  });

  it("tests what is missing as a rate, with a verdict of its own", async () => {
    const receiver = await started();
    const missing = (every: number) => (fromMs: number) =>
      rows(fromMs, (index) =>
        index % every === 0 ? { "ml.feature.wind": undefined, "ml.feature.missing": ["wind"] } : {},
      );
    await sendWindows(receiver, missing(50), missing(48), missing(4), missing(4));
    expect(await violations(receiver)).toMatchObject({ "feature.wind missing": 2 });
    const verdicts = await receiver.verdicts();
    const verdict = verdicts.find(({ signal }) => signal === "feature.wind.missing");
    expect(verdict).toMatchObject({ state: "drifted", detected: true });
    const wind = verdicts.find(({ signal }) => signal === "feature.wind");
    expect(wind).toMatchObject({ state: "stable" });
  });

  it("sees a sensor that is stuck, and leaves one alone that hardly ever moves", async () => {
    const receiver = await started();
    const still = (index: number) => ({ "ml.feature.still": index % 900 === 0 ? 1 : 0 });
    const stuck = () => ({ "ml.feature.wind": 5, "ml.feature.sky": "sun", "ml.feature.still": 0 });
    await sendWindows(
      receiver,
      (fromMs) => rows(fromMs, still),
      (fromMs) => rows(fromMs, stuck),
    );
    const found = await violations(receiver);
    expect(found).toMatchObject({ "feature.wind stuck": 1, "feature.sky stuck": 1 });
    expect(found["feature.still stuck"]).toBeUndefined();
  });

  it("sees a signal vanish while its model works on, and not when all is quiet", async () => {
    const receiver = await started();
    const without = (fromMs: number) => rows(fromMs, () => ({ "ml.feature.wind": undefined }));
    const quiet = (fromMs: number) => [
      { atMs: fromMs, attributes: { "ml.model.name": "other", "ml.feature.a": 1 } },
    ];
    await sendWindows(receiver, usual, usual, without, without, usual, quiet);
    const found = await violations(receiver);
    expect(found["feature.wind vanished"]).toBe(2);
    expect(found["feature.sky vanished"]).toBeUndefined();
    const told = receiver.log.filter((line) => line.includes("no value came although"));
    expect(told).toHaveLength(1);
  });

  it("sees categories explode", async () => {
    const receiver = await started();
    const many = (index: number) => ({ "ml.feature.sky": `sky ${index}` });
    await sendWindows(receiver, usual, (fromMs) => rows(fromMs, many));
    const found = await violations(receiver);
    expect(found).toMatchObject({ "feature.sky cardinality": 1, "feature.sky new_category": 1000 });
  });

  it("counts what only one of reference and traffic has", async () => {
    const csv = join(folder, "training.csv");
    const lines = rows(1).map(({ attributes }) => `${String(attributes["ml.feature.wind"])},1`);
    writeFileSync(csv, ["wind,pressure", ...lines].join("\n"));
    const file = join(folder, "weather.tidemark.json");
    const build = ["baseline", "build", csv, "--model", "weather", "--out", file];
    execFileSync(process.execPath, [CLI, ...build]);
    const receiver = await started(`  references: [{ file: ${file} }]\n`);
    await sendWindows(receiver, usual, usual);
    const found = await violations(receiver);
    expect(found["feature.sky schema"]).toBe(1);
    expect(found["feature.pressure schema"]).toBeGreaterThan(0);
    expect(found["feature.wind schema"]).toBeUndefined();
  });

  it("shows the schema that it measures by", async () => {
    const receiver = await started();
    await sendWindows(receiver, usual);
    const { signals } = (await (await fetch(`${receiver.admin}/api/v1/signals`)).json()) as {
      signals: { signal: string; schema: { min: number; max: number } }[];
    };
    const [wind, sky] = signals;
    expect(wind?.schema).toMatchObject({ type: "number", missingRate: 0 });
    expect(wind?.schema.max).toBeLessThanOrEqual(10);
    expect(sky?.schema).toEqual({ type: "category", categories: 2, missingRate: 0 });
  });
});
