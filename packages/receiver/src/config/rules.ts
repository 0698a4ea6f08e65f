/** The rules of the configuration that join several keys. */

import { normalize } from "node:path";
import { CALL_SIGNALS, SEGMENT_MIX } from "@tidemark/semconv";
import type { OtlpSignal } from "../log/log-record.js";
import { lookBackMs } from "../references/moving-reference.js";
import type { Endpoint } from "./fields.js";
import { formatDuration } from "./quantities.js";
import type { ParsedConfig } from "./schema.js";

/** Names file and line of a key. */
export type Locate = (path: readonly (string | number)[]) => string;

/** What cannot work although each value by itself may be; one line each. */
export function brokenRules(config: ParsedConfig, locate: Locate): string[] {
  return [
    ...pipelineComplaints(config, locate),
    ...windowComplaints(config, locate),
    ...addressComplaints(config, locate),
    ...endpointComplaints(config, locate),
    ...promiseComplaints(config, locate),
    ...referenceComplaints(config, locate),
    ...signalComplaints(config, locate),
    ...retentionComplaints(config, locate),
  ];
}

/** Exporters that no pipeline sends to: harmless, and hardly meant. */
export function unusedExporters(config: ParsedConfig, locate: Locate): string[] {
  const { pipelines } = config.service;
  const used = new Set(Object.values(pipelines).flatMap((pipeline) => pipeline.exporters));
  return [...config.exporters.otlp.keys()]
    .filter((name) => !used.has(name))
    .map((name) => {
      const at = locate(["exporters", name]);
      return `${at}: exporters.${name}: no pipeline uses it; list it in service.pipelines`;
    });
}

/** What is received. */
export function takenSignals(config: Pick<ParsedConfig, "service">): OtlpSignal[] {
  return ["traces", ...(["metrics", "logs"] as const).filter((signal) => takes(config, signal))];
}

/** Whether metrics or logs are received: a list of receivers has to say so. */
export function takes(
  { service }: Pick<ParsedConfig, "service">,
  signal: "metrics" | "logs",
): boolean {
  return service.pipelines[signal].receivers?.includes("otlp") ?? false;
}

function pipelineComplaints(config: ParsedConfig, locate: Locate): string[] {
  const { traces, metrics, logs } = config.service.pipelines;
  const { otlp } = config.exporters;
  const wrong: string[] = [];
  const check = (pipeline: string, names: readonly string[], known: readonly string[]) => {
    for (const [index, name] of names.entries()) {
      if (known.includes(name)) continue;
      const path = ["service", "pipelines", pipeline, "exporters", index];
      const hint = known.length > 0 ? `there are: ${known.join(", ")}` : "there are none";
      wrong.push(`${locate(path)}: no exporter "${name}" for ${pipeline}; ${hint}`);
    }
  };
  const names = [...otlp.keys()];
  check("traces", traces.exporters, names);
  check("metrics", metrics.exporters, ["prometheus", ...names]);
  check("logs", logs.exporters, names);
  // What others send may come as JSON, which has no way into gRPC; what is our own always has.
  for (const [signal, exporters] of [
    ["metrics", metrics.exporters.filter((name) => name !== "prometheus")],
    ["logs", logs.exporters],
  ] as const) {
    // Of logs the evaluations are read, whoever gets them; metrics are for nothing but going on.
    const isForwardable =
      (signal === "logs" || exporters.length > 0) &&
      exporters.every((name) => name.startsWith("otlp_http"));
    if (!takes(config, signal) || isForwardable) continue;
    const at = locate(["service", "pipelines", signal, "receivers"]);
    wrong.push(
      `${at}: service.pipelines.${signal}.receivers: ${signal} that are received go to otlp_http ` +
        "exporters; list only such ones in this pipeline, or leave the receiver out",
    );
  }
  for (const [pipeline, { receivers = [] }] of Object.entries({ traces, metrics, logs })) {
    for (const [index, name] of receivers.entries()) {
      if (name === "otlp") continue;
      const path = ["service", "pipelines", pipeline, "receivers", index];
      wrong.push(`${locate(path)}: no receiver "${name}"; there is: otlp`);
    }
  }
  return wrong;
}

/** A window is a sum of panes, and a longer window a sum of shorter ones. */
function windowComplaints(config: ParsedConfig, locate: Locate): string[] {
  const { observe, evaluate } = config.processors;
  const wrong: string[] = [];
  let shorter = observe.pane;
  for (const [index, window] of evaluate.windows.entries()) {
    const path = ["processors", "evaluate", "windows", index];
    if (window % shorter !== 0 || (index > 0 && window === shorter)) {
      const what = index === 0 ? "observe.pane" : "the window before it";
      wrong.push(
        `${locate(path)}: the window ${formatDuration(window)} must be a multiple of ${what}, ` +
          `${formatDuration(shorter)}${index === 0 ? "" : ", and longer"}`,
      );
    }
    shorter = window;
  }
  return wrong;
}

