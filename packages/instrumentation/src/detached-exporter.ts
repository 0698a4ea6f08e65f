/* oxlint-disable no-underscore-dangle -- the exporter's own parts, which it names so */
/**
 * Makes an OTLP exporter of OpenTelemetry's one that never holds the process: an export in flight
 * is not waited for, its sockets and its waits between retries do not keep the event loop alive,
 * and when the process ends there is one attempt more and no retry. What is in flight is bounded.
 */
import http from "node:http";
import https from "node:https";
import type { NodeSDK } from "@opentelemetry/sdk-node";
import { complain } from "./complain.js";

type SdkOptions = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>;
/** The SDK's interface of span exporters. */
export type SpanExporter = NonNullable<SdkOptions["traceExporter"]>;
type Spans = Parameters<SpanExporter["export"]>[0];
type OnResult = Parameters<SpanExporter["export"]>[1];

// oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum is not re-exported
const SUCCESS = 0 as Parameters<OnResult>[0]["code"];
/** 8 batches of the SDK's 512 spans, beside the 2,048 in its queue: a few MB. */
const IN_FLIGHT_MAX = 8;
/** A receiver that stays away is told of again after this time. */
const COMPLAIN_AGAIN_MS = 600_000;

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
  private readonly endpoint: string;
  private readonly inFlight = new Set<Promise<void>>();
  private readonly waiting = new Set<() => void>();
  private draining = false;
  /** Spans of the batches in flight. */
  private unanswered = 0;
  private lost = 0;
  /** How many of the lost ones have been told of. */
  private told = 0;
  private complainedMs = Number.NEGATIVE_INFINITY;
  /** Why the last attempt failed; undefined after one that did not. */
  private problem: string | undefined;
  private outageTold = false;

  constructor(inner: SpanExporter, endpoint: string) {
    this.inner = inner;
    this.endpoint = endpoint;
    this.detachRetries();
  }

  /** Hands the spans on and reports success at once; a failure is counted and told here. */
  export(spans: Spans, onResult: OnResult): void {
    if (this.inFlight.size >= IN_FLIGHT_MAX) {
      this.lose(spans.length, this.problem ?? "it does not keep up");
    } else {
      const sent = this.send(spans);
      this.inFlight.add(sent);
      void sent.finally(() => this.inFlight.delete(sent));
    }
    onResult({ code: SUCCESS });
  }

  /** Waits for what is in flight; an attempt that waits for its turn is made now. */
  async forceFlush(): Promise<void> {
    for (const go of this.waiting) go();
    await Promise.all(this.inFlight);
  }

  /** From now on a failed attempt is not repeated. */
  drain(): void {
    this.draining = true;
  }

  async shutdown(): Promise<void> {
    this.drain();
    await this.forceFlush();
    await this.inner.shutdown();
  }

  /** Says how many spans were lost in all, as far as that has not been said; for the very end. */
  tellLosses(): void {
    this.lost += this.unanswered;
    this.unanswered = 0;
    if (this.lost === this.told) return;
    const { endpoint, problem = "it did not answer in time" } = this;
    this.told = this.lost;
    complain(`${spanCount(this.lost)} in all could not be sent to ${endpoint} (${problem})`);
  }

  private send(spans: Spans): Promise<void> {
    this.unanswered += spans.length;
    return new Promise((resolve) => {
      this.inner.export(spans, ({ code, error }) => {
        this.unanswered -= spans.length;
        if (code === SUCCESS) this.recover();
        else this.lose(spans.length, this.note(error));
        resolve();
      });
    });
  }

  private lose(count: number, why: string): void {
    this.lost += count;
    const nowMs = performance.now();
    if (nowMs - this.complainedMs < COMPLAIN_AGAIN_MS) return;
    this.complainedMs = nowMs;
    this.told = this.lost;
    this.outageTold = true;
    const spans = spanCount(this.lost);
    complain(`${spans} so far could not be sent to ${this.endpoint} (${why}); the app is unharmed`);
  }

  private recover(): void {
    this.problem = undefined;
    if (!this.outageTold) return;
    this.outageTold = false;
    this.told = this.lost;
    complain(`${this.endpoint} takes spans again; ${spanCount(this.lost)} were lost until now`);
  }

  private note(error: Error | undefined): string {
    // An error of several addresses has no message of its own.
    const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
    this.problem ??= message || code || "it refuses them for now";
    return this.problem;
  }

  /** gRPC's connections do keep the process alive: its last attempt gets less time. */
  private hurryAtTheEnd(transport: RetryingTransport | undefined): void {
    const send = transport?.send;
    if (transport === undefined || typeof send !== "function") return;
    transport.send = (data, timeoutMs) =>
      send.call(transport, data, this.draining ? Math.min(timeoutMs, LAST_MS_MAX) : timeoutMs);
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
    const attempts = transport._transport;
    const { send } = attempts;
    attempts.send = async (...args) => {
      const attempt = await send.apply(attempts, args);
      this.problem = undefined;
      if (attempt.status !== "success") this.note(attempt.error);
      return attempt;
    };
    transport.retry = async (data, timeoutMs, waitMs) => {
      if (this.draining) return { status: "failure" };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(go, waitMs).unref();
        const { waiting } = this;
        waiting.add(go);
        function go(): void {
          clearTimeout(timer);
          waiting.delete(go);
          resolve();
        }
      });
      return attempts.send(data, timeoutMs);
    };
  }
}

function spanCount(count: number): string {
  return count === 1 ? "1 span" : `${count} spans`;
}

/** An agent whose connections are kept for the next batch, and never keep the process alive. */
export function detachedAgent(protocol: string): http.Agent | https.Agent {
  const agent = protocol === "https:" ? new https.Agent(OPTIONS) : new http.Agent(OPTIONS);
  const { createConnection, reuseSocket } = agent;
  agent.createConnection = function (...args) {
    const socket = createConnection.apply(this, args);
    (socket as { unref?: () => void } | null | undefined)?.unref?.();
    return socket;
  };
  agent.reuseSocket = function (socket, request) {
    reuseSocket.call(this, socket, request);
    (socket as { unref?: () => void }).unref?.();
  };
  return agent;
}

const OPTIONS = { keepAlive: true };
