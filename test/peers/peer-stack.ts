/**
 * The peers as docker-compose.yml runs them: each with its file from `collector-config/`, natively,
 * on free ports of 127.0.0.1. What compose says in variables and mounts is said here instead.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePorts } from "../free-ports.ts";
import type { Program } from "./peer-programs.ts";
import { peerPath, ROOT, startProgram } from "./peer-programs.ts";

/** Where the programs' configuration files are. */
export const CONFIG = join(ROOT, "collector-config");

/** The receiver's command, as built. */
export const TIDEMARK = join(ROOT, "packages", "receiver", "dist", "cli.js");

const HOST = "127.0.0.1";

export interface Jaeger extends Program {
  /** For OTLP exporters: `/v1/traces` is appended. */
  readonly otlpUrl: string;
  readonly queryUrl: string;
}

export async function startJaeger(prometheusUrl: string): Promise<Jaeger> {
  const [otlpHttp, otlpGrpc, http, grpc, health, metrics] = await ports(6);
  const program = await startProgram({
    name: "Jaeger",
    command: peerPath("jaeger"),
    args: ["--config", join(CONFIG, "jaeger", "jaeger.yaml")],
    env: {
      JAEGER_OTLP_HTTP_PORT: otlpHttp,
      JAEGER_OTLP_GRPC_PORT: otlpGrpc,
      JAEGER_HTTP_PORT: http,
      JAEGER_GRPC_PORT: grpc,
      JAEGER_HEALTH_PORT: health,
      JAEGER_METRICS_PORT: metrics,
      JAEGER_UI_CONFIG: join(CONFIG, "jaeger", "ui.json"),
      PROMETHEUS_URL: prometheusUrl,
    },
    readyUrl: `http://${HOST}:${health}/status`,
  });
  // Its traces are in its memory; asked politely, it would take ten seconds to lose them.
  return { ...program, stop: program.kill, otlpUrl: url(otlpHttp), queryUrl: url(http) };
}

export interface Collector extends Program {
  /** For OTLP over HTTP, and host and port for OTLP over gRPC. */
  readonly otlpUrl: string;
  readonly otlpGrpcAddress: string;
  /** Its own health: an address for Prometheus to scrape. */
  readonly metricsAddress: string;
}

/**
 * `queueFolder` outlives the process, as a volume does; `variables` say where spans go, or just the
 * URL of what comes behind collector.yaml. `file` is one of `collector-config/collector`, or a path.
 */
export async function startCollector(
  queueFolder: string,
  variables: string | Readonly<Record<string, string>>,
  file = "collector.yaml",
): Promise<Collector> {
  const [otlpHttp, otlpGrpc, health, metrics] = await ports(4);
  const program = await startProgram({
    name: `the Collector with ${file}`,
    command: peerPath("collector"),
    args: ["--config", resolve(CONFIG, "collector", file)],
    env: {
      COLLECTOR_OTLP_HTTP_PORT: otlpHttp,
      COLLECTOR_OTLP_GRPC_PORT: otlpGrpc,
      COLLECTOR_HEALTH_PORT: health,
      COLLECTOR_METRICS_PORT: metrics,
      COLLECTOR_QUEUE_DIR: queueFolder,
      ...(typeof variables === "string" ? { TIDEMARK_OTLP_URL: variables } : variables),
    },
    readyUrl: `http://${HOST}:${health}/`,
  });
  return {
    ...program,
    otlpUrl: url(otlpHttp),
    otlpGrpcAddress: `${HOST}:${otlpGrpc}`,
    metricsAddress: `${HOST}:${metrics}`,
  };
}

export interface Prometheus extends Program {
  readonly url: string;
  /** Changes what a job scrapes; Prometheus notices by itself. */
  setTarget(job: string, address: string): void;
}

/**
 * prometheus.yml and its rules are linked into a folder with other target files, which set a scrape
 * interval of one second. `hasty`: rules are evaluated every second and fire at once, as their
 * unit tests have shown their patience; and native histograms are scraped beside the classic ones.
 * `rules` is a file of more rules, for a hasty one.
 */
