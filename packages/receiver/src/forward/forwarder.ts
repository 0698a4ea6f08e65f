/**
 * Passes the original bytes of every accepted request on to one OTLP/HTTP endpoint.
 *
 * Bodies wait in memory, bounded in bytes; what does not fit, or has waited longer than
 * `maxElapsedMs`, is dropped and counted. While the endpoint is away one body at a time probes it.
 */
import { METRICS } from "@tidemark/semconv";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { BatchConsumer, Stage, TraceBatch } from "../stage.js";
import type { OtlpClient, SendResult } from "./otlp-client.js";

/** Retries start here and double, with full jitter, up to the maximum. */
const BACKOFF_INITIAL_MS = 500;
const BACKOFF_MAX_MS = 30_000;
const SHUTDOWN_MS = 5_000;

/** What can become of an attempt, or of a body. */
const OUTCOMES = [
  "delivered",
  "refused",
  "retried",
  "dropped_queue_full",
  "dropped_retries_exhausted",
  "dropped_shutdown",
] as const;

/** The bounds of one endpoint's queue. */
export interface ForwarderOptions {
  /** The exporter's name in the configuration, such as `otlp_http/jaeger`. */
  readonly name: string;
  readonly queueBytesMax: number;
  readonly maxElapsedMs: number;
  /** Requests under way at one time. */
  readonly concurrency: number;
}

interface Waiting {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly acceptedMs: number;
}

/** A queue in front of one endpoint. */
export class Forwarder implements Stage, BatchConsumer {
  private readonly options: ForwarderOptions;
  private readonly client: OtlpClient;
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly random: () => number;
  private readonly queue: Waiting[] = [];
  private readonly outcomes: CounterSet;
  private queuedBytes = 0;
  private sending = 0;
  private failures = 0;
  private wake: NodeJS.Timeout | undefined;
  private stopping: Promise<void> | undefined;
  private onIdle: (() => void) | undefined;

  constructor(
    options: ForwarderOptions,
    client: OtlpClient,
    logger: Logger,
    now: () => number,
    random: () => number,
  ) {
    this.options = options;
    this.outcomes = new CounterSet(
      OUTCOMES.map((outcome) => ({ exporter: options.name, outcome })),
    );
    this.client = client;
    this.logger = logger;
    this.now = now;
    this.random = random;
  }

  async start(): Promise<void> {}

  consume(batch: TraceBatch): void {
    const { body, contentType, contentEncoding, receivedMs } = batch;
    if (body.length === 0) return;
    if (this.queuedBytes + body.length > this.options.queueBytesMax) {
      this.count("dropped_queue_full");
      return;
    }
    this.queuedBytes += body.length;
    this.queue.push({ body, contentType, contentEncoding, acceptedMs: receivedMs });
    this.pump();
  }

  /** Sends what it can within a few seconds; the rest is dropped and counted. */
  async shutdown(): Promise<void> {
    this.stopping ??= this.drain();
    return this.stopping;
  }

  metrics(): MetricFamily[] {
    const labels = { exporter: this.options.name };
    return [
      { definition: METRICS.forwardRequests, points: this.outcomes.snapshot() },
      { definition: METRICS.forwardQueue, points: [{ labels, value: this.queuedBytes }] },
    ];
  }

  private async drain(): Promise<void> {
    clearTimeout(this.wake);
    this.wake = undefined;
    this.pump();
    if (this.sending > 0 || this.queue.length > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.onIdle = resolve;
        timer = setTimeout(resolve, SHUTDOWN_MS);
      });
      clearTimeout(timer);
    }
    clearTimeout(this.wake);
    for (const _ of this.queue.splice(0)) this.count("dropped_shutdown");
    this.queuedBytes = 0;
    this.client.close();
  }

  private pump(): void {
    const limit = this.failures > 0 ? 1 : this.options.concurrency;
    while (this.wake === undefined && this.sending < limit) {
      const next = this.queue.shift();
      if (next === undefined) break;
      this.sending++;
      void this.deliver(next);
    }
    if (this.sending === 0 && this.queue.length === 0) this.onIdle?.();
  }

  private async deliver(waiting: Waiting): Promise<void> {
    const { body, contentType, contentEncoding } = waiting;
    const result = await this.client.send(body, contentType, contentEncoding);
    this.sending--;
    if (result.kind === "retry") this.retry(waiting, result);
    else {
      if (this.failures > 0) this.logger.info("forwarding works again", this.subject());
      this.failures = 0;
      this.queuedBytes -= body.length;
      this.count(result.kind);
      if (result.kind === "refused") {
        this.logger.warn("the endpoint refused a batch", { ...this.subject(), ...result });
      }
    }
    this.pump();
  }

  private retry(waiting: Waiting, result: SendResult & { kind: "retry" }): void {
    this.failures++;
    if (this.failures === 1) {
      const { reason } = result;
      this.logger.warn("forwarding fails, will try again", { ...this.subject(), reason });
    }
    if (this.now() - waiting.acceptedMs > this.options.maxElapsedMs) {
      this.queuedBytes -= waiting.body.length;
      this.count("dropped_retries_exhausted");
    } else {
      this.count("retried");
      this.queue.unshift(waiting);
    }
    if (this.wake !== undefined) return;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** (this.failures - 1));
    const delayMs = result.retryAfterMs ?? ceiling * (0.5 + this.random() / 2);
    this.wake = setTimeout(
      () => {
        this.wake = undefined;
        this.pump();
      },
      Math.min(delayMs, BACKOFF_MAX_MS),
    );
  }

  private subject(): Record<string, string> {
    return { exporter: this.options.name };
  }

  private count(outcome: (typeof OUTCOMES)[number]): void {
    this.outcomes.add({ exporter: this.options.name, outcome });
  }
}
