import { createTraceState, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Deliveries } from "../src/deliveries.js";
import { DirectSpanProcessor } from "../src/otlp/direct-span-processor.js";
import { OtlpSender } from "../src/otlp/otlp-sender.js";
import { batchSettings, senderSettings } from "../src/otlp/otlp-settings.js";
import { ownSpans } from "../src/otlp/own-span.js";
import type { SinkAnswer } from "./otlp-sink.js";
import { startSink } from "./otlp-sink.js";
import { decodeTraceRequest } from "./trace-request.js";

/** What is complained of goes straight to the file descriptor. */
let told: string[] = [];

vi.mock("../src/complain.js", async (original) => ({
  ...(await original<object>()),
  complain: (line: string) => told.push(line),
}));

beforeEach(() => {
  told = [];
});
let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});

async function start(respond?: () => SinkAnswer, env: Record<string, string> = {}) {
  const sink = await startSink(respond);
  closing.push(() => sink.close());
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env };
  const settings = senderSettings(all);
  if (!settings) throw new Error("no settings");
  const deliveries = new Deliveries("the sink");
  const sender = new OtlpSender(settings, deliveries);
  const processor = new DirectSpanProcessor(batchSettings(all, 1000), sender, deliveries);
  processor.onStart({ resource: resourceFromAttributes({ "service.name": "s" }) });
  const spans = ownSpans(processor);
  const end = (count: number, attributes = {}) => {
    for (let index = 0; index < count; index++) {
      spans.startSpan(`span ${index}`, { attributes: { ...attributes } }, ROOT_CONTEXT).end();
    }
  };
  return { sink, processor, end, spans };
}

describe("spans go out", () => {
  test("as one body, with what the variables say", async () => {
    const { sink, processor, end } = await start(undefined, {
      OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=a%20b,x-other=1",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-other=2",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    });
    end(100, { a: 1 });
    await processor.forceFlush();
    expect(sink.spans()).toHaveLength(100);
    expect(sink.spans()[0]).toMatchObject({
      name: "span 0",
      scope: "@tidemark/instrumentation",
      kind: 1,
      attributes: { a: 1 },
      resource: { "service.name": "s" },
    });
    expect(sink.headers[0]).toMatchObject({
      "x-api-key": "a b",
      "x-other": "2",
      "content-encoding": "gzip",
      "content-type": "application/x-protobuf",
    });
    expect(new Set(sink.spans().map(({ spanId }) => spanId)).size).toBe(100);
  });

  test("when a batch is full, without being asked", async () => {
    const { sink, end } = await start();
    end(512);
    await expect.poll(() => sink.spans().length).toBe(512);
  });

  test("after a while, when it is not", async () => {
    const { sink, end } = await start(undefined, { OTEL_BSP_SCHEDULE_DELAY: "20" });
    end(3);
    await expect.poll(() => sink.spans().length).toBe(3);
  });

  test("from an app that never lets the event loop turn, as far as eight requests go", async () => {
    const { sink, processor, end } = await start();
    end(20_000);
    await processor.forceFlush();
    // 8 requests of 2,048 spans at most; what came while they were under way is lost, and told.
    expect(sink.spans().length).toBe(8 * 2048);
    expect(told).toEqual([
      "2048 spans so far could not be sent to the sink (it does not keep up); the app is unharmed",
      "the sink takes spans again; 3616 spans were lost until now",
    ]);
  });

  test("but none of more than 2 MB, and not those beside it", async () => {
    const { sink, processor, end } = await start();
    end(1, { small: 1 });
    end(1, { text: "x".repeat(3_000_000) });
    end(1, { small: 2 });
    await processor.forceFlush();
    expect(sink.spans().map(({ attributes }) => attributes["small"])).toEqual([1, 2]);
    expect(told).toEqual([
      "1 span so far could not be sent to the sink (a span of more than 2 MB); " +
        "the app is unharmed",
    ]);
  });

  test("as children of their context's span, and not below one that is not sampled", async () => {
    const { sink, processor, spans } = await start();
    const parent = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    const below = (traceFlags: number) =>
      trace.setSpanContext(ROOT_CONTEXT, { ...parent, traceFlags, isRemote: true });
    spans.startSpan("recorded", {}, below(1)).end();
    const silent = spans.startSpan("silent", {}, below(0));
    silent.end();
    expect(silent.isRecording()).toBe(false);
    expect(silent.spanContext()).toMatchObject({ traceId: parent.traceId, traceFlags: 0 });
    await processor.forceFlush();
    expect(sink.spans()).toHaveLength(1);
    expect(sink.spans()[0]).toMatchObject({
      name: "recorded",
      traceId: parent.traceId,
      parentSpanId: parent.spanId,
    });
  });

  test("with the ids that their context says, asked for or not, and the times given", async () => {
    const { sink, processor, spans } = await start();
    const remote = {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      traceFlags: 1,
      isRemote: true,
      traceState: createTraceState("vendor=1"),
    };
    const startTime: [number, number] = [1_794_000_000, 123_456_000];
    const outer = spans.startSpan("outer", {}, trace.setSpanContext(ROOT_CONTEXT, remote));
    const inner = spans.startSpan("inner", { startTime }, trace.setSpan(ROOT_CONTEXT, outer));
    inner.end([1_794_000_001, 5_000_000]);
    outer.end();
    const root = spans.startSpan("root", {}, ROOT_CONTEXT);
    root.end(startTime);
    await processor.forceFlush();
    const sent = sink.spans();
    expect(sent.map(({ name }) => name)).toEqual(["inner", "outer", "root"]);
    for (const [index, span] of [inner, outer, root].entries()) {
      const { traceId, spanId } = span.spanContext();
      expect(sent[index]).toMatchObject({ traceId, spanId });
    }
    expect(sent[0]?.parentSpanId).toBe(outer.spanContext().spanId);
    expect(sent[1]?.parentSpanId).toBe(remote.spanId);
    expect(inner.spanContext().traceId).toBe(remote.traceId);
    expect(inner.spanContext().traceState?.serialize()).toBe("vendor=1");
    expect(root.spanContext().traceId).toMatch(/^[0-9a-f]{32}$/);
    const [{ scopeSpans }] = decodeTraceRequest(sink.bodies[0] as Buffer)["resourceSpans"] as [
      { scopeSpans: [{ spans: Record<string, unknown>[] }] },
    ];
    const [first, second, third] = scopeSpans[0].spans;
    expect(first).toMatchObject({ traceState: "vendor=1", flags: 0x101 });
    expect(second).toMatchObject({ traceState: "vendor=1", flags: 0x301 });
    // A double of milliseconds since 1970 is exact to a quarter of a microsecond.
    expect(Number(first?.["startTimeUnixNano"])).toBeCloseTo(1_794_000_000_123_456_000, -3);
    expect(Number(first?.["endTimeUnixNano"])).toBeCloseTo(1_794_000_001_005_000_000, -3);
    // No span ends before it starts.
    expect(third?.["endTimeUnixNano"]).toBe(third?.["startTimeUnixNano"]);
  });
});

