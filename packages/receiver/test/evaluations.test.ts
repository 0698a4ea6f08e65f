/** What is said of answers counts where the answers count: over real HTTP and gRPC, late or early. */
import { cp, rm } from "node:fs/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { LogsRequest } from "../src/otlp/schema.ts";
import type { CallSpan } from "./call-spans.ts";
import { encodeCalls } from "./call-spans.ts";
import { grpcClient } from "./grpc-client.ts";
import { startSink } from "./otlp-sink.ts";
import { post, START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

const EXPORT_LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const MINUTE_MS = 60_000;
const WITH_LOGS = "service: { pipelines: { logs: { receivers: [otlp] } } }\n";
const RESULTS = "gen_ai_evaluation_results_total";
const OUTCOMES = "tidemark_receiver_evaluations_total";

async function receiverWith(yaml = WITH_LOGS, storage?: string) {
  const receiver = await startReceiver(yaml, storage);
  let running = true;
  const stop = async () => {
    if (running) await receiver.shutdown();
    running = false;
  };
  onTestFinished(stop);
  const traces = (spans: readonly CallSpan[]) =>
    post(`${receiver.otlp}/v1/traces`, encodeCalls(spans));
  return { ...receiver, stop, traces };
}

/** A call of `gpt` in a trace of its own. */
function call(id: number, more: Readonly<Record<string, string | number>> = {}): CallSpan {
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5,
    ...more,
  };
  return { id, trace: id, attributes };
}

/** What `recordFeedback` of the instrumentation writes: a span of its own with one event. */
function feedback(id: number, of: string, said: Readonly<Record<string, string | number>>) {
  return {
    id,
    trace: id,
    attributes: { "ml.prediction.id": of },
    events: [{ name: "gen_ai.evaluation.result", atMs: 2000, attributes: attributesOf(said) }],
  };
}

function attributesOf({ name, ...said }: Readonly<Record<string, string | number>>) {
  return Object.fromEntries([
    ["gen_ai.evaluation.name", name as string],
    ...Object.entries(said).map(([key, value]) => [`gen_ai.evaluation.score.${key}`, value]),
  ]);
}

const hex = (id: number, bytes: number) => id.toString(16).padStart(2 * bytes, "0");

/** An evaluation as a record of a log, in the context of a span where there is one. */
function logRecord(
  said: Readonly<Record<string, string | number>>,
  { trace, span, of }: { trace?: number; span?: number; of?: string },
) {
  const attributes = {
    ...attributesOf(said),
    ...(of !== undefined && { "gen_ai.response.id": of }),
  };
  return {
    timeUnixNano: `${START_MS + 3000}000000`,
    eventName: "gen_ai.evaluation.result",
    ...(trace !== undefined && { traceId: hex(trace, 16), spanId: hex(span ?? trace, 8) }),
    attributes: Object.entries(attributes).map(([key, value]) => {
      const any = typeof value === "number" ? { doubleValue: value } : { stringValue: value };
      return { key, value: any };
    }),
  };
}

function logsJson(...logRecords: readonly object[]): string {
  const other = { body: { stringValue: "gen_ai.evaluation.name is no event" } };
  return JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [other, ...logRecords] }] }],
  });
}

/** The same in binary, with ids as bytes. */
function logsBinary(...logRecords: readonly object[]): Uint8Array {
  const bytes = (text: string) => Buffer.from(text, "hex");
  const records = logRecords.map((record) => {
    const { traceId, spanId, ...rest } = record as { traceId?: string; spanId?: string };
    if (traceId === undefined || spanId === undefined) return rest;
    return { ...rest, traceId: bytes(traceId), spanId: bytes(spanId) };
  });
  const request = { resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] };
  return LogsRequest.encode(LogsRequest.fromObject(request)).finish();
}

const results = (name: string, label: string, prompt = "", model = "gpt") =>
  `{model_name="${model}",model_version="",prompt_version="${prompt}",` +
  `evaluation_name="${name}",evaluation_label="${label}"}`;