export async function startPrometheus(
  folder: string,
  targets: Readonly<Record<string, string>> = {},
  { hasty = false, rules, build }: { hasty?: boolean; rules?: string; build?: "debian" } = {},
): Promise<Prometheus> {
  const [port] = await ports(1);
  const configFolder = join(folder, "config");
  mkdirSync(join(configFolder, "targets"), { recursive: true });
  if (hasty) copyHastily(join(CONFIG, "prometheus"), configFolder, build !== "debian");
  else {
    for (const name of ["prometheus.yml", "rules"]) {
      symlinkSync(join(CONFIG, "prometheus", name), join(configFolder, name));
    }
  }
  if (rules) symlinkSync(rules, join(configFolder, "rules", "more.yml"));
  const setTarget = (job: string, address: string) => {
    const labels = { __scrape_interval__: "1s", __scrape_timeout__: "1s" };
    const group = [{ targets: [address], labels }];
    writeFileSync(join(configFolder, "targets", `${job}.json`), JSON.stringify(group));
  };
  for (const [job, address] of Object.entries(targets)) setTarget(job, address);
  const program = await startProgram({
    name: "Prometheus",
    command: peerPath(build === "debian" ? "debian-prometheus" : "prometheus"),
    args: [
      `--config.file=${join(configFolder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${HOST}:${port}`,
      "--enable-feature=exemplar-storage",
      ...(build === "debian" ? [] : ["--web.enable-otlp-receiver"]),
    ],
    readyUrl: `http://${HOST}:${port}/-/ready`,
  });
  return { ...program, url: url(port), setTarget };
}

function copyHastily(source: string, target: string, isNew: boolean): void {
  const config = readFileSync(join(source, "prometheus.yml"), "utf8");
  const both = "scrape_native_histograms: true\n    always_scrape_classic_histograms: true";
  const native = isNew ? both : "honor_labels: false";
  writeFileSync(
    join(target, "prometheus.yml"),
    config
      .replace("evaluation_interval: 15s", "evaluation_interval: 1s")
      .replace("- job_name: tidemark", `- job_name: tidemark\n    ${native}`),
  );
  mkdirSync(join(target, "rules"));
  for (const name of readdirSync(join(source, "rules")).filter((one) => one.endsWith(".yml"))) {
    const rules = readFileSync(join(source, "rules", name), "utf8");
    // A receiver that is only starting is not down.
    const isOfReceiver = name === "receiver.yml";
    const atOnce = isOfReceiver ? rules : rules.replaceAll(/^( +)for: \w+$/gm, "$1for: 0s");
    writeFileSync(
      join(target, "rules", name),
      atOnce.replaceAll(/^ +keep_firing_for: \w+\n/gm, ""),
    );
  }
}

export interface Alertmanager extends Program {
  readonly url: string;
}

/** Where alertmanager.yml is to send instead; secrets are addresses and keys beside it. */
export interface AlertRecipients {
  readonly slackUrl: string;
  readonly pagerdutyUrl: string;
  readonly retrainingUrl: string;
  /** Host and port of a mail server without TLS. */
  readonly smtpAddress: string;
}

/**
 * alertmanager.yml as it is, or with other addresses, which Alertmanager has no variables for, and
 * then with a patience of one second.
 */
export async function startAlertmanager(
  folder: string,
  recipients?: AlertRecipients,
): Promise<Alertmanager> {
  const [port] = await ports(1);
  const source = join(CONFIG, "alertmanager");
  const config = recipients ? redirected(source, folder, recipients) : source;
  const program = await startProgram({
    name: "Alertmanager",
    command: peerPath("alertmanager"),
    args: [
      `--config.file=${join(config, "alertmanager.yml")}`,
      `--storage.path=${join(folder, "data")}`,
      `--web.listen-address=${HOST}:${port}`,
      "--cluster.listen-address=",
    ],
    readyUrl: `http://${HOST}:${port}/-/ready`,
  });
  return { ...program, url: url(port) };
}

