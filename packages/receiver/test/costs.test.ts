/**
 * What tenants have spent in a day, beside a sheet that was worked out by hand: calls in every
 * dialect, most of which say no cost, with retries, agents, two reports of one call, and models
 * that somebody else prices, or nobody.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../src/config/load-config.ts";
import { PriceTableError, readPrices } from "../src/prices.ts";
import type { CallSpan } from "./call-spans.ts";
import { encodeCalls } from "./call-spans.ts";
import { post, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
type Attributes = CallSpan["attributes"];

const OWN_TABLE = `
version: "3"
prices:
  - provider: acme-cloud
    currency: EUR
    models:
      # A third of it from the 24th of November on; the day of the test is the 23rd.
      acme-large: [{ input: 3, output: 9 }, { input: 1, output: 3, from: 2026-11-24 }]
  - provider: openai
    models:
      gpt-4.1: { input: 1, output: 4 } # half of what everybody pays
`;

function ownTable(text = OWN_TABLE): string {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-prices-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "prices.yaml");
  writeFileSync(file, text);
  return file;
}

async function receiverWith(yaml: string): Promise<Receiver> {
  const receiver = await startReceiver(yaml);
  onTestFinished(() => receiver.shutdown());
  return receiver;
}

/** A metric by tenant and another label, models added up. */
async function byTenant(receiver: Receiver, metric: string, what: string) {
  const sums: Record<string, number> = {};
  for (const [labels, value] of Object.entries(await receiver.metric(metric))) {
    const labelOf = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(labels)?.[1] ?? "";
    const key = `${labelOf("tenant")} ${labelOf(what)}`;
    sums[key] = (sums[key] ?? 0) + value;
  }
  return sums;
}

/** Each is a function of a tenant; the comment is what it costs. */
const genAi = (
  provider: string,
  model: string,
  tokens: [number, number],
  more: Attributes = {},
) => ({
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": provider,
  "gen_ai.request.model": model,
  "gen_ai.usage.input_tokens": tokens[0],
  "gen_ai.usage.output_tokens": tokens[1],
  ...more,
});

const openInference = (model: string, tokens: [number, number]) => ({
  "openinference.span.kind": "LLM",
  "llm.system": "openai",
  "llm.model_name": model,
  "llm.token_count.prompt": tokens[0],
  "llm.token_count.completion": tokens[1],
});

let nextId = 1;

/** Spans of one trace; the first is the parent of the others. */
function trace(tenant: string, ...spans: readonly Omit<CallSpan, "id">[]): CallSpan[] {
  const id = nextId;
  nextId += spans.length;
  return spans.map((span, index) => ({
    id: id + index,
    trace: id,
    ...(index > 0 && { parent: id }),
    ...span,
    attributes: { ...span.attributes, "ml.tenant": tenant },
  }));
}

