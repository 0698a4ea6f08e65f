/**
 * Starts OpenTelemetry's SDK the way `OTEL_*` variables say, for an app that has none. Where they
 * say nothing: traces over OTLP as protobuf, no metrics and no logs, and resource attributes that
 * hold no command line.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { trace } from "@opentelemetry/api";
import { complain } from "./complain.js";
import { isDefaultEnvironment, startDefaultSdk } from "./default-sdk.js";
import { Deliveries } from "./deliveries.js";
import { DetachedExporter } from "./detached-exporter.js";
import type { Exit } from "./full-sdk.js";
import { startSpansWith } from "./host-api.js";
import { DirectSpanProcessor } from "./otlp/direct-span-processor.js";
import { OtlpSender } from "./otlp/otlp-sender.js";
import { batchSettings, endpointIn, senderSettings } from "./otlp/otlp-settings.js";
import { ownSpans } from "./otlp/own-span.js";

const DEFAULT_GRPC_ENDPOINT = "http://localhost:4317";
/** A second in place of the specification's five: what a sudden end may lose. */
const SCHEDULE_DELAY_MS = 1000;
/** `process` is left out: it would export the command line, where people put secrets. */
const DETECTORS = "env,host,os,serviceinstance";
/** What the cheap spans do not know of: other samplers and bounds than the SDK's defaults. */
const SPAN_SETTINGS = /^OTEL_(?:SPAN_|LINK_|EVENT_|ATTRIBUTE_)\w*LIMIT$/;
const DEFAULT_SAMPLERS = new Set(["", "parentbased_always_on"]);
const CERTIFICATES = /^OTEL_EXPORTER_OTLP_(?:TRACES_)?(?:CLIENT_)?(?:CERTIFICATE|KEY)$/;

/** The SDK as the rest of this package knows it. */
export interface RunningSdk {
  /** Sends what has ended so far; rejects only when that is impossible. */
  flush(): Promise<void>;
  /** Says that the process ends: failed exports are not repeated. */
  drain(): void;
  /** Says how many spans were lost in all, if that has not been said. */
  tellLosses(): void;
  shutdown(): Promise<void>;
  /** Whether the environment asks for metrics. */
  readonly metrics: boolean;
}

/** For exporters that are not ours. */
const SILENT = { drain: () => undefined, tellLosses: () => undefined, metrics: true };

type Env = NodeJS.ProcessEnv;

/** What is not needed by default is loaded when it is: the whole SDK takes 300 ms. */
const require = createRequire(import.meta.url);
function fullSdk(watchCopy: (api: object) => void) {
  const full = require("./full-sdk.js") as typeof import("./full-sdk.js");
  watchCopy(full.API_OF_SDK);
  return full;
}

/**
 * Starts the SDK; undefined when the environment disables it. An SDK that registers itself with
 * another copy of the API than this package's is announced by `watchCopy` before it does.
 */
export function startSdk(env: Env, watchCopy: (api: object) => void): RunningSdk | undefined {
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return undefined;
  if (env["OTEL_CONFIG_FILE"]) {
    const sdk = fullSdk(watchCopy).startSdkFromFile();
    return { ...SILENT, flush: providerFlush(), shutdown: () => sdk.shutdown() };
  }
  const plain = isDefaultEnvironment(env);
  const exit = otlpExit(env);
  const serviceName = defaultServiceName(env);
  const defaults = {
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_BSP_SCHEDULE_DELAY: String(SCHEDULE_DELAY_MS),
    OTEL_NODE_RESOURCE_DETECTORS: DETECTORS,
  };
  const sdk = withDefaults(env, defaults, () =>
    plain && exit instanceof DirectSpanProcessor
      ? startDefaultSdk(exit, serviceName)
      : fullSdk(watchCopy).startFullSdk(exit, serviceName),
  );
  if (exit instanceof DirectSpanProcessor) makeCheapSpans(env, exit);
  // The provider's own flush sets a timer that would hold the process for half a minute.
  const flushQueue = exit instanceof DirectSpanProcessor ? async () => {} : providerFlush();
  let flushed: Promise<unknown> = Promise.resolve();
  return {
    async flush() {
      // A flush that has taken the spans may still wait for the resource's attributes.
      flushed = Promise.allSettled([flushed, flushQueue()]);
      await flushed;
      await exit?.forceFlush();
    },
    drain: () => exit?.drain(),
    tellLosses: () => exit?.tellLosses(),
    shutdown: () => sdk.shutdown(),
    metrics: (env["OTEL_METRICS_EXPORTER"]?.trim() || "none") !== "none",
  };
}

