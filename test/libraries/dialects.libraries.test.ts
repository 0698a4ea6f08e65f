/**
 * One conversation, told by real instrumentations, each in a process of its own, to a real receiver
 * in another: what the receiver says is the same for all of them, and what the app has measured.
 */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { killableReceiver } from "../../packages/receiver/test/killable-receiver.ts";
import { startSink } from "../../packages/receiver/test/otlp-sink.ts";
import { storageFolder } from "../../packages/receiver/test/running-receiver.ts";
import type { Knowledge, Told } from "../dialects/expected.ts";
import {
  BESIDE_OURS,
  EXPECTED,
  expectedEmbedding,
  expectedOf,
  toldBy,
} from "../dialects/expected.ts";
import { converse, LIBRARIES } from "../dialects/libraries.ts";
import type { Served } from "../dialects/model-server.ts";
import { EMBEDDER, startModelServer } from "../dialects/model-server.ts";
import { keysIn, keysInDeliveries } from "../dialects/span-keys.ts";

/** By how much clocks of two processes, and of milliseconds and nanoseconds, differ in one call. */
const APART_MS = 1.5;
const CALLS = 6;

async function talk(name: string) {
  const folder = storageFolder();
  const [models, sink] = await Promise.all([startModelServer(), startSink()]);
  const receiver = await killableReceiver(folder, { sinkUrl: sink.url });
  onTestFinished(async () => {
    await receiver.end("SIGTERM");
    await sink.close();
    models.close();
    await rm(folder, { recursive: true, force: true });
  });
  await receiver.start();
  const { code, tookMs, stderr } = await converse(name, models.url, receiver.tracesUrl);
  expect(code, stderr).toBe(0);
  return { told: await toldBy(receiver.adminUrl), tookMs, served: models.served, sink };
}

function expectKnown(told: Readonly<Record<string, Told>>, knowledge: Knowledge): void {
  const { model, signals } = knowledge;
  expect(told[model]).toMatchObject(expectedOf(knowledge));
  expect(told[model]?.signals).toEqual(signals);
  const embedded = expectedEmbedding(knowledge);
  expect(told[EMBEDDER]).toEqual(embedded && expect.objectContaining(embedded));
  expect(Object.keys(told).filter((one) => one !== model && one !== EMBEDDER)).toEqual([]);
}

/** At least what the server worked on answers, at most what the app waited for them. */
function expectTimes(told: Told | undefined, served: Served | undefined, tookMs = 0): void {
  const { seconds = 0, firstSeconds } = told ?? {};
  const { ms = 0, firstChunkMs = 0 } = served ?? {};
  expect(seconds * 1000).toBeGreaterThan(ms - CALLS * APART_MS);
  expect(seconds * 1000).toBeLessThan(tookMs + CALLS * APART_MS);
  if (!told || !("response.time_to_first_token" in told.signals)) return;
  expect((firstSeconds ?? 0) * 1000).toBeGreaterThan(firstChunkMs - APART_MS);
  expect(firstSeconds).toBeLessThan(seconds);
}

test("every library is tested, beside what is expected of it", () => {
  expect(Object.keys(EXPECTED)).toEqual([...LIBRARIES]);
});

test.each(LIBRARIES)("%s tells the receiver of each call once", async (name) => {
  const { told, tookMs, served, sink } = await talk(name);
  const knowledge = EXPECTED[name] as Knowledge;
  expectKnown(told, knowledge);
  expectTimes(told[knowledge.model], served[knowledge.model], tookMs[knowledge.model]);
  if (knowledge.embedding) expectTimes(told[EMBEDDER], served[EMBEDDER], tookMs[EMBEDDER]);
  // What the fast tests read is what the libraries send.
  const recorded = new URL(`../dialects/recorded/${name}.json`, import.meta.url);
  const stored = keysIn(JSON.parse(readFileSync(recorded, "utf8")) as object);
  await expect.poll(() => keysInDeliveries(sink.deliveries)).toEqual(stored);
});

test.each(Object.entries(BESIDE_OURS))(
  "ours beside %s: once, and all that either knows",
  async (name, knowledge) => {
    const { told, tookMs, served } = await talk(`tidemark+${name}`);
    expectKnown(told, knowledge);
    expectTimes(told[knowledge.model], served[knowledge.model], tookMs[knowledge.model]);
  },
);
