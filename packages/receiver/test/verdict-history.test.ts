/** What is kept of the past: how verdicts changed, what signals had, and spans to look at. */
import { rm } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
type Json = Record<string, unknown>;

const MINUTE_MS = 60_000;
const WINDOW_MS = 5 * MINUTE_MS;
const ROWS = 1500;
const LEARN = "learn: { samples: 1500, span: 0s }";
const yaml = (evaluate: string, observe = "") =>
  `processors:\n  ${LEARN}\n  evaluate: { windows: [5m, 1h], dependence: none${evaluate} }\n` +
  `  observe: { allowedLateness: 0s, idleTimeout: 1h${observe} }\n`;

const folders: string[] = [];
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function started(text: string, folder?: string, nowMs = START_MS): Promise<Receiver> {
  const receiver = await startReceiver(text, folder, nowMs);
  running.push(receiver);
  return receiver;
}

function newFolder(): string {
  const folder = storageFolder();
  folders.push(folder);
  return folder;
}

/** A window of values around `mean` that starts at `fromMs`. */
async function sendWindow(receiver: Receiver, fromMs: number, mean: number): Promise<void> {
  const random = seeded(fromMs / WINDOW_MS);
  const spans = Array.from({ length: ROWS }, (_, row) => ({
    atMs: fromMs + (row / ROWS) * (WINDOW_MS - 1000),
    attributes: {
      "ml.model.name": "m",
      "ml.stage": "inference",
      "ml.feature.x": mean + random() + random() + random(),
    },
  }));
  receiver.clock.nowMs = fromMs + WINDOW_MS;
  expect((await receiver.send(spans)).status).toBe(200);
}

async function get(receiver: Receiver, path: string): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${receiver.admin}/api/v1/${path}`);
  return { status: response.status, body: (await response.json()) as Json };
}

async function changesOf(receiver: Receiver, query = "model=m&window=5m"): Promise<Json[]> {
  return (await get(receiver, `changes?${query}`)).body["changes"] as Json[];
}

/** Learns, is quiet, drifts, and is quiet again. */
async function story(receiver: Receiver): Promise<void> {
  const means = [0, 0, 1, 0, 0, 0];
  for (const [window, mean] of means.entries()) {
    await sendWindow(receiver, START_MS + window * WINDOW_MS, mean);
  }
  await sendWindow(receiver, START_MS + means.length * WINDOW_MS, 0);
}

describe("the history of verdicts", () => {
  it("tells each change with its sentence and spans, the newest first, also after a restart", async () => {
    const folder = newFolder();
    const receiver = await started(yaml(""), folder);
    await story(receiver);
    const changes = await changesOf(receiver);
    expect(changes.map(({ before, state }) => [before, state])).toEqual([
      ["drifted", "stable"],
      ["stable", "drifted"],
    ]);
    const [, drift] = changes as [Json, Json];
    expect(drift["sentence"]).toMatch(/^feature\.x: \d+ % of live values lie/);
    const exemplars = drift["exemplars"] as { traceId: string; spanId: string; value: number }[];
    expect(exemplars.length).toBeGreaterThan(2);
    for (const { traceId, spanId, value } of exemplars) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(spanId).toBe(traceId.slice(16));
      expect(value).toBeGreaterThanOrEqual(1);
    }
    await running.pop()?.shutdown();
    const nowMs = START_MS + 8 * WINDOW_MS;
    const again = await started(yaml(""), folder, nowMs);
    expect(await changesOf(again)).toEqual(changes);
    expect(await changesOf(again, "model=m&window=5m&limit=1")).toEqual(changes.slice(0, 1));
    expect((await get(again, "changes?limit=x")).status).toBe(400);
  });

  it("keeps no more changes than it is told to", async () => {
    const folder = newFolder();
    const text = yaml(", history: 2");
    await story(await started(text, folder));
    await running.pop()?.shutdown();
    const again = await started(text, folder, START_MS + 8 * WINDOW_MS);
    expect((await changesOf(again, "")).length).toBe(2);
  });

  it("shows a span behind a drift as exemplar of the counter, in OpenMetrics", async () => {
    const receiver = await started(yaml(""));
    for (const mean of [0, 0, 1, 1]) {
      await sendWindow(receiver, receiver.clock.nowMs, mean);
    }
    const accept = "application/openmetrics-text; version=1.0.0";
    const scrape = await fetch(`${receiver.admin}/metrics`, { headers: { accept } });
    const line = (await scrape.text())
      .split("\n")
      .find((one) => one.startsWith("ml_drift_evaluations_total") && /drifted/.test(one));
    expect(line).toMatch(
      /outcome="drifted"\} 1 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\} [\d.]+ \d+/,
    );
    const plain = await (await fetch(`${receiver.admin}/metrics`)).text();
    expect(plain).not.toContain("trace_id");
  });
});

describe("the past of a signal", () => {
  it("is there by window and by hour, once, also after a restart, as long as it is told to", async () => {
    const folder = newFolder();
    const text = yaml("", ", paneRetention: 20m");
    let receiver = await started(text, folder);
    let sent = 0;
    // From half past nine to half past ten: the hour that ends at ten is a half.
    for (let window = 0; window < 12; window++) {
      await sendWindow(receiver, START_MS + window * WINDOW_MS, 0);
      sent += ROWS;
      if (window % 5 !== 3) continue;
      await running.pop()?.shutdown();
      receiver = await started(text, folder, receiver.clock.nowMs);
    }
    await sendWindow(receiver, START_MS + 12 * WINDOW_MS, 0);
    await running.pop()?.shutdown();
    receiver = await started(text, folder, receiver.clock.nowMs);
    const { body } = await get(receiver, "history?model=m&signal=feature.x&hours=2");
    const panes = body["panes"] as { startMs: number; endMs: number; count: number }[];
    const minutes = panes.map(({ startMs, endMs, count }) => [
      (startMs - START_MS) / MINUTE_MS,
      (endMs - startMs) / MINUTE_MS,
      count,
    ]);
    // The first window was learned from; since ten there have been no whole hour and six windows.
    expect(minutes[0]).toEqual([-30, 60, 5 * ROWS]);
    expect(minutes.slice(1)).toEqual([40, 45, 50, 55].map((at) => [at, 5, ROWS]));
    expect(sent).toBe(12 * ROWS);
    expect(panes.at(-1)).toMatchObject({ missing: 0, invalid: 0 });
    expect((await get(receiver, "history?model=m&signal=feature.y")).status).toBe(404);
    expect((await get(receiver, "history?model=m&signal=feature.x&hours=-1")).status).toBe(400);
  });
});
