/** What is counted and decided must not depend on whether the receiver was restarted in between. */
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { BatchLog } from "../src/log/batch-log.ts";
import { Logger } from "../src/logger.ts";
import { encodeSpans, post, START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const MINUTE_MS = 60_000;
const YAML =
  "processors:\n  learn: { samples: 600, span: 5m }\n  evaluate: { windows: [5m, 15m], dependence: none }\n";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = storageFolder();
  folders.push(folder);
  return folder;
}

interface Step {
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/** Half an hour of one batch every ten seconds; wind shifts half way, some spans come late. */
function traffic(): Step[] {
  const random = seeded(11);
  return Array.from({ length: 180 }, (_, step) => {
    const nowMs = START_MS + step * 10_000;
    const spans = Array.from({ length: 30 }, () => ({
      atMs: nowMs - (random() < 0.02 ? 10 * MINUTE_MS : 5000 * random()),
      error: random() < 0.1,
      attributes: {
        "ml.model.name": "weather",
        "ml.model.version": "7",
        "ml.stage": "inference",
        "ml.feature.wind": random() + random() + (step > 90 ? 0.7 : 0),
        "ml.prediction.class": random() < 0.3 ? "rain" : "sun",
        "ml.prediction.confidence": 0.5 + random() / 2,
        "ml.feature.missing": random() < 0.2 ? ["temp_min"] : [],
      },
    }));
    return { body: encodeSpans(spans, "prediction-service"), nowMs };
  });
}

async function send(receiver: Receiver, { body, nowMs }: Step): Promise<void> {
  receiver.clock.nowMs = nowMs;
  expect((await post(`${receiver.otlp}/v1/traces`, body)).status).toBe(200);
}

/** All that people see of what was counted and decided. */
async function outcome(receiver: Receiver) {
  const response = await fetch(`${receiver.admin}/api/v1/signals`);
  const { signals } = (await response.json()) as { signals: Record<string, unknown>[] };
  const ofService = `${receiver.admin}/api/v1/quality-metrics?service=prediction-service`;
  const { bannerText } = (await (await fetch(ofService)).json()) as { bannerText: string };
  return {
    signals: inOrder(signals),
    ofService: bannerText,
    // Exemplars are a sample of what came since the last start.
    verdicts: inOrder(await receiver.verdicts()).map(({ exemplars, ...verdict }) => {
      expect(exemplars).toBeInstanceOf(Array);
      return verdict;
    }),
    requests: await receiver.metric("ml_prediction_requests_total"),
    missing: await receiver.metric("ml_feature_missing_total"),
    latency: await receiver.metric("ml_prediction_latency_seconds_count"),
    values: await receiver.metric("ml_feature_value_bucket"),
    sums: inDigits(await receiver.metric("ml_feature_value_sum")),
    confidences: await receiver.metric("ml_prediction_confidence_bucket"),
  };
}

/** Sums of the same values in another order differ in their last digits. */
function inDigits(samples: Record<string, number>) {
  return Object.entries(samples).map(([labels, sum]) => [labels, sum.toPrecision(10)]);
}

/** By signal and window: the order in which they are listed may differ. */
function inOrder(items: Record<string, unknown>[]) {
  const keyOf = ({ signal, window }: Record<string, unknown>) => [signal, window].join(" ");
  return items.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

async function withoutRestart(steps: readonly Step[]) {
  const receiver = await startReceiver(YAML);
  for (const step of steps) await send(receiver, step);
  const seen = await outcome(receiver);
  await receiver.shutdown();
  return seen;
}

describe("a receiver that is restarted", () => {
  it("comes to the same counts and verdicts after a shutdown at any point", async () => {
    const steps = traffic();
    const folder = newFolder();
    let receiver = await startReceiver(YAML, folder);
    for (const [index, step] of steps.entries()) {
      await send(receiver, step);
      if (index % 13 !== 5) continue;
      await receiver.shutdown();
      receiver = await startReceiver(YAML, folder, step.nowMs);
    }
    await receiver.shutdown();
    receiver = await startReceiver(YAML, folder, steps.at(-1)?.nowMs);
    const seen = await outcome(receiver);
    await receiver.shutdown();
    const expected = await withoutRestart(steps);
    expect(expected.verdicts.some(({ state }) => state === "drifted")).toBe(true);
    expect(expected.ofService).toMatch(/\d of \d signals/);
    expect(seen).toEqual(expected);
  });

  it("comes to the same from the log and an old checkpoint, and knows what is sent again", async () => {
    const steps = traffic();
    const yaml = `${YAML}service: { storage: { checkpoint: 1h } }\n`;
    let folder = newFolder();
    let receiver = await startReceiver(yaml, folder);
    for (const [index, step] of steps.entries()) {
      await send(receiver, step);
      if (index % 29 !== 28) continue;
      // What is on the disk now is what a crash at this moment would leave.
      const copy = newFolder();
      await cp(folder, copy, { recursive: true });
      await receiver.shutdown();
      folder = copy;
      receiver = await startReceiver(yaml, folder, step.nowMs);
      await send(receiver, step);
      await send(receiver, steps[index - 20] as Step);
      receiver.clock.nowMs = step.nowMs;
    }
    const seen = await outcome(receiver);
    expect(seen).toEqual(await withoutRestart(steps));
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    // Those sent since the last restart, and those sent before it, which the log still holds.
    expect(observations['{outcome="duplicate_span"}']).toBe(2 * 60);
    await receiver.shutdown();
  });

  it("starts although the log holds a batch that nobody can read, and counts the others", async () => {
    const folder = newFolder();
    const logger = new Logger("info", true, () => {});
    const log = new BatchLog(
      {
        directory: join(folder, "log"),
        segmentBytes: 1e6,
        bytesMax: 1e9,
        recentBytesMax: 0,
        sync: "group",
        consumers: [],
        followers: [],
      },
      logger,
    );
    await log.start();
    const [step] = traffic();
    const known = {
      contentType: "application/x-protobuf",
      contentEncoding: "",
      signal: "traces",
    } as const;
    for (const body of [Buffer.from("no trace request"), step?.body ?? Buffer.alloc(0)]) {
      await log.append({ ...known, body, receivedMs: START_MS }).kept;
    }
    await log.shutdown();
    const receiver = await startReceiver(YAML, folder);
    const requests = await receiver.metric("ml_prediction_requests_total");
    expect(Object.values(requests).reduce((sum, count) => sum + count, 0)).toBe(30);
    expect(receiver.log.join("")).toContain("could not be counted; it is passed over sequence=1");
    await receiver.shutdown();
  });

  it("says what to do when its state is damaged, or of a later version", async () => {
    const folder = newFolder();
    await writeFile(join(folder, "state.sqlite"), Buffer.alloc(9000, 7));
    await expect(startReceiver("", folder)).rejects.toThrow(
      /state\.sqlite: is damaged .*; move it away/,
    );
  });
});
