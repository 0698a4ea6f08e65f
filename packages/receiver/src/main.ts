/**
 * The whole pipeline on one screen:
 *
 *   receive ──► log ──► observe ──► evaluate ──► metrics (scrape, push), verdicts
 *                └────► forward (original bytes)
 */
import { join } from "node:path";
import type { AdminServer } from "./admin/admin-server.js";
import { createAdminServers } from "./admin-servers.js";
import type { SignalIdentity } from "./closed-window.js";
import { ConfigReload } from "./config/config-reload.js";
import { takenSignals } from "./config/rules.js";
import type { Config } from "./config/schema.js";
import type { DriftFinding } from "./drift-finding.js";
import { Contributions } from "./evaluate/contributions.js";
import { Evaluator } from "./evaluate/evaluator.js";
import { QualityMonitor } from "./evaluate/quality-monitor.js";
import { DriftReports } from "./export/drift-reports.js";
import type { OtlpMetricsPush } from "./export/otlp-metrics-push.js";
import { limitSeries } from "./export/series-limit.js";
import { FlaggedBatches } from "./forward/flagged-batches.js";
import { baseUrl } from "./listen.js";
import type { LiveParts } from "./live-parts.js";
import { createLiveParts, takeUp } from "./live-parts.js";
import type { Appended } from "./log/batch-log.js";
import { BatchLog, LogUnavailableError } from "./log/batch-log.js";
import type { LoggedBody, LogRecord } from "./log/log-record.js";
import type { Logger } from "./logger.js";
import { mergeFamilies } from "./metric-family.js";
import { Observer } from "./observe/observer.js";
import { configuredKeys } from "./observe/signal-plan.js";
import { KeyTable } from "./otlp/key-table.js";
import type { SpanRows } from "./otlp/span-rows.js";
import { unwantedKeys, wantedKeys } from "./otlp/wanted-keys.js";
import {
  createForwarders,
  createPushes,
  forwardTargets,
  receiverResource,
  reportedSignals,
} from "./outputs.js";
import { readPrices } from "./prices.js";
import { BodyDecoder } from "./receive/body-decoder.js";
import { Intake } from "./receive/intake.js";
import { OtlpError } from "./receive/otlp-error.js";
import { OtlpReceivers } from "./receive/otlp-receivers.js";
import type { ReferenceBook } from "./references/reference-book.js";
import type { Stage } from "./stage.js";
import { Checkpoints, OBSERVE } from "./state/checkpoints.js";
import { StateStore } from "./state/state-store.js";
import { windowLengths } from "./window-lengths.js";

/** What we put into the log ourselves is as plain as can be. */
const OURS = { contentType: "application/x-protobuf", contentEncoding: "" } as const;

/** A receiver that can be started once. */
export interface Receiver {
  /** Rejects when it cannot work, such as with a ListenError; nothing is left running then. */
  start(): Promise<void>;
  shutdown(): Promise<void>;
  /** Reads the configuration again, if it came from a file. */
  reload(): void;
  /** Where it listens, once it has started; empty for what it does not serve. */
  readonly urls: { readonly otlp: string; readonly grpc: string; readonly admin: string };
}

