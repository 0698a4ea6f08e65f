/** OpenTelemetry's own exporters for Node, as they come: nothing is lost, nothing is to be set. */
import { connect } from "node:http2";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { EXPORT } from "./grpc-client.ts";
import { startReceiver } from "./running-receiver.ts";

/** Sends a thousand spans through an exporter; resolves when it has done what it can. */
async function sendThousand(exporter: SpanExporter): Promise<void> {
  const processor = new BatchSpanProcessor({ exporter, maxExportBatchSize: 100 });
  const provider = new TracerProvider({ spanProcessors: [processor] });
  const tracer = provider.getTracer("test");
  for (let i = 0; i < 1000; i++) {
    const attributes = { "ml.model.name": "weather", nested: ["a", "b"], i };
    tracer.startSpan("inference", { attributes }).addEvent("done").end();
  }
  await provider.shutdown();
}

describe("OpenTelemetry's exporters", () => {
  it.each([
    ["over gRPC", "grpc", "none", (url: string) => new GrpcExporter({ url })],
    ["over gRPC with gzip", "grpc", "gzip", (url: string) => new GrpcExporter({ url })],
    ["over HTTP", "otlp", "none", (url: string) => new ProtoExporter({ url: `${url}/v1/traces` })],
    ["with gzip", "otlp", "gzip", (url: string) => new ProtoExporter({ url: `${url}/v1/traces` })],
    ["as JSON", "otlp", "none", (url: string) => new JsonExporter({ url: `${url}/v1/traces` })],
  ] as const)("lose nothing %s", async (_, protocol, compression, create) => {
    vi.stubEnv("OTEL_EXPORTER_OTLP_COMPRESSION", compression);
    onTestFinished(() => void vi.unstubAllEnvs());
    const receiver = await startReceiver();
    onTestFinished(() => receiver.shutdown());
    await sendThousand(create(receiver[protocol]));
    const spans = await receiver.metric("tidemark_receiver_spans_total");
    expect(spans).toEqual({ '{outcome="accepted"}': 1000, '{outcome="rejected"}': 0 });
  });

  it("wait while the receiver has no room, and then lose nothing", async () => {
    const receiver = await startReceiver(`receivers:
  otlp:
    max_inflight_size: 1MiB
    protocols: { grpc: { endpoint: "127.0.0.1:0" }, http: { endpoint: "127.0.0.1:0" } }
`);
    onTestFinished(() => receiver.shutdown());
    const session = connect(receiver.grpc);
    onTestFinished(() => session.destroy());
    const type = "application/grpc";
    const holding = session.request({ ":method": "POST", ":path": EXPORT, "content-type": type });
    holding.on("error", () => {});
    holding.write(Buffer.of(0, 0, 0x10, 0, 0));
    await new Promise((resolve) => session.ping(resolve));

    const sent = sendThousand(new ProtoExporter({ url: `${receiver.otlp}/v1/traces` }));
    const refused = '{transport="http",code="503"}';
    const requests = () => receiver.metric("tidemark_receiver_requests_total");
    await expect.poll(async () => (await requests())[refused]).toBeGreaterThan(0);
    holding.close(8);
    await sent;
    const spans = await receiver.metric("tidemark_receiver_spans_total");
    expect(spans).toEqual({ '{outcome="accepted"}': 1000, '{outcome="rejected"}': 0 });
  });
});