describe("what is said of an answer", () => {
  it("counts for what any report of the call knows, whichever report it names", async () => {
    const receiver = await receiverWith();
    await receiver.traces([
      call(1),
      { ...call(1, { "gen_ai.prompt.version": "v1" }), id: 2, parent: 1, scope: "other" },
    ]);
    await receiver.traces([
      feedback(11, `00-${hex(1, 16)}-${hex(1, 8)}-01`, { name: "thumbs", label: "up" }),
      feedback(12, `00-${hex(1, 16)}-${hex(2, 8)}-01`, { name: "thumbs", label: "up" }),
      feedback(13, hex(1, 16), { name: "thumbs", label: "up" }),
    ]);
    await receiver.settled();
    expect(await receiver.metric(RESULTS)).toEqual({ [results("thumbs", "up", "v1")]: 3 });
  });

  it("counts for its model and prompt version, whichever way it names the answer", async () => {
    const receiver = await receiverWith();
    await receiver.traces([
      call(1, { "gen_ai.response.id": "chatcmpl-1", "gen_ai.prompt.version": "v1" }),
      call(2, { "ml.prediction.id": "p-2", "gen_ai.prompt.version": "v2" }),
      call(3),
    ]);
    const judged = { name: "relevance", value: 0.8, label: "good" };
    await receiver.traces([
      feedback(11, "chatcmpl-1", { name: "thumbs", label: "up" }),
      feedback(12, "p-2", { name: "thumbs", label: "down" }),
      feedback(13, hex(3, 16), { name: "copied", label: "yes" }),
      feedback(14, `00-${hex(3, 16)}-${hex(3, 8)}-01`, { name: "edited", label: "yes" }),
      // A judge's own span below the call, as OpenInference has it.
      {
        id: 15,
        trace: 3,
        parent: 3,
        attributes: { "openinference.span.kind": "EVALUATOR", ...attributesOf(judged) },
      },
      // A judge that is a call itself, and says whom it judges.
      {
        ...call(16, { "gen_ai.request.model": "judge" }),
        events: [
          {
            name: "gen_ai.evaluation.result",
            attributes: { ...attributesOf(judged), "gen_ai.response.id": "chatcmpl-1" },
          },
        ],
      },
      // The call's own span says it.
      {
        ...call(17),
        events: [{ name: "gen_ai.evaluation.result", attributes: attributesOf(judged) }],
      },
    ]);
    expect(await receiver.metric(RESULTS)).toEqual({
      [results("thumbs", "up", "v1")]: 1,
      [results("thumbs", "down", "v2")]: 1,
      [results("copied", "yes")]: 1,
      [results("edited", "yes")]: 1,
      [results("relevance", "good")]: 2,
      [results("relevance", "good", "v1")]: 1,
    });
    const scores = await receiver.metric("gen_ai_evaluation_score_sum");
    const labels =
      '{model_name="gpt",model_version="",prompt_version="",evaluation_name="relevance"}';
    expect(scores[labels]).toBeCloseTo(1.6, 12);
    expect(await receiver.metric(OUTCOMES)).toMatchObject({ '{outcome="joined"}': 7 });
    expect(await receiver.metric("tidemark_receiver_evaluations_waiting")).toEqual({ "": 0 });
    // Nobody has a model called like the service that only passes feedback on.
    const requests = Object.keys(await receiver.metric("ml_prediction_requests_total"));
    expect(requests.filter((one) => !/"(?:gpt|judge)"/.test(one))).toEqual([]);
  });

  it("may come as a log record: protobuf and JSON, HTTP and gRPC, by span or by response", async () => {
    const receiver = await receiverWith();
    const client = grpcClient(receiver.grpc);
    onTestFinished(() => client.close());
    await receiver.traces([call(1, { "gen_ai.response.id": "chatcmpl-1" }), call(2)]);
    const url = `${receiver.otlp}/v1/logs`;
    const json = logsJson(logRecord({ name: "a", value: 1 }, { trace: 2 }));
    const answer = await post(url, json, { "content-type": "application/json" });
    expect([answer.status, await answer.json()]).toEqual([200, {}]);
    const byResponse = logsBinary(logRecord({ name: "b", label: "up" }, { of: "chatcmpl-1" }));
    expect((await post(url, byResponse)).status).toBe(200);
    const called = logsBinary(logRecord({ name: "c", label: "up" }, { trace: 2 }));
    expect(await client.call(called, { path: EXPORT_LOGS })).toMatchObject({ code: 0 });
    // Delivered again, it is the same.
    expect((await post(url, byResponse)).status).toBe(200);
    expect(await receiver.metric(RESULTS)).toEqual({
      [results("a", "")]: 1,
      [results("b", "up")]: 1,
      [results("c", "up")]: 1,
    });
    // Records are no spans.
    expect(await receiver.metric("tidemark_receiver_spans_total")).toMatchObject({
      '{outcome="accepted"}': 2,
    });
  });

  it("waits for its call when it comes first, and counts for its service when none comes", async () => {
    const receiver = await receiverWith("processors: { observe: { evaluationWait: 5m } }\n");
    await receiver.traces([
      feedback(11, "early", { name: "thumbs", label: "up" }),
      feedback(12, "nobody", { name: "thumbs", label: "up" }),
    ]);
    expect(await receiver.metric("tidemark_receiver_evaluations_waiting")).toEqual({ "": 2 });
    expect(await receiver.metric(RESULTS)).toEqual({});
    receiver.clock.nowMs += 4 * MINUTE_MS;
    await receiver.traces([call(1, { "gen_ai.response.id": "early" })]);
    expect(await receiver.metric(RESULTS)).toEqual({ [results("thumbs", "up")]: 1 });
    receiver.clock.nowMs += 2 * MINUTE_MS;
    await receiver.traces([call(2)]);
    expect(await receiver.metric(RESULTS)).toEqual({
      [results("thumbs", "up")]: 1,
      [results("thumbs", "up", "", "unknown_service")]: 1,
    });
    expect(await receiver.metric(OUTCOMES)).toEqual({
      '{outcome="joined"}': 1,
      '{outcome="unjoined"}': 1,
      '{outcome="without_call"}': 0,
    });
  });

  it("finds its call hours later, as long as that is among the last recentCalls", async () => {
    const receiver = await receiverWith("processors: { observe: { recentCalls: 100 } }\n");
    await receiver.traces([call(1, { "gen_ai.response.id": "first" })]);
    await receiver.traces(
      Array.from({ length: 99 }, (_, index) =>
        call(100 + index, { "gen_ai.response.id": `r${index}` }),
      ),
    );
    receiver.clock.nowMs += 6 * 60 * MINUTE_MS;
    await receiver.traces([feedback(11, "first", { name: "thumbs", label: "up" })]);
    expect(await receiver.metric(RESULTS)).toEqual({ [results("thumbs", "up")]: 1 });
    await receiver.traces(Array.from({ length: 200 }, (_, index) => call(300 + index)));
    await receiver.traces([feedback(12, "first", { name: "thumbs", label: "up" })]);
    expect(await receiver.metric(RESULTS)).toEqual({ [results("thumbs", "up")]: 1 });
    expect(await receiver.metric("tidemark_receiver_evaluations_waiting")).toEqual({ "": 1 });
  });

  it("is bounded in what waits: the oldest gives way", async () => {
    const receiver = await receiverWith("");
    for (let from = 0; from < 10_100; from += 1010) {
      await receiver.traces(
        Array.from({ length: 1010 }, (_, index) => {
          const id = from + index + 1;
          return feedback(id, `nobody-${id}`, { name: "thumbs", label: "up" });
        }),
      );
    }
    expect(await receiver.metric("tidemark_receiver_evaluations_waiting")).toEqual({ "": 10_000 });
    expect(await receiver.metric(OUTCOMES)).toMatchObject({ '{outcome="unjoined"}': 100 });
  });

  it.each(["a shutdown", "a crash"])("survives %s: calls, what waits, and counts", async (end) => {
    const [storage, copy] = [storageFolder(), storageFolder()];
    onTestFinished(async () => {
      for (const folder of [storage, copy]) await rm(folder, { recursive: true, force: true });
    });
    const yaml = "service: { storage: { checkpoint: 100ms } }\n";
    const before = await receiverWith(yaml, storage);
    const version = { "gen_ai.prompt.version": "v1" };
    await before.traces([call(1, { "gen_ai.response.id": "one", ...version })]);
    await before.traces([
      feedback(11, "one", { name: "thumbs", label: "up" }),
      feedback(12, "two", { name: "thumbs", label: "up" }),
    ]);
    if (end === "a shutdown") await before.stop();
    else await cp(storage, copy, { recursive: true });
    await before.stop();
    const after = await receiverWith(yaml, end === "a shutdown" ? storage : copy);
    expect(await after.metric(RESULTS)).toEqual({ [results("thumbs", "up", "v1")]: 1 });
    expect(await after.metric("tidemark_receiver_evaluations_waiting")).toEqual({ "": 1 });
    await after.traces([
      call(2, { "gen_ai.response.id": "two" }),
      feedback(13, "one", { name: "thumbs", label: "down" }),
      // The same span as before the end.
      feedback(11, "one", { name: "thumbs", label: "up" }),
    ]);
    expect(await after.metric(RESULTS)).toEqual({
      [results("thumbs", "up", "v1")]: 1,
      [results("thumbs", "down", "v1")]: 1,
      [results("thumbs", "up")]: 1,
    });
    expect(await after.metric(OUTCOMES)).toMatchObject({ '{outcome="joined"}': 3 });
  });
});

