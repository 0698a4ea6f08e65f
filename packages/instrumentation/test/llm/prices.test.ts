import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Price } from "@tidemark/semconv";
import { costOf, PriceBook, priceTable } from "@tidemark/semconv";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { installProviders, PREPARED_WITHIN_MS } from "./providers.js";

const parsePriceTable = (yaml: string, name: string) =>
  priceTable(parse(yaml, { schema: "core" }), name);
const file = createRequire(import.meta.url).resolve("@tidemark/semconv/prices.yaml");
const shipped = parsePriceTable(readFileSync(file, "utf8"), file);
const NOW = Date.UTC(2026, 10, 21);
const TABLE = `
version: "7"
prices:
  - provider: acme
    currency: EUR
    models:
      big:
        - { input: 3, output: 9 }
        - { input: 2, cached: 0.5, cacheWrite: 4, output: 8, reasoning: 6, from: 2026-01-01 }
  - provider: "*"
    models:
      llama: { input: 1, output: 1 }
`;
const book = new PriceBook([parsePriceTable(TABLE, "own.yaml"), shipped]);
const find = (provider: string, model: string, atMs = NOW) => book.find(provider, model, atMs);

describe("a price", () => {
  test("is that of the day", () => {
    expect(find("acme", "big", Date.UTC(2025, 11, 31))).toMatchObject({
      input: 3,
      currency: "EUR",
    });
    expect(find("acme", "big")).toMatchObject({ input: 2, table: "7" });
  });

  test.each([
    ["openai", "gpt-4o-2024-08-06", "gpt-4o"],
    ["openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"],
    ["openai", "gpt-3.5-turbo-0125", "gpt-3.5-turbo"],
    ["anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
    ["anthropic", "claude-3-5-haiku-latest", "claude-3-5-haiku"],
    ["gcp.gemini", "models/gemini-2.5-flash", "gemini-2.5-flash"],
    ["gcp.gemini", "gemini-2.5-flash-lite", "gemini-2.5-flash-lite"],
    ["azure.ai.openai", "gpt-4o-2024-08-06", "gpt-4o"],
    ["azure-openai.chat", "gpt-4o-mini", "gpt-4o-mini"],
    ["openai.responses", "gpt-5", "gpt-5"],
    ["Anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
    ["google.generative-ai", "gemini-2.5-flash", "gemini-2.5-flash"],
    ["google.vertex.chat", "gemini-2.5-pro", "gemini-2.5-pro"],
    ["MistralAI", "codestral-latest", "codestral"],
    ["amazon-bedrock", "amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"],
    ["", "gpt-4o-mini", "gpt-4o-mini"],
    ["aws.bedrock", "us.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"],
    ["anyone", "llama", "llama"],
  ])("of %s %s is that of %s", (provider, model, priced) => {
    expect(find(provider, model)?.model).toBe(priced);
  });

  test.each([
    ["openai", "gpt-4o-audio-preview"],
    ["openai", "gpt-5-thing"],
    ["openai", "claude-sonnet-4-5"],
    ["openai", "ft:gpt-4o:acme"],
    ["openai", ""],
  ])("of %s %j is unknown", (provider, model) => {
    expect(find(provider, model)).toBeUndefined();
  });
});

describe("a cost", () => {
  const price = find("acme", "big") as Price;

  test("counts every token once, at its own price", () => {
    const usage = { input: 1000, cacheRead: 600, cacheWrite: 100, output: 500, reasoning: 200 };
    const euros = (300 * 2 + 600 * 0.5 + 100 * 4 + 300 * 8 + 200 * 6) / 1e6;
    expect(costOf(price, usage)).toBeCloseTo(euros, 15);
  });

  test("takes the input's price for what was cached, where there is no other", () => {
    const plain = find("anyone", "llama") as Price;
    expect(costOf(plain, { input: 10, cacheRead: 4, output: 5, reasoning: 5 })).toBeCloseTo(
      15e-6,
      15,
    );
  });

  test("of a usage that is not wholly known is unknown, and not 0", () => {
    expect(costOf(price, {})).toBeUndefined();
    expect(costOf(price, { input: 10 })).toBeUndefined();
    expect(costOf(price, { output: 10 })).toBeUndefined();
    const embedding = find("openai", "text-embedding-3-small") as Price;
    expect(costOf(embedding, { input: 1e6 })).toBeCloseTo(0.02, 12);
  });
});

describe("a price table", () => {
  test.each([
    ["prices: []", /own.yaml: version/],
    ['version: "1"\nprices: [{provider: a, models: {m: {input: -1, output: 1}}}]', /input|models/],
    ['version: "1"\nprices: [{provider: a, currency: euro, models: {}}]', /currency.*ISO 4217/],
    ['version: "1"\nprices: [{provider: a, models: {m: {input: 1}}}]', /prices.0.models.m.output/],
    ['version: "1"\nprices: [{provider: a, model: {}}]', /unknown key "model"; known are/],
    [
      'version: "1"\nprices: [{provider: a, models: {m: {input: 1, output: 1, from: soon}}}]',
      /prices.0.models.m.from: must be a day/,
    ],
    ["7", /own.yaml: the file: must be a map/],
  ])("says what is wrong with it: %j", (yaml, complaint) => {
    expect(() => parsePriceTable(yaml, "own.yaml")).toThrow(complaint);
  });
});

describe("the shipped table beside another one", () => {
  const OTHER: Readonly<Record<string, string>> = {
    openai: "openai",
    "azure.ai.openai": "azure",
    anthropic: "anthropic",
    "gcp.gemini": "google",
    mistral_ai: "mistral",
    cohere: "cohere",
  };
  /** The other table asks 1 for this one's 0 output of embeddings, and rounds 0.275 to 0.28. */
  const DIFFERENT = new Set(["mistral_ai mistral-embed", "azure.ai.openai o4-mini"]);
  type Calculate = (usage: object, model: string, by: object) => { total_price: number } | null;
  let calcPrice: Calculate;

  beforeAll(async () => {
    const folder = await installProviders("newest");
    const path = join(folder, "node_modules/@pydantic/genai-prices/dist/index.js");
    ({ calcPrice } = (await import(pathToFileURL(path).href)) as { calcPrice: Calculate });
  }, PREPARED_WITHIN_MS);

  test("asks the same for every model that both know", () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const price of shipped) {
      const providerId = OTHER[price.provider];
      if (providerId === undefined || DIFFERENT.has(`${price.provider} ${price.model}`)) continue;
      for (const usage of [
        { input_tokens: 1000 },
        { input_tokens: 1000, cache_read_tokens: 1000 },
        { input_tokens: 0, output_tokens: 1000 },
      ]) {
        const other =
          calcPrice(usage, price.model, { providerId }) ??
          calcPrice(usage, `${price.model}-latest`, { providerId });
        const own = costOf(price, {
          input: usage.input_tokens,
          cacheRead: usage.cache_read_tokens ?? 0,
          output: usage.output_tokens ?? 0,
        });
        if (other === null || own === undefined) continue;
        compared++;
        if (Math.abs(other.total_price - own) > 1e-9) {
          wrong.push(`${price.model} ${JSON.stringify(usage)}: ${own}, not ${other.total_price}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(120);
  });
});
