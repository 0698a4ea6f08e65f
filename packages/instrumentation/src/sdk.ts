/**
 * Starts OpenTelemetry's SDK the way `OTEL_*` variables say, for an app that has none. Where they
 * say nothing: traces over OTLP as protobuf, no metrics and no logs, and resource attributes that
 * hold no command line.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { trace } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK, startNodeSdk } from "@opentelemetry/sdk-node";
import { complain } from "./complain.js";
import { DetachedExporter, detachedAgent } from "./detached-exporter.js";

const DEFAULT_ENDPOINT = "http://localhost:4318";
const DEFAULT_GRPC_ENDPOINT = "http://localhost:4317";
/** A second in place of the specification's five: what a sudden end may lose. */
const SCHEDULE_DELAY_MS = "1000";
/** `process` is left out: it would export the command line, where people put secrets. */
const DETECTORS = "env,host,os,serviceinstance";
/** Where traces go; the first that is set. */
const ENDPOINTS = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"] as const;
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
}

/** For exporters that are not ours. */
const SILENT = { drain: () => undefined, tellLosses: () => undefined };

type Env = NodeJS.ProcessEnv;

/** Starts the SDK; undefined when the environment disables it. */
export function startSdk(env: Env): RunningSdk | undefined {
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return undefined;
  if (env["OTEL_CONFIG_FILE"]) {
    const sdk = startNodeSdk();
    return { ...SILENT, flush: providerFlush(), shutdown: () => sdk.shutdown() };
  }
  const exporter = otlpExporter(env);
  const serviceName = defaultServiceName(env);
  const defaults = {
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_BSP_SCHEDULE_DELAY: SCHEDULE_DELAY_MS,
    OTEL_NODE_RESOURCE_DETECTORS: DETECTORS,
  };
  const sdk = withDefaults(env, defaults, () => {
    const created = new NodeSDK({
      ...(exporter && { traceExporter: exporter }),
      ...(serviceName !== undefined && { serviceName }),
    });
    created.start();
    return created;
  });
  const flushQueue = providerFlush();
  let flushed: Promise<unknown> = Promise.resolve();
  return {
    async flush() {
      // A flush that has taken the spans may still wait for the resource's attributes.
      flushed = Promise.allSettled([flushed, flushQueue()]);
      await flushed;
      await exporter?.forceFlush();
    },
    drain: () => exporter?.drain(),
    tellLosses: () => exporter?.tellLosses(),
    shutdown: () => sdk.shutdown(),
  };
}

/** The exporter for OTLP; undefined leaves the choice to the SDK. */
function otlpExporter(env: Env): DetachedExporter | undefined {
  const wanted = env["OTEL_TRACES_EXPORTER"]?.trim() || "otlp";
  if (wanted !== "otlp") return undefined;
  const protocol = (
    env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ||
    env["OTEL_EXPORTER_OTLP_PROTOCOL"] ||
    "http/protobuf"
  ).trim();
  const variable = ENDPOINTS.find((name) => env[name]);
  if (protocol === "grpc") {
    // gRPC takes addresses without a scheme.
    const address = (variable && env[variable]) || DEFAULT_GRPC_ENDPOINT;
    const url = address.includes("://") ? address : `http://${address}`;
    return new DetachedExporter(new GrpcExporter(), withoutCredentials(url));
  }
  if (protocol !== "http/json" && protocol !== "http/protobuf") {
    complain(
      `the OTLP protocol "${protocol}" is unknown, http/protobuf is used; ` +
        "there are http/protobuf, http/json and grpc",
    );
  }
  const certificates = Object.keys(env).some((name) => CERTIFICATES.test(name));
  const options = certificates ? {} : { httpAgentOptions: detachedAgent };
  const exporter =
    protocol === "http/json" ? new JsonExporter(options) : new ProtobufExporter(options);
  const endpoint = (variable && env[variable]?.trim()) || DEFAULT_ENDPOINT;
  if (variable && !/^https?:/i.test(endpoint)) {
    const example = /^[\w.[\]:-]+$/.test(endpoint) ? `http://${endpoint}` : DEFAULT_ENDPOINT;
    complain(`${variable} has no scheme and is not understood; write for example ${example}`);
  }
  return new DetachedExporter(exporter, withoutCredentials(endpoint));
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