function addressComplaints(config: ParsedConfig, locate: Locate): string[] {
  const { grpc, http } = config.receivers.otlp.protocols;
  const servers: { path: string[]; endpoint: Endpoint }[] = [
    { path: ["exporters", "prometheus", "endpoint"], ...config.exporters.prometheus },
  ];
  for (const [name, { enabled, endpoint }] of Object.entries({ grpc, http })) {
    const path = ["receivers", "otlp", "protocols", name, "endpoint"];
    if (enabled) servers.push({ path, endpoint });
  }
  return servers.flatMap(({ path, endpoint }, index) => {
    const other = servers.slice(0, index).find((server) => clash(server.endpoint, endpoint));
    if (other === undefined) return [];
    const [key, taken] = [path.join("."), other.path.join(".")];
    return [`${locate(path)}: ${key}: ${taken} has port ${endpoint.port} too; change one of them`];
  });
}

function clash(a: Endpoint, b: Endpoint): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isEverywhere(a) || isEverywhere(b);
}

function isEverywhere({ host }: Endpoint): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** The path of a signal is appended by us. */
function endpointComplaints(config: ParsedConfig, locate: Locate): string[] {
  return [...config.exporters.otlp].flatMap(([name, { endpoint }]) => {
    const path = /\/v1\/(?:traces|metrics|logs)\/?$/.exec(endpoint.pathname)?.[0];
    if (path === undefined) return [];
    const at = locate(["exporters", name, "endpoint"]);
    const base = endpoint.href.replace(path, "");
    return [`${at}: exporters.${name}.endpoint: ${path} is appended by itself; write ${base}`];
  });
}

function promiseComplaints(config: ParsedConfig, locate: Locate): string[] {
  const { falseAlarmsPerFeatureYear, falseWarningsPerFeatureYear } = config.processors.evaluate;
  if (falseAlarmsPerFeatureYear <= falseWarningsPerFeatureYear) return [];
  const at = locate(["processors", "evaluate", "falseAlarmsPerFeatureYear"]);
  return [
    `${at}: processors.evaluate.falseAlarmsPerFeatureYear: ${falseAlarmsPerFeatureYear} is more ` +
      `than falseWarningsPerFeatureYear, ${falseWarningsPerFeatureYear}: every alarm is a ` +
      "warning first; raise the one or lower the other",
  ];
}

function referenceComplaints(config: ParsedConfig, locate: Locate): string[] {
  const files = config.processors.references.map(({ file }) => file && normalize(file));
  return files.flatMap((file, index) => {
    if (file === undefined || files.indexOf(file) === index) return [];
    const at = locate(["processors", "references", index]);
    return [`${at}: processors.references.${index}.file: ${file} is listed twice; leave one out`];
  });
}

/** Signals are told apart by their names, and those of the conventions have theirs already. */
function signalComplaints(config: ParsedConfig, locate: Locate): string[] {
  const { signals } = config.processors;
  const taken = ["feature.", "prediction.", SEGMENT_MIX, ...Object.values(CALL_SIGNALS)].map(
    (of) => (typeof of === "string" ? of : of.name),
  );
  const isTaken = (name: string) =>
    taken.some((known) => (known.endsWith(".") ? name.startsWith(known) : name === known));
  return signals.flatMap(({ name, model }, index) => {
    const at = `${locate(["processors", "signals", index])}: processors.signals.${index}`;
    if (isTaken(name)) {
      return [`${at}: the receiver itself makes signals called ${name}; give another name`];
    }
    const isSame = (other: (typeof signals)[number]) =>
      other.name === name &&
      (other.model === model || other.model === undefined || model === undefined);
    if (!signals.slice(0, index).some(isSame)) return [];
    return [`${at}: there is another signal called ${name}; give one of them a name of its own`];
  });
}

/** What is compared with the past needs a past. */
function retentionComplaints({ processors }: ParsedConfig, locate: Locate): string[] {
  const { hourRetention } = processors.observe;
  const longest = Math.max(...processors.evaluate.windows);
  return processors.references.flatMap((reference, index) => {
    const needed = lookBackMs(reference);
    if (needed === 0 || needed + longest <= hourRetention) return [];
    const at = locate(["processors", "references", index]);
    return [
      `${at}: processors.references.${index}: looks back further than the hours that are kept; ` +
        `set processors.observe.hourRetention to ${formatDuration(needed + longest)} or more`,
    ];
  });
}