/** A folder with the same file, but for where it sends and how long it waits, and with secrets. */
function redirected(source: string, folder: string, recipients: AlertRecipients): string {
  const target = join(folder, "config");
  mkdirSync(join(target, "secrets"), { recursive: true });
  symlinkSync(join(source, "templates"), join(target, "templates"));
  let text = readFileSync(join(source, "alertmanager.yml"), "utf8");
  const changes: readonly [RegExp, string][] = [
    [/\/etc\/alertmanager\/secrets/g, join(target, "secrets")],
    [/https:\/\/events\.pagerduty\.com\/v2\/enqueue/, recipients.pagerdutyUrl],
    [/smtp_smarthost: .*/, `smtp_smarthost: ${recipients.smtpAddress}`],
    [/smtp_require_tls: true/, "smtp_require_tls: false"],
    [/group_wait: 30s/, "group_wait: 1s"],
    [/group_wait: 10s/, "group_wait: 1s"],
    [/group_interval: 5m/, "group_interval: 1s"],
  ];
  for (const [pattern, replacement] of changes) {
    const changed = text.replace(pattern, replacement);
    if (changed === text) throw new Error(`alertmanager.yml has no ${pattern}`);
    text = changed;
  }
  writeFileSync(join(target, "alertmanager.yml"), text);
  const secrets = {
    slack_url: recipients.slackUrl,
    pagerduty_key: "pagerduty-key",
    smtp_password: "smtp-password",
    retraining_url: recipients.retrainingUrl,
  };
  for (const [name, secret] of Object.entries(secrets)) {
    writeFileSync(join(target, "secrets", name), secret);
  }
  return target;
}

export interface Receiver extends Program {
  readonly otlpUrl: string;
  readonly otlpGrpcUrl: string;
  /** `/metrics`, `/api/v1/verdicts`, `/readyz`. */
  readonly adminUrl: string;
  /** The same for Prometheus to scrape. */
  readonly metricsAddress: string;
}

/** The receiver, under this very Node. */
export async function startReceiver(
  jaegerUrl: string,
  configFile = join(CONFIG, "tidemark", "tidemark.yaml"),
): Promise<Receiver> {
  const [otlpHttp, otlpGrpc, metrics] = await ports(3);
  const data = mkdtempSync(join(tmpdir(), "tidemark-peers-"));
  const program = await startProgram({
    name: "the receiver",
    command: process.execPath,
    args: [TIDEMARK, "receive", "--config", configFile],
    env: {
      TIDEMARK_OTLP_HTTP_PORT: otlpHttp,
      TIDEMARK_OTLP_GRPC_PORT: otlpGrpc,
      TIDEMARK_METRICS_PORT: metrics,
      JAEGER_OTLP_URL: jaegerUrl,
      TIDEMARK_DATA_DIR: data,
      XDG_STATE_HOME: data,
    },
    readyUrl: `http://${HOST}:${metrics}/readyz`,
  });
  return {
    ...program,
    stop: async () => {
      await program.stop();
      rmSync(data, { recursive: true, force: true });
    },
    otlpUrl: url(otlpHttp),
    otlpGrpcUrl: url(otlpGrpc),
    adminUrl: url(metrics),
    metricsAddress: `${HOST}:${metrics}`,
  };
}

/** Everything that a test starts or makes; `end` undoes it in the reverse order. */
export class Stack {
  private readonly undo: (() => void | Promise<void>)[] = [];

  /** A new folder, removed at the end. */
  folder(): string {
    const path = mkdtempSync(join(tmpdir(), "tidemark-peers-"));
    this.undo.push(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  async add<P extends Program>(starting: Promise<P>): Promise<P> {
    const program = await starting;
    this.undo.push(() => program.stop());
    return program;
  }

  /** Has something stopped that is running already. */
  addSink(sink: { stop(): Promise<void> }): void {
    this.undo.push(() => sink.stop());
  }

  async end(): Promise<void> {
    for (const step of this.undo.splice(0).toReversed()) await step();
  }
}

function url(port: string): string {
  return `http://${HOST}:${port}`;
}

/** Free ports as strings, for variables and flags. */
async function ports<N extends number>(count: N): Promise<PortTuple<N>> {
  return (await freePorts(count)).map(String) as PortTuple<N>;
}

type PortTuple<N extends number, T extends string[] = []> = T["length"] extends N
  ? T
  : PortTuple<N, [...T, string]>;
