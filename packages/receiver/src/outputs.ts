/** Where things leave the receiver: who gets what, and over which protocol. */
import { hostname } from "node:os";
import { join } from "node:path";
import { takes } from "./config/rules.js";
import type { Config, OtlpExporter } from "./config/schema.js";
import { OtlpMetricsPush } from "./export/otlp-metrics-push.js";
import { DeadLetters } from "./forward/dead-letters.js";
import type { ForwarderParts } from "./forward/forwarder.js";
import { Forwarder } from "./forward/forwarder.js";
import { GrpcClient } from "./forward/grpc-client.js";
import { HttpClient } from "./forward/http-client.js";
import type { OtlpSignal } from "./log/log-record.js";
import type { Logger } from "./logger.js";
import type { Labels, MetricFamily } from "./metric-family.js";
import type { OtlpClient } from "./otlp-client.js";

/** One for each endpoint that gets traces, metrics of others, or our events. */
export function createForwarders(
  config: Config,
  parts: Omit<ForwarderParts, "clients" | "deadLetters">,
): Forwarder[] {
  const folder = join(config.service.storage.directory, "dead-letters");
  return [...forwardTargets(config)].flatMap(([name, signals]) => {
    const exporter = config.exporters.otlp.get(name);
    if (exporter === undefined) return [];
    const { concurrency, maxElapsedTime: maxElapsedMs } = exporter;
    const clients = Object.fromEntries(
      signals.map((signal) => [signal, createClient(name, exporter, signal)]),
    );
    const deadLetters = new DeadLetters(folder, name, parts.logger);
    const options = { name, maxElapsedMs, concurrency };
    return [new Forwarder(options, { ...parts, clients, deadLetters })];
  });
}

/** The endpoints that get what is received, and which signals of it. */
export function forwardTargets(config: Config): Map<string, OtlpSignal[]> {
  const { traces, metrics, logs } = config.service.pipelines;
  const targets = new Map<string, OtlpSignal[]>();
  const add = (signal: OtlpSignal, names: readonly string[]) => {
    for (const name of names) {
      if (!config.exporters.otlp.has(name)) continue;
      targets.set(name, [...(targets.get(name) ?? []), signal]);
    }
  };
  add("traces", traces.exporters);
  if (takes(config, "metrics")) add("metrics", metrics.exporters);
  add("logs", logs.exporters);
  return targets;
}

/** What findings are told as: where nobody takes traces or logs, there is none. */
export function reportedSignals(config: Config): OtlpSignal[] {
  const { traces, logs } = config.service.pipelines;
  return [
    ...(traces.exporters.length > 0 ? (["traces"] as const) : []),
    ...(logs.exporters.length > 0 ? (["logs"] as const) : []),
  ];
}

/** Who the receiver says it is; Prometheus makes `job` and `instance` of it. */
export function receiverResource(config: Config): Labels {
  const { port } = config.exporters.prometheus.endpoint;
  return {
    "service.name": process.env["OTEL_SERVICE_NAME"] ?? "tidemark-receiver",
    "service.instance.id": `${hostname()}:${port}`,
  };
}

function createClient(name: string, exporter: OtlpExporter, signal: OtlpSignal): OtlpClient {
  const { endpoint, headers, timeout } = exporter;
  if (name.startsWith("otlp_grpc")) return new GrpcClient(endpoint, signal, headers, timeout);
  return new HttpClient(signalUrl(endpoint, `v1/${signal}`), headers, timeout);
}

/** One for each endpoint that gets our metrics. */
export function createPushes(
  config: Config,
  metrics: () => MetricFamily[],
  logger: Logger,
  now: () => number,
): OtlpMetricsPush[] {
  return config.service.pipelines.metrics.exporters.flatMap((name) => {
    const exporter = config.exporters.otlp.get(name);
    if (exporter === undefined) return [];
    const { interval: intervalMs, timeout: timeoutMs, histograms } = exporter;
    const options = { name, intervalMs, timeoutMs, histograms, resource: receiverResource(config) };
    const client = createClient(name, exporter, "metrics");
    return [new OtlpMetricsPush(options, client, metrics, now, logger)];
  });
}

function signalUrl(base: URL, path: string): URL {
  return new URL(`${base.pathname.replace(/\/$/, "")}/${path}`, base);
}
