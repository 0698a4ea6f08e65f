import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SinkSpan } from "../otlp-sink.js";
import { FIRST_MS, startModelServer, USAGE } from "./model-server.js";
import type { Era } from "./providers.js";
import { ERAS, PREPARED_WITHIN_MS } from "./providers.js";
import type { ProviderRun, Seen } from "./run-provider.js";
import { runProvider } from "./run-provider.js";

const SECRET = "planted-9b1c-secret";
/** How far the span's clock may be from the app's own one: they read it in turns of one loop. */
const APART_MS = 5;
const SAID = "The sky is blue.";
const usage = {
  "gen_ai.usage.input_tokens": USAGE.input,
  "gen_ai.usage.output_tokens": USAGE.output,
  "gen_ai.usage.cache_read.input_tokens": USAGE.cached,
  "gen_ai.usage.reasoning.output_tokens": USAGE.reasoning,
};
let server: Awaited<ReturnType<typeof startModelServer>>;

beforeAll(async () => {
  server = await startModelServer();
});
afterAll(() => server.close());

describe.each<Era>([...ERAS])("openai, %s version", (era) => {
  let run: ProviderRun;

  beforeAll(async () => {
    server.requests.clear();
    run = await runProvider(era, "openai.mjs", server.url, { env: { SECRET } });
  }, PREPARED_WITHIN_MS);

  const span = (model: string): SinkSpan => {
    const found = run.spans.filter(isOf(model));
    expect(found, model).toHaveLength({ whole: 3, stream: 5 }[model] ?? 1);
    return found[0] as SinkSpan;
  };
  const seen = (name: string): Seen => run.seen.get(name) as Seen;
  const has = (name: string) => seen(name).value !== "none";

  test("a whole answer is what it was, and states model, usage and why it ended", () => {
    expect(seen("whole").value).toBe(SAID);
    expect(seen("withResponse").value).toEqual(["answer-1", 200]);
    expect(seen("asResponse").value).toBe("answer-1");
    expect(span("whole")).toMatchObject({ name: "chat whole", kind: 3, error: false });
    expect(span("whole").attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.response.id": "answer-1",
      "gen_ai.response.finish_reasons": ["stop"],
      "server.address": "127.0.0.1",
      ...usage,
    });
    // The raw response is the app's to read: what it says is unknown.
    const raw = run.spans.filter(({ name }) => name === "chat whole")[2];
    expect(raw?.attributes).not.toHaveProperty(["gen_ai.usage.input_tokens"]);
  });

  test("times are at least the script's, and those that the app itself sees", () => {
    const streams = seen("stream").value as { text: string; timesMs: number[] }[];
    const apartMs = { first: [] as number[], between: [] as number[] };
    for (const [index, { attributes }] of run.spans.filter(isOf("stream")).entries()) {
      const { text, timesMs } = streams[index] as { text: string; timesMs: number[] };
      const ttftMs = Number(attributes["gen_ai.response.time_to_first_chunk"]) * 1000;
      const tbtMs = Number(attributes["gen_ai.client.operation.time_per_output_chunk"]) * 1000;
      const [firstMs = 0] = timesMs;
      expect(text).toBe(SAID);
      expect(attributes).toMatchObject({
        "ml.response.chunks": timesMs.length,
        "ml.response.outcome": "completed",
      });
      // A timer may fire a millisecond early.
      expect(ttftMs).toBeGreaterThan(FIRST_MS - 2);
      apartMs.first.push(Math.abs(ttftMs - firstMs));
      const meanMs = ((timesMs.at(-1) as number) - firstMs) / (timesMs.length - 1);
      apartMs.between.push(Math.abs(tbtMs - meanMs));
    }
    expect(median(apartMs.first)).toBeLessThan(APART_MS);
    expect(median(apartMs.between)).toBeLessThan(APART_MS);
  });

  test("the first token is the first content: reasoning counts, and is told apart", () => {
    expect(span("stream").attributes["ml.response.first_content"]).toBe("text");
    const { attributes } = span("think");
    expect(attributes["ml.response.first_content"]).toBe("reasoning");
    expect(Number(attributes["ml.response.time_to_first_text"])).toBeGreaterThan(
      Number(attributes["gen_ai.response.time_to_first_chunk"]),
    );
  });

  test("usage that nobody asked the provider for is unknown, and not 0", () => {
    expect(Object.keys(span("stream").attributes).filter((key) => key.includes("usage"))).toEqual(
      [],
    );
    expect(span("think").attributes).toMatchObject(usage);
    expect(seen("think").value).toMatchObject([{ text: SAID, empty: 1 }]);
  });

  test.each([
    ["break", "stopped"],
    ["thrown", "stopped"],
    ["abort", "aborted"],
    ["never-abort", "aborted"],
    ["cut", "incomplete"],
    ["stall-unread", "abandoned"],
    ["tee", "completed"],
    ["readable", "completed"],
  ])("%s: the span ends as %s, which is no error", (model, outcome) => {
    expect(span(model)).toMatchObject({ error: false });
    expect(span(model).attributes["ml.response.outcome"]).toBe(outcome);
    expect(span(model).attributes).not.toHaveProperty(["error.type"]);
  });

  test("what the app sees is what it would see without us", () => {
    expect(seen("break").value).toBe("left");
    expect(seen("thrown").error).toBe("Error");
    expect(seen("abort").value).toBe(2);
    expect(seen("abortEarly").error).toBe("APIUserAbortError");
    expect(seen("timeout").error).toBe("APIConnectionTimeoutError");
    expect(seen("refuse").error).toBe("BadRequestError");
    expect(seen("unheard").value).toEqual(["BadRequestError"]);
    expect(seen("tee").value).toEqual([SAID, SAID]);
    expect(seen("readable").value).toBe(true);
  });

  test("a dropped socket, a time limit and a refusal are errors of their kind", () => {
    expect(seen("drop").error).toBeDefined();
    expect(span("drop")).toMatchObject({ error: true });
    expect(span("drop").attributes).toMatchObject({
      "ml.response.outcome": "failed",
      "ml.response.chunks": 2,
    });
    expect(String(span("drop").attributes["error.type"])).toMatch(
      /^(?:UND_ERR_SOCKET|ECONNRESET|ERR_STREAM_PREMATURE_CLOSE)$/,
    );
    for (const model of ["drop", "refuse"]) expect(span(model).statusMessage).toBeFalsy();
    expect(span("never-timeout")).toMatchObject({ error: true });
    expect(span("never-timeout").attributes["error.type"]).toBe("APIConnectionTimeoutError");
    expect(span("refuse")).toMatchObject({ error: true });
    expect(span("refuse").attributes["error.type"]).toBe("BadRequestError");
  });

  test("a call that was tried twice is one call", () => {
    expect(seen("retry").value).toBe("answer-1");
    expect(server.requests.get("retry")).toBeGreaterThanOrEqual(2);
    expect(span("retry").attributes).toMatchObject(usage);
  });

  test("helpers of the library are one call each", () => {
    if (has("parse")) expect(span("parse").attributes).toMatchObject(usage);
    if (has("helper")) expect(span("helper").attributes["ml.response.chunks"]).toBe(5);
    expect(has("parse")).toBe(era !== "oldest");
    expect(seen("parse").error ?? seen("helper").error).toBeUndefined();
  });

  test("responses, whole and streamed", () => {
    if (!has("responses")) return;
    expect(seen("responses").value).toBe(SAID);
    expect(span("responses").attributes).toMatchObject(usage);
    const { attributes } = span("think-responses");
    expect(seen("responsesStream").value).toBe(SAID);
    expect(attributes).toMatchObject({
      ...usage,
      "ml.response.first_content": "reasoning",
      "ml.response.chunks": 6,
      "ml.response.outcome": "completed",
      "gen_ai.response.finish_reasons": ["stop"],
    });
  });

  test("embeddings state their length, and cost what the table says", () => {
    expect(seen("embeddings").value).toBe(3);
    expect(span("text-embedding-3-small").attributes).toMatchObject({
      "gen_ai.operation.name": "embeddings",
      "gen_ai.embeddings.dimension.count": 3,
      "gen_ai.usage.input_tokens": 7,
      "gen_ai.usage.cost.amount": 7 * 0.02e-6,
      "gen_ai.usage.cost.currency": "USD",
    });
  });

  test("Azure is Azure", () => {
    if (!has("azure")) return;
    expect(span("azure-gpt").attributes["gen_ai.provider.name"]).toBe("azure.ai.openai");
  });

  test("no prompt, instruction or answer is in any exported byte", () => {
    expect(run.exported.includes("gen_ai.request.model")).toBe(true);
    expect(run.exported.includes(SECRET)).toBe(false);
    expect(run.exported.includes("blue")).toBe(false);
  });

  test("nothing is said but of prices that nobody knows", () => {
    const lines = run.stderr.split("\n").filter((line) => line.startsWith("tidemark"));
    expect(lines.filter((line) => !line.includes("no price is known"))).toEqual([]);
  });
});

function isOf(model: string) {
  return ({ attributes }: SinkSpan) => attributes["gen_ai.request.model"] === model;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