/** Has this package's spans made the cheap way, where they come out as the SDK's would. */
function makeCheapSpans(env: Env, processor: DirectSpanProcessor): void {
  const sampler = env["OTEL_TRACES_SAMPLER"]?.trim() ?? "";
  const limits = Object.keys(env).some((name) => SPAN_SETTINGS.test(name) && env[name]);
  if (!DEFAULT_SAMPLERS.has(sampler) || limits) return;
  // A span that is never ended shows the processor what resource the SDK has found.
  trace.getTracer("").startSpan("");
  startSpansWith(ownSpans(processor));
}

/** The way out for OTLP; undefined leaves the choice to the SDK. */
function otlpExit(env: Env): Exit {
  const wanted = env["OTEL_TRACES_EXPORTER"]?.trim() || "otlp";
  if (wanted !== "otlp") return undefined;
  const protocol = (
    env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ||
    env["OTEL_EXPORTER_OTLP_PROTOCOL"] ||
    "http/protobuf"
  ).trim();
  const { variable, endpoint } = endpointIn(env);
  if (protocol === "grpc") {
    // gRPC takes addresses without a scheme.
    const address = variable ? endpoint : DEFAULT_GRPC_ENDPOINT;
    const url = address.includes("://") ? address : `http://${address}`;
    const name = "@opentelemetry/exporter-trace-otlp-grpc";
    const grpc = require(name) as typeof import("@opentelemetry/exporter-trace-otlp-grpc");
    return new DetachedExporter(new grpc.OTLPTraceExporter(), withoutCredentials(url));
  }
  if (protocol !== "http/json" && protocol !== "http/protobuf") {
    complain(
      `the OTLP protocol "${protocol}" is unknown, http/protobuf is used; ` +
        "there are http/protobuf, http/json and grpc",
    );
  }
  if (variable && !/^https?:/i.test(endpoint)) {
    const example = /^[\w.[\]:-]+$/.test(endpoint) ? `http://${endpoint}` : "http://localhost:4318";
    complain(`${variable} has no scheme and is not understood; write for example ${example}`);
  }
  return httpExit(env, protocol === "http/json", withoutCredentials(endpoint));
}

/** Our own way for protobuf, OpenTelemetry's for JSON and for certificates. */
function httpExit(env: Env, json: boolean, name: string): Exit {
  const certificates = Object.keys(env).some((variable) => CERTIFICATES.test(variable));
  const settings = certificates || json ? undefined : senderSettings(env);
  if (settings) {
    const deliveries = new Deliveries(name);
    const sender = new OtlpSender(settings, deliveries);
    const batches = batchSettings(env, SCHEDULE_DELAY_MS);
    return new DirectSpanProcessor(batches, sender, deliveries);
  }
  const stock = require("./stock-exporters.js") as typeof import("./stock-exporters.js");
  return new DetachedExporter(stock.stockExporter(json, certificates), name);
}

function withoutCredentials(endpoint: string): string {
  return (URL.canParse(endpoint) && new URL(endpoint).host) || "the OTLP endpoint";
}

/** The name in the app's package.json, unless the environment names the service. */
function defaultServiceName(env: Env): string | undefined {
  if (env["OTEL_SERVICE_NAME"]) return undefined;
  if (/(?:^|,)\s*service\.name\s*=/.test(env["OTEL_RESOURCE_ATTRIBUTES"] ?? "")) return undefined;
  const script = process.argv[1];
  let folder = script === undefined ? process.cwd() : dirname(script);
  for (;;) {
    const name = packageName(join(folder, "package.json"));
    if (name !== undefined) return name;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

function packageName(file: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(file, "utf8")) as { name?: unknown };
    return typeof name === "string" && name !== "" ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Sets variables that are unset while `work` runs: what the app and its children see stays. */
function withDefaults<T>(env: Env, defaults: Readonly<Record<string, string>>, work: () => T): T {
  const added = Object.keys(defaults).filter((name) => !env[name]);
  for (const name of added) env[name] = defaults[name];
  try {
    return work();
  } finally {
    for (const name of added) delete env[name];
  }
}

/** Flushes the provider that is registered now, not one that takes its place later. */
function providerFlush(): () => Promise<void> {
  const provider = trace.getTracerProvider() as { getDelegate?: () => unknown };
  const delegate = (provider.getDelegate?.() ?? provider) as { forceFlush?: () => Promise<void> };
  return async () => {
    await delegate.forceFlush?.();
  };
}
