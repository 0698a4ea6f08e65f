/**
 * kill -9 at random moments under load, and while it starts. A client behaves as OTLP asks: it sends a batch again until
 * it is acknowledged. In the end every span has reached the sink, and was counted exactly once.
 *
 * TIDEMARK_CRASHES sets how often the receiver is killed (default 6).
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { freePort } from "../../../test/free-ports.ts";
import { TraceRequest } from "../src/otlp/schema.ts";
import { startSink } from "./otlp-sink.ts";
import { encodeSpans, storageFolder } from "./running-receiver.ts";

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const CRASHES = Number(process.env["TIDEMARK_CRASHES"] ?? 6);
const CLIENTS = 4;
const SPANS_PER_BATCH = 20;

/** A receiver that can be killed and started again with all that it has kept. */
async function killableReceiver(sinkUrl: string, folder: string) {
  const [otlp, admin] = [await freePort(), await freePort()];
  const config = join(folder, "tidemark.yaml");
  writeFileSync(
    config,
    `
receivers:
  otlp:
    protocols: { grpc: { enabled: false }, http: { endpoint: "127.0.0.1:${otlp}" } }
processors: { learn: { samples: 100000000 } }
exporters:
  prometheus: { endpoint: "127.0.0.1:${admin}" }
  otlp_http/sink: { endpoint: "${sinkUrl}" }
service:
  storage: { directory: data, segmentSize: 64KiB, checkpoint: 150ms }
  pipelines: { traces: { exporters: [otlp_http/sink] } }
`,
  );
  let child: ChildProcess | undefined;
  let log = "";
  return {
    tracesUrl: `http://127.0.0.1:${otlp}/v1/traces`,
    adminUrl: `http://127.0.0.1:${admin}`,
    log: () => log,
    /** Resolves when it is ready, or after `waitMs` whether it is or not. */
    start: async (waitMs?: number) => {
      const before = starts(log);
      child = spawn(process.execPath, [CLI, "receive", "--config", config]);
      child.stderr?.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
      if (waitMs !== undefined) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        return;
      }
      await expect.poll(() => starts(log), { timeout: 20_000 }).toBe(before + 1);
    },
    end: async (signal: NodeJS.Signals) => {
      if (child === undefined || child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
  };
}

function starts(log: string): number {
  return log.split("\n").filter((line) => line.includes('"receiving"')).length;
}

/** Sends batches until told to stop, each again until it is acknowledged. */
async function client(url: string, stop: () => boolean): Promise<number> {
  let acknowledged = 0;
  while (!stop()) {
    const attributes = { "ml.model.name": "m", "ml.stage": "inference", "ml.feature.x": 1.5 };
    const spans = Array.from({ length: SPANS_PER_BATCH }, () => ({
      atMs: Date.now(),
      attributes,
    }));
    const body = encodeSpans(spans);
    while (!(await delivered(url, body))) await new Promise((resolve) => setTimeout(resolve, 50));
    acknowledged += SPANS_PER_BATCH;
  }
  return acknowledged;
}

async function delivered(url: string, body: Uint8Array): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      headers: { "content-type": "application/x-protobuf" },
      signal: AbortSignal.timeout(5000),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

function spanIdsOf(bodies: readonly { body: Buffer }[]): string[] {
  return bodies.flatMap(({ body }) => {
    const request = TraceRequest.decode(body) as unknown as {
      resourceSpans: { scopeSpans: { spans: { spanId: Uint8Array }[] }[] }[];
    };
    return request.resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map(({ spanId }) => Buffer.from(spanId).toString("hex")),
      ),
    );
  });
}

async function counted(adminUrl: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(/^ml_prediction_requests_total\{.*status="success"\} (\d+)/m.exec(text)?.[1]);
}

async function learned(adminUrl: string): Promise<number> {
  const { signals } = (await (await fetch(`${adminUrl}/api/v1/signals`)).json()) as {
    signals: { learned: number }[];
  };
  return signals[0]?.learned ?? 0;
}

describe("kill -9", () => {
  it("loses nothing that was acknowledged, and counts nothing twice", async () => {
    const folder = storageFolder();
    let sink = await startSink();
    const deliveries = [sink.deliveries];
    const receiver = await killableReceiver(sink.url, folder);
    try {
      await receiver.start();
      let stopping = false;
      const clients = Array.from({ length: CLIENTS }, () =>
        client(receiver.tracesUrl, () => stopping),
      );
      for (let crash = 0; crash < CRASHES; crash++) {
        // Every third time the endpoint is away as well, every second time it dies while it starts.
        const { port } = sink;
        if (crash % 3 === 1) await sink.close();
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 900));
        await receiver.end("SIGKILL");
        if (crash % 2 === 1) {
          await receiver.start(Math.random() * 500);
          await receiver.end("SIGKILL");
        }
        await receiver.start();
        if (crash % 3 === 1) {
          sink = await startSink(undefined, port);
          deliveries.push(sink.deliveries);
        }
      }
      stopping = true;
      const acknowledged = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
      expect(acknowledged).toBeGreaterThan(CRASHES * CLIENTS * SPANS_PER_BATCH);
      expect(await counted(receiver.adminUrl)).toBe(acknowledged);
      expect(await learned(receiver.adminUrl)).toBe(acknowledged);
      const arrived = () => new Set(spanIdsOf(deliveries.flat())).size;
      await expect.poll(arrived, { timeout: 60_000, interval: 500 }).toBe(acknowledged);
      expect(receiver.log()).not.toContain('"level":"error"');
    } finally {
      await receiver.end("SIGTERM");
      await sink.close();
      await rm(folder, { recursive: true, force: true });
    }
  }, 600_000);
});
