/** The real OpenTelemetry Collector with nothing but its OTLP receiver and a way to the sink. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../free-ports.ts";
import { peerPath, startProgram } from "../peers/peer-programs.ts";
import type { ReceiverUnderTest } from "./receiver-under-test.ts";
import { SpanSink } from "./span-sink.ts";

const MIB = 1024 ** 2;
/** Its default limit over HTTP is 20 MiB, over gRPC 4 MiB. */
const OVERSIZE_MIB = 24;
const PATIENCE_MS = 30_000;

/**
 * Starts the Collector that `test/peers/install.sh collector` has built.
 * @throws Error when it is not installed
 */
export async function startCollectorUnderTest(): Promise<ReceiverUnderTest> {
  const command = peerPath("collector");
  const sink = new SpanSink(PATIENCE_MS);
  await sink.listen("127.0.0.1", 0);
  const folder = mkdtempSync(join(tmpdir(), "tidemark-conformance-"));
  const [http = 0, grpc = 0, health = 0] = await freePorts(3);
  const file = join(folder, "collector.yaml");
  writeFileSync(file, configuration(http, grpc, health, sink.url));
  const program = await startProgram({
    name: "the Collector",
    command,
    args: ["--config", file],
    readyUrl: `http://127.0.0.1:${health}/`,
  });
  const stop = async () => {
    await program.stop();
    await sink.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const target = {
    http: new URL(`http://127.0.0.1:${http}`),
    grpc: new URL(`http://127.0.0.1:${grpc}`),
    sink,
    headers: {},
    oversizeBytes: OVERSIZE_MIB * MIB,
    timeoutMs: 60_000,
  };
  return { target, stop };
}

/** Limits and all else are its defaults. */
function configuration(http: number, grpc: number, health: number, sinkUrl: string): string {
  return `
receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${http}" }
      grpc: { endpoint: "127.0.0.1:${grpc}" }
exporters:
  otlp_http: { endpoint: "${sinkUrl}" }
  debug: {}
extensions:
  health_check: { endpoint: "127.0.0.1:${health}" }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http] }
    metrics: { receivers: [otlp], exporters: [debug] }
    logs: { receivers: [otlp], exporters: [debug] }
`;
}
