import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SinkSpan } from "../otlp-sink.js";
import { FIRST_MS, GAP_MS, startModelServer, USAGE, WORDS } from "./model-server.js";
import { PREPARED_WITHIN_MS } from "./providers.js";
import type { ProviderRun } from "./run-provider.js";
import { runProvider } from "./run-provider.js";

const SECRET = "planted-5d2f-secret";
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

describe.each([
  ["7, latest", "newest"],
  ["7, first", "oldest"],
  ["6, latest", "newer"],
  ["6, first", "older"],
] as const)("the AI SDK, version %s", (version, era) => {
  let run: ProviderRun;
  let models: typeof server;

  beforeAll(async () => {
    models = await startModelServer();
    run = await runProvider(era, "vercel-ai.mjs", models.url, { env: { SECRET } });
  }, PREPARED_WITHIN_MS);
  afterAll(() => models.close());

  const of = (model: string) =>
    run.spans.filter(({ attributes }) => attributes["gen_ai.request.model"] === model);

  test("every call of a model is one span, retried or not", () => {
    for (const name of ["whole", "stream", "tool", "retry"]) {
      expect(run.seen.get(name)?.value, name).toBe(SAID);
    }
    for (const model of ["whole", "stream", "retry"]) {
      expect(of(model)).toHaveLength(1);
      expect(of(model)[0]?.attributes).toMatchObject(usage);
    }
    expect(models.requests.get("retry")).toBe(2);
  });

  test("every step may be retried as often as the SDK does, and so may parallel embeddings", () => {
    expect(run.seen.get("odd-fail")?.value).toBe(SAID);
    expect(models.requests.get("odd-fail-tool-first-3")).toBe(8);
    expect(of("odd-fail-tool-first-3").map(({ error }) => error)).toEqual(Array(4).fill(false));
    expect(run.seen.get("two-fail")?.value).toBe(2);
    expect(models.requests.get("two-fail")).toBe(4);
    expect(of("two-fail").map(({ error }) => error)).toEqual([false, false]);
  });

  test.each(["say-error", "drop", "object-drop"])(
    "a stream that fails on its way is an error: %s",
    (model) => {
      expect(run.seen.get(model)?.error).toBeDefined();
      expect(models.requests.get(model)).toBe(1);
      expect(of(model)).toHaveLength(1);
      expect(of(model)[0]?.error).toBe(true);
    },
  );

  test("a stream that is asked for again is one call, and its failed attempt an event", () => {
    const failed = (errorType: unknown) => [
      { name: "ml.call.attempt_failed", attributes: { "error.type": errorType } },
    ];
    expect(run.seen.get("retry-stream")?.value).toBe(SAID);
    expect(models.requests.get("retry-stream")).toBe(2);
    expect(of("retry-stream")).toMatchObject([
      { error: false, events: failed("APICallError"), attributes: usage },
    ]);
    // Only the latest version asks again when an error comes in the middle of a stream.
    const times = version === "7, latest" ? 2 : 1;
    expect(models.requests.get("say-error-once")).toBe(times);
    const ended = { error: times === 1, events: times === 1 ? [] : failed(expect.anything()) };
    expect(of("say-error-once")).toMatchObject([ended]);
  });

  test("a stream that the app leaves is read by the SDK all the same, to its end", () => {
    expect(run.seen.get("break")?.value).toBe("The ");
    expect(of("break")).toMatchObject([
      { error: false, attributes: { "ml.response.outcome": "completed", ...usage } },
    ]);
  });

  test("an object is a call like others, retried or streamed", () => {
    for (const model of ["object-retry", "object-stream"]) {
      expect(run.seen.get(model)?.value, model).toBe("x");
      expect(of(model)).toMatchObject([{ error: false, attributes: usage }]);
    }
    expect(models.requests.get("object-retry")).toBe(2);
    expect(of("object-stream")[0]?.attributes).toMatchObject({ "ml.response.chunks": 3 });
  });

  test("what is called off while it waits to try again has failed", () => {
    for (const model of ["busy", "busy-embed"]) {
      expect(run.seen.get(model)?.error, model).toBeDefined();
      expect(models.requests.get(model)).toBe(1);
      expect(of(model)).toMatchObject([
        { error: true, attributes: { "error.type": "APICallError" } },
      ]);
    }
  });

  test("a time limit of the app's is an error", () => {
    const attributes = { "ml.response.outcome": "failed" };
    expect(of("stall-late")).toMatchObject([{ error: true, attributes }]);
    expect(of("stall-late")[0]?.attributes["error.type"]).toMatch(/Timeout|TIMEOUT/);
  });

  test("models that are named, or are none at all, are what they are to the SDK", () => {
    expect(run.seen.get("named")?.value).toEqual(["x", 3]);
    for (const model of ["object-named", "embed-named"]) {
      expect(of(model)).toMatchObject([{ error: false }]);
    }
    expect(run.seen.get("no-model")?.value).toMatch("reading 'specificationVersion'");
    expect(run.stderr).not.toMatch("the app is not affected");
  });

  test("a stream states its times", () => {
    const attributes = of("stream")[0]?.attributes;
    const ttftMs = Number(attributes?.["gen_ai.response.time_to_first_chunk"]) * 1000;
    expect(ttftMs).toBeGreaterThan(FIRST_MS - 2);
    const tbtMs = Number(attributes?.["gen_ai.client.operation.time_per_output_chunk"]) * 1000;
    // A first chunk that was late to be read leaves less between it and the last one.
    const gaps = WORDS.length - 1;
    expect(ttftMs + gaps * tbtMs).toBeGreaterThan(FIRST_MS + gaps * (GAP_MS - 2));
  });

  test("an agent is two calls of a model, and one of a tool", () => {
    expect(of("tool-first").map(({ attributes }) => attributes)).toMatchObject([
      { "gen_ai.response.finish_reasons": ["tool-calls"], ...usage },
      { "gen_ai.response.finish_reasons": ["stop"], ...usage },
    ]);
    const tools = run.spans.filter(({ name }) => name === "execute_tool lookUp");
    // The three others are those of the steps that are retried.
    expect(tools).toHaveLength(4);
    expect(Object.keys(tools[0]?.attributes ?? {}).filter((key) => /usage/.test(key))).toEqual([]);
  });

  test("calling off is no error, a refusal is", () => {
    expect(run.seen.get("abort")?.value).toBeGreaterThanOrEqual(2);
    expect(of("abort")[0]).toMatchObject({
      error: false,
      attributes: { "ml.response.outcome": "aborted" },
    });
    expect(run.seen.get("refuse")?.error).toBe("APICallError");
    expect(of("refuse")[0]).toMatchObject({
      error: true,
      attributes: { "error.type": "APICallError" },
    });
    expect(of("refuse-embed")).toMatchObject([{ error: true }]);
  });

  test("answers that the app leaves are collected, with all that hears of their signals", () => {
    // V8 may keep the latest ones.
    expect(run.seen.get("left")?.value).toBeLessThan(5);
  });

  test("calling off is no error for whatever reason", () => {
    for (const model of ["never-reason", "stall-reason", "never-agent"]) {
      expect(of(model), model).toMatchObject([
        { error: false, attributes: { "ml.response.outcome": "aborted" } },
      ]);
    }
  });

  test("embeddings state their length", () => {
    expect(of("embed")[0]?.attributes).toMatchObject({
      "gen_ai.operation.name": "embeddings",
      "gen_ai.embeddings.dimension.count": 3,
      "gen_ai.usage.input_tokens": 7,
    });
  });

  test("no content leaves the app", () => {
    expect(run.exported.includes(SECRET)).toBe(false);
    expect(run.exported.includes("blue")).toBe(false);
  });
});

