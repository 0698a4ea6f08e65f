/** Calls and durations of all spans, by service and span name. */
import { describe, expect, it, onTestFinished } from "vitest";
import { TraceRequest } from "../src/otlp/schema.ts";
import { post, START_MS, startReceiver } from "./running-receiver.ts";

interface Call {
  readonly service?: string;
  readonly name?: string;
  readonly kind?: number;
  readonly status?: number;
  readonly ms?: number;
}

let nextId = 1;

function request(calls: readonly Call[]): Uint8Array {
  const resourceSpans = calls.map(({ service, name, kind, status, ms = 4 }) => {
    const id = Buffer.alloc(16);
    id.writeUInt32BE(nextId++, 12);
    const start = BigInt(START_MS) * 1_000_000n;
    const span = {
      traceId: id,
      spanId: id.subarray(8),
      ...(name === undefined ? {} : { name }),
      kind: kind ?? 0,
      startTimeUnixNano: String(start),
      endTimeUnixNano: String(start + BigInt(ms) * 1_000_000n),
      status: { code: status ?? 0 },
    };
    const value = { stringValue: service };
    const attributes = service === undefined ? [] : [{ key: "service.name", value }];
    return { resource: { attributes }, scopeSpans: [{ spans: [span] }] };
  });
  return TraceRequest.encode(TraceRequest.fromObject({ resourceSpans })).finish();
}

async function counted(calls: readonly Call[], options = "enabled: true") {
  const receiver = await startReceiver(`processors:\n  spanMetrics: { ${options} }\n`);
  onTestFinished(() => receiver.shutdown());
  expect((await post(`${receiver.otlp}/v1/traces`, request(calls))).status).toBe(200);
  return receiver;
}

const labels = (service: string, name: string, kind: string, status: string) =>
  `{service_name="${service}",span_name="${name}",span_kind="SPAN_KIND_${kind}",status_code="STATUS_CODE_${status}"}`;

describe("the calls of services", () => {
  it("are told apart by service, name, kind and status, whether they are of a model or not", async () => {
    const long = "n".repeat(200);
    const receiver = await counted([
      { service: "web", name: "GET /", kind: 2 },
      { service: "web", name: "GET /", kind: 2, status: 2, ms: 300 },
      { service: "web", name: "GET /", kind: 2, ms: 60_000 },
      { service: "shop", name: "GET /", kind: 3, status: 1 },
      { service: "shop", name: long },
      { name: "nobody's" },
      { service: "shop" },
    ]);
    expect(await receiver.metric("traces_span_metrics_calls_total")).toEqual({
      [labels("web", "GET /", "SERVER", "UNSET")]: 2,
      [labels("web", "GET /", "SERVER", "ERROR")]: 1,
      [labels("shop", "GET /", "CLIENT", "OK")]: 1,
      [labels("shop", long, "UNSPECIFIED", "UNSET")]: 1,
      [labels("", "nobody's", "UNSPECIFIED", "UNSET")]: 1,
      [labels("shop", "", "UNSPECIFIED", "UNSET")]: 1,
    });
    const buckets = await receiver.metric("traces_span_metrics_duration_milliseconds_bucket");
    const ofWeb = (le: string) =>
      buckets[labels("web", "GET /", "SERVER", "UNSET").replace("}", `,le="${le}"}`)];
    expect([ofWeb("2"), ofWeb("5"), ofWeb("10000"), ofWeb("+Inf")]).toEqual([0, 1, 1, 2]);
  });

  it("are one series beyond the bound, which says so", async () => {
    const calls = Array.from({ length: 20 }, (_, at) => ({ service: "web", name: `GET /${at}` }));
    const receiver = await counted(calls, "enabled: true, maxSeries: 5");
    const samples = await receiver.metric("traces_span_metrics_calls_total");
    expect(Object.keys(samples)).toHaveLength(6);
    expect(samples['{otel_metric_overflow="true"}']).toBe(15);
  });

  it("are not counted unless asked for", async () => {
    const receiver = await counted([{ service: "web", name: "GET /" }], "enabled: false");
    expect(await receiver.metric("traces_span_metrics_calls_total")).toEqual({});
  });
});
