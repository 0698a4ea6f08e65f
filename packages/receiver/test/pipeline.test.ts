import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ExportTraceServiceRequest, seeded } from "../bench/trace-bodies.ts";
import { writeReferenceFile } from "../src/references/reference-file.ts";
import { readTrainingData } from "../src/references/training-data.ts";
import type { Delivery } from "./otlp-sink.ts";
import { startSink } from "./otlp-sink.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const folder = mkdtempSync(join(tmpdir(), "tidemark-pipeline-"));
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(yaml: string): Promise<Receiver> {
  const receiver = await startReceiver(yaml);
  running.push(receiver);
  return receiver;
}

/** Roughly normal values, by the sum of twelve uniform ones. */
function normals(count: number, mean: number, seed: number): number[] {
  const random = seeded(seed);
  const value = () => Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6) + mean;
  return Array.from({ length: count }, value);
}

async function referenceFile(): Promise<string> {
  const csv = join(folder, "training.csv");
  const city = (index: number) => (index % 4 === 0 ? "rain" : "sun");
  const rows = normals(5000, 10, 1).map((wind, index) => `${wind},${city(index)}`);
  writeFileSync(csv, ["wind,sky", ...rows].join("\n"));
  const mappings = [
    { column: "wind", signal: "feature.wind", type: "numeric" },
    { column: "sky", signal: "prediction.class", type: "categorical" },
  ] as const;
  const plan = { files: [csv], name: "training", mappings, others: false } as const;
  const { signals, columns, rows: count } = await readTrainingData(plan);
  const file = join(folder, "weather.tidemark.json");
  const reference = { model: "weather", version: "", runId: "", signals };
  writeReferenceFile(file, reference, { files: [csv], rows: count, columns });
  return file;
}

const WINDOWS = "evaluate: { windows: [5m, 1h], dependence: none }";
const withReference = async () =>
  `processors:\n  references: [{ file: ${await referenceFile()} }]\n  ${WINDOWS}\n`;

/** Spans spread over the five minutes that start at `fromMs`. */
function predictions(winds: readonly number[], fromMs: number, sky: string[]): TestSpan[] {
  return winds.map((wind, index) => ({
    atMs: fromMs + (index / winds.length) * 299_000,
    attributes: {
      "ml.model.name": "weather",
      "ml.model.version": "7",
      "ml.stage": "inference",
      "ml.feature.wind": wind,
      "ml.prediction.class": sky[index % sky.length] as string,
    },
  }));
}

const USUAL = ["rain", "sun", "sun", "sun"];

async function sendWindow(receiver: Receiver, spans: TestSpan[], endMs: number): Promise<void> {
  receiver.clock.nowMs = endMs;
  expect((await receiver.send(spans)).status).toBe(200);
}

const MINUTES_5 = 300_000;

/** One more span, late enough in the window at `fromMs` to close the one before it. */
async function closeBefore(receiver: Receiver, fromMs: number): Promise<void> {
  const attributes = { "ml.model.name": "weather", "ml.model.version": "7" };
  const last = { atMs: fromMs + 60_000, attributes };
  await sendWindow(receiver, [last], fromMs + MINUTES_5);
}

async function verdictOf(receiver: Receiver, signal: string, window = "5m") {
  const verdicts = await receiver.verdicts();
  return verdicts.find((verdict) => verdict["signal"] === signal && verdict["window"] === window);
}

/** The values of `ml.drift.outlier` of each span of a delivery. */
function outliersOf(delivery: Delivery | undefined): string[][] {
  const { resourceSpans } = ExportTraceServiceRequest.decode(delivery?.body ?? new Uint8Array());
  return (resourceSpans[0]?.scopeSpans[0]?.spans ?? []).map(({ attributes }) => {
    const found = attributes.find(({ key }) => key === "ml.drift.outlier")?.value;
    return (found?.arrayValue?.values ?? []).map(({ stringValue }) => String(stringValue));
  });
}

