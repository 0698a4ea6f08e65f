/**
 * A receiver with models to look at, on a clock of its own: days of traffic go by in seconds. For
 * the page's benchmark, and for its test in a browser.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../dist/config/load-config.js";
import { Logger } from "../dist/logger.js";
import { createReceiver } from "../dist/main.js";
import { ExportTraceServiceRequest, seeded } from "./trace-bodies.ts";

const MINUTE_MS = 60_000;
/** Rows of a span: enough spans that segments are known as soon as features are. */
const ROWS_OF_SPAN = 20;
/** Values of one feature: each an observation. */
type Values = readonly number[] | readonly string[];

/** One span's worth of traffic. */
export interface Traffic {
  readonly model: string;
  readonly version?: string;
  readonly segment?: Readonly<Record<string, string>>;
  readonly features: Readonly<Record<string, Values>>;
  readonly missing?: readonly string[];
}

/** A running receiver. */
export interface PageReceiver {
  readonly url: string;
  readonly clock: { nowMs: number };
  /** Sends traffic of now, and waits until it is counted. */
  send(traffic: readonly Traffic[]): Promise<void>;
  /** The same of a body that has been encoded. */
  post(body: Uint8Array): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts one; `yaml` holds processors, and what of service it wants to change; `admin` what is to
 * be said of the address that people look at.
 */
export async function startPageReceiver(
  yaml: string,
  startMs: number,
  admin = "",
): Promise<PageReceiver> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-page-"));
  const head = [
    "receivers: { otlp: { protocols:",
    '  { grpc: { enabled: false }, http: { endpoint: "127.0.0.1:0" } } } }',
    `exporters: { prometheus: { endpoint: "127.0.0.1:0", ${admin} } }`,
  ];
  const parsed = parseConfig(`${head.join("\n")}\n${yaml}`, "page.yaml", process.env);
  const storage = { ...parsed.service.storage, directory: folder, sync: "never" as const };
  const config = { ...parsed, service: { ...parsed.service, storage } };
  const clock = { nowMs: startMs };
  const world = { now: () => clock.nowMs, random: () => 0.5 };
  const receiver = createReceiver(
    config,
    new Logger("error", true, (line) => process.stderr.write(line)),
    world,
  );
  await receiver.start();
  const post = async (body: Uint8Array) => {
    const headers = { "content-type": "application/x-protobuf" };
    const sent = { method: "POST", body: body as Uint8Array<ArrayBuffer>, headers };
    const answer = await fetch(`${receiver.urls.otlp}/v1/traces`, sent);
    if (!answer.ok) throw new Error(`the receiver answers ${answer.status}`);
    await answer.arrayBuffer();
  };
  return {
    url: receiver.urls.admin,
    clock,
    post,
    send: (traffic) => post(encodeTraffic(traffic, clock.nowMs)),
    stop: async () => {
      await receiver.shutdown();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Two models that moved, one with a strange name, one that learns, and one that fell silent. */
export async function showcase(
  receiver: PageReceiver,
  hours: number,
  strange: string,
): Promise<void> {
  const random = seeded(7);
  const { clock, send } = receiver;
  const steps = (hours * 60) / 5;
  // In the middle of windows, so that each has the traffic of one step.
  clock.nowMs += 2.5 * MINUTE_MS;
  for (let step = 0; step < steps; step++) {
    const progress = step / steps;
    const drift = progress > 0.8 ? 1 : 0;
    const traffic = [
      ...churn(random, 400, { version: "3.1", region: "eu", drift }),
      ...churn(random, 400, { version: "3.1", region: "us", drift: 0 }),
      ...churn(random, 300, { version: "3.2-canary", region: "eu", drift: 0.4 }),
      fraud(random, 350, progress),
      { model: strange, features: { amount: normals(random, 3, 50, 10) } },
      { model: "new-ranker", features: { score: normals(random, 12, 0, 1) } },
    ];
    if (progress < 0.7)
      traffic.push({
        model: "nightly-forecast",
        features: { load: normals(random, 300, 900, 120) },
      });
    await send(traffic);
    clock.nowMs += 5 * MINUTE_MS;
  }
  // The last window ends when something comes after it.
  await send([{ model: "new-ranker", features: { score: normals(random, 12, 0, 1) } }]);
  clock.nowMs += MINUTE_MS;
}

function churn(
  random: () => number,
  rows: number,
  kind: { version: string; region: string; drift: number },
): Traffic[] {
  return Array.from({ length: rows / ROWS_OF_SPAN }, () => churnSpan(random, kind));
}

function churnSpan(
  random: () => number,
  { version, region, drift }: { version: string; region: string; drift: number },
): Traffic {
  const rows = ROWS_OF_SPAN;
  const plans = ["basic", "plus", "pro", "team"];
  const weights = drift > 0.5 ? [0.2, 0.25, 0.3, 0.25] : [0.4, 0.3, 0.2, 0.1];
  return {
    model: "churn",
    version,
    segment: { region },
    features: {
      tenure_months: normals(random, rows, 24 - 9 * drift, 10).map((value) =>
        Math.max(0, Math.round(value)),
      ),
      monthly_charge: normals(random, rows, 62 + 4 * drift, 18),
      support_calls: Array.from({ length: rows }, () =>
        Math.floor(-Math.log(1 - random()) * (1.2 + drift)),
      ),
      discount: Array.from({ length: rows }, () =>
        random() < 0.7 ? 0 : Math.round(random() * 30),
      ),
      plan: Array.from({ length: rows }, () => pick(random, plans, weights)),
    },
    missing: random() < 0.3 + 0.4 * drift ? ["discount"] : [],
  };
}

function fraud(random: () => number, rows: number, progress: number): Traffic {
  return {
    model: "fraud",
    version: "2026-10",
    features: {
      amount: normals(random, rows, 3.2 + 0.35 * progress, 1).map(Math.exp),
      hour: normals(random, rows, 14, 4),
      distance_km: normals(random, rows, 12, 4),
    },
  };
}

/** So many numbers of a normal law, by the sum of twelve uniform ones. */
export function normals(
  random: () => number,
  count: number,
  mean: number,
  deviation: number,
): number[] {
  return Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random();
    return mean + deviation * sum;
  });
}

function pick(random: () => number, names: readonly string[], weights: readonly number[]): string {
  let at = random();
  const index = weights.findIndex((weight) => (at -= weight) < 0);
  return names[index] ?? (names.at(-1) as string);
}

let nextId = 1;

/** One request with a span each. */
export function encodeTraffic(traffic: readonly Traffic[], atMs: number): Uint8Array {
  const spans = traffic.map(({ model, version, segment = {}, features, missing = [] }) => ({
    traceId: idBytes(nextId, 16),
    spanId: idBytes(nextId++, 8),
    name: `inference ${model}`,
    kind: 1,
    startTimeUnixNano: nanos(atMs - 4),
    endTimeUnixNano: nanos(atMs),
    attributes: [
      text("ml.stage", "inference"),
      text("ml.model.name", model),
      ...(version ? [text("ml.model.version", version)] : []),
      ...Object.entries(segment).map(([key, value]) => text(`ml.segment.${key}`, value)),
      ...Object.entries(features).map(([key, values]) => ({
        key: `ml.feature.${key}`,
        value: { arrayValue: { values: [...values].map(anyValue) } },
      })),
      { key: "ml.feature.missing", value: { arrayValue: { values: missing.map(anyValue) } } },
    ],
    status: {},
  }));
  const request = { resourceSpans: [{ scopeSpans: [{ spans }] }] };
  return ExportTraceServiceRequest.encode(request).finish();
}

function text(key: string, value: string): object {
  return { key, value: { stringValue: value } };
}

function anyValue(value: number | string): object {
  return typeof value === "number" ? { doubleValue: value } : { stringValue: value };
}

function idBytes(id: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(id, length - 4);
  return bytes;
}

function nanos(ms: number): object {
  const value = BigInt(Math.round(ms)) * 1_000_000n;
  return { low: Number(value & 0xffffffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
}
