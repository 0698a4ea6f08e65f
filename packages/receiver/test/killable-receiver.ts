/** A receiver as a process that can be killed, clients that never give up, and what both know. */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { freePorts } from "../../../test/free-ports.ts";
import { TraceRequest } from "../src/otlp/schema.ts";
import type { Delivery } from "./otlp-sink.ts";
import { encodeSpans } from "./running-receiver.ts";

const CLI = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
/** A start replays the log; on a machine where others work it may wait for its turn. */
const START_MS_MAX = 60_000;
/** What is in one batch of a client. */
export const SPANS_PER_BATCH = 20;

/** What differs from test to test; each is YAML within its section. */
export interface Settings {
  /** Where spans are forwarded to; nowhere without it. */
  readonly sinkUrl?: string;
  readonly otlp?: string;
  readonly http?: string;
  readonly storage?: string;
}

/** A receiver that can be killed and started again with all that it has kept in `folder`. */
export async function killableReceiver(folder: string, settings: Settings) {
  const { sinkUrl, otlp: otlpSettings = "", http = "", storage = "" } = settings;
  const [otlp = 0, grpc = 0, admin = 0] = await freePorts(3);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "tidemark.yaml");
  const yaml = `
receivers:
  otlp:
    ${otlpSettings}
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpc}" }
      http: { endpoint: "127.0.0.1:${otlp}", ${http} }
processors: { learn: { samples: 100000000 } }
exporters:
  prometheus: { endpoint: "127.0.0.1:${admin}" }
  ${sinkUrl ? `otlp_http/sink: { endpoint: "${sinkUrl}" }` : ""}
service:
  storage: { directory: data, segmentSize: 64KiB, checkpoint: 150ms, ${storage} }
  pipelines: { traces: { exporters: [${sinkUrl ? "otlp_http/sink" : ""}] } }
`;
  writeFileSync(config, yaml);
  let child: ChildProcess | undefined;
  let log = "";
  const adminUrl = `http://127.0.0.1:${admin}`;
  return {
    adminUrl,
    tracesUrl: `http://127.0.0.1:${otlp}/v1/traces`,
    grpcUrl: `http://127.0.0.1:${grpc}`,
    otlpPort: otlp,
    logFolder: join(folder, "data", "log"),
    log: () => log,
    /** Resolves when it is ready, or after `waitMs` whether it is or not. */
    start: async (waitMs?: number) => {
      const before = starts(log);
      child = spawn(process.execPath, [CLI, "receive", "--config", config]);
      child.stderr?.on("data", (chunk: Buffer) => {
        log += chunk.toString();
      });
      if (waitMs !== undefined) await sleep(waitMs);
      else await expect.poll(() => starts(log), { timeout: START_MS_MAX }).toBe(before + 1);
    },
    end: async (signal: NodeJS.Signals) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    },
    /** The sample of a metric whose line begins with this. */
    metric: (line: string) => metric(adminUrl, line),
    /** Spans that are counted, and values that are learned: each must be once in both. */
    counted: async () => ({
      spans: await metric(adminUrl, "ml_prediction_requests_total{"),
      values: await learned(adminUrl),
    }),
    /** What the process has taken of the machine's memory at most, in bytes. */
    peakBytes: () => peakBytes(child),
  };
}

function starts(log: string): number {
  return log.split("\n").filter((line) => line.includes('"receiving"')).length;
}

function peakBytes(child: ChildProcess | undefined): number {
  const status = readFileSync(`/proc/${child?.pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

async function metric(adminUrl: string, line: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const found = text.split("\n").filter((one) => one.startsWith(line));
  return found.reduce((sum, one) => sum + Number(one.slice(one.lastIndexOf(" "))), 0);
}

async function learned(adminUrl: string): Promise<number> {
  const { signals } = (await (await fetch(`${adminUrl}/api/v1/signals`)).json()) as {
    signals: { learned: number }[];
  };
  return signals[0]?.learned ?? 0;
}

/** Clients that behave as OTLP asks: they send a batch again until it is acknowledged. */
export function startClients(url: string, count: number, attributeBytes = 0) {
  const state = { stopping: false, abandoned: false };
  /** Answers by status and Retry-After. */
  const answers = new Map<string, number>();
  const deliver = async (body: Uint8Array) => {
    for (;;) {
      const answer = await delivered(url, body);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      if (answer === "200" || state.abandoned) return;
      await sleep(50);
    }
  };
  const client = async () => {
    let acknowledged = 0;
    for (; !state.stopping; acknowledged += SPANS_PER_BATCH) await deliver(batch(attributeBytes));
    return acknowledged;
  };
  const running = Array.from({ length: count }, client);
  return {
    answers,
    /** Ends them whatever they have under way. */
    abandon: () => {
      state.stopping = state.abandoned = true;
    },
    /** How many spans were acknowledged, when nothing is under way any more. */
    stop: async () => {
      state.stopping = true;
      return (await Promise.all(running)).reduce((sum, spans) => sum + spans, 0);
    },
  };
}

/** Twenty spans of now, each with one value that is observed. */
export function batch(attributeBytes = 0): Uint8Array {
  const attributes = {
    "ml.model.name": "m",
    "ml.stage": "inference",
    "ml.feature.x": 1.5,
    padding: "x".repeat(attributeBytes),
  };
  const span = { atMs: Date.now(), attributes };
  return encodeSpans(Array.from({ length: SPANS_PER_BATCH }, () => span));
}

async function delivered(url: string, body: Uint8Array): Promise<string> {
  try {
    const response = await fetch(url, {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      headers: { "content-type": "application/x-protobuf" },
      signal: AbortSignal.timeout(5000),
    });
    await response.arrayBuffer();
    const retry = response.headers.get("retry-after");
    return retry === null ? String(response.status) : `${response.status} after ${retry} s`;
  } catch {
    return "none";
  }
}

/** Decoded once: a test asks again and again, in the process that has to take further deliveries. */
const spanIds = new WeakMap<Delivery, readonly string[]>();

/** How many different spans are in these deliveries. */
export function differentSpans(deliveries: readonly Delivery[]): number {
  const ids = new Set<string>();
  for (const delivery of deliveries) {
    const known = spanIds.get(delivery) ?? spanIdsOf(delivery);
    spanIds.set(delivery, known);
    for (const id of known) ids.add(id);
  }
  return ids.size;
}

function spanIdsOf({ body }: Delivery): string[] {
  const request = TraceRequest.decode(body) as unknown as {
    resourceSpans: { scopeSpans: { spans: { spanId: Uint8Array }[] }[] }[];
  };
  return request.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ spanId }) => Buffer.from(spanId).toString("hex")),
    ),
  );
}
