/** Metrics that others send: kept like traces, and sent on as they came. */
import { cp, rm } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { grpcClient } from "./grpc-client.ts";
import { everyMetric } from "./metrics-requests.ts";
import { startSink } from "./otlp-sink.ts";
import { encodeSpans, post, START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

const EXPORT_METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const JSON_TYPE = { "content-type": "application/json" };

type Sink = Awaited<ReturnType<typeof startSink>>;

async function sinkOf(...args: Parameters<typeof startSink>): Promise<Sink> {
  const sink = await startSink(...args);
  onTestFinished(() => sink.close());
  return sink;
}

/** A receiver that sends traces and metrics to one endpoint, and its own metrics hardly ever. */
async function receiverTo(url: string, storage?: string) {
  const receiver = await startReceiver(
    `exporters:
  otlp_http/all: { endpoint: "${url}", interval: 1h }
service:
  pipelines:
    traces: { exporters: [otlp_http/all] }
    metrics: { receivers: [otlp], exporters: [prometheus, otlp_http/all] }
`,
    storage,
  );
  const client = grpcClient(receiver.grpc);
  const stop = async () => {
    client.close();
    await receiver.shutdown();
  };
  onTestFinished(stop);
  return { ...receiver, client, stop, url: `${receiver.otlp}/v1/metrics` };
}

/** What arrived of what was sent; the receiver's own metrics are pushed when it stops. */
function arrived(sink: Sink, path: string): Buffer[] {
  return sink.deliveries
    .filter((delivery) => delivery.path === path)
    .map(({ body }) => body)
    .filter((body) => !body.includes("tidemark.receiver"));
}

describe("metrics that are received", () => {
  it("go on as they came, over either protocol and in either encoding, to the path of metrics", async () => {
    const sink = await sinkOf();
    const receiver = await receiverTo(`${sink.url}/base`);
    const zipped = gzipSync(everyMetric("zipped"));
    const json = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"json"}]}]}]}';
    const binary = await post(receiver.url, zipped, { "content-encoding": "gzip" });
    const text = await post(receiver.url, json, JSON_TYPE);
    const call = await receiver.client.call(everyMetric("called"), { path: EXPORT_METRICS });
    expect([binary.status, text.status, await text.json()]).toEqual([200, 200, {}]);
    expect(call).toEqual({ code: 0, message: "", response: Buffer.alloc(0) });
    await expect.poll(() => sink.deliveries.length).toBe(3);
    const headersOf = (part: Uint8Array) =>
      sink.deliveries.find(({ path, body }) => path === "/base/v1/metrics" && body.equals(part))
        ?.headers;
    expect(headersOf(zipped)).toMatchObject({
      "content-type": "application/x-protobuf",
      "content-encoding": "gzip",
    });
    expect(headersOf(Buffer.from(json))).toMatchObject({ "content-type": "application/json" });
    expect(headersOf(everyMetric("called"))).toMatchObject({
      "content-type": "application/x-protobuf",
    });
  });

  it("are counted as requests and bytes, and are no spans", async () => {
    const sink = await sinkOf();
    const receiver = await receiverTo(sink.url);
    const body = everyMetric();
    await post(receiver.url, body);
    await receiver.send([{ atMs: START_MS, attributes: { "ml.model.name": "weather" } }]);
    await expect.poll(() => sink.deliveries.length).toBe(2);
    expect(sink.deliveries.map(({ path }) => path).toSorted()).toEqual([
      "/v1/metrics",
      "/v1/traces",
    ]);
    const traces = sink.deliveries.find(({ path }) => path === "/v1/traces");
    expect(await receiver.metric("tidemark_receiver_received_bytes_total")).toEqual({
      "": body.length + (traces?.body.length ?? 0),
    });
    expect(await receiver.metric("tidemark_receiver_spans_total")).toMatchObject({
      '{outcome="accepted"}': 1,
    });
    expect(await receiver.metric("tidemark_receiver_requests_total")).toMatchObject({
      '{transport="http",code="200"}': 2,
    });
    await expect
      .poll(() => receiver.metric("tidemark_receiver_forward_requests_total"))
      .toMatchObject({ '{exporter="otlp_http/all",outcome="delivered"}': 2 });
  });

  it("reach only the endpoints of their pipeline, and hold up no other", async () => {
    const [forTraces, forMetrics] = [await sinkOf(), await sinkOf()];
    const receiver = await startReceiver(
      `exporters:
  otlp_http/traces: { endpoint: "${forTraces.url}" }
  otlp_http/metrics: { endpoint: "${forMetrics.url}", interval: 1h }
service:
  storage: { checkpoint: 100ms }
  pipelines:
    traces: { exporters: [otlp_http/traces] }
    metrics: { receivers: [otlp], exporters: [prometheus, otlp_http/metrics] }
`,
    );
    onTestFinished(() => receiver.shutdown());
    const spans = encodeSpans([{ atMs: START_MS, attributes: {} }]);
    for (let i = 0; i < 3; i++) {
      await post(`${receiver.otlp}/v1/metrics`, everyMetric(`m${i}`));
      await post(`${receiver.otlp}/v1/traces`, spans);
    }
    await expect.poll(() => forTraces.deliveries.map(({ path }) => path)).toHaveLength(3);
    await expect.poll(() => arrived(forMetrics, "/v1/metrics")).toHaveLength(3);
    expect(arrived(forTraces, "/v1/traces")).toHaveLength(3);
    // Nobody waits for what is not meant for it, so that the log can let go.
    await expect
      .poll(() => receiver.metric("tidemark_receiver_log_lag"))
      .toEqual({
        '{consumer="observe"}': 0,
        '{consumer="otlp_http/traces"}': 0,
        '{consumer="otlp_http/metrics"}': 0,
      });
  });

  it.each(["a shutdown", "a crash"])(
    "are kept while their endpoint is away, over %s",
    async (end) => {
      const [storage, copy] = [storageFolder(), storageFolder()];
      onTestFinished(async () => {
        for (const folder of [storage, copy]) await rm(folder, { recursive: true, force: true });
      });
      const away = await startSink();
      await away.close();
      const before = await receiverTo(away.url, storage);
      const bodies = [1, 2, 3].map((number) => everyMetric(`kept ${number}`));
      for (const body of bodies) expect((await post(before.url, body)).status).toBe(200);
      // What is on the disk while it runs is what a crash would leave.
      if (end === "a crash") await cp(storage, copy, { recursive: true });
      await before.stop();
      const back = await sinkOf(undefined, away.port);
      const after = await receiverTo(back.url, end === "a crash" ? copy : storage);
      await expect
        .poll(() => arrived(back, "/v1/metrics").toSorted(Buffer.compare), { timeout: 20_000 })
        .toEqual(bodies.toSorted(Buffer.compare));
      expect(after.log.join("")).not.toContain("could not be counted");
    },
  );

  it.each([
    ["no protobuf", "hello, world", {}, /no metrics request: .* \(at byte 3\)/],
    ["traces", encodeSpans([{ atMs: START_MS, attributes: {} }]), {}, /no metrics request/],
    ["no JSON", "{", JSON_TYPE, /no JSON/],
    ["JSON of another shape", '{"resourceMetrics":[5]}', JSON_TYPE, /resourceMetrics\[0\] must be/],
  ])("are refused where they are %s", async (_, body, headers, message) => {
    const sink = await sinkOf();
    const receiver = await receiverTo(sink.url);
    const response = await post(receiver.url, body, headers);
    expect([response.status, await response.text()]).toEqual([400, expect.stringMatching(message)]);
    await receiver.stop();
    expect(arrived(sink, "/v1/metrics")).toEqual([]);
  });

  it("are refused over gRPC where they are no protobuf, and their sender told where they are traces in JSON", async () => {
    const sink = await sinkOf();
    const receiver = await receiverTo(sink.url);
    const call = await receiver.client.call(Buffer.from("hello"), { path: EXPORT_METRICS });
    expect(call).toMatchObject({ code: 3, message: expect.stringMatching(/no metrics request/) });
    const response = await post(receiver.url, '{"resourceSpans":[]}', JSON_TYPE);
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        partialSuccess: {
          errorMessage: 'nothing is kept: the body has "resourceSpans" and no "resourceMetrics"',
        },
      },
    ]);
  });

  it("are answered 404 and UNIMPLEMENTED where no pipeline receives them, with how to change that", async () => {
    const receiver = await startReceiver();
    const client = grpcClient(receiver.grpc);
    onTestFinished(async () => {
      client.close();
      await receiver.shutdown();
    });
    const how = /metrics are not taken here; .*service\.pipelines\.metrics list otlp/;
    const response = await post(`${receiver.otlp}/v1/metrics`, "{}", JSON_TYPE);
    expect([response.status, await response.json()]).toEqual([
      404,
      { code: 12, message: expect.stringMatching(how), details: [] },
    ]);
    const call = await client.call(everyMetric(), { path: EXPORT_METRICS });
    expect(call).toMatchObject({ code: 12, message: expect.stringMatching(how) });
  });
});
