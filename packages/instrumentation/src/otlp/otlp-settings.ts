/**
 * The variables that say where traces go over OTLP/HTTP, those for traces before those for all.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
import type { BatchSettings } from "./direct-span-processor.js";
import type { SenderSettings } from "./otlp-sender.js";

type Env = NodeJS.ProcessEnv;

const DEFAULT_ENDPOINT = "http://localhost:4318";
const TRACES_PATH = "v1/traces";
const TIMEOUT_MS = 10_000;
const BATCH_SPANS = 512;
const QUEUE_SPANS = 2048;

/** The endpoint as it is written, and by which variable; the default without one. */
export function endpointIn(env: Env): { variable: string | undefined; endpoint: string } {
  const names = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
  const variable = names.find((name) => env[name]?.trim());
  return { variable, endpoint: (variable && env[variable]?.trim()) || DEFAULT_ENDPOINT };
}

/** How bodies are sent; undefined when the endpoint is no HTTP address. */
export function senderSettings(env: Env): SenderSettings | undefined {
  const { variable, endpoint } = endpointIn(env);
  if (!/^https?:/i.test(endpoint) || !URL.canParse(endpoint)) return undefined;
  const url = new URL(endpoint);
  if (variable !== "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") {
    url.pathname += url.pathname.endsWith("/") ? TRACES_PATH : `/${TRACES_PATH}`;
  }
  const of = (name: string) =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`]?.trim() || env[`OTEL_EXPORTER_OTLP_${name}`]?.trim();
  return {
    url,
    headers: {
      "user-agent": "tidemark-instrumentation",
      ...headersIn(env["OTEL_EXPORTER_OTLP_HEADERS"]),
      ...headersIn(env["OTEL_EXPORTER_OTLP_TRACES_HEADERS"]),
    },
    gzip: of("COMPRESSION") === "gzip",
    timeoutMs: positive(of("TIMEOUT"), TIMEOUT_MS),
  };
}

/** When a batch is sent. */
export function batchSettings(env: Env, delayMs: number): BatchSettings {
  const queueMax = positive(env["OTEL_BSP_MAX_QUEUE_SIZE"], QUEUE_SPANS);
  return {
    delayMs: positive(env["OTEL_BSP_SCHEDULE_DELAY"], delayMs),
    batchMax: Math.min(queueMax, positive(env["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], BATCH_SPANS)),
    queueMax,
  };
}

/** `key=value,key=value`, the values percent-encoded. */
function headersIn(text: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const entry of text?.split(",") ?? []) {
    const equals = entry.indexOf("=");
    const key = entry.slice(0, equals).trim();
    if (equals <= 0 || key === "") continue;
    headers[key.toLowerCase()] = decoded(entry.slice(equals + 1).trim());
  }
  return headers;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function positive(text: string | undefined, fallback: number): number {
  const value = Number(text?.trim() || Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : fallback;
}
