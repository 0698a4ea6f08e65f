import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startModelServer } from "./model-server.js";
import type { ProviderRun } from "./run-provider.js";
import { runProvider } from "./run-provider.js";

const TIDEMARK = fileURLToPath(new URL("../../../receiver/dist/cli.js", import.meta.url));
const FEATURE = "ml.feature.";
let folder = "";
let run: ProviderRun;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-"));
  const config = join(folder, "tidemark.instrumentation.yaml");
  writeFileSync(config, "llm:\n  text:\n    vocabulary: ./words.txt\n");
  const server = await startModelServer();
  const env = {
    VOCABULARY: join(folder, "words.txt"),
    TIDEMARK_INSTRUMENTATION_CONFIG: config,
    OTEL_BSP_MAX_QUEUE_SIZE: "10000",
  };
  await runProvider("newest", "speeches.mjs", server.url, {
    env,
    scenarios: ["vocabulary"],
    flags: [],
  });
  run = await runProvider("newest", "speeches.mjs", server.url, { env });
  await server.close();
  for (const part of ["reference", "control", "slang", "moved"]) writeCsv(part);
  await tidemark(
    "baseline",
    "build",
    at("reference.csv"),
    "--model",
    "speech",
    "--out",
    REFERENCE(),
  );
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const REFERENCE = () => at("speech.tidemark.json");

test("speeches of 2005 and later have drifted from those of 1950 to 1969", async () => {
  const states = await compare("moved");
  const drifted = Object.keys(states).filter((signal) => states[signal] === "drifted");
  expect(drifted).toContain("feature.prompt_unknown_share");
}, 60_000);

test("what is asked in slang has drifted, although it says the same", async () => {
  const states = await compare("slang");
  expect(states["feature.prompt_unknown_share"]).toBe("drifted");
  expect(states["feature.prompt_words"]).not.toBe("drifted");
}, 60_000);

test("speeches of the same time have not", async () => {
  const states = Object.entries(await compare("control"));
  expect(states.length).toBeGreaterThan(5);
  expect(states.filter(([, state]) => state === "drifted")).toEqual([]);
}, 60_000);

test("nothing but numbers has left the app", () => {
  expect(run.spans.length).toBeGreaterThan(1000);
  const words = ["Congress", "freedom", "economy", "America", "tonight"];
  for (const word of words) expect(run.exported.includes(word), word).toBe(false);
});

/** What the spans say of the questions of a part, a row each. */
function writeCsv(part: string): void {
  const rows = run.spans
    .filter(({ attributes }) => attributes["gen_ai.request.model"] === part)
    .map(({ attributes }) => attributes);
  const names = Object.keys(rows[0] ?? {}).filter((key) => key.startsWith(`${FEATURE}prompt_`));
  const lines = rows.map((row) =>
    names.map((name) => (row[name] as number | string | undefined) ?? "").join(","),
  );
  const head = names.map((name) => name.slice(FEATURE.length)).join(",");
  writeFileSync(at(`${part}.csv`), `${[head, ...lines].join("\n")}\n`);
}

async function compare(part: string): Promise<Record<string, string>> {
  const text = await tidemark("compare", REFERENCE(), at(`${part}.csv`), "--json");
  const { signals } = JSON.parse(text) as { signals: { signal: string; state: string }[] };
  return Object.fromEntries(signals.map(({ signal, state }) => [signal, state]));
}

/** What a command has printed; `compare` ends with 1 when something drifts. */
function tidemark(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [TIDEMARK, ...args], (error, stdout, stderr) => {
      if (error && error.code !== 1) reject(new Error(stderr || error.message));
      else resolve(stdout);
    });
  });
}
