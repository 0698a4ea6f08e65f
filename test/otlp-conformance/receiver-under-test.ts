/**
 * Tidemark's own receiver, as built, on free ports, forwarding to the suite's sink: what the tests
 * check and the README shows.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../../packages/receiver/dist/config/load-config.js";
import { Logger } from "../../packages/receiver/dist/logger.js";
import { createReceiver } from "../../packages/receiver/dist/main.js";
import { SpanSink } from "./span-sink.ts";
import type { Target } from "./suite.ts";

const MIB = 1024 ** 2;
/** Above what an ordinary large request has, and small enough that exceeding it costs little. */
const LIMIT_MIB = 16;
const PATIENCE_MS = 30_000;

/** A receiver as a target of the suite. */
export interface ReceiverUnderTest {
  readonly target: Target;
  stop(): Promise<void>;
}

/** Starts the receiver and a sink behind it. */
export async function startReceiverUnderTest(): Promise<ReceiverUnderTest> {
  const sink = new SpanSink(PATIENCE_MS);
  await sink.listen("127.0.0.1", 0);
  const directory = mkdtempSync(join(tmpdir(), "tidemark-conformance-"));
  const config = configuration(sink.url, directory);
  const receiver = createReceiver(config, new Logger("error", true, console.error));
  await receiver.start();
  const { otlp, grpc } = receiver.urls;
  const target: Target = {
    http: new URL(otlp),
    grpc: grpcUrl(grpc),
    sink,
    headers: {},
    oversizeBytes: (LIMIT_MIB + 1) * MIB,
    timeoutMs: 30_000,
  };
  const stop = async () => {
    await receiver.shutdown();
    await sink.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { target, stop };
}

function configuration(sinkUrl: string, directory: string) {
  const text = `
receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:0", max_request_body_size: ${LIMIT_MIB}MiB }
      grpc: { endpoint: "127.0.0.1:0", max_recv_msg_size: ${LIMIT_MIB}MiB }
exporters:
  otlp_http/sink: { endpoint: "${sinkUrl}" }
service:
  storage: { directory: "${directory}" }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http/sink] }
    metrics: { receivers: [otlp], exporters: [otlp_http/sink] }
`;
  return parseConfig(text, "conformance.yaml", process.env);
}

function grpcUrl(address: string): URL {
  return new URL(address.includes("://") ? address : `http://${address}`);
}