describe("the pipeline", () => {
  it("stays quiet on the training data's law, and alarms on a shift, in numbers and classes", async () => {
    const receiver = await started(await withReference());
    let at = START_MS;
    await sendWindow(receiver, predictions(normals(2000, 10, 2), at, USUAL), at + MINUTES_5);
    at += MINUTES_5;
    const shifted = predictions(normals(2000, 11, 3), at, ["rain", "sun"]);
    await sendWindow(receiver, shifted, at + MINUTES_5);
    const wind = await verdictOf(receiver, "feature.wind");
    const sky = await verdictOf(receiver, "prediction.class");
    expect(wind).toMatchObject({ state: "stable", liveCount: 2000, detected: false });
    expect(sky).toMatchObject({ state: "stable", detected: false });

    at += MINUTES_5;
    await closeBefore(receiver, at);
    const windLater = await verdictOf(receiver, "feature.wind");
    const skyLater = await verdictOf(receiver, "prediction.class");
    expect(windLater).toMatchObject({ state: "drifted", detected: true, version: "7" });
    expect(windLater?.["windowStartMs"]).toBe(START_MS + MINUTES_5);
    expect(windLater?.["statistic"]).toBeGreaterThan(windLater?.["threshold"] as number);
    expect(windLater?.["sentence"]).toMatch(/wind/);
    expect(skyLater).toMatchObject({ state: "drifted", detected: true });
  });

  it("marks the predictions behind a drift in the traces that it passes on", async () => {
    const sink = await startSink();
    const receiver = await started(
      `${await withReference()}exporters:\n  otlp_http/jaeger: { endpoint: "${sink.url}" }\n` +
        "service: { pipelines: { traces: { exporters: [otlp_http/jaeger] } } }\n",
    );
    const usual = predictions([10, 10.1, 30], START_MS, ["sun", "snow", "rain"]);
    const at = START_MS + MINUTES_5;
    const shifted = predictions(normals(2000, 11.5, 3), at, USUAL);
    const during = predictions([9, 13], at + MINUTES_5, ["sun"]);
    await sendWindow(receiver, usual, at);
    await sendWindow(receiver, shifted, at + MINUTES_5);
    await closeBefore(receiver, at + MINUTES_5);
    await sendWindow(receiver, during, at + 2 * MINUTES_5);
    // The receiver's own traces, which tell of the drift, come between.
    const sent = () => sink.deliveries.filter(({ body }) => !body.includes("drift.evaluation"));
    await expect.poll(() => sent().length).toBe(4);
    expect(outliersOf(sent()[0])).toEqual([[], ["prediction.class"], ["feature.wind"]]);
    // Values have moved up, so in the drift only the upper ones are marked.
    expect(outliersOf(sent()[3])).toEqual([[], ["feature.wind"]]);
    await sink.close();
  });

  it("shows the same numbers as metrics", async () => {
    const receiver = await started(await withReference());
    const spans = predictions(normals(2000, 12, 3), START_MS, USUAL);
    await sendWindow(receiver, spans, START_MS + MINUTES_5);
    await closeBefore(receiver, START_MS + MINUTES_5);
    const wind = await verdictOf(receiver, "feature.wind");
    const labels =
      'model_name="weather",model_version="7",signal="feature.wind",' +
      'window="5m",reference="weather",segment=""';
    const score = await receiver.metric("ml_drift_score");
    expect(score[`{${labels},method="ks"}`]).toBe(wind?.["statistic"]);
    expect((await receiver.metric("ml_drift_detected"))[`{${labels}}`]).toBe(1);
    const evaluations = await receiver.metric("ml_drift_evaluations_total");
    expect(evaluations[`{${labels},outcome="drifted"}`]).toBe(1);
    const requests = await receiver.metric("ml_prediction_requests_total");
    expect(requests['{model_name="weather",model_version="7",status="success"}']).toBe(2000);
    const latency = await receiver.metric("ml_prediction_latency_seconds_count");
    expect(latency['{model_name="weather",model_version="7",stage="inference"}']).toBe(2000);
  });

  it("says insufficient, not stable, when a window is too small to tell", async () => {
    const receiver = await started(await withReference());
    const few = predictions(normals(30, 10, 5), START_MS, USUAL);
    await sendWindow(receiver, few, START_MS + MINUTES_5);
    await closeBefore(receiver, START_MS + MINUTES_5);
    const wind = await verdictOf(receiver, "feature.wind");
    expect(wind).toMatchObject({ state: "insufficient", liveCount: 30 });
    expect(wind?.["needed"]).toBeGreaterThan(100);
  });

  it("adds late values to the next longer window, and closes windows when traffic stops", async () => {
    const receiver = await started(await withReference());
    await sendWindow(
      receiver,
      predictions(normals(1000, 10, 6), START_MS, USUAL),
      START_MS + MINUTES_5,
    );
    const next = START_MS + MINUTES_5;
    await sendWindow(receiver, predictions(normals(500, 10, 7), next, USUAL), next + MINUTES_5);
    // 200 spans of the first window, which has been closed by now.
    await sendWindow(receiver, predictions(normals(200, 10, 8), START_MS, USUAL), next + MINUTES_5);
    // The hour ends at ten; nothing comes any more, so the clock closes it.
    receiver.clock.nowMs = START_MS + 33 * 60_000;
    await expect
      .poll(() => verdictOf(receiver, "feature.wind", "1h"))
      .toMatchObject({ liveCount: 1700, state: "stable" });
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="span_late"}']).toBe(200);
  });

  it("counts values of the future as now, so that a wrong clock closes nothing", async () => {
    const receiver = await started(await withReference());
    const ahead = predictions(normals(10, 10, 9), START_MS + 86_400_000, USUAL);
    await sendWindow(receiver, ahead, START_MS + 1000);
    expect(await receiver.verdicts()).toEqual([]);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="span_in_future"}']).toBe(10);
  });

  it("says since when a signal is silent, and no longer what it said before", async () => {
    const receiver = await started(await withReference());
    const usual = predictions(normals(1000, 10, 14), START_MS, USUAL);
    await sendWindow(receiver, usual, START_MS + MINUTES_5);
    await closeBefore(receiver, START_MS + MINUTES_5);
    expect(await verdictOf(receiver, "feature.wind")).toMatchObject({ state: "stable" });
    await closeBefore(receiver, START_MS + 2 * MINUTES_5);
    const since = new Date(START_MS + MINUTES_5).toISOString();
    const sentence = `feature.wind: no value since ${since}; the numbers are those of the window before`;
    const silent = { state: "silent", liveCount: 1000, sentence };
    expect(await verdictOf(receiver, "feature.wind")).toMatchObject(silent);
    const told = receiver.log.filter((line) => /state=silent.*before=stable/.test(line)).join("");
    expect(told).toContain(sentence);
    expect(told).not.toContain("no relevant change");
  });

  it("says how far it has learned, in values and in time", async () => {
    const receiver = await started(
      `processors:\n  learn: { samples: 5000, span: 1d }\n  ${WINDOWS}\n`,
    );
    const some = predictions(normals(100, 10, 15), START_MS, USUAL);
    await sendWindow(receiver, some, START_MS + MINUTES_5);
    const { signals } = (await (await fetch(`${receiver.admin}/api/v1/signals`)).json()) as {
      signals: { signal: string; learnedSpanMs: number }[];
    };
    const wind = signals.find(({ signal }) => signal === "feature.wind");
    const needed = { needed: 5000, neededSpanMs: 86_400_000 };
    expect(wind).toMatchObject({ state: "learning", learned: 100, ...needed });
    expect(wind?.learnedSpanMs).toBeLessThan(MINUTES_5);
  });

  it("learns a reference where it has none, then monitors", async () => {
    const receiver = await started(
      `processors:\n  learn: { samples: 1000, span: 1m }\n  ${WINDOWS}\n`,
    );
    let at = START_MS;
    await sendWindow(receiver, predictions(normals(1200, 10, 10), at, USUAL), at + MINUTES_5);
    const signals = (await (await fetch(`${receiver.admin}/api/v1/signals`)).json()) as {
      signals: { signal: string; state: string }[];
    };
    expect(signals.signals).toContainEqual(
      expect.objectContaining({ signal: "feature.wind", state: "monitored", reference: "learned" }),
    );
    for (const mean of [10, 13]) {
      at += MINUTES_5;
      await sendWindow(receiver, predictions(normals(1200, mean, at), at, USUAL), at + MINUTES_5);
    }
    at += MINUTES_5;
    await closeBefore(receiver, at);
    const wind = await verdictOf(receiver, "feature.wind");
    expect(wind).toMatchObject({ state: "drifted", reference: "learned", provisional: true });
  });

  it("takes the elements of arrays as observations, and counts what is missing or no number", async () => {
    const receiver = await started(await withReference());
    const batch = {
      atMs: START_MS,
      attributes: {
        "ml.model.name": "weather",
        "ml.stage": "inference",
        "ml.feature.wind": [9, 10, Number.NaN],
        "ml.feature.missing": ["wind", "wind"],
        "ml.prediction.class": ["sun", "rain"],
      },
      error: true,
    };
    await sendWindow(receiver, [batch], START_MS + 1000);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="observed"}']).toBe(4);
    expect(observations['{outcome="invalid"}']).toBe(1);
    const missing = await receiver.metric("ml_feature_missing_total");
    expect(missing['{model_name="weather",model_version="",feature_name="wind"}']).toBe(2);
    const requests = await receiver.metric("ml_prediction_requests_total");
    expect(requests['{model_name="weather",model_version="",status="error"}']).toBe(1);
  });

  it("bounds signals, and counts what found no room", async () => {
    const receiver = await started("processors:\n  observe: { maxSignals: 3 }\n");
    const attributes = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`ml.feature.f${index}`, index]),
    );
    const spans = [{ atMs: START_MS, attributes: { "ml.model.name": "wide", ...attributes } }];
    await sendWindow(receiver, spans, START_MS + 1000);
    expect((await receiver.metric("tidemark_receiver_signals"))[""]).toBe(3);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="overflow_signals"}']).toBe(7);
  });

  it("says which models it knows when asked for another, and warns of a reference nobody meets", async () => {
    const receiver = await started(await withReference());
    const other = {
      atMs: START_MS,
      attributes: { "ml.model.name": "wether", "ml.feature.wind": 1 },
    };
    await sendWindow(receiver, [other], START_MS + MINUTES_5);
    const answer = await fetch(`${receiver.admin}/api/v1/verdicts?model=weather`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      error: 'no span has named the model "weather"; seen so far: wether',
    });
    receiver.clock.nowMs = START_MS + 3 * MINUTES_5;
    await expect
      .poll(() => receiver.log.join(""))
      .toContain("no span has named the model of this reference");
  });
});