/** What the receiver takes from the outside world, so that tests can give it another one. */
export interface World {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** Where the configuration came from, and comes from again when it changes. */
export interface ConfigSource {
  readonly file: string;
  /** @throws ConfigError when it cannot be used */
  readonly load: () => Config;
}

/**
 * Builds the stages of a configuration and joins them.
 * @throws ReferenceFileError when a reference cannot be used
 */
export function createReceiver(
  config: Config,
  logger: Logger,
  world: World = { now: Date.now, random: Math.random },
  source?: ConfigSource,
): Receiver {
  const { signals: declared, observe } = config.processors;
  const plan = { declared, segments: observe.segments };
  const keys = new KeyTable(wantedKeys(configuredKeys(plan)), unwantedKeys());
  const decoder = new BodyDecoder(keys);
  const { storage } = config.service;
  const store = new StateStore(join(storage.directory, "state.sqlite"), logger);
  const log = createLog(config, logger);
  const consumers = createConsumers(config, logger, (finding) => reports.consume(finding));
  const { evaluator, quality } = consumers;
  const live = createLiveParts(config, logger);
  const observer: Observer = createObserver(config, keys, consumers, live, world);
  const flagged = new FlaggedBatches(() => log.lastReleased);
  const { otlp } = config.receivers;
  const bodyBytesMax = largestBody(otlp);
  const count = (record: LogRecord, rows: SpanRows | undefined) => {
    const flags = rows ? observer.consume({ ...record, rows }) : observer.pass(record);
    // Only spans are annotated.
    if (record.signal === "traces") flagged.add(record.sequence, flags);
  };
  const replay = (record: LogRecord) =>
    count(record, decoder.decode({ ...record, bodyBytesMax }).rows);
  const counted = { store, log, observer, replay, others: [evaluator, flagged] };
  const checkpoints = new Checkpoints(counted, storage.checkpoint, logger);
  const forwarders = createForwarders(config, { log, store, flagged, logger, ...world });
  const reports: DriftReports = createReports(config, log, observer, logger, world);
  const take = async (body: LoggedBody, rows: SpanRows | undefined) => {
    const { sequence, kept } = append(log, body);
    count({ ...body, sequence }, rows);
    await kept;
  };
  const intake = new Intake(otlp.max_inflight_size, takenSignals(config), decoder, take, world.now);
  const receivers = new OtlpReceivers(otlp, intake, logger, world);

  const apply = (changed: Config) => takeUp(changed, live, observer, evaluator);
  const reload = new ConfigReload(config, source && { ...source, apply }, logger, world.now);
  const pushes: OtlpMetricsPush[] = [];
  const ends = [...forwarders, intake, receivers, reload];
  const pipeline = [log, evaluator, quality, observer, reports, ...ends];
  const metrics = () =>
    limitSeries(mergeFamilies([...pipeline, ...pushes].flatMap((stage) => stage.metrics())));
  const lifecycle = new Lifecycle();
  const urls = () => ({ ...receivers.urls, admin: admins.map(urlOf).join() });
  const shown = {
    ...consumers,
    observer,
    book: live.book,
    metrics,
    ready: () => lifecycle.ready,
    now: world.now,
    listening: urls,
    config: () => reload.status,
  };
  const admins: AdminServer[] = createAdminServers(config, shown, logger);
  pushes.push(...createPushes(config, metrics, logger, world.now));
  // What others depend on starts first and stops last.
  const kept = [store, log, evaluator, checkpoints, observer, reports];
  lifecycle.stages = [...admins, ...kept, ...pushes, ...ends];
  return {
    start: () => lifecycle.start(),
    shutdown: () => lifecycle.shutdown(),
    reload: () => reload.reload(),
    get urls() {
      return urls();
    },
  };
}

function urlOf({ host, port }: AdminServer): string {
  return baseUrl("http", host, port);
}

/** What is found goes into the log like what is received, and there is nothing in it to count. */
function createReports(
  config: Config,
  log: BatchLog,
  observer: Observer,
  logger: Logger,
  { now }: World,
): DriftReports {
  return new DriftReports({
    signals: reportedSignals(config),
    resource: receiverResource(config),
    append: (signal, body) => {
      const record = { ...OURS, signal, body, receivedMs: now() };
      const { sequence, kept } = append(log, record);
      kept.catch((error: Error) => logger.error("a finding was not kept", { error }));
      observer.pass({ ...record, sequence });
    },
    now,
    logger,
  });
}

/** Puts a body into the log; what the log cannot keep, the client is told to send again. */
function append(log: BatchLog, body: LoggedBody): Appended {
  try {
    const { sequence, kept } = log.append(body);
    return { sequence, kept: kept.catch(notKept) };
  } catch (error) {
    return notKept(error as Error);
  }
}

function notKept(error: Error): never {
  if (error instanceof LogUnavailableError) throw new OtlpError("notKept", error.message);
  throw error;
}

function createLog(config: Config, logger: Logger): BatchLog {
  const { storage } = config.service;
  const followers = [...forwardTargets(config).keys()];
  return new BatchLog(
    {
      directory: join(storage.directory, "log"),
      segmentBytes: storage.segmentSize,
      bytesMax: storage.maxSize,
      recentBytesMax: storage.memory,
      sync: storage.sync,
      consumers: [OBSERVE, ...followers],
      followers,
    },
    logger,
  );
}

function createConsumers(
  { processors }: Config,
  logger: Logger,
  onFinding: (finding: DriftFinding) => void,
): WindowConsumers {
  const { windows, ladder, ...options } = processors.evaluate;
  const lengths = windowLengths(windows, ladder);
  const evaluator = new Evaluator({ ...options, lengths }, logger, onFinding);
  const quality = new QualityMonitor((window) => evaluator.consume(window), logger);
  const contributions = new Contributions(lengths.map(({ name }) => name));
  return { evaluator, quality, contributions };
}

/** Whoever looks at the windows that end. */
interface WindowConsumers {
  readonly evaluator: Evaluator;
  readonly quality: QualityMonitor;
  readonly contributions: Contributions;
}

function createObserver(
  config: Config,
  keys: KeyTable,
  { evaluator, quality, contributions }: WindowConsumers,
  live: LiveParts,
  { now }: World,
): Observer {
  const { observe, spanMetrics, evaluate, signals, prices } = config.processors;
  const { book, past, learn, logger } = live;
  const observer: Observer = new Observer(
    {
      paneMs: observe.pane,
      retention: { paneMs: observe.paneRetention, hourMs: observe.hourRetention },
      lengths: windowLengths(evaluate.windows, evaluate.ladder),
      allowedLatenessMs: observe.allowedLateness,
      idleTimeoutMs: observe.idleTimeout,
      signalsMax: observe.maxSignals,
      segmentsMax: observe.maxSegments,
      plan: { declared: signals, segments: observe.segments },
      recentSpans: observe.recentSpans,
      evaluations: {
        recentCalls: observe.recentCalls,
        evaluationWaitMs: observe.evaluationWait,
        feedbackWithinMs: observe.feedbackWithin,
      },
      spanSeriesMax: spanMetrics.enabled ? spanMetrics.maxSeries : 0,
      prices: prices.enabled ? readPrices(prices.file) : undefined,
      learn,
      references: book,
      past,
    },
    keys,
    (window) => {
      quality.consume(window);
      const isDrifted = evaluator.consume(window);
      contributions.consume(window, isDrifted);
      return isDrifted;
    },
    () => {
      warnOfUnseenModels(book, observer, logger);
      warnOfOtherRuns(book, observer, logger);
      quality.noteAbsent(absentSignals(book, observer));
    },
    now,
    logger,
  );
  return observer;
}

/** Bytes of a body that either door lets in. */
function largestBody({ protocols: { grpc, http } }: Config["receivers"]["otlp"]): number {
  return Math.max(grpc.max_recv_msg_size, http.max_request_body_size);
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

/** What references have of the models at work, and no span of them. */
function absentSignals(book: ReferenceBook, observer: Observer): SignalIdentity[] {
  return observer.observedModels().flatMap(({ model, version, segment, signals }) => {
    const names = new Set(signals.flatMap((signal) => signal?.identity.name ?? []));
    return segment === "" && names.size > 0 ? book.absent(model, version, names) : [];
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

/** What is usual for one training run may not be so for the next: say it, once for each. */
function warnOfOtherRuns(book: ReferenceBook, observer: Observer, logger: Logger): void {
  for (const { reference, referenceRunId, ...seen } of book.newRuns(observer.observedModels())) {
    logger.warn(
      `the model comes from training run ${seen.runId}, its reference from ${referenceRunId}; ` +
        "build the reference of that run",
      { reference, ...seen },
    );
  }
}