describe("a day of calls", () => {
  it("costs each tenant what the sheet says, whoever has reported the calls", async () => {
    const receiver = await receiverWith(`processors: { prices: { file: ${ownTable()} } }\n`);
    const acme = [
      // Ours, which says its cost: 0.000036.
      trace("acme", {
        attributes: genAi("openai", "gpt-4o-mini", [120, 30], {
          "gen_ai.usage.cost.amount": 0.000036,
          "gen_ai.usage.cost.currency": "USD",
        }),
      }),
      // Traceloop, a dated version, half of the input from the cache, $2.50, $1.25 and $10 a
      // million: 500 x 2.5 + 500 x 1.25 + 200 x 10 = 3875, so 0.003875.
      trace("acme", {
        attributes: genAi("OpenAI", "gpt-4o-2024-08-06", [1000, 200], {
          "gen_ai.usage.cache_read_input_tokens": 500,
        }),
      }),
      // OpenInference: an agent that repeats the usage of its two calls, $0.15 and $0.60:
      // 300 x 0.15 + 60 x 0.6 = 81 and 200 x 0.15 + 15 x 0.6 = 39, so 0.000120.
      trace(
        "acme",
        {
          attributes: {
            ...openInference("gpt-4o-mini", [500, 75]),
            "openinference.span.kind": "AGENT",
          },
        },
        { attributes: openInference("gpt-4o-mini", [300, 60]), fromMs: 100, toMs: 400 },
        { attributes: openInference("gpt-4o-mini", [200, 15]), fromMs: 500, toMs: 900 },
      ),
      // The own table's price, half of the shipped one: 1000 x 1 + 100 x 4 = 1400, so 0.001400.
      trace("acme", { attributes: genAi("openai", "gpt-4.1-2025-04-14", [1000, 100]) }),
      // A model that nobody has a price of.
      trace("acme", { attributes: genAi("openai", "gpt-77", [1000, 100]) }),
    ];
    const globex = [
      // Vercel's SDK: the outer span repeats its step's usage. Anthropic's haiku, $1 and $5, and
      // $0.10 for what was cached: 400 x 1 + 500 x 0.1 + 100 x 5 = 950, so 0.000950.
      trace(
        "globex",
        {
          attributes: {
            "ai.operationId": "ai.streamText",
            "ai.model.id": "claude-haiku-4-5",
            "ai.model.provider": "anthropic.messages",
            "ai.usage.inputTokens": 900,
            "ai.usage.outputTokens": 100,
          },
        },
        {
          fromMs: 10,
          toMs: 990,
          attributes: {
            "ai.operationId": "ai.streamText.doStream",
            "ai.model.id": "claude-haiku-4-5",
            "ai.model.provider": "anthropic.messages",
            "ai.usage.inputTokens": 900,
            "ai.usage.cachedInputTokens": 500,
            "ai.usage.outputTokens": 100,
          },
        },
      ),
      // Retried: two attempts that failed and say no usage, and one that answered; sonnet, $3 and
      // $15: 100 x 3 + 10 x 15 = 450, so 0.000450.
      trace(
        "globex",
        { attributes: { "gen_ai.operation.name": "invoke_agent" } },
        ...[0, 100].map((fromMs) => ({
          attributes: {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
          },
          fromMs,
          toMs: fromMs + 50,
          error: true,
        })),
        {
          attributes: genAi("anthropic", "claude-sonnet-4-5", [100, 10]),
          fromMs: 200,
          toMs: 900,
        },
      ),
      // Langfuse names no provider; an embedding, $0.02: 50,000 x 0.02 = 1000, so 0.001000.
      trace("globex", {
        attributes: {
          "langfuse.observation.type": "embedding",
          "langfuse.observation.model.name": "text-embedding-3-small",
          "langfuse.observation.usage_details": '{"input": 50000}',
        },
      }),
    ];
    // One call that two libraries report: ours with its cost, then OpenInference without, and the
    // other way round. 120 x 0.15 + 30 x 0.6 = 36, twice: 0.000072.
    const cost = { "gen_ai.usage.cost.amount": 0.000036 };
    const ours = { attributes: genAi("openai", "gpt-4o-mini", [120, 30], cost), scope: "a" };
    const theirs = { attributes: openInference("gpt-4o-mini", [120, 30]), scope: "b" };
    const initech = [
      trace("initech", ours, { ...theirs, fromMs: 10, toMs: 990 }),
      trace("initech", theirs, { ...ours, fromMs: 10, toMs: 990 }),
      // Euros, before the price falls: 1000 x 3 + 100 x 9 = 3900, so 0.003900.
      trace("initech", { attributes: genAi("acme-cloud", "acme-large", [1000, 100]) }),
      // Reasoning is output: 10 x 1.25 + 300 x 10 = 3012.5, so 0.0030125.
      trace("initech", {
        attributes: genAi("openai", "gpt-5", [10, 300], {
          "gen_ai.usage.reasoning.output_tokens": 256,
        }),
      }),
    ];
    const body = encodeCalls([...acme, ...globex, ...initech].flat());
    expect((await post(`${receiver.otlp}/v1/traces`, body)).status).toBe(200);
    // Delivered twice, spent once.
    expect((await post(`${receiver.otlp}/v1/traces`, body)).status).toBe(200);
    const costs = await byTenant(receiver, "gen_ai_usage_cost_total", "currency");
    const sheet = {
      "acme USD": 0.000036 + 0.003875 + 0.00012 + 0.0014,
      "globex USD": 0.00095 + 0.00045 + 0.001,
      "initech USD": 0.000072 + 0.0030125,
      "initech EUR": 0.0039,
    };
    expect(Object.keys(costs).toSorted()).toEqual(Object.keys(sheet).toSorted());
    for (const [key, sum] of Object.entries(sheet)) expect(costs[key], key).toBeCloseTo(sum, 12);
    expect(await byTenant(receiver, "gen_ai_usage_cost_unknown_total", "provider")).toEqual({
      "acme openai": 1,
    });
    expect(await byTenant(receiver, "gen_ai_usage_tokens_total", "token_type")).toMatchObject({
      "acme input": 120 + 1000 + 500 + 1000 + 1000,
      "globex input": 900 + 100 + 50_000,
      "initech input": 2 * 120 + 1000 + 10,
    });
  });

  it("has the prices of its own time: a table says from when they hold", async () => {
    const receiver = await receiverWith(`processors: { prices: { file: ${ownTable()} } }\n`);
    const dayMs = 86_400_000;
    receiver.clock.nowMs += dayMs;
    const attributes = genAi("acme-cloud", "acme-large", [1000, 100]);
    const times = { fromMs: dayMs - 1000, toMs: dayMs };
    await post(
      `${receiver.otlp}/v1/traces`,
      encodeCalls(trace("initech", { attributes, ...times })),
    );
    const costs = await byTenant(receiver, "gen_ai_usage_cost_total", "currency");
    expect(costs["initech EUR"]).toBeCloseTo(0.0013, 12);
  });

  it("has only the costs that spans say, where that is asked for", async () => {
    const receiver = await receiverWith("processors: { prices: { enabled: false } }\n");
    const said = { "gen_ai.usage.cost.amount": 0.5 };
    const spans = [
      trace("acme", { attributes: genAi("openai", "gpt-4o-mini", [120, 30]) }),
      trace("acme", { attributes: genAi("openai", "gpt-4o-mini", [120, 30], said) }),
    ].flat();
    await post(`${receiver.otlp}/v1/traces`, encodeCalls(spans));
    expect(await byTenant(receiver, "gen_ai_usage_cost_total", "currency")).toEqual({
      "acme USD": 0.5,
    });
  });
});

