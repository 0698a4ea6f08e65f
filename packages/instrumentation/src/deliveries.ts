/**
 * What is on its way to a receiver, and what was lost. Nothing here holds the process: whoever
 * hands over a batch is not kept waiting, waits between attempts do not keep the event loop alive,
 * and when the process ends they are over. What is in flight is bounded; losses are counted and
 * told.
 */
import { complain, guarded } from "./complain.js";

/** 8 batches of 512 spans, beside those that are being collected: a few MB. */
const IN_FLIGHT_MAX = 8;
/** A receiver that stays away is told of again after this time. */
const COMPLAIN_AGAIN_MS = 600_000;

/** Of a port that answers in HTTP/2 or nothing known, where Node quotes its parser. */
const NO_HTTP_1 =
  "it does not answer in HTTP/1.1; OTLP over HTTP has mostly port 4318, for gRPC set " +
  "OTEL_EXPORTER_OTLP_PROTOCOL=grpc";

/** How the delivery of a batch ended. */
export type Outcome =
  | { readonly delivered: true; readonly rejected?: number; readonly error?: Error }
  | { readonly delivered: false; readonly error: Error | undefined };

/** The batches in flight to one receiver; `endpoint` is what complaints call it. */
export class Deliveries {
  /** From now on a failed attempt is not to be repeated. */
  draining = false;
  readonly endpoint: string;
  private readonly inFlight = new Set<Promise<void>>();
  private readonly waiting = new Set<() => void>();
  /** Spans of the batches in flight. */
  private unanswered = 0;
  private lost = 0;
  /** How many of the lost ones have been told of. */
  private told = 0;
  private complainedMs = Number.NEGATIVE_INFINITY;
  /** Why the last attempt failed; undefined after one that did not. */
  private problem: string | undefined;
  private outageTold = false;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  /** Starts the delivery of a batch, or counts its spans as lost when too many are in flight. */
  start(spans: number, deliver: () => Promise<Outcome>): void {
    if (this.inFlight.size >= IN_FLIGHT_MAX) {
      this.lose(spans, this.problem ?? "it does not keep up", true);
      return;
    }
    const settled = this.settle(spans, deliver);
    this.inFlight.add(settled);
    void settled.finally(() => this.inFlight.delete(settled));
  }

  /** Waits for what is in flight; an attempt that waits for its turn is made now. */
  async flush(): Promise<void> {
    for (const go of this.waiting) go();
    await Promise.all(this.inFlight);
  }

  /** Waits before another attempt; shorter when a flush is asked for. */
  pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { waiting } = this;
      const timer = setTimeout(go, waitMs).unref();
      waiting.add(go);
      function go(): void {
        clearTimeout(timer);
        waiting.delete(go);
        resolve();
      }
    });
  }

  /** Notes how one attempt ended; another one may follow. */
  attempted(failure: Error | undefined, failed: boolean): void {
    this.problem = undefined;
    if (failed) this.note(failure);
  }

  /**
   * Counts spans that were not sent, and says so unless that was said a short while ago. The end of
   * an outage will be told too.
   */
  lose(spans: number, why: string, outage = false): void {
    this.lost += spans;
    const nowMs = performance.now();
    if (nowMs - this.complainedMs < COMPLAIN_AGAIN_MS) return;
    this.complainedMs = nowMs;
    this.told = this.lost;
    this.outageTold = outage;
    const count = spanCount(this.lost);
    complain(`${count} so far could not be sent to ${this.endpoint} (${why}); the app is unharmed`);
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

  private async settle(spans: number, deliver: () => Promise<Outcome>): Promise<void> {
    this.unanswered += spans;
    const outcome = await deliver().catch((error: unknown) => ({
      delivered: false as const,
      error: error instanceof Error ? error : new Error(String(error)),
    }));
    this.unanswered -= spans;
    // Nobody waits for this promise: were it rejected, the app would be ended.
    guarded("noting how a delivery ended", () => this.settled(spans, outcome));
  }

  private settled(spans: number, outcome: Outcome): void {
    if (!outcome.delivered) this.lose(spans, this.note(outcome.error), true);
    else if (outcome.rejected) this.lose(outcome.rejected, outcome.error?.message ?? "rejected");
    else this.recover();
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
    // gRPC's codes are numbers.
    const isNoHttp1 = typeof code === "string" && code.startsWith("HPE_");
    this.problem ??= isNoHttp1 ? NO_HTTP_1 : message || code || "it refuses them for now";
    return this.problem;
  }
}

function spanCount(count: number): string {
  return count === 1 ? "1 span" : `${count} spans`;
}
