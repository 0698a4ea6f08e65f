import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { post, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const folder = new URL("../../../test/dialects/recorded/", import.meta.url);
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

/** A receiver that has got what a library sent for one answer, one stream and one embedding. */
async function afterRecording(name: string): Promise<Receiver> {
  const text = readFileSync(new URL(`${name}.json`, folder), "utf8");
  const latestNs = Math.max(
    ...[...text.matchAll(/"endTimeUnixNano": "(\d+)"/g)].map(([, ns]) => Number(ns)),
  );
  const receiver = await startReceiver("", undefined, latestNs / 1e6 + 1000);
  running.push(receiver);
  const type = { "content-type": "application/json" };
  expect((await post(`${receiver.otlp}/v1/traces`, text, type)).status).toBe(200);
  return receiver;
}

/** Values of each signal of a model. */
async function signalsOf(receiver: Receiver, model: string): Promise<Record<string, number>> {
  const answer = await fetch(`${receiver.admin}/api/v1/signals?model=${model}`);
  const { signals } = (await answer.json()) as { signals: { signal: string; learned: number }[] };
  return Object.fromEntries(signals.map(({ signal, learned }) => [signal, learned]));
}

/** A metric of one model, by its label `what`. */
async function byLabel(receiver: Receiver, metric: string, model: string, what: string) {
  const points = Object.entries(await receiver.metric(metric));
  const ofModel = points.filter(([labels]) => labels.includes(`model_name="${model}"`));
  const labelOf = (labels: string) => new RegExp(`${what}="([^"]*)"`).exec(labels)?.[1] ?? "";
  return Object.fromEntries(ofModel.map(([labels, value]) => [labelOf(labels), value]));
}

/** What every library tells of a call; the others are told by those that are listed. */
const EACH_CALL = { "response.duration": 2, "response.error": 2 };
const TOKENS = { "usage.input_tokens": 2, "usage.output_tokens": 2 };
const CACHED = { "usage.cache_read_tokens": 2 };
const REASONING = { "usage.reasoning_tokens": 2 };
const WRITTEN = { "usage.cache_write_tokens": 2 };
const STREAM = { "response.time_to_first_token": 1 };
const REASONS = { "response.finish_reason": 2 };
const MODEL = { "response.model": 2 };

/** Libraries that do not read the usage of a stream tell of one answer only. */
const half = (signals: Record<string, number>) =>
  Object.fromEntries(Object.keys(signals).map((signal) => [signal, 1]));

const OURS = { "response.time_between_tokens": 1 };
/** Ours say it; of others it follows from their tokens. */
const COST = { "usage.cost": 2 };

const RECORDINGS: [name: string, model: string, signals: Record<string, number>][] = [
  [
    "tidemark-openai",
    "gpt-4o-mini",
    { ...TOKENS, ...COST, ...CACHED, ...REASONING, ...STREAM, ...REASONS, ...MODEL, ...OURS },
  ],
  [
    "tidemark-anthropic",
    "claude-sonnet-4-5",
    { ...TOKENS, ...COST, ...CACHED, ...WRITTEN, ...STREAM, ...REASONS, ...MODEL, ...OURS },
  ],
  ["gen-ai-openai", "gpt-4o-mini", { ...TOKENS, ...COST, ...REASONS, ...MODEL }],
  [
    "openinference-openai",
    "gpt-4o-mini",
    { ...half({ ...TOKENS, ...COST, ...CACHED, ...REASONING }), ...REASONS },
  ],
  ["traceloop-openai", "gpt-4o-mini", { ...half({ ...TOKENS, ...COST }), ...REASONS, ...MODEL }],
  [
    "ai-6",
    "gpt-4o-mini",
    { ...TOKENS, ...COST, ...CACHED, ...REASONING, ...STREAM, ...REASONS, ...MODEL },
  ],
  [
    "ai-7",
    "gpt-4o-mini",
    { ...TOKENS, ...COST, ...CACHED, ...STREAM, ...OURS, ...REASONS, ...MODEL },
  ],
  ["langfuse-openai", "gpt-4o-mini", { ...TOKENS, ...COST, ...CACHED, ...REASONING, ...STREAM }],
  [
    "anthropic-native",
    "claude-sonnet-4-5",
    { ...TOKENS, ...COST, ...CACHED, ...WRITTEN, ...STREAM, ...REASONS, ...MODEL },
  ],
  [
    "openinference-anthropic",
    "claude-sonnet-4-5",
    { ...TOKENS, ...COST, ...CACHED, ...WRITTEN, ...STREAM, ...REASONS, ...MODEL },
  ],
  [
    "traceloop-anthropic",
    "claude-sonnet-4-5",
    { ...TOKENS, ...COST, ...CACHED, ...WRITTEN, "response.finish_reason": 1, ...MODEL },
  ],
];

/** What the model server said of each of the two answers, whoever reports it. */
const EACH_ANSWER: Record<string, [type: string, tokens: number]> = {
  "usage.input_tokens": ["input", 120],
  "usage.output_tokens": ["output", 30],
  "usage.cache_read_tokens": ["cache_read", 20],
  "usage.cache_write_tokens": ["cache_write", 0],
  "usage.reasoning_tokens": ["reasoning", 10],
};

describe.each(RECORDINGS)("spans that %s has sent", (name, model, signals) => {
  it("give the same signals as any other's, each call counted once", async () => {
    const receiver = await afterRecording(name);
    expect(await signalsOf(receiver, model)).toEqual({ ...EACH_CALL, ...signals });
    const tokens = Object.entries(EACH_ANSWER).flatMap(([signal, [type, each]]) => {
      const answers = signals[signal];
      return answers === undefined ? [] : [[type, answers * each]];
    });
    const found = await byLabel(receiver, "gen_ai_usage_tokens_total", model, "token_type");
    expect(found).toEqual(Object.fromEntries(tokens));
    const calls = await byLabel(receiver, "ml_prediction_requests_total", model, "status");
    expect(calls).toEqual({ success: 2, error: 0 });
  });

  it("give times in seconds, whatever the dialect's unit", async () => {
    const receiver = await afterRecording(name);
    const prefix = "gen_ai_client_operation";
    const { [""]: duration } = await byLabel(
      receiver,
      `${prefix}_duration_seconds_sum`,
      model,
      "x",
    );
    expect(duration).toBeGreaterThan(0.06);
    expect(duration).toBeLessThan(0.3);
    if (!("response.time_to_first_token" in signals)) return;
    const metric = `${prefix}_time_to_first_chunk_seconds_sum`;
    const { [""]: first } = await byLabel(receiver, metric, model, "x");
    // The model server waits 40 ms before the first chunk of a stream.
    expect(first).toBeGreaterThan(0.04);
    expect(first).toBeLessThan(0.1);
  });
});

/** US dollars per token; none of the answers was written into a cache. */
const PRICES: Record<string, { input: number; cached: number; output: number }> = {
  "gpt-4o-mini": { input: 0.15e-6, cached: 0.075e-6, output: 0.6e-6 },
  "claude-sonnet-4-5": { input: 3e-6, cached: 0.3e-6, output: 15e-6 },
};

describe.each(RECORDINGS)("the cost of what %s has sent", (name, model, signals) => {
  it("is that of its tokens, whether or not the library says it", async () => {
    const receiver = await afterRecording(name);
    const { input, cached, output } = PRICES[model] as (typeof PRICES)[string];
    const read = signals["usage.cache_read_tokens"] === undefined ? 0 : 20;
    const each = (120 - read) * input + read * cached + 30 * output;
    const { USD } = await byLabel(receiver, "gen_ai_usage_cost_total", model, "currency");
    expect(USD).toBeCloseTo((signals["usage.cost"] as number) * each, 12);
    expect(await receiver.metric("gen_ai_usage_cost_unknown_total")).toEqual({});
  });
});

describe("embeddings", () => {
  it.each([
    "tidemark-openai",
    "gen-ai-openai",
    "openinference-openai",
    "ai-6",
    "ai-7",
    "langfuse-openai",
  ])("of %s are calls of their own model, and no one else's", async (name) => {
    const receiver = await afterRecording(name);
    const model = "text-embedding-3-small";
    const calls = await byLabel(receiver, "ml_prediction_requests_total", model, "status");
    expect(calls).toEqual({ success: 1, error: 0 });
    const tokens = await byLabel(receiver, "gen_ai_usage_tokens_total", model, "token_type");
    const isSilent = name === "openinference-openai" || name === "langfuse-openai";
    expect(tokens).toEqual(isSilent ? {} : { input: 8 });
    const { [""]: models } = await receiver.metric("tidemark_receiver_signals");
    expect(models).toBeGreaterThan(0);
    const requests = Object.keys(await receiver.metric("ml_prediction_requests_total"));
    expect(requests.filter((labels) => labels.includes("tide-clock"))).toEqual([]);
  });
});

describe("calls of a model that no price table has", () => {
  it("are counted, by tenant and provider, and have no cost", async () => {
    const receiver = await startReceiver();
    running.push(receiver);
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    const attribute = (key: string, value: object) => ({ key, value });
    const span = (index: number, source: string) => ({
      traceId: `${index}`.padStart(32, "a"),
      spanId: `${index}`.padStart(16, "b"),
      name: "chat mystery",
      startTimeUnixNano: String(nowNs - 1_000_000n),
      endTimeUnixNano: String(nowNs),
      attributes: [
        attribute("gen_ai.operation.name", { stringValue: "chat" }),
        attribute("gen_ai.provider.name", { stringValue: "acme" }),
        attribute("gen_ai.request.model", { stringValue: "mystery" }),
        attribute("gen_ai.usage.input_tokens", { intValue: 5 }),
        attribute("gen_ai.usage.cost.source", { stringValue: source }),
        attribute("ml.tenant", { stringValue: "globex" }),
      ],
    });
    const spans = [span(1, "unknown"), span(2, "unknown"), span(3, "tidemark 2026-11-21")];
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    await post(`${receiver.otlp}/v1/traces`, body, { "content-type": "application/json" });
    const unknown = "gen_ai_usage_cost_unknown_total";
    expect(await byLabel(receiver, unknown, "mystery", "provider")).toEqual({ acme: 3 });
    expect(await byLabel(receiver, unknown, "mystery", "tenant")).toEqual({ globex: 3 });
    expect(await byLabel(receiver, "gen_ai_usage_cost_total", "mystery", "tenant")).toEqual({});
  });
});