describe("an endpoint that", () => {
  test("asks to come back later gets the batch later", async () => {
    let asked = 0;
    const { sink, processor, end } = await start(() =>
      ++asked === 1 ? { status: 503, headers: { "retry-after": "0" } } : 200,
    );
    end(5);
    await processor.forceFlush();
    expect(sink.spans()).toHaveLength(10);
    expect(told).toEqual([]);
  });

  test("refuses for good is told of once", async () => {
    const { sink, processor, end } = await start(() => 400);
    end(5);
    await processor.forceFlush();
    end(5);
    await processor.forceFlush();
    expect(sink.bodies).toHaveLength(2);
    processor.tellLosses();
    expect(told).toEqual([
      "5 spans so far could not be sent to the sink (Bad Request); the app is unharmed",
      "10 spans in all could not be sent to the sink (Bad Request)",
    ]);
  });

  test("rejects some spans is heard: partial success", async () => {
    const message = Buffer.from("no such tenant");
    const partial = Buffer.from([8, 2, 18, message.length, ...message]);
    const body = Buffer.from([10, partial.length, ...partial]);
    const { processor, end } = await start(() => ({ status: 200, body }));
    end(5);
    await processor.forceFlush();
    expect(told).toEqual([
      "2 spans so far could not be sent to the sink (no such tenant); the app is unharmed",
    ]);
  });

  test("answers with nonsense has taken the spans", async () => {
    const { processor, end } = await start(() => ({ status: 200, body: Buffer.from([10, 255]) }));
    end(5);
    await processor.forceFlush();
    expect(told).toEqual([]);
  });

  test("is away is not waited for longer than the timeout", async () => {
    const { processor, end } = await start(() => undefined, {
      OTEL_EXPORTER_OTLP_TIMEOUT: "100",
    });
    end(5);
    await processor.forceFlush();
    expect(told[0]).toMatch(/^5 spans so far .*\(it did not answer in time\)/);
  });
});
