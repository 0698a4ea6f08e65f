/** OpenTelemetry's SDK for Python, unmodified, sends over both protocols and loses nothing. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT, runPeer } from "./peer-programs.ts";
import { Stack, startReceiver } from "./peer-stack.ts";

const SCRIPT = join(ROOT, "test/peers/programs/python-sdk/send.py");
const SPANS = 5000;
const GZIP = { OTEL_EXPORTER_OTLP_COMPRESSION: "gzip" };

/** It forwards nowhere. */
const CONFIG = `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_GRPC_PORT}" }
      http: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_HTTP_PORT}" }
exporters:
  prometheus: { endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}" }
`;

describe("OpenTelemetry for Python", () => {
  const stack = new Stack();
  afterAll(() => stack.end());

  it.each([
    ["gRPC", "grpc", {}],
    ["gRPC with gzip", "grpc", GZIP],
    ["HTTP", "http", {}],
    ["HTTP with gzip", "http", GZIP],
  ] as const)("loses nothing over %s", async (_, protocol, compression) => {
    const config = join(stack.folder(), "tidemark.yaml");
    writeFileSync(config, CONFIG);
    const receiver = await stack.add(startReceiver("", config));
    const endpoint = protocol === "grpc" ? receiver.otlpGrpcUrl : receiver.otlpUrl;
    const { exitCode, output } = await runPeer("python-sdk", [SCRIPT, protocol, String(SPANS)], {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      ...compression,
      OTEL_SERVICE_NAME: "prediction-service",
    });
    expect([exitCode, output]).toEqual([0, `sent ${SPANS}\n`]);
    const metrics = await (await fetch(`${receiver.adminUrl}/metrics`)).text();
    expect(metrics).toContain(`tidemark_receiver_spans_total{outcome="accepted"} ${SPANS}\n`);
    expect(metrics).toContain('tidemark_receiver_spans_total{outcome="rejected"} 0\n');
  });
});