describe("a price table that cannot be used", () => {
  it.each([
    ["prices: []", /prices\.yaml: version: must be text/],
    ["version: [", /prices\.yaml: /],
    ['version: "1"\nprices: [{ provider: a, models: { m: { input: 1 } } }]', /models\.m\.output/],
  ])("stops the start, and says where it is wrong: %j", (text, message) => {
    const file = ownTable(text);
    expect(() => readPrices(file)).toThrow(PriceTableError);
    expect(() => readPrices(file)).toThrow(message);
  });

  it("is named once where it is not there", () => {
    const file = join(ownTable(), "../none.yaml");
    expect(() => readPrices(file)).toThrow(`${file}: cannot be read (ENOENT); check the path`);
  });

  it("is looked for beside the configuration", () => {
    const file = ownTable();
    const config = join(file, "../tidemark.yaml");
    writeFileSync(config, "processors: { prices: { file: prices.yaml } }\n");
    expect(loadConfig(config, {}).processors.prices.file).toBe(file);
  });
});

describe("how soon answers come", () => {
  it("is a histogram by model and tenant, whose sums are the model's", async () => {
    const receiver = await receiverWith("processors: { observe: { segments: [ml.tenant] } }\n");
    const call = (tenant: string, ttft: number) =>
      trace(tenant, {
        attributes: genAi("openai", "gpt-4o-mini", [1, 1], {
          "gen_ai.response.time_to_first_chunk": ttft,
          "gen_ai.client.operation.time_per_output_chunk": ttft / 10,
        }),
      });
    const spans = Array.from({ length: 100 }, (_, index) => [
      ...call("fast", 0.1 + index / 1000),
      ...call("slow", 1 + index / 100),
    ]).flat();
    await post(`${receiver.otlp}/v1/traces`, encodeCalls(spans));
    const prefix = "gen_ai_client_operation_time";
    const buckets = async (metric: string, tenant: string) => {
      const points = Object.entries(await receiver.metric(`${prefix}_${metric}_bucket`));
      return points
        .filter(([labels]) => labels.includes(`tenant="${tenant}"`))
        .map(([labels, count]) => [Number(/le="([\d.]+)"/.exec(labels)?.[1] ?? Infinity), count]);
    };
    const below = (points: (number | undefined)[][], bound: number) =>
      points.find(([le]) => le === bound)?.[1];
    const fast = await buckets("to_first_chunk_seconds", "fast");
    const slow = await buckets("to_first_chunk_seconds", "slow");
    expect([below(fast, 0.1), below(fast, 0.25), below(slow, 1), below(slow, 2.5)]).toEqual([
      1, 100, 1, 100,
    ]);
    const between = await buckets("per_output_chunk_seconds", "slow");
    expect([below(between, 0.1), below(between, 0.25)]).toEqual([1, 100]);
    // As a segment, a tenant has all signals too, with their quantiles and verdicts.
    const answer = await fetch(`${receiver.admin}/api/v1/signals?model=gpt-4o-mini`);
    const { signals } = (await answer.json()) as {
      signals: { signal: string; segment: string; learned: number }[];
    };
    const ofSlow = signals.find(
      ({ signal, segment }) =>
        signal === "response.time_to_first_token" && segment === "ml.tenant=slow",
    );
    expect(ofSlow?.learned).toBe(100);
  });
});