describe("logs", () => {
  it("that are received go on as they came, and bad ones are refused", async () => {
    const sink = await startSink();
    onTestFinished(() => sink.close());
    const receiver = await receiverWith(`exporters:
  otlp_http/all: { endpoint: "${sink.url}" }
service: { pipelines: { logs: { receivers: [otlp], exporters: [otlp_http/all] } } }
`);
    const url = `${receiver.otlp}/v1/logs`;
    const body = logsBinary(logRecord({ name: "a", label: "up" }, { trace: 2 }));
    expect((await post(url, body)).status).toBe(200);
    await expect.poll(() => sink.deliveries.map(({ path }) => path)).toEqual(["/v1/logs"]);
    expect(sink.deliveries[0]?.body.equals(body)).toBe(true);
    for (const bad of [encodeCalls([call(1)]), body.subarray(0, body.length - 1)]) {
      const answer = await post(url, bad);
      expect(answer.status).toBe(400);
    }
    const json = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"xyz"}]}]}]}';
    const answer = await post(url, json, { "content-type": "application/json" });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      message: expect.stringContaining("resourceLogs[0].scopeLogs[0].logRecords[0].traceId"),
    });
  });

  it("with values nested as deeply as is allowed are read, and deeper ones are refused", async () => {
    const receiver = await receiverWith();
    const within = (tag: number, inner: Buffer): Buffer => {
      const lengths: number[] = [];
      for (let rest = inner.length; ; rest >>>= 7) {
        lengths.push(rest > 127 ? (rest & 127) | 128 : rest);
        if (rest <= 127) return Buffer.concat([Buffer.of(tag, ...lengths), inner]);
      }
    };
    // AnyValue.array_value, ArrayValue.values: two messages a level.
    const nested = (depth: number): Buffer =>
      depth === 0 ? Buffer.alloc(0) : within(0x2a, within(0x0a, nested(depth - 1)));
    const statuses = new Set<number>();
    for (let depth = 30; depth < 60; depth++) {
      // Three messages around a record, whose body is field 5, beside an evaluation.
      const deep = within(0x0a, within(0x12, within(0x12, within(0x2a, nested(depth)))));
      const body = Buffer.concat([logsBinary(logRecord({ name: "a", label: "up" }, {})), deep]);
      statuses.add((await post(`${receiver.otlp}/v1/logs`, body)).status);
    }
    expect(statuses).toEqual(new Set([200, 400]));
  });
});

