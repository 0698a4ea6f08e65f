/**
 * The whole pipeline on one screen:
 *
 *   receive ──► observe ──► evaluate ──► metrics (scrape, push), verdicts
 *      └──────► forward (original bytes)
 */
import { AdminServer } from "./admin/admin-server.js";
import { verdictApi } from "./admin/verdict-api.js";
import type { Config } from "./config/schema.js";
import { Evaluator } from "./evaluate/evaluator.js";
import { OtlpMetricsPush } from "./export/otlp-metrics-push.js";
import { Forwarder } from "./forward/forwarder.js";
import { OtlpClient } from "./forward/otlp-client.js";
import type { Logger } from "./logger.js";
import type { MetricFamily } from "./metric-family.js";
import { mergeFamilies } from "./metric-family.js";
import { Observer } from "./observe/observer.js";
import { KeyTable } from "./otlp/key-table.js";
import { wantedKeys } from "./otlp/wanted-keys.js";
import { HttpReceiver } from "./receive/http-receiver.js";
import { TraceIntake } from "./receive/trace-intake.js";
import { ReferenceBook } from "./references/reference-book.js";
import { readReferenceFile } from "./references/reference-file.js";
import type { Stage } from "./stage.js";

/** A receiver that can be started once. */
export interface Receiver {
  /** Rejects when it cannot work, such as with a ListenError; nothing is left running then. */
  start(): Promise<void>;
  shutdown(): Promise<void>;
  /** Where it listens, once it has started. */
  readonly urls: { readonly otlp: string; readonly admin: string };
}

/** What the receiver takes from the outside world, so that tests can give it another one. */
export interface World {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/**
 * Builds the stages of a configuration and joins them.
 * @throws ReferenceFileError when a reference cannot be used
 */
export function createReceiver(
  config: Config,
  logger: Logger,
  world: World = { now: Date.now, random: Math.random },
): Receiver {
  const { now } = world;
  const { observe, evaluate, learn, references } = config.processors;
  const book = new ReferenceBook(references.map(({ file }) => readReferenceFile(file)));
  const keys = new KeyTable(wantedKeys());

  const evaluator = new Evaluator({ ...evaluate, windowsMs: evaluate.windows }, logger);
  const observer = new Observer(
    {
      paneMs: observe.pane,
      windowsMs: evaluate.windows,
      allowedLatenessMs: observe.allowedLateness,
      idleTimeoutMs: observe.idleTimeout,
      signalsMax: observe.maxSignals,
      learn: { samples: learn.samples, spanMs: learn.span },
      reference: (model, version, signal) => book.find(model, version, signal),
    },
    keys,
    (window) => evaluator.consume(window),
    () => warnOfUnseenModels(book, observer, logger),
    now,
  );
  const forwarders = createForwarders(config, logger, world);
  const http = config.receivers.otlp.protocols.http;
  const intake = new TraceIntake(
    http.max_inflight_size,
    keys,
    async (batch) => {
      for (const consumer of [observer, ...forwarders]) consumer.consume(batch);
    },
    now,
  );
  const receiver = new HttpReceiver(
    { ...http.endpoint, bodyBytesMax: http.max_request_body_size },
    intake,
    logger,
  );

  const stages: Stage[] = [evaluator, observer, ...forwarders, intake, receiver];
  const metrics = (): MetricFamily[] => mergeFamilies(stages.flatMap((stage) => stage.metrics()));
  const lifecycle = new Lifecycle();
  const api = verdictApi(evaluator, observer);
  const sources = { metrics, ready: () => lifecycle.ready, api };
  const admins = createAdminServers(config, sources, logger);
  const pushes = createPushes(config, metrics, now);
  // What others depend on starts first and stops last.
  lifecycle.stages = [...admins, evaluator, observer, ...forwarders, ...pushes, intake, receiver];
  return {
    start: () => lifecycle.start(),
    shutdown: () => lifecycle.shutdown(),
    get urls() {
      const [admin] = admins;
      return {
        otlp: url(http.endpoint.host, receiver.port),
        admin: admin === undefined ? "" : url(admin.host, admin.port),
      };
    },
  };
}

/** Starts stages in order, and stops them in the opposite one. */
class Lifecycle {
  stages: readonly Stage[] = [];
  ready = false;

  async start(): Promise<void> {
    try {
      for (const stage of this.stages) await stage.start();
    } catch (error) {
      // What has started would keep a process alive that can do nothing.
      await this.shutdown();
      throw error;
    }
    this.ready = true;
  }

  async shutdown(): Promise<void> {
    this.ready = false;
    for (const stage of this.stages.toReversed()) await stage.shutdown();
  }
}

function createForwarders(config: Config, logger: Logger, { now, random }: World): Forwarder[] {
  return config.service.pipelines.traces.exporters.flatMap((name) => {
    const exporter = config.exporters.otlp.get(name);
    if (exporter === undefined) return [];
    const { headers, concurrency, timeout } = exporter;
    const target = signalUrl(exporter.endpoint, "v1/traces");
    const client = new OtlpClient(target, headers, concurrency, timeout);
    const { queue: queueBytesMax, maxElapsedTime: maxElapsedMs } = exporter;
    const options = { name, queueBytesMax, maxElapsedMs, concurrency };
    return [new Forwarder(options, client, logger, now, random)];
  });
}

function createAdminServers(
  config: Config,
  sources: ConstructorParameters<typeof AdminServer>[2],
  logger: Logger,
): AdminServer[] {
  if (!config.service.pipelines.metrics.exporters.includes("prometheus")) return [];
  const { host, port } = config.exporters.prometheus.endpoint;
  return [new AdminServer(host, port, sources, logger)];
}

function createPushes(
  config: Config,
  metrics: () => MetricFamily[],
  now: () => number,
): OtlpMetricsPush[] {
  return config.service.pipelines.metrics.exporters.flatMap((name) => {
    const exporter = config.exporters.otlp.get(name);
    if (exporter === undefined) return [];
    const { headers, interval: intervalMs, timeout: timeoutMs } = exporter;
    const target = signalUrl(exporter.endpoint, "v1/metrics").href;
    return [new OtlpMetricsPush({ url: target, headers, intervalMs, timeoutMs }, metrics, now)];
  });
}

/** A reference whose model nobody has seen is most likely a misspelt name: say it, once. */
function warnOfUnseenModels(book: ReferenceBook, observer: Observer, logger: Logger): void {
  const seen = new Set(observer.observedModels().map(({ model }) => model));
  for (const { file, model } of book.unseen(seen)) {
    logger.warn("no span has named the model of this reference; check the name", {
      reference: file,
      model,
      seen: [...seen].join(", "),
    });
  }
}

function signalUrl(base: URL, path: string): URL {
  return new URL(`${base.pathname.replace(/\/$/, "")}/${path}`, base);
}

function url(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
