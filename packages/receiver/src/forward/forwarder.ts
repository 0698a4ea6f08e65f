/**
 * Passes the original bytes of every accepted request on to one OTLP endpoint, at least once.
 *
 * It reads the log at its own pace, so that one slow endpoint holds up no other; its place is
 * stored, and it goes on there after a restart. A body that the endpoint refuses for good goes to
 * the dead letters; one that is older than `maxElapsedMs` is dropped; both are counted. While the
 * endpoint is away one body at a time probes it.
 */
import { METRICS } from "@tidemark/semconv";
import type { BatchLog } from "../log/batch-log.js";
import type { LogReader } from "../log/log-reader.js";
import type { LogRecord, OtlpSignal } from "../log/log-record.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { OtlpClient, SendResult } from "../otlp-client.js";
import type { Stage } from "../stage.js";
import type { StateStore } from "../state/state-store.js";
import { annotatedBody } from "./annotated-body.js";
import type { DeadLetters } from "./dead-letters.js";
import type { FlaggedBatches } from "./flagged-batches.js";

/** Retries start here and double, with jitter, up to the maximum. */
const BACKOFF_INITIAL_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const SHUTDOWN_MS = 5_000;
/** After a crash at most the batches of such a time are sent again. */
const STORE_PLACE_MS = 1000;
const KIND = "forward";

/** What can become of an attempt, or of a body. */
const OUTCOMES = ["delivered", "refused", "retried", "dropped_expired"] as const;

/** The bounds of one endpoint. */
export interface ForwarderOptions {
  /** The exporter's name in the configuration, such as `otlp_http/jaeger`. */
  readonly name: string;
  /** Age at which a body is given up; 0 for never. */
  readonly maxElapsedMs: number;
  /** Requests under way at one time. */
  readonly concurrency: number;
}

/** What a forwarder reads from, and where it leaves things. */
export interface ForwarderParts {
  /** By what they send; what has no client here is passed over. */
  readonly clients: Readonly<Partial<Record<OtlpSignal, OtlpClient>>>;
  readonly log: BatchLog;
  readonly store: StateStore;
  readonly flagged: FlaggedBatches;
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly now: () => number;
  readonly random: () => number;
}

/** One endpoint's place in the log. */
export class Forwarder implements Stage {
  private readonly options: ForwarderOptions;
  private readonly parts: ForwarderParts;
  private readonly outcomes: CounterSet;
  private reader: LogReader | undefined;
  private lastRead = 0;
  /** Sequences that are being sent or wait to be sent again, in ascending order. */
  private readonly unfinished = new Set<number>();
  private readonly again: LogRecord[] = [];
  private sending = 0;
  private failures = 0;
  private pumping = false;
  private pumpWanted = false;
  private wake: NodeJS.Timeout | undefined;
  private timer: NodeJS.Timeout | undefined;
  private storedPlace = -1;
  private stopping: Promise<void> | undefined;
  private stopped = false;
  private onIdle: (() => void) | undefined;

  constructor(options: ForwarderOptions, parts: ForwarderParts) {
    this.options = options;
    this.parts = parts;
    this.outcomes = new CounterSet(
      OUTCOMES.map((outcome) => ({ exporter: options.name, outcome })),
    );
  }

  /** Goes on where it was; an endpoint that is new begins with the next batch. */
  async start(): Promise<void> {
    const { log, store } = this.parts;
    const { name } = this.options;
    const stored = (await store.items(KIND)).find(({ key }) => key === name);
    const place = Math.min(stored ? Number(stored.body) : log.lastKept, log.lastKept);
    this.reader = log.reader(place);
    this.lastRead = place;
    log.release(name, place);
    await this.storePlace();
    log.notify(() => this.pump());
    this.timer = setInterval(() => void this.storePlace(), STORE_PLACE_MS);
    this.timer.unref();
    this.pump();
  }

  /** Sends what it can within a few seconds; the rest stays in the log. */
  async shutdown(): Promise<void> {
    this.stopping ??= this.drain();
    return this.stopping;
  }

  metrics(): MetricFamily[] {
    return [{ definition: METRICS.forwardRequests, points: this.outcomes.snapshot() }];
  }

  /** Everything up to here is done with. */
  private get place(): number {
    const [oldest] = this.unfinished;
    return oldest === undefined ? this.lastRead : oldest - 1;
  }