describe.each(["newest", "oldest"] as const)("LangChain, %s version", (era) => {
  let run: ProviderRun;

  beforeAll(async () => {
    run = await runProvider(era, "langchain.mjs", server.url, { env: { SECRET } });
  }, PREPARED_WITHIN_MS);

  const named = (name: string) => run.spans.filter((span) => span.name === name);
  const root = (): SinkSpan => named("invoke_workflow RunnableSequence").at(-2) as SinkSpan;

  test("what the app sees is what it would see without us", () => {
    expect(run.seen.get("chain")?.value).toBe(SAID.toUpperCase() + SECRET);
    expect(run.seen.get("stream")?.value).toBe(SAID);
    expect(run.seen.get("local")?.value).toBe(`mine ${SECRET}`);
  });

  test("a retrieval states how many documents it found, and how near they are", () => {
    const [retrieval] = named("retrieval VectorStoreRetriever");
    expect(retrieval?.attributes).toMatchObject({
      "gen_ai.operation.name": "retrieval",
      "gen_ai.retrieval.documents": JSON.stringify([{ score: 0.9 }, { score: 0.8 }]),
    });
  });

  test("a call of a model is counted once: by the library that makes it, below its chain", () => {
    const calls = named("chat chain");
    expect(calls).toHaveLength(3);
    for (const { attributes } of calls) {
      // Older versions do not ask for the usage of a stream.
      if (era === "newest" || !attributes["gen_ai.request.stream"]) {
        expect(attributes).toMatchObject(usage);
      }
    }
    const inTrace = run.spans.filter(({ traceId }) => traceId === calls[0]?.traceId);
    const withUsage = inTrace.filter((span) => "gen_ai.usage.input_tokens" in span.attributes);
    expect(withUsage).toEqual([calls[0]]);
    expect(inTrace.map(({ name }) => name)).toContain("execute_tool shout");
    expect(inTrace.map(({ name }) => name)).toContain("retrieval VectorStoreRetriever");
  });

  test("a call that it makes again is one, and each attempt that failed an event of it", () => {
    expect(run.seen.get("again")?.value).toBe(SAID);
    const [again, ...others] = run.spans.filter(({ name }) => name.startsWith("chat retry-"));
    expect(others).toEqual([]);
    expect(again).toMatchObject({ error: false, attributes: usage });
    const failures = [["ml.call.attempt_failed", { "error.type": "InternalServerError" }]];
    expect(again?.events.map(({ name, attributes }) => [name, attributes])).toEqual(failures);
    const [refused, ...more] = named("chat refuse");
    expect(more).toEqual([]);
    expect(refused).toMatchObject({ error: true, attributes: { "error.type": "BadRequestError" } });
  });

  test("a chain whose answer the app leaves has ended when it is collected", () => {
    const [call] = named("chat left");
    expect(call?.attributes["ml.response.outcome"]).toBe("stopped");
    const inTrace = run.spans.filter(({ traceId }) => traceId === call?.traceId);
    expect(inTrace.map(({ name }) => name)).toEqual([
      "chat left",
      "invoke_workflow RunnableSequence",
    ]);
    expect(inTrace[1]).toMatchObject({ spanId: call?.parentSpanId, error: false });
  });

  test("an answer out of a cache is no call", () => {
    expect(run.seen.get("far")?.value).toBe("kept");
    expect(named("chat far")).toEqual([]);
  });

  test("a model of the app's own has a span too", () => {
    const local = run.spans.filter(
      ({ attributes }) => attributes["gen_ai.provider.name"] === "FakeListChatModel",
    );
    expect(local).toHaveLength(1);
  });

  test("what fails fails every step around it, and says how", () => {
    expect(root().error).toBe(false);
    const failed = run.spans.filter(({ error, name }) => error && name !== "chat refuse");
    expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual([
      "TypeError",
      "TypeError",
    ]);
  });

  test("no content leaves the app", () => {
    expect(run.exported.includes(SECRET)).toBe(false);
    expect(run.exported.includes("blue")).toBe(false);
  });
});
