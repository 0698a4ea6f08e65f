/** Metrics that are pushed: over HTTP and gRPC alike, and what has gone is said to be gone. */
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { METRICS } from "@tidemark/semconv";
import { describe, expect, it, onTestFinished } from "vitest";
import { OtlpMetricsPush } from "../src/export/otlp-metrics-push.ts";
import { Logger } from "../src/logger.ts";
import type { MetricFamily } from "../src/metric-family.ts";
import { checkMetricsRequest } from "../src/otlp/metrics-check.ts";
import type { OtlpClient, SendResult } from "../src/otlp-client.ts";
import { startSink } from "./otlp-sink.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

const EXPORT_METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const bytes = (value: Buffer) => value;

/** A gRPC service that keeps the bodies of metrics. */
async function metricsService() {
  const messages: Buffer[] = [];
  const server = new Server();
  onTestFinished(() => server.forceShutdown());
  server.addService(
    {
      export: {
        path: EXPORT_METRICS,
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    {
      export: (call: { request: Buffer }, done: (error: null, response: Buffer) => void) => {
        messages.push(call.request);
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { url: `http://127.0.0.1:${port}`, messages };
}

describe("the receiver's metrics", () => {
  it("go to an endpoint over HTTP and to one over gRPC, the same ones", async () => {
    const sink = await startSink();
    onTestFinished(() => sink.close());
    const service = await metricsService();
    const receiver = await startReceiver(`exporters:
  otlp_http/a: { endpoint: "${sink.url}", interval: 1h }
  otlp_grpc/b: { endpoint: "${service.url}", interval: 1h }
service: { pipelines: { metrics: { exporters: [prometheus, otlp_http/a, otlp_grpc/b] } } }
`);
    const attributes = { "ml.model.name": "weather", "ml.stage": "inference" };
    await receiver.send([{ atMs: START_MS, attributes }]);
    // Stopping, it pushes once more.
    await receiver.shutdown();
    const [delivery] = sink.deliveries;
    expect(delivery?.path).toBe("/v1/metrics");
    for (const body of [delivery?.body, service.messages[0]]) {
      expect(checkMetricsRequest(body as Buffer)).toBeUndefined();
      expect(body?.includes("ml.prediction.requests")).toBe(true);
      expect(body?.includes("service.instance.id")).toBe(true);
    }
  });

  it("say once of a series that it has gone, when the endpoint hears it again", async () => {
    const gone: MetricFamily = {
      definition: METRICS.driftScore,
      points: [{ labels: { signal: "gone" }, value: 1 }],
    };
    const kept: MetricFamily = {
      definition: METRICS.predictionLatency,
      points: [{ labels: { stage: "x" }, bounds: [1], counts: [1, 0], sum: 1, count: 1 }],
    };
    let families = [gone, kept];
    const bodies: Buffer[] = [];
    const results: SendResult[] = [
      { kind: "delivered" },
      { kind: "retry", reason: "away" },
      { kind: "delivered" },
      { kind: "delivered" },
    ];
    let sent = () => {};
    const client: OtlpClient = {
      send: async (body) => {
        bodies.push(Buffer.from(body));
        sent();
        return results[bodies.length - 1] ?? { kind: "delivered" };
      },
      close: () => {},
    };
    const push = new OtlpMetricsPush(
      { name: "otlp_http/test", intervalMs: 20, timeoutMs: 20, resource: { "service.name": "me" } },
      client,
      () => families,
      () => START_MS,
      new Logger("error", true, () => {}),
    );
    const arrived = (count: number) =>
      new Promise<void>((resolve) => {
        sent = () => bodies.length >= count && resolve();
      });
    await push.start();
    await arrived(1);
    families = [kept];
    await arrived(4);
    await push.shutdown();
    const about = bodies.slice(0, 4).map((body) => {
      expect(checkMetricsRequest(body)).toBeUndefined();
      return body.includes("gone");
    });
    // There, gone but not heard, gone and heard, and no word of it any more.
    expect(about).toEqual([true, true, true, false]);
    // Flags (field 8) of its point say "no recorded value".
    expect(bodies[1]?.includes(Buffer.of(8 << 3, 1))).toBe(true);
    const [family] = push.metrics();
    expect(family?.points).toContainEqual({
      labels: { exporter: "otlp_http/test", outcome: "failed" },
      value: 1,
    });
  });
});
