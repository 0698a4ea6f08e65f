/** Signals and clocks that are not what one expects: each has an outcome, and is counted. */
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const WINDOW_MS = 300_000;
const ROWS = 2000;
const YAML =
  "processors:\n  learn: { samples: 2000, span: 0s }\n" +
  "  observe: { allowedLateness: 0s, idleTimeout: 1h }\n" +
  "  evaluate: { windows: [5m], ladder: 1, dependence: none }\n";

const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(): Promise<Receiver> {
  const receiver = await startReceiver(YAML);
  running.push(receiver);
  return receiver;
}

/** One span with a value for each row, in the window numbered `window`. */
async function sendRows(receiver: Receiver, window: number, attributes: TestSpan["attributes"]) {
  const fromMs = START_MS + window * WINDOW_MS;
  receiver.clock.nowMs = fromMs + WINDOW_MS;
  const head = { "ml.model.name": "m", "ml.stage": "inference" };
  const spans = [{ atMs: fromMs + 1000, attributes: { ...head, ...attributes } }];
  expect((await receiver.send(spans)).status).toBe(200);
}

async function outcomes(receiver: Receiver): Promise<Record<string, number>> {
  const points = await receiver.metric("tidemark_receiver_observations_total");
  return Object.fromEntries(
    Object.entries(points).map(([labels, value]) => [/outcome="(\w+)"/.exec(labels)?.[1], value]),
  );
}

const constant = (value: number) => Array.from({ length: ROWS }, () => value);
function varied(seed: number): number[] {
  const random = seeded(seed);
  return Array.from({ length: ROWS }, () => random() + random());
}

describe("a signal with one value", () => {
  it("is stable while it keeps it, and drifts when it takes another", async () => {
    const receiver = await started();
    for (const [window, value] of [1, 1, 2, 2].entries()) {
      await sendRows(receiver, window, { "ml.feature.x": constant(value) });
      if (window < 2) continue;
      const [verdict] = await receiver.verdicts();
      expect(verdict?.["state"]).toBe(window === 2 ? "stable" : "drifted");
    }
    const [verdict] = await receiver.verdicts();
    expect(verdict?.["sentence"]).toMatch(/^feature\.x: 100 % of live values/);
    expect(verdict?.["statistic"]).toBe(1);
  });

  it("has drifted when it varied before", async () => {
    const receiver = await started();
    const windows = [varied(1), varied(2), constant(1), varied(3)];
    for (const [window, x] of windows.entries()) {
      await sendRows(receiver, window, { "ml.feature.x": x });
    }
    expect((await receiver.verdicts())[0]).toMatchObject({ state: "drifted" });
  });
});

describe("a signal without any value", () => {
  it("is silent, not stable, and its missing rows are counted", async () => {
    const receiver = await started();
    await sendRows(receiver, 0, { "ml.feature.x": varied(1) });
    const missing = Array.from({ length: ROWS }, () => "x");
    for (const window of [1, 2])
      await sendRows(receiver, window, { "ml.feature.missing": missing });
    const verdicts = await receiver.verdicts();
    const ofX = verdicts.find(({ signal, method }) => signal === "feature.x" && method === "ks");
    expect(ofX).toMatchObject({ state: "silent", liveCount: 0 });
    const counted = await receiver.metric("ml_feature_missing_total");
    expect(Object.values(counted)).toEqual([2 * ROWS]);
  });
});

describe("a clock that is wrong", () => {
  it("counts as now when it says 1970 or 2100, and is counted", async () => {
    const receiver = await started();
    await sendRows(receiver, 0, { "ml.feature.x": varied(1) });
    const nowMs = START_MS + WINDOW_MS + 60_000;
    receiver.clock.nowMs = nowMs;
    const head = { "ml.model.name": "m", "ml.stage": "inference" };
    const spans = [0, Date.UTC(1970, 5), Date.UTC(2100, 0)].map((atMs, at) => ({
      atMs,
      attributes: { ...head, "ml.feature.x": varied(2 + at) },
    }));
    expect((await receiver.send(spans)).status).toBe(200);
    await sendRows(receiver, 2, { "ml.feature.x": varied(9) });
    const [verdict] = await receiver.verdicts();
    expect(verdict).toMatchObject({ state: "stable", liveCount: 3 * ROWS });
    expect(verdict?.["windowStartMs"]).toBe(START_MS + WINDOW_MS);
    expect(await outcomes(receiver)).toMatchObject({ span_without_time: 2, span_in_future: 1 });
  });

  it("leaves out what is older than every open window, and counts it", async () => {
    const receiver = await started();
    for (const window of [0, 1])
      await sendRows(receiver, window, { "ml.feature.x": varied(window) });
    const nowMs = receiver.clock.nowMs;
    await sendRows(receiver, -2 * 288, { "ml.feature.x": varied(5) });
    receiver.clock.nowMs = nowMs;
    await sendRows(receiver, 2, { "ml.feature.x": varied(6) });
    const [verdict] = await receiver.verdicts();
    expect(verdict).toMatchObject({ state: "stable", liveCount: ROWS });
    const counted = await outcomes(receiver);
    expect(counted).toMatchObject({ span_too_late: 1 });
    expect(counted["observed"]).toBe(3 * ROWS);
  });
});
