/**
 * Posts bodies to an OTLP/HTTP endpoint, as the specification asks: gzip where it is wanted, made
 * off the event loop's thread; what may be repeated is repeated, within bounds.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import type http from "node:http";
import type https from "node:https";
import { promisify } from "node:util";
import type { Deliveries, Outcome } from "../deliveries.js";
import { detachedAgent, httpModule } from "../detached-agent.js";
import { withoutTracing } from "../host-api.js";
import { rejectedSpans } from "./export-response.js";

/** Where bodies go, and how. */
export interface SenderSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  /** For one batch with all its attempts. */
  readonly timeoutMs: number;
}

const RETRYABLE = new Set([429, 502, 503, 504]);
const ATTEMPTS_MAX = 6;
const FIRST_PAUSE_MS = 1000;
const PAUSE_MS_MAX = 5000;
const PAUSE_GROWTH = 1.5;
/** Each pause is 0.8 to 1.2 of what it should be, so that apps do not come back all at once. */
const JITTER = 0.2;
/** A response says how many spans were rejected, and why; anything longer is not read. */
const RESPONSE_BYTES_MAX = 65_536;

/** How one attempt ended. */
interface Answer {
  readonly status: number;
  readonly statusText: string;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

/** Sends bodies to one endpoint over connections that are kept and never hold the process. */
export class OtlpSender {
  private readonly settings: SenderSettings;
  private readonly deliveries: Deliveries;
  private readonly agent: http.Agent | https.Agent;

  constructor(settings: SenderSettings, deliveries: Deliveries) {
    this.settings = settings;
    this.deliveries = deliveries;
    this.agent = detachedAgent(settings.url.protocol);
  }

  /** Sends one body, whose parts follow each other, repeatedly if need be; never rejects. */
  async send(plain: readonly Uint8Array[]): Promise<Outcome> {
    const deadlineMs = performance.now() + this.settings.timeoutMs;
    let error: Error | undefined;
    let body = plain;
    try {
      if (this.settings.gzip) body = [await gzipped(plain)];
    } catch (cause) {
      return { delivered: false, error: cause as Error };
    }
    let pauseMs = FIRST_PAUSE_MS;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.attempt(body, deadlineMs).catch((cause: unknown) => cause as Error);
      if (!(answer instanceof Error) && answer.status >= 200 && answer.status < 300) {
        this.deliveries.attempted(undefined, false);
        return { delivered: true, ...rejectedSpans(answer.body) };
      }
      error = answer instanceof Error ? answer : refusal(answer);
      this.deliveries.attempted(error, true);
      const jitter = 1 + JITTER * (2 * Math.random() - 1);
      const waitMs = retryWaitMs(answer, Math.min(pauseMs * jitter, PAUSE_MS_MAX));
      pauseMs *= PAUSE_GROWTH;
      const left = deadlineMs - performance.now();
      const over = waitMs === undefined || waitMs > left || attempt >= ATTEMPTS_MAX;
      if (over || this.deliveries.draining) return { delivered: false, error };
      await this.deliveries.pause(waitMs);
    }
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.agent.destroy();
  }

  private attempt(body: readonly Uint8Array[], deadlineMs: number): Promise<Answer> {
    const { url, headers, gzip: zipped } = this.settings;
    const { request } = httpModule(url.protocol);
    const options: http.RequestOptions = {
      method: "POST",
      agent: this.agent,
      headers: {
        ...headers,
        "content-type": "application/x-protobuf",
        "content-length": body.reduce((bytes, part) => bytes + part.length, 0),
        ...(zipped && { "content-encoding": "gzip" }),
      },
    };
    return new Promise((resolve, reject) => {
      const outgoing = withoutTracing(() => request(url, options));
      const tooLate = () => outgoing.destroy(new Error("it did not answer in time"));
      const timer = setTimeout(tooLate, Math.max(0, deadlineMs - performance.now())).unref();
      outgoing.on("response", (response) => void readAnswer(response).then(resolve, reject));
      outgoing.on("error", reject);
      outgoing.on("close", () => clearTimeout(timer));
      for (const part of body) outgoing.write(part);
      outgoing.end();
    });
  }
}

function gzipped(parts: readonly Uint8Array[]): Promise<Buffer> {
  return promisify(process.getBuiltinModule("node:zlib").gzip)(Buffer.concat(parts));
}

async function readAnswer(response: http.IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= RESPONSE_BYTES_MAX) chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    statusText: response.statusMessage ?? "",
    retryAfter: response.headers["retry-after"],
    body: Buffer.concat(chunks),
  };
}

/** How long to wait before another attempt; undefined when there is to be none. */
function retryWaitMs(answer: Answer | Error, usualMs: number): number | undefined {
  if (answer instanceof Error) return usualMs;
  if (!RETRYABLE.has(answer.status)) return undefined;
  const { retryAfter } = answer;
  if (retryAfter === undefined) return usualMs;
  const seconds = Number(retryAfter);
  const waitMs = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return Number.isNaN(waitMs) ? usualMs : Math.max(0, waitMs);
}

function refusal({ status, statusText }: Answer): Error {
  return new Error(statusText || `status ${status}`);
}
