/**
 * Against aimock, which speaks the providers' APIs by itself: times are those of its script, usage
 * is that of its fixtures, and every way of ending a stream gives one finished span.
 *
 * What aimock cannot say - cached and reasoning tokens, which its OpenAI, Gemini and Ollama leave
 * out, any usage of Ollama's, streams that stall, and the oldest versions' paths - is said by
 * `model-server.ts` in the other tests.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SinkSpan } from "../otlp-sink.js";
import type { Era } from "./providers.js";
import { installProviders, PREPARED_WITHIN_MS } from "./providers.js";
import type { ProviderRun } from "./run-provider.js";
import { runProvider } from "./run-provider.js";
import type { Exchange } from "./wire-clock.js";
import { startWireClock } from "./wire-clock.js";

const SECRET = "planted-91ce-secret";
const SAID = "The sky is blue because of scattering.";
/** Milliseconds to the first frame, and from each frame to the next. */
const TTFT_MS = 100;
const GAP_MS = 50;
const APART_MS = 5;
const STREAMS = 15;
/** How requests name this model, in their body or their path. */
const MODEL_OF_STREAMS = /"model":"stream"|\/models?\/stream[:/]/;
const USAGE = { input: 90, output: 24 };

interface Library {
  readonly era: Era;
  /** Frames before the first content, such as a role or `message_start`. */
  readonly frames: number;
  /** Its own client makes the spans, and we add the times between chunks. */
  readonly native?: true;
  /** aimock says no usage of it. */
  readonly withoutUsage?: true;
}

const LIBRARIES: Readonly<Record<string, Library>> = {
  openai: { era: "newest", frames: 1 },
  responses: { era: "newest", frames: 4 },
  anthropic: { era: "newer", frames: 2 },
  "anthropic, native": { era: "newest", frames: 2, native: true },
  "google-genai": { era: "newest", frames: 0 },
  mistral: { era: "newest", frames: 1, withoutUsage: true },
  ollama: { era: "newest", frames: 0, withoutUsage: true },
  cohere: { era: "newest", frames: 2 },
  bedrock: { era: "newest", frames: 2 },
};

interface Mock {
  readonly url: string;
  start(): Promise<unknown>;
  stop(): Promise<void>;
  addFixture(fixture: object): void;
}

async function startMock(): Promise<Mock> {
  const folder = await installProviders("newest");
  const require = createRequire(join(folder, "package.json"));
  const { LLMock } = require("@copilotkit/aimock") as { LLMock: new (o: object) => Mock };
  const mock = new LLMock({ port: 0, host: "127.0.0.1" });
  const { input, output } = USAGE;
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    input_tokens: input,
    output_tokens: output,
    promptTokenCount: input,
    candidatesTokenCount: output,
  };
  const script = { streamingProfile: { ttft: TTFT_MS, tps: 1000 / GAP_MS }, chunkSize: 8 };
  const answer = { content: SAID, usage };
  for (const model of ["whole", "stream", "break", "abort"]) {
    mock.addFixture({ match: { model }, response: answer, ...script });
  }
  const dropped = { truncateAfterChunks: 4, ...script };
  mock.addFixture({ match: { model: "drop" }, response: answer, ...dropped });
  const refusal = { error: { message: SECRET, type: "invalid_request_error" }, status: 400 };
  mock.addFixture({ match: { model: "refuse" }, response: refusal });
  await mock.start();
  return mock;
}

let mock: Mock;
beforeAll(async () => {
  mock = await startMock();
}, PREPARED_WITHIN_MS);
afterAll(() => mock.stop());

describe.each(Object.entries(LIBRARIES))("%s", (title, { era, frames, native, withoutUsage }) => {
  let run: ProviderRun;
  let clock: Awaited<ReturnType<typeof startWireClock>>;

  beforeAll(async () => {
    clock = await startWireClock(Number(new URL(mock.url).port), SAID.match(/.{1,8}/g) ?? []);
    run = await runProvider(era, "calls.mjs", clock.url, {
      env: { SECRET, SCENARIOS: "whole,stream,break,abort,drop,refuse", STREAMS: String(STREAMS) },
      scenarios: [title.split(",")[0] as string],
    });
    await clock.close();
  }, PREPARED_WITHIN_MS);

  const spans = (model: string): SinkSpan[] =>
    run.all
      .filter(({ attributes }) => attributes["gen_ai.request.model"] === model)
      .filter(({ scope }) => native || scope === "@tidemark/instrumentation");
  const only = (model: string): SinkSpan => {
    expect(spans(model), model).toHaveLength(1);
    return spans(model)[0] as SinkSpan;
  };

  test("times are within 5 ms of the script as the mock has played it", () => {
    const streams = spans("stream");
    const played = clock.exchanges.filter(({ request }) => MODEL_OF_STREAMS.test(request));
    expect(streams).toHaveLength(STREAMS);
    expect(played).toHaveLength(STREAMS);
    const apartMs = streams.map(({ attributes }, index) => {
      const { requestMs, wordsMs } = played[index] as Exchange;
      const [firstMs = 0] = wordsMs;
      const ttftMs = Number(attributes["gen_ai.response.time_to_first_chunk"]) * 1000;
      const tbtMs = Number(attributes["gen_ai.client.operation.time_per_output_chunk"]) * 1000;
      const playedTbtMs = ((wordsMs.at(-1) as number) - firstMs) / (wordsMs.length - 1);
      expect(attributes["ml.response.chunks"]).toBe(wordsMs.length);
      // No timer of the mock is early by more than the millisecond that it counts in.
      expect(ttftMs).toBeGreaterThan(TTFT_MS + frames * (GAP_MS - 1) - 1);
      return [Math.abs(ttftMs - (firstMs - requestMs)), Math.abs(tbtMs - playedTbtMs)];
    });
    // The app shares the machine with others, and its first call loads its client: the best counts.
    expect(Math.min(...apartMs.map(([ttft = 0]) => ttft))).toBeLessThan(APART_MS);
    expect(Math.min(...apartMs.map(([, tbt = 0]) => tbt))).toBeLessThan(APART_MS);
  });

  test("usage is the fixture's, whole and streamed", () => {
    expect(run.seen.get("whole")?.value).toBe(SAID);
    if (withoutUsage) return;
    for (const { attributes } of [only("whole"), ...spans("stream")]) {
      expect(attributes).toMatchObject({
        "gen_ai.usage.input_tokens": USAGE.input,
        "gen_ai.usage.output_tokens": USAGE.output,
      });
    }
  });

  test("leaving, calling off, a dropped socket and a refusal each give one finished span", () => {
    expect(only("break").error).toBe(false);
    expect(only("abort").error).toBe(false);
    expect(run.seen.get("drop")?.error).toBeDefined();
    expect(only("drop").error).toBe(true);
    expect(only("refuse").error).toBe(true);
    if (native) return;
    const outcomes = ["break", "abort", "drop"].map(
      (model) => only(model).attributes["ml.response.outcome"],
    );
    expect(outcomes).toEqual(["stopped", "aborted", "failed"]);
  });

  test("no content leaves the app", () => {
    expect(run.exported.includes("gen_ai.request.model")).toBe(true);
    expect(run.exported.includes(SECRET)).toBe(false);
    expect(run.exported.includes("scattering")).toBe(false);
  });
});
