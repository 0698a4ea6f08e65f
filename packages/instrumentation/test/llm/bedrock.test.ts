import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BEDROCK_USAGE, startBedrock } from "./bedrock-server.js";
import { installProviders, PREPARED_WITHIN_MS } from "./providers.js";
import type { ProviderRun } from "./run-provider.js";
import { runProvider } from "./run-provider.js";

const SECRET = "planted-2c8b-secret";
const SAID = "The sky is blue because of scattering.";
const TTFT_MS = 60;
/** A chunk each 20 ms. */
const TPS = 50;
const GAP_MS = 1000 / TPS;

interface Mock {
  readonly url: string;
  start(): Promise<unknown>;
  stop(): Promise<void>;
  onMessage(match: string, response: object, options: object): void;
}

let mock: Mock;
let run: ProviderRun;

beforeAll(async () => {
  const folder = await installProviders("newest");
  const require = createRequire(join(folder, "package.json"));
  const { LLMock } = require("@copilotkit/aimock") as { LLMock: new (o: object) => Mock };
  mock = new LLMock({ port: 0, host: "127.0.0.1" });
  mock.onMessage(
    "sky",
    { content: SAID, usage: { input_tokens: 90, output_tokens: 12 } },
    { streamingProfile: { ttft: TTFT_MS, tps: TPS }, chunkSize: 8 },
  );
  await mock.start();
  const scenarios = ["whole", "stream", "break", "invoke"];
  run = await runProvider("newest", "bedrock.mjs", mock.url, { env: { SECRET }, scenarios });
}, PREPARED_WITHIN_MS);
afterAll(() => mock.stop());

test("Converse, whole and streamed, states usage and why it ended", () => {
  expect(run.seen.get("whole")?.value).toBe(SAID);
  const [whole, stream] = run.spans;
  for (const span of [whole, stream]) {
    expect(span?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "aws.bedrock",
      "gen_ai.usage.input_tokens": 90,
      "gen_ai.usage.output_tokens": 12,
      "gen_ai.response.finish_reasons": ["end_turn"],
    });
  }
  expect(stream?.attributes["ml.response.outcome"]).toBe("completed");
});

test("times are at least the mock's, and near those that the app itself sees", () => {
  const timesMs = run.seen.get("stream")?.value as number[];
  const attributes = run.spans[1]?.attributes ?? {};
  const ttftMs = Number(attributes["gen_ai.response.time_to_first_chunk"]) * 1000;
  const tbtMs = Number(attributes["gen_ai.client.operation.time_per_output_chunk"]) * 1000;
  expect(ttftMs).toBeGreaterThan(TTFT_MS - 2);
  expect(tbtMs).toBeGreaterThan(GAP_MS * 0.9);
  const meanMs = ((timesMs.at(-1) as number) - (timesMs[0] as number)) / (timesMs.length - 1);
  expect(Math.abs(tbtMs - meanMs)).toBeLessThan(GAP_MS / 2);
  expect(attributes["ml.response.chunks"]).toBe(timesMs.length);
});

test("leaving early ends the span, and is no error", () => {
  expect(run.spans[2]).toMatchObject({
    error: false,
    attributes: { "ml.response.outcome": "stopped", "ml.response.chunks": 2 },
  });
});

test("of InvokeModel's bytes only usage is read", () => {
  expect(run.seen.get("invoke")?.value).toBe(SAID);
  expect(run.spans[3]?.attributes).toMatchObject({
    "gen_ai.operation.name": "text_completion",
    "gen_ai.usage.input_tokens": 90,
    "gen_ai.usage.output_tokens": 12,
  });
});

test.each(["whole", "stream", "invoke", "invoke-stream"])(
  "what was read from a cache and written into it is stated: %s",
  async (scenario) => {
    const server = await startBedrock();
    const options = { env: { SECRET }, scenarios: [scenario] };
    const { spans, seen, exported } = await runProvider(
      "newest",
      "bedrock.mjs",
      server.url,
      options,
    );
    server.close();
    expect(seen.get(scenario)?.error).toBeUndefined();
    const { fresh, cacheRead, cacheWrite, output } = BEDROCK_USAGE;
    expect(spans.map(({ attributes }) => attributes)).toMatchObject([
      {
        "gen_ai.usage.input_tokens": fresh + cacheRead + cacheWrite,
        "gen_ai.usage.output_tokens": output,
        "gen_ai.usage.cache_read.input_tokens": cacheRead,
        "gen_ai.usage.cache_creation.input_tokens": cacheWrite,
      },
    ]);
    expect(exported.includes("blue")).toBe(false);
  },
);

test("no content leaves the app", () => {
  expect(run.exported.includes("aws.bedrock")).toBe(true);
  expect(run.exported.includes(SECRET)).toBe(false);
  expect(run.exported.includes("scattering")).toBe(false);
});