  private async drain(): Promise<void> {
    clearInterval(this.timer);
    if (this.reader && this.failures === 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
        timer = setTimeout(resolve, SHUTDOWN_MS);
        this.pump();
      });
      clearTimeout(timer);
    }
    this.stopped = true;
    clearTimeout(this.wake);
    if (this.reader) await this.storePlace();
    await this.reader?.close();
    for (const client of Object.values(this.parts.clients)) client.close();
  }

  private async storePlace(): Promise<void> {
    const { place } = this;
    if (place === this.storedPlace) return;
    this.storedPlace = place;
    const { store, logger } = this.parts;
    try {
      await store.transaction(({ put }) => {
        put(KIND, this.options.name, String(place));
        return [];
      });
    } catch (error) {
      // Not known to be stored any more: it is tried again though nothing more is forwarded.
      this.storedPlace = -1;
      logger.error("could not store how far forwarding is", { ...this.subject(), error });
    }
  }

  /** Starts to send until enough is under way or there is nothing left. */
  private pump(): void {
    this.pumpWanted = true;
    if (!this.pumping) void this.pumpWhileWanted();
  }

  private async pumpWhileWanted(): Promise<void> {
    this.pumping = true;
    while (this.pumpWanted) {
      this.pumpWanted = false;
      await this.sendAll();
    }
    this.pumping = false;
  }

  private async sendAll(): Promise<void> {
    for (;;) {
      const limit = this.failures > 0 ? 1 : this.options.concurrency;
      if (this.stopped || this.wake !== undefined || this.sending >= limit) return;
      const record = this.again.shift() ?? (await this.nextRecord());
      if (record === undefined) {
        if (this.sending === 0) this.onIdle?.();
        return;
      }
      void this.deliver(record);
    }
  }

  private async nextRecord(): Promise<LogRecord | undefined> {
    try {
      const record = await this.reader?.next();
      if (record) {
        this.unfinished.add(record.sequence);
        this.lastRead = record.sequence;
      }
      return record;
    } catch (error) {
      this.parts.logger.error("could not read the log", { ...this.subject(), error });
      this.sleep(BACKOFF_MAX_MS);
      return undefined;
    }
  }

  private async deliver(record: LogRecord): Promise<void> {
    const { clients, now } = this.parts;
    const { maxElapsedMs } = this.options;
    const client = clients[record.signal];
    if (client === undefined) {
      this.finish(record);
      return;
    }
    if (maxElapsedMs > 0 && now() - record.receivedMs > maxElapsedMs) {
      this.count("dropped_expired");
      this.finish(record);
      return;
    }
    this.sending++;
    const body = this.bodyOf(record);
    const result = await client.send(body, record.contentType, record.contentEncoding);
    this.sending--;
    if (this.stopped) return;
    if (result.kind === "retry") this.retry(record, result);
    else await this.settle(record, result);
    this.pump();
  }

  private bodyOf(record: LogRecord): Uint8Array {
    const { flagged, logger } = this.parts;
    try {
      return annotatedBody(record, flagged.of(record.sequence));
    } catch (error) {
      const { sequence } = record;
      logger.error("could not annotate a batch; it goes on as it came", { sequence, error });
      return record.body;
    }
  }

  private async settle(record: LogRecord, result: SendResult & { kind: "delivered" | "refused" }) {
    const { logger, deadLetters } = this.parts;
    if (this.failures > 0) logger.info("forwarding works again", this.subject());
    this.failures = 0;
    if (result.kind === "refused") {
      const file = await deadLetters.keep(record, result.reason);
      logger.warn("the endpoint refused a batch", { ...this.subject(), ...result, file });
    }
    this.count(result.kind);
    this.finish(record);
  }

  private finish(record: LogRecord): void {
    this.unfinished.delete(record.sequence);
    this.parts.log.release(this.options.name, this.place);
  }

  private retry(record: LogRecord, result: SendResult & { kind: "retry" }): void {
    this.failures++;
    if (this.failures === 1) {
      const { reason } = result;
      this.parts.logger.warn("forwarding fails, will try again", { ...this.subject(), reason });
    }
    this.count("retried");
    this.again.push(record);
    this.again.sort((a, b) => a.sequence - b.sequence);
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** (this.failures - 1));
    const delayMs = result.retryAfterMs ?? ceiling * (0.5 + this.parts.random() / 2);
    this.sleep(Math.min(delayMs, BACKOFF_MAX_MS));
  }

  private sleep(delayMs: number): void {
    this.wake ??= setTimeout(() => {
      this.wake = undefined;
      this.pump();
    }, delayMs);
  }

  private subject(): Record<string, string> {
    return { exporter: this.options.name };
  }

  private count(outcome: (typeof OUTCOMES)[number]): void {
    this.outcomes.add({ exporter: this.options.name, outcome });
  }
}
