/** Spans here are written from the conventions' published attributes, not recorded. */
import { describe, expect, it } from "vitest";
import type { CallSpan } from "./call-spans.ts";
import { callReading } from "./call-spans.ts";

const CHAT = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt" };
const USAGE = { "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 30 };

function readOne(attributes: CallSpan["attributes"], more: Partial<CallSpan> = {}) {
  const [call] = callReading().read([{ id: 1, attributes, ...more }]);
  return call;
}

describe("a call", () => {
  it("has the same signals in either column of gen_ai, in Traceloop's and Vercel's older names", () => {
    const frozen = {
      ...CHAT,
      ...USAGE,
      "gen_ai.usage.cache_read.input_tokens": 20,
      "gen_ai.usage.cache_creation.input_tokens": 5,
      "gen_ai.usage.reasoning.output_tokens": 10,
      "gen_ai.response.time_to_first_chunk": 0.25,
      "gen_ai.response.finish_reasons": ["stop"],
    };
    const next = {
      ...CHAT,
      ...USAGE,
      "gen_ai.usage.cache_read.input_tokens": 20,
      "gen_ai.usage.cache_write.input_tokens": 5,
      "gen_ai.usage.reasoning.output_tokens": 10,
      "gen_ai.client.inference.time_to_first_chunk": 0.25,
      "gen_ai.response.finish_reasons": ["stop"],
    };
    const traceloop = {
      "llm.request.type": "chat",
      "gen_ai.usage.prompt_tokens": 120,
      "gen_ai.usage.completion_tokens": 30,
      "gen_ai.usage.cache_read_input_tokens": 20,
      "gen_ai.usage.cache_creation_input_tokens": 5,
      "gen_ai.usage.reasoning_tokens": 10,
      "gen_ai.server.time_to_first_token": 0.25,
      "llm.response.finish_reason": "end_turn",
    };
    const vercel = {
      "ai.operationId": "ai.streamText.doStream",
      "ai.usage.promptTokens": 120,
      "ai.usage.completionTokens": 30,
      "ai.usage.cachedInputTokens": 20,
      "ai.usage.inputTokenDetails.cacheWriteTokens": 5,
      "ai.usage.reasoningTokens": 10,
      "ai.response.msToFirstChunk": 250,
      "ai.response.finishReason": "stop",
    };
    const openInference = {
      "openinference.span.kind": "LLM",
      "llm.token_count.prompt": 120,
      "llm.token_count.completion": 30,
      "llm.token_count.prompt_details.cache_read": 20,
      "llm.token_count.prompt_details.cache_write": 5,
      "llm.token_count.completion_details.reasoning": 10,
      "llm.finish_reason": "STOP",
    };
    const firstToken = [{ name: "First Token Stream Event", atMs: 250 }];
    const signals = {
      "response.duration": [1],
      "response.error": ["no"],
      "usage.input_tokens": [120],
      "usage.output_tokens": [30],
      "usage.cache_read_tokens": [20],
      "usage.cache_write_tokens": [5],
      "usage.reasoning_tokens": [10],
      "response.time_to_first_token": [0.25],
      "response.finish_reason": ["stop"],
    };
    for (const attributes of [frozen, next, traceloop, vercel]) {
      expect(readOne(attributes)).toEqual({ kind: "call", signals });
    }
    expect(readOne(openInference, { events: firstToken })).toEqual({ kind: "call", signals });
  });

  it("that is written in two dialects at once counts once", () => {
    const both = {
      ...CHAT,
      ...USAGE,
      "ai.usage.inputTokens": 999,
      "gen_ai.usage.prompt_tokens": 5,
    };
    expect(readOne(both)?.signals["usage.input_tokens"]).toEqual([120]);
  });

  it("has its times in seconds: version 7 of the AI SDK writes seconds, the legacy form milliseconds", () => {
    const seconds = {
      ...CHAT,
      "gen_ai.client.operation.time_to_first_chunk": 0.5,
      "gen_ai.client.operation.time_per_output_chunk": 0.02,
    };
    expect(readOne(seconds)?.signals).toMatchObject({
      "response.time_to_first_token": [0.5],
      "response.time_between_tokens": [0.02],
    });
    const legacy = {
      "ai.operationId": "ai.streamText.doStream",
      "ai.response.msToFirstChunk": 500,
    };
    expect(readOne(legacy)?.signals["response.time_to_first_token"]).toEqual([0.5]);
    const event = [{ name: "ai.stream.firstChunk", atMs: 500 }];
    const ofEvent = readOne({ "ai.operationId": "ai.streamText.doStream" }, { events: event });
    expect(ofEvent?.signals["response.time_to_first_token"]).toEqual([0.5]);
  });

  it("reads Langfuse's JSON: what was cached or thought adds up with its side", () => {
    const details = {
      input: 100,
      input_cached_tokens: 20,
      output: 20,
      output_reasoning_tokens: 10,
    };
    const { signals } = readOne({
      "langfuse.observation.type": "generation",
      "langfuse.observation.usage_details": JSON.stringify({ ...details, total: 150 }),
      "langfuse.observation.cost_details": JSON.stringify({ input: 0.001, output: 0.002 }),
      "langfuse.observation.completion_start_time": '"2026-11-23T09:30:00.250Z"',
    }) ?? { signals: {} };
    expect(signals).toMatchObject({
      "usage.input_tokens": [120],
      "usage.output_tokens": [30],
      "usage.cache_read_tokens": [20],
      "usage.reasoning_tokens": [10],
      "usage.cost": [0.003],
      "response.time_to_first_token": [0.25],
    });
  });

  it.each([
    ["no JSON", "{input:"],
    ["a list", "[1,2]"],
    ["numbers that are none", '{"input":"7","output":null,"total":-1}'],
    ["nothing", "null"],
    ["too long", JSON.stringify({ input: 1, filler: "x".repeat(70_000) })],
  ])("survives usage details that are %s", (_, text) => {
    const attributes = {
      "langfuse.observation.type": "generation",
      "langfuse.observation.usage_details": text,
    };
    const call = readOne(attributes);
    expect(Object.keys(call?.signals ?? {})).toEqual(["response.duration", "response.error"]);
  });

  it("counts what is no number as invalid, and nothing negative", () => {
    const attributes = {
      ...CHAT,
      "gen_ai.usage.input_tokens": "many",
      "gen_ai.usage.output_tokens": -3,
      "gen_ai.response.time_to_first_chunk": Number.POSITIVE_INFINITY,
    };
    expect(readOne(attributes)).toEqual({
      kind: "call",
      invalid: 3,
      signals: { "response.duration": [1], "response.error": ["no"] },
    });
  });

  it("that failed is an event of the rate of errors", () => {
    expect(readOne(CHAT, { error: true })?.signals["response.error"]).toEqual(["yes"]);
    const level = { "langfuse.observation.level": "ERROR" };
    const free = { "langfuse.observation.cost_details": '{"input":0,"output":0,"total":0}' };
    const { signals } = readOne({ ...CHAT, ...level, ...free }) ?? {};
    expect(signals).toEqual({ "response.duration": [1], "response.error": ["yes"] });
  });
});

describe("an attempt at a call that its library may make again", () => {
  const around = { "ai.operationId": "ai.generateText", "ai.model.id": "gpt" };
  const attempt = { "ai.operationId": "ai.generateText.doGenerate", "ai.model.id": "gpt" };
  const used = { "ai.usage.inputTokens": 120 };
  const whole: CallSpan = { id: 1, attributes: { ...around, ...used } };
  const failed: CallSpan = { id: 2, parent: 1, toMs: 300, error: true, attributes: attempt };
  const succeeded: CallSpan = { id: 3, parent: 1, attributes: { ...attempt, ...used } };

  it("is no call when the next one succeeds", () => {
    const read = callReading().read([failed, succeeded, whole]);
    expect(read.map(({ kind }) => kind)).toEqual(["attempt", "call", "none"]);
    expect(read[0]?.signals).toEqual({});
    expect(read[1]?.signals["response.error"]).toEqual(["no"]);
  });

  it("is one call that failed, when no attempt has succeeded", () => {
    const ended = { ...whole, error: true };
    const read = callReading().read([failed, { ...failed, id: 4, fromMs: 100 }, ended]);
    expect(read.map(({ kind }) => kind)).toEqual(["attempt", "attempt", "call"]);
    expect(read[2]?.signals).toEqual({ "response.duration": [0.2], "response.error": ["yes"] });
    // What fails for another reason is no call.
    const none = { kind: "none", signals: {} };
    expect(callReading().read([succeeded, ended])[1]).toEqual(none);
    expect(callReading().read([failed, succeeded, ended])[2]).toEqual(none);
  });

  it("is remembered within bounds", () => {
    const { read } = callReading();
    read(Array.from({ length: 5000 }, (_, trace) => ({ ...failed, trace: trace + 1 })));
    const [first, last] = read([1, 5000].map((trace) => ({ ...whole, trace, error: true })));
    expect([first?.kind, last?.kind]).toEqual(["none", "call"]);
  });
});

describe("Anthropic's input tokens", () => {
  const raw = {
    ...CHAT,
    "gen_ai.provider.name": "anthropic",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 30,
    "gen_ai.usage.cache_read.input_tokens": 20,
  };
  const input = (attributes: CallSpan["attributes"], scope: string) =>
    readOne(attributes, { scope })?.signals["usage.input_tokens"];

  it("get what was cached added where a library passes them on as they are", () => {
    expect(input(raw, "@traceloop/instrumentation-anthropic")).toEqual([120]);
    const more = { ...raw, "gen_ai.usage.cache_read.input_tokens": 2000 };
    expect(input(more, "somebody else")).toEqual([2100]);
    expect(input({ ...raw, "gen_ai.usage.total_tokens": 150 }, "somebody else")).toEqual([120]);
  });

  it("stay as they are where a library has added it, as OpenAI does", () => {
    expect(input(raw, "com.anthropic.sdk.typescript")).toEqual([100]);
    const openAi = { ...raw, "gen_ai.provider.name": "openai" };
    expect(input({ ...openAi, "gen_ai.usage.total_tokens": 130 }, "x")).toEqual([100]);
  });
});

describe("what repeats the usage of the calls below it", () => {
  it.each([
    { "gen_ai.operation.name": "invoke_agent" },
    { "gen_ai.operation.name": "invoke_workflow" },
    { "ai.operationId": "ai.generateText" },
    { "ai.operationId": "ai.streamText" },
    { "openinference.span.kind": "AGENT" },
    { "openinference.span.kind": "CHAIN" },
    { "traceloop.span.kind": "workflow" },
    { "langfuse.observation.type": "agent" },
    { "gen_ai.operation.name": "chat", "openinference.span.kind": "AGENT" },
  ])("is no call: %o", (kind) => {
    const repeated = { "gen_ai.request.model": "gpt", ...USAGE, ...kind };
    expect(readOne(repeated)).toEqual({ kind: "none", signals: {} });
  });
});

describe("a call that two instrumentations report", () => {
  const outer: CallSpan = { id: 1, scope: "a", toMs: 900, attributes: { ...CHAT, ...USAGE } };
  const inner: CallSpan = { ...outer, id: 2, parent: 1, scope: "b", fromMs: 10, toMs: 890 };
  const kinds = (spans: CallSpan[]) =>
    callReading()
      .read(spans)
      .map(({ kind }) => kind);

  it("counts once, whichever report comes first", () => {
    expect(kinds([inner, outer])).toEqual(["call", "duplicate"]);
    expect(kinds([outer, inner])).toEqual(["call", "duplicate"]);
  });

  it("takes from the second report only what the first left out", () => {
    const timed = { ...inner.attributes, "gen_ai.response.time_to_first_chunk": 0.25 };
    const [, second] = callReading().read([outer, { ...inner, attributes: timed }]);
    expect(second?.signals).toEqual({ "response.time_to_first_token": [0.25] });
  });

  it("is known by the response id, and by lasting within the other under the same parent", () => {
    const id = { "gen_ai.response.id": "chatcmpl-7" };
    const far = { ...inner, parent: 99, attributes: { ...inner.attributes, ...id } };
    const known = { ...outer, attributes: { ...outer.attributes, ...id } };
    expect(kinds([known, far])).toEqual(["call", "duplicate"]);
    expect(
      kinds([
        { ...outer, parent: 99 },
        { ...inner, parent: 99 },
      ]),
    ).toEqual(["call", "duplicate"]);
  });

  it("is not confused with other calls of the trace", () => {
    const sibling = { ...outer, id: 3, parent: 99 };
    const apart = { ...inner, parent: 99, fromMs: 2000, toMs: 2500 };
    const parallel = { ...inner, parent: 99, scope: "a" };
    const elsewhere = { ...inner, trace: 2 };
    expect(kinds([sibling, apart, parallel])).toEqual(["call", "call", "call"]);
    expect(kinds([outer, elsewhere])).toEqual(["call", "call"]);
  });

  it("is known by ours, which reports every call: within it, of the same model, wherever", () => {
    const ours = { ...outer, scope: "@tidemark/instrumentation", parent: 98 };
    const theirs = { ...inner, parent: 99, error: true };
    expect(kinds([theirs, ours])).toEqual(["call", "duplicate"]);
    // Two at once that two report are two, whichever belong together.
    const second = { ...ours, id: 3, fromMs: 5, toMs: 895 };
    const third = { ...theirs, id: 4 };
    expect(kinds([theirs, third, ours, second])).toEqual([
      "call",
      "call",
      "duplicate",
      "duplicate",
    ]);
    // Of a service that calls the same model meanwhile.
    const answered = ([span, id]: [CallSpan, string]) => {
      return { ...span, attributes: { ...span.attributes, "gen_ai.response.id": id } };
    };
    const apart: [CallSpan, string][] = [
      [theirs, "chatcmpl-1"],
      [ours, "chatcmpl-2"],
    ];
    expect(kinds(apart.map(answered))).toEqual(["call", "call"]);
    expect(kinds([theirs, answered([ours, "chatcmpl-2"])])).toEqual(["call", "duplicate"]);
    const other = { ...theirs, attributes: { ...CHAT, "gen_ai.response.model": "x" } };
    expect(kinds([ours, { ...other, toMs: 950 }])).toEqual(["call", "call"]);
  });

  it("is one in a chain of wrappers of one scope, from either end, but not beside it", () => {
    const middle = { ...inner, scope: "a" };
    const last = { ...middle, id: 3, parent: 2 };
    const chain = ["call", "duplicate", "duplicate"];
    expect(kinds([last, middle, outer])).toEqual(chain);
    expect(kinds([outer, middle, last])).toEqual(chain);
    expect(kinds([outer, middle, { ...last, parent: 1 }])).toEqual(["call", "duplicate", "call"]);
  });

  it("is the one that ended when the report of the other did", () => {
    const failed = { ...inner, toMs: 20, error: true, attributes: CHAT };
    const again = { ...inner, id: 3, fromMs: 500, attributes: { ...CHAT, ...USAGE } };
    const read = callReading().read([failed, again, outer]);
    expect(read.map(({ kind }) => kind)).toEqual(["call", "call", "duplicate"]);
    expect(read[2]?.signals).toEqual({});
  });

  it("is remembered within bounds", () => {
    const { read } = callReading();
    const many = Array.from({ length: 5000 }, (_, trace) => ({ ...outer, trace: trace + 1 }));
    expect(read(many).every(({ kind }) => kind === "call")).toBe(true);
    expect(read([{ ...inner, trace: 5000 }])[0]?.kind).toBe("duplicate");
    expect(read([{ ...inner, trace: 1 }])[0]?.kind).toBe("call");
  });
});

describe("costs and tenants", () => {
  it("are added up by tenant and currency, dollars unless said otherwise", () => {
    const { read, model } = callReading();
    const tenant = (name: string) => ({ ...CHAT, ...USAGE, "ml.tenant": name });
    read([
      { id: 1, attributes: { ...tenant("ada"), "gen_ai.usage.cost.amount": 0.5 } },
      {
        id: 2,
        attributes: {
          ...tenant("ada"),
          "gen_ai.usage.cost.amount": 0.25,
          "gen_ai.usage.cost.currency": "eur",
        },
      },
      { id: 3, attributes: { ...tenant("bob"), "llm.cost.prompt": 1, "llm.cost.completion": 2 } },
      {
        id: 4,
        attributes: {
          ...tenant("bob"),
          "gen_ai.usage.cost": 4,
          "gen_ai.usage.cost.currency": "\n",
        },
      },
    ]);
    expect(model.costs.items()).toEqual([
      ["ada", "USD", 0.5],
      ["ada", "EUR", 0.25],
      ["bob", "USD", 7],
    ]);
    expect(model.tokens.items()).toEqual([
      ["ada", "input", 240],
      ["ada", "output", 60],
      ["bob", "input", 240],
      ["bob", "output", 60],
    ]);
  });

  it("share a place when there are too many tenants, or one has too long a name", () => {
    const { read, model } = callReading();
    const spans = Array.from({ length: 10_010 }, (_, id) => ({
      id: id + 1,
      attributes: { ...CHAT, ...USAGE, "ml.tenant": `t${id}` },
    }));
    read(spans);
    read([{ id: 99_999, attributes: { ...CHAT, ...USAGE, "ml.tenant": "x".repeat(300) } }]);
    const items = model.tokens.items();
    expect(items.length).toBe(2 * 10_001);
    expect(items.find(([tenant]) => tenant === "(other)")).toEqual(["(other)", "input", 1320]);
  });
});

describe("retrievals", () => {
  it("have a number of documents and the score of each, in every dialect", () => {
    const signals = { "retrieval.documents": [2], "retrieval.score": [0.9, 0.7] };
    const openInference = {
      "openinference.span.kind": "RETRIEVER",
      "retrieval.documents.0.document.id": "a",
      "retrieval.documents.0.document.score": 0.9,
      "retrieval.documents.0.document.content": "text",
      "retrieval.documents.1.document.score": 0.7,
    };
    const documents = JSON.stringify([
      { id: "a", score: 0.9 },
      { id: "b", score: 0.7 },
    ]);
    const genAi = {
      "gen_ai.operation.name": "retrieval",
      "gen_ai.data_source.id": "docs",
      "gen_ai.retrieval.documents": documents,
    };
    expect(readOne(openInference)?.signals).toMatchObject(signals);
    expect(readOne(genAi)?.signals).toMatchObject(signals);
    const found = [0.9, 0.7].map((score) => ({
      name: "db.query.result",
      attributes: { "db.query.result.score": score, "db.query.result.id": "x" },
    }));
    expect(readOne({}, { events: found })?.signals).toMatchObject(signals);
  });

  it("count documents without scores, and lists that hold none", () => {
    const none = { "gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": "[]" };
    expect(readOne(none)?.signals["retrieval.documents"]).toEqual([0]);
    const structured = {
      "gen_ai.operation.name": "retrieval",
      "gen_ai.retrieval.documents": [{ id: "a" }, { id: "b" }, { id: "c" }],
    };
    expect(readOne(structured)?.signals["retrieval.documents"]).toEqual([3]);
  });
});

describe("evaluations", () => {
  const event = (name: string, value: number, more = {}) => ({
    name: "gen_ai.evaluation.result",
    attributes: {
      "gen_ai.evaluation.name": name,
      "gen_ai.evaluation.score.value": value,
      ...more,
    },
  });

  it("are read from attributes and from events, of any span", () => {
    const ofSpan = {
      "openinference.span.kind": "EVALUATOR",
      "evaluation.name": "relevance",
      "evaluation.score": 0.8,
      "evaluation.label": "good",
    };
    expect(readOne(ofSpan)).toEqual({
      kind: "none",
      signals: {},
      said: [{ name: "relevance", score: 0.8, label: "good", names: [] }],
    });
    const events = [event("faithful", 0), event("polite", 0.5)];
    expect(readOne(CHAT, { events })?.said).toEqual([
      { name: "faithful", score: 0, label: undefined, names: [] },
      { name: "polite", score: 0.5, label: undefined, names: [] },
    ]);
  });

  it("name another call by the id of its response or prediction, and a call's own is no other", () => {
    const named = { "gen_ai.response.id": "chatcmpl-7", "ml.prediction.id": "p-1" };
    const names = ["chatcmpl-7", "p-1"];
    const attributes = { "gen_ai.evaluation.name": "x", "gen_ai.evaluation.score.value": 1 };
    expect(readOne({ ...attributes, ...named })?.said).toMatchObject([{ names }]);
    const judged = { events: [event("x", 1, named)] };
    expect(readOne(CHAT, judged)?.said).toMatchObject([{ names }]);
    const own = readOne({ ...CHAT, ...named }, { events: [event("x", 1)] });
    expect(own?.said).toMatchObject([{ names: [] }]);
  });

  it("keep a few of the ids that they name, however many there are", () => {
    const ids = (kind: string) => Array.from({ length: 200 }, (_, at) => `${kind}${at}`);
    const named = { "gen_ai.response.id": ids("r"), "ml.prediction.id": ids("p") };
    const names = ["r0", "r1", "p0", "p1"];
    const judged = { events: [event("x", 1, named)] };
    expect(readOne(CHAT, judged)?.said).toMatchObject([{ names }]);
  });

  it("without a number or a word are none, and counted as invalid", () => {
    const events = [event("x", Number.NaN), event("y", Number.POSITIVE_INFINITY)];
    expect(readOne(CHAT, { events })).toMatchObject({ kind: "call", invalid: 2 });
    expect(readOne(CHAT, { events })?.said).toBeUndefined();
  });
});
