/** A receiver on free ports with a clock that the test moves, and what a test asks of it. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../src/config/load-config.ts";
import { Logger } from "../src/logger.ts";
import { createReceiver } from "../src/main.ts";
import { TraceRequest } from "../src/otlp/schema.ts";

/** Half past nine on a Monday; tests move on from here. */
export const START_MS = Date.UTC(2026, 10, 23, 9, 30);

const HEAD = `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:0", max_recv_msg_size: 1MiB }
      http: { endpoint: "127.0.0.1:0", max_request_body_size: 1MiB }
`;

/** ResourceLogs > ScopeLogs > LogRecord { time_unix_nano }: elsewhere, spans without ids. */
export const LOGS_BODY = Uint8Array.of(10, 13, 18, 11, 18, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8);

/** One observation as a test writes it: attribute names to values. */
export interface TestSpan {
  readonly atMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean | number[] | string[]>>;
  readonly durationMs?: number;
  readonly error?: boolean;
}

/** A folder for what a receiver keeps. */
export function storageFolder(): string {
  return mkdtempSync(join(tmpdir(), "tidemark-storage-"));
}

/**
 * Starts a receiver; `yaml` holds all sections, `receivers` only where the usual one will not do. What it keeps is removed when it
 * stops, unless the test has given it a folder.
 */
export async function startReceiver(yaml = "", storage?: string, nowMs = START_MS) {
  const directory = storage ?? storageFolder();
  const clock = { nowMs };
  const log: string[] = [];
  const from = { yaml };
  const load = () => withStorage(from.yaml, directory);
  const logger = new Logger("debug", true, (line) => log.push(line));
  const world = { now: () => clock.nowMs, random: () => 0.5 };
  const receiver = createReceiver(load(), logger, world, { file: "test.yaml", load });
  await receiver.start();
  const { otlp, grpc, admin } = receiver.urls;
  return {
    clock,
    log,
    otlp,
    grpc,
    admin,
    shutdown: async () => {
      await receiver.shutdown();
      if (storage === undefined) await rm(directory, { recursive: true, force: true });
    },
    /** Takes up another configuration, as SIGHUP does. */
    reload: (changed: string) => {
      from.yaml = changed;
      receiver.reload();
    },
    send: (spans: readonly TestSpan[], service = "") =>
      post(`${otlp}/v1/traces`, encodeSpans(spans, service)),
    /** Waits until all windows that have ended are evaluated: a slice passes with each request. */
    settled: async () => {
      const evaluated = async () => {
        const page = await (await fetch(`${admin}/metrics`)).text();
        const counts = Object.values(metricLines(page, "ml_drift_evaluations_total"));
        return counts.reduce((sum, count) => sum + count, 0);
      };
      for (let before = -1, now = await evaluated(); now !== before; ) {
        before = now;
        now = await evaluated();
      }
    },
    verdicts: async () => (await getJson(`${admin}/api/v1/verdicts`)).verdicts,
    metric: async (name: string) =>
      metricLines(await (await fetch(`${admin}/metrics`)).text(), name),
  };
}

function withStorage(yaml: string, directory: string) {
  const exporters = yaml.includes("exporters:\n") ? "" : "exporters:\n";
  const head = yaml.includes("receivers:\n") ? "" : HEAD;
  const text = head + (exporters ? `${yaml}\n${exporters}` : yaml);
  const withAdmin = text.replace(
    "exporters:\n",
    'exporters:\n  prometheus: { endpoint: "127.0.0.1:0" }\n',
  );
  const parsed = parseConfig(withAdmin, "test.yaml", process.env);
  const { service } = parsed;
  return { ...parsed, service: { ...service, storage: { ...service.storage, directory } } };
}

/** Posts a body as protobuf unless told otherwise. */
export function post(url: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
  const type = { "content-type": "application/x-protobuf" };
  return fetch(url, {
    method: "POST",
    body: body as Uint8Array<ArrayBuffer> | string,
    headers: { ...type, ...headers },
  });
}

/** A request in OTLP's binary form. */
export function encodeSpans(spans: readonly TestSpan[], service = ""): Uint8Array {
  return TraceRequest.encode(requestOf(spans, service)).finish();
}

let nextId = 1;

/** The same as a message, for other encodings. */
export function requestOf(spans: readonly TestSpan[], service = "") {
  const name = [{ key: "service.name", value: anyValue(service) }];
  const resource = service === "" ? {} : { resource: { attributes: name } };
  return { resourceSpans: [{ ...resource, scopeSpans: [{ spans: spans.map(spanOf) }] }] };
}

function spanOf({ atMs, attributes, durationMs = 2, error = false }: TestSpan) {
  const id = nextId++;
  return {
    traceId: idBytes(id, 16),
    spanId: idBytes(id, 8),
    name: "inference weather",
    kind: 1,
    startTimeUnixNano: nanos(atMs),
    endTimeUnixNano: nanos(atMs + durationMs),
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) })),
    status: { code: error ? 2 : 0 },
  };
}

function anyValue(value: TestSpan["attributes"][string]): object {
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === "string") return { stringValue: value };
  return typeof value === "boolean" ? { boolValue: value } : { doubleValue: value };
}

function idBytes(id: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(id, length - 4);
  return bytes;
}

function nanos(ms: number) {
  const value = BigInt(Math.round(ms * 1000)) * 1000n;
  return { low: Number(value & 0xffffffffn) | 0, high: Number(value >> 32n) | 0, unsigned: true };
}

async function getJson(url: string) {
  return (await fetch(url)).json() as Promise<{ verdicts: Record<string, unknown>[] }>;
}

/** The samples of one metric: labels as written, and value. */
function metricLines(text: string, name: string): Record<string, number> {
  const lines = text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(name.length, space), Number(line.slice(space + 1))];
    }),
  );
}
