import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startModelServer, USAGE } from "./model-server.js";
import { PREPARED_WITHIN_MS } from "./providers.js";
import { runProvider } from "./run-provider.js";

const SECRET = "planted-8a3f-secret";
const SAID = "The sky is blue.";
const folder = mkdtempSync(join(tmpdir(), "tidemark-"));
let server: Awaited<ReturnType<typeof startModelServer>>;

beforeAll(async () => {
  server = await startModelServer();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function run(yaml: string) {
  const config = join(folder, "tidemark.instrumentation.yaml");
  writeFileSync(config, yaml);
  const env = { SECRET, TIDEMARK_INSTRUMENTATION_CONFIG: config };
  const done = await runProvider("newest", "configured.mjs", server.url, { env });
  expect(done.stderr.replaceAll(/^.*no price is known.*$/gm, "").trim()).toBe("");
  expect(done.exported.includes(SECRET)).toBe(false);
  expect(done.exported.includes("blue")).toBe(false);
  const [stream, whole, embed] = done.spans.map(({ attributes }) => attributes);
  return { seen: done.seen, stream, whole, embed };
}

test(
  "paths lead to the tenant and the prompt's version",
  async () => {
    const { stream } = await run(
      "llm: {tenant: 'args[0].metadata.tenant', promptVersion: 'args[0].metadata.prompt'}",
    );
    expect(stream).toMatchObject({ "ml.tenant": "acme", "gen_ai.prompt.version": "v7" });
    expect(Object.keys(stream ?? {}).filter((key) => key.includes("usage"))).toEqual([]);
  },
  PREPARED_WITHIN_MS,
);

test(
  "a path that leads nowhere in any call is told of once, and so is a table that is not there",
  async () => {
    const config = join(folder, "tidemark.instrumentation.yaml");
    const tenant = "tenant: 'args[0].metadata.tenent', promptVersion: 'args[0].metadata.prompt'";
    writeFileSync(config, `llm: {${tenant}, prices: none.yaml}`);
    const env = { SECRET, TIDEMARK_INSTRUMENTATION_CONFIG: config };
    const { stderr } = await runProvider("newest", "configured.mjs", server.url, { env });
    expect(stderr.trimEnd().split("\n")).toEqual([
      `tidemark: ${join(folder, "none.yaml")}: cannot be read (ENOENT); check the path; ` +
        "these prices are not used",
      "tidemark: calls of language models: llm.tenant: args[0].metadata.tenent led to no text, " +
        "number or boolean in any of 3 calls; check the path",
    ]);
  },
  PREPARED_WITHIN_MS,
);

test(
  "usage of streams is asked for where that is allowed, and the app sees no difference",
  async () => {
    const before = await run("llm: {}");
    const { seen, stream } = await run("llm: {streamUsage: true}");
    expect(seen.get("stream")?.value).toEqual(before.seen.get("stream")?.value);
    expect(stream).toMatchObject({
      "gen_ai.usage.input_tokens": USAGE.input,
      "gen_ai.usage.output_tokens": USAGE.output,
      "gen_ai.usage.cost.currency": "USD",
    });
    // 60 fresh tokens at 0.15, 40 cached ones at 0.075, 20 written at 0.6, per million.
    expect(stream?.["gen_ai.usage.cost.amount"]).toBeCloseTo(
      (60 * 0.15 + 40 * 0.075 + 20 * 0.6) / 1e6,
      15,
    );
  },
  PREPARED_WITHIN_MS,
);

test(
  "tokens that the app counts itself are marked as estimates",
  async () => {
    const { stream, whole } = await run("llm: {estimateTokens: true}");
    expect(stream).toMatchObject({ "ml.usage.estimated": true, "gen_ai.usage.output_tokens": 5 });
    expect(Number(stream?.["gen_ai.usage.input_tokens"])).toBeGreaterThan(10);
    expect(whole).toMatchObject({ "gen_ai.usage.output_tokens": USAGE.output });
    expect(whole).not.toHaveProperty(["ml.usage.estimated"]);
  },
  PREPARED_WITHIN_MS,
);

test(
  "a price table of the user's own comes first",
  async () => {
    const table = {
      version: "mine",
      prices: [{ provider: "openai", currency: "EUR", models: {} }],
    };
    Object.assign(table.prices[0]?.models ?? {}, { "gpt-4o": { input: 1, cached: 0, output: 2 } });
    writeFileSync(join(folder, "prices.yaml"), JSON.stringify(table));
    const { whole, embed } = await run("llm: {prices: ./prices.yaml}");
    expect(whole).toMatchObject({
      "gen_ai.usage.cost.currency": "EUR",
      "gen_ai.usage.cost.source": "mine",
    });
    expect(whole?.["gen_ai.usage.cost.amount"]).toBeCloseTo((60 + 40) / 1e6, 15);
    expect(embed).toMatchObject({ "gen_ai.usage.cost.source": "tidemark 2026-11-21" });
  },
  PREPARED_WITHIN_MS,
);

test(
  "texts and vectors become numbers",
  async () => {
    const { stream, whole, embed } = await run("llm: {text: {}, embeddings: {projections: 4}}");
    for (const attributes of [stream, whole]) {
      expect(attributes).toMatchObject({
        "ml.feature.answer_chars": SAID.length,
        "ml.feature.answer_words": 4,
        "ml.feature.answer_sentences": 1,
        "ml.feature.answer_language": "en",
        "ml.feature.answer_refusal": false,
        "ml.feature.prompt_sentences": 2,
      });
    }
    const features = Object.entries(embed ?? {}).filter(([key]) => key.includes("embedding_"));
    expect(features.map(([key]) => key)).toEqual(
      [0, 1, 2, 3].map((i) => `ml.feature.embedding_${i}`),
    );
    for (const [, value] of features)
      expect(Math.abs(Number(value))).toBeLessThanOrEqual(Math.SQRT2);
  },
  PREPARED_WITHIN_MS,
);

test.each(["newest", "newer"] as const)(
  "answers and vectors of the AI SDK are described, whole and streamed: %s version",
  async (era) => {
    const config = join(folder, "tidemark.instrumentation.yaml");
    writeFileSync(config, "llm: {text: {}, embeddings: {projections: 4}}");
    const env = { SECRET, TIDEMARK_INSTRUMENTATION_CONFIG: config };
    const done = await runProvider(era, "vercel-ai.mjs", server.url, { env });
    const of = (model: string) =>
      done.spans.find(({ attributes }) => attributes["gen_ai.request.model"] === model)?.attributes;
    for (const model of ["whole", "stream"]) {
      expect(of(model), model).toMatchObject({
        "ml.feature.answer_chars": SAID.length,
        "ml.feature.answer_words": 4,
        "ml.feature.prompt_language": "en",
      });
    }
    expect(Object.keys(of("embed") ?? {})).toContain("ml.feature.embedding_3");
    expect(done.exported.includes(SECRET)).toBe(false);
    expect(done.exported.includes("blue")).toBe(false);
  },
  PREPARED_WITHIN_MS,
);

test(
  "answers of a library that makes its own spans are described too, whole and streamed",
  async () => {
    const config = join(folder, "tidemark.instrumentation.yaml");
    writeFileSync(config, "llm: {text: {}}");
    const env = {
      SECRET,
      TIDEMARK_INSTRUMENTATION_CONFIG: config,
      SCENARIOS: "whole,think,refuse,drop",
    };
    const options = { env, scenarios: ["anthropic"] };
    const done = await runProvider("newest", "calls.mjs", server.url, options);
    const of = (model: string) =>
      done.all.filter(({ attributes }) => attributes["gen_ai.request.model"] === model);
    for (const model of ["whole", "think"]) {
      expect(of(model)).toHaveLength(1);
      expect(of(model)[0]).toMatchObject({
        scope: "com.anthropic.sdk.typescript",
        attributes: {
          "ml.feature.answer_chars": SAID.length,
          "ml.feature.answer_words": 4,
          "ml.feature.answer_language": "en",
          "ml.feature.answer_refusal": false,
          "gen_ai.usage.output_tokens": USAGE.output,
        },
      });
    }
    for (const model of ["refuse", "drop"]) expect(of(model)).toMatchObject([{ error: true }]);
    expect(done.exported.includes(SECRET)).toBe(false);
    expect(done.exported.includes("blue")).toBe(false);
  },
  PREPARED_WITHIN_MS,
);
