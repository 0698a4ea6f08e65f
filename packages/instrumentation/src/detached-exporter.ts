/* oxlint-disable no-underscore-dangle -- the exporter's own parts, which it names so */
/**
 * Makes an OTLP exporter of OpenTelemetry's one that never holds the process: an export in flight
 * is not waited for, its sockets and its waits between retries do not keep the event loop alive,
 * and when the process ends there is one attempt more and no retry. What is in flight is bounded.
 */
import type { Outcome } from "./deliveries.js";
import { Deliveries } from "./deliveries.js";
import type { SpanExporter } from "./sdk-parts.js";

type Spans = Parameters<SpanExporter["export"]>[0];
type OnResult = Parameters<SpanExporter["export"]>[1];

// oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is not re-exported
const SUCCESS = 0 as Parameters<OnResult>[0]["code"];

/** Less than the 3 s that the end of the process may take, see exit-flush.ts. */
const LAST_MS_MAX = 2500;

/** How one attempt ended; only a refusal by status may lack an error. */
interface Attempt {
  readonly status: string;
  readonly error?: Error;
}

/** The part of the exporter's transport that waits between attempts; not public, hence guarded. */
interface RetryingTransport {
  send?: (data: Uint8Array, timeoutMs: number) => Promise<Attempt>;
  _transport?: { send(data: Uint8Array, timeoutMs: number): Promise<Attempt> };
  retry?: (data: Uint8Array, timeoutMs: number, waitMs: number) => Promise<Attempt>;
}

/** Wraps an exporter; `endpoint` is what complaints call the receiver. */
export class DetachedExporter implements SpanExporter {
  private readonly inner: SpanExporter;
  private readonly deliveries: Deliveries;

  constructor(inner: SpanExporter, endpoint: string) {
    this.inner = inner;
    this.deliveries = new Deliveries(endpoint);
    this.detachRetries();
  }

  /** Hands the spans on and reports success at once; a failure is counted and told here. */
  export(spans: Spans, onResult: OnResult): void {
    this.deliveries.start(spans.length, () => this.send(spans));
    onResult({ code: SUCCESS });
  }

  /** Waits for what is in flight; an attempt that waits for its turn is made now. */
  async forceFlush(): Promise<void> {
    await this.deliveries.flush();
  }

  /** From now on a failed attempt is not repeated. */
  drain(): void {
    this.deliveries.draining = true;
  }

  async shutdown(): Promise<void> {
    this.drain();
    await this.forceFlush();
    await this.inner.shutdown();
  }

  /** Says how many spans were lost in all, as far as that has not been said; for the very end. */
  tellLosses(): void {
    this.deliveries.tellLosses();
  }

  private send(spans: Spans): Promise<Outcome> {
    return new Promise((resolve) => {
      this.inner.export(spans, ({ code, error }) => {
        resolve(code === SUCCESS ? { delivered: true } : { delivered: false, error });
      });
    });
  }

  /** gRPC's connections do keep the process alive: its last attempt gets less time. */
  private hurryAtTheEnd(transport: RetryingTransport | undefined): void {
    const send = transport?.send;
    if (transport === undefined || typeof send !== "function") return;
    transport.send = (data, timeoutMs) => {
      const hurry = this.deliveries.draining;
      return send.call(transport, data, hurry ? Math.min(timeoutMs, LAST_MS_MAX) : timeoutMs);
    };
  }

  private detachRetries(): void {
    const { _delegate: delegate } = this.inner as {
      _delegate?: { _transport?: RetryingTransport };
    };
    const transport = delegate?._transport;
    if (typeof transport?.retry !== "function" || transport._transport === undefined) {
      this.hurryAtTheEnd(transport);
      return;
    }
    const { deliveries } = this;
    const attempts = transport._transport;
    const { send } = attempts;
    attempts.send = async (...args) => {
      const attempt = await send.apply(attempts, args);
      deliveries.attempted(attempt.error, attempt.status !== "success");
      return attempt;
    };
    transport.retry = async (data, timeoutMs, waitMs) => {
      if (deliveries.draining) return { status: "failure" };
      await deliveries.pause(waitMs);
      return attempts.send(data, timeoutMs);
    };
  }
}