describe("feedback that changes", () => {
  it("is a drift of the model and of the prompt version that it is about, and of no other", async () => {
    const receiver = await receiverWith(
      "processors: { learn: { samples: 500, span: 0s }, evaluate: { windows: [5m], ladder: 1, dependence: none } }\n",
    );
    let id = 1000;
    const minutes = async (count: number, downs: Readonly<Record<string, number>>) => {
      for (let minute = 0; minute < count; minute++) {
        receiver.clock.nowMs += MINUTE_MS;
        const atMs = receiver.clock.nowMs - START_MS - 10_000;
        const times = { fromMs: atMs - 1000, toMs: atMs };
        const spans = Object.entries(downs).flatMap(([version, every]) =>
          Array.from({ length: 150 }, (_, index): CallSpan[] => {
            const of = id++;
            const label = index % 10 < every ? "down" : "up";
            const said = feedback(id++, hex(of, 16), { name: "thumbs", label });
            const events = said.events.map((event) => ({ ...event, atMs }));
            return [
              { ...call(of, { "gen_ai.prompt.version": version }), ...times },
              { ...said, ...times, events },
            ];
          }).flat(),
        );
        expect((await receiver.traces(spans)).status).toBe(200);
      }
    };
    await minutes(15, { v1: 1, v2: 1 });
    await minutes(15, { v1: 1, v2: 6 });
    await receiver.settled();
    const states = Object.fromEntries(
      (await receiver.verdicts())
        .filter(({ signal }) => signal === "evaluation.label.thumbs")
        .map(({ segment, state }) => [segment, state]),
    );
    expect(states).toEqual({
      "": "drifted",
      "prompt_version=v1": "stable",
      "prompt_version=v2": "drifted",
    });
  });
});
