/**
 * Writes each span down as OTLP protobuf the moment it ends, so that no span is kept and none is
 * walked through again, and posts what has come together: after a while, or when it is enough.
 */

import { guarded } from "../complain.js";
import type { Deliveries } from "../deliveries.js";
import type { SpanProcessor } from "../sdk-parts.js";
import type { OtlpSender } from "./otlp-sender.js";
import type { Scope } from "./span-batch.js";
import { requestHead, SpanBatch } from "./span-batch.js";
import type { EndedSpan } from "./span-bytes.js";

/** When a batch is sent; as the variables OTEL_BSP_* say. */
export interface BatchSettings {
  readonly delayMs: number;
  /** Spans that are sent as soon as the event loop turns. */
  readonly batchMax: number;
  /** Spans that are sent at once: an app that never lets the event loop turn. */
  readonly queueMax: number;
}

type Resource = Parameters<SpanProcessor["onEnd"]>[0]["resource"];

const SAMPLED = 1;
/** Receivers take 4 MB and more in one body; the span that crosses this bound may be as large. */
const BATCH_BYTES_MAX = 1024 * 1024;
const SPAN_BYTES_MAX = 2 * 1024 * 1024;

/** The processor of the SDK's spans; this package's own ones come in by `add`. */
export class DirectSpanProcessor implements SpanProcessor {
  private readonly batch = new SpanBatch();
  private readonly settings: BatchSettings;
  private readonly sender: OtlpSender;
  private readonly deliveries: Deliveries;
  private resource: Resource | undefined;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;
  private closed = false;

  constructor(settings: BatchSettings, sender: OtlpSender, deliveries: Deliveries) {
    this.settings = settings;
    this.sender = sender;
    this.deliveries = deliveries;
  }

  onStart(span: { readonly resource: Resource }): void {
    this.resource ??= span.resource;
  }

  onEnd(span: Parameters<SpanProcessor["onEnd"]>[0]): void {
    if ((span.spanContext().traceFlags & SAMPLED) !== 0) this.add(span, span.instrumentationScope);
  }

  /** Takes a span that has ended. */
  add(span: EndedSpan, scope: Scope): void {
    if (this.closed) return;
    const { batch, settings } = this;
    const before = batch.bytes;
    guarded("writing a span", () => batch.add(span, scope));
    if (batch.bytes - before > SPAN_BYTES_MAX) {
      batch.dropLast(scope, batch.bytes - before);
      this.deliveries.lose(1, "a span of more than 2 MB");
    }
    if (batch.spans >= settings.queueMax || batch.bytes >= BATCH_BYTES_MAX) this.send();
    else if (batch.spans >= settings.batchMax) this.immediate ??= setImmediate(this.send).unref();
    else this.timer ??= setTimeout(this.send, settings.delayMs).unref();
  }

  /** Sends what has come together, and waits for everything in flight. */
  async forceFlush(): Promise<void> {
    this.send();
    await this.deliveries.flush();
  }

  /** Says that the process ends: failed attempts are not repeated. */
  drain(): void {
    this.deliveries.draining = true;
  }

  /** Says how many spans were lost in all, if that has not been said. */
  tellLosses(): void {
    this.deliveries.tellLosses();
  }

  async shutdown(): Promise<void> {
    this.drain();
    await this.forceFlush();
    this.closed = true;
    this.sender.close();
  }

  private readonly send = (): void => {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.timer = undefined;
    this.immediate = undefined;
    const { spans } = this.batch;
    if (spans === 0) return;
    const scopes = this.batch.take();
    this.deliveries.start(spans, async () => {
      const { resource } = this;
      if (resource?.asyncAttributesPending) await resource.waitForAsyncAttributes?.();
      return this.sender.send([requestHead(resource ?? { attributes: {} }, scopes), scopes]);
    });
  };
}
