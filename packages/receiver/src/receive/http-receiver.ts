/**
 * OTLP over HTTP, version 1: binary and JSON, plain and gzip.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { METRICS } from "@tidemark/semconv";
import { listen } from "../listen.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import { encodeJsonRequest, JsonRequestError } from "../otlp/json-request.js";
import type { KeyTable } from "../otlp/key-table.js";
import { TraceResponse } from "../otlp/schema.js";
import { SpanRows } from "../otlp/span-rows.js";
import { TraceReader } from "../otlp/trace-reader.js";
import type { BatchConsumer, Stage } from "../stage.js";
import { inflate, readBody } from "./body.js";
import { encodeStatus, OTLP_FAULTS, OtlpError } from "./otlp-error.js";

/** Slow senders are cut off rather than kept: headers in 10 s, a whole request in 30 s. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the 60 s that load balancers keep an idle connection, so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const DRAIN_MS = 5_000;
const DRAIN_BYTES_MAX = 256 * 1024 * 1024;

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";
const TRACES_PATH = "/v1/traces";

/** Where to listen, and the bounds on what is taken in. */
export interface HttpReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** Largest body, before and after inflating. */
  readonly bodyBytesMax: number;
  /** Bodies that are being read at one time, together; beyond it requests get a 503. */
  readonly inflightBytesMax: number;
}

interface Outcome {
  status: number;
  contentType: string;
  body: Uint8Array | string;
  retrySeconds: number;
}

/** Accepts trace requests and hands each to the consumers, in order, before it is acknowledged. */
export class HttpReceiver implements Stage {
  private readonly options: HttpReceiverOptions;
  private readonly consumers: readonly BatchConsumer[];
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly server: Server;
  private readonly reader: TraceReader;
  private readonly rows = new SpanRows();
  private readonly requests = new CounterSet([{ code: "200" }, { code: "400" }]);
  private readonly spans = new CounterSet([{ outcome: "accepted" }, { outcome: "rejected" }]);
  private receivedBytes = 0;
  private inflightBytes = 0;
  private stopping: Promise<void> | undefined;

  constructor(
    options: HttpReceiverOptions,
    keys: KeyTable,
    consumers: readonly BatchConsumer[],
    logger: Logger,
    now: () => number,
  ) {
    this.options = options;
    this.consumers = consumers;
    this.logger = logger;
    this.now = now;
    this.reader = new TraceReader(keys);
    this.server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      },
      (request, response) => void this.handle(request, response),
    );
  }

  /** The port it listens on, also when 0 was asked for. */
  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    const { host, port } = this.options;
    await listen(this.server, host, port, "receivers.otlp.protocols.http.endpoint");
  }

  async shutdown(): Promise<void> {
    this.stopping ??= new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
      setTimeout(() => this.server.closeAllConnections(), DRAIN_MS).unref();
    });
    return this.stopping;
  }

  metrics(): MetricFamily[] {
    return [
      { definition: METRICS.receiverRequests, points: this.requests.snapshot() },
      { definition: METRICS.receiverSpans, points: this.spans.snapshot() },
      { definition: METRICS.receiverBytes, points: [{ labels: {}, value: this.receivedBytes }] },
    ];
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = mediaType(request) === JSON_TYPE;
    let outcome: Outcome;
    try {
      outcome = await this.accept(request, json);
    } catch (error) {
      if (request.socket.destroyed) {
        this.requests.add({ code: "aborted" });
        return;
      }
      outcome = this.refuse(error, json);
    }
    this.requests.add({ code: String(outcome.status) });
    this.respond(request, response, outcome);
  }

  private respond(request: IncomingMessage, response: ServerResponse, outcome: Outcome): void {
    response.statusCode = outcome.status;
    response.setHeader("Content-Type", outcome.contentType);
    response.setHeader("Content-Length", Buffer.byteLength(outcome.body));
    if (outcome.retrySeconds > 0) response.setHeader("Retry-After", outcome.retrySeconds);
    if (outcome.status === 405) response.setHeader("Allow", "POST");
    // Node drains what is left of a refused body; an endless one is not worth keeping alive for.
    const rest = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
    if (!request.complete && rest > DRAIN_BYTES_MAX) response.setHeader("Connection", "close");
    response.end(outcome.body);
  }

  private async accept(request: IncomingMessage, json: boolean): Promise<Outcome> {
    const { bodyBytesMax } = this.options;
    const contentType = json ? JSON_TYPE : PROTOBUF;
    this.checkHead(request);
    const release = this.admit(request);
    try {
      const body = await readBody(request, bodyBytesMax);
      const contentEncoding = encodingOf(request);
      const inflated = inflate(body, contentEncoding, bodyBytesMax);
      const error = this.reader.read(json ? jsonToBinary(inflated) : inflated, this.rows);
      if (error) {
        const place = json ? "" : ` (at byte ${error.offset})`;
        throw new OtlpError("badData", `no trace request: ${error.message}${place}`);
      }
      this.receivedBytes += body.length;
      const receivedMs = this.now();
      const batch = { rows: this.rows, body, contentType, contentEncoding, receivedMs };
      for (const consumer of this.consumers) consumer.consume(batch);
      return this.acknowledge(json);
    } finally {
      release();
    }
  }

  private checkHead(request: IncomingMessage): void {
    const path = (request.url ?? "").split("?", 1)[0];
    if (path === "/v1/metrics" || path === "/v1/logs") {
      throw new OtlpError(
        "unknownSignal",
        `${path} is not served here; send traces to ${TRACES_PATH}`,
      );
    }
    if (path !== TRACES_PATH) {
      throw new OtlpError(
        "unknownPath",
        `there is nothing at ${path}; send traces to ${TRACES_PATH}`,
      );
    }
    if (request.method !== "POST") {
      throw new OtlpError("wrongMethod", `${request.method} is not supported; use POST`);
    }
    const type = mediaType(request);
    if (type !== PROTOBUF && type !== JSON_TYPE) {
      throw new OtlpError(
        "wrongType",
        `Content-Type "${type}" is not supported; send ${PROTOBUF} or ${JSON_TYPE}`,
      );
    }
    if (this.stopping) throw new OtlpError("stopping", "the receiver is shutting down");
  }

  /** Reserves room for a body, so that memory stays bounded whatever many clients send at once. */
  private admit(request: IncomingMessage): () => void {
    const { bodyBytesMax, inflightBytesMax } = this.options;
    const announced = request.headers["content-length"];
    const bytes = Math.min(
      announced === undefined ? bodyBytesMax : Number(announced),
      bodyBytesMax,
    );
    if (this.inflightBytes + bytes > inflightBytesMax) {
      throw new OtlpError("overloaded", "too many bytes are being received; try again later");
    }
    this.inflightBytes += bytes;
    return () => {
      this.inflightBytes -= bytes;
    };
  }

  private acknowledge(json: boolean): Outcome {
    const { spanCount, rejectedSpans, rejectedReason } = this.rows;
    this.spans.add({ outcome: "accepted" }, spanCount);
    const response: Record<string, unknown> = {};
    if (rejectedSpans > 0) {
      this.spans.add({ outcome: "rejected" }, rejectedSpans);
      const errorMessage = `${rejectedSpans} spans rejected: ${rejectedReason}`;
      response["partialSuccess"] = { rejectedSpans, errorMessage };
    }
    return {
      status: 200,
      contentType: json ? JSON_TYPE : PROTOBUF,
      body: json ? JSON.stringify(response) : TraceResponse.encode(response).finish(),
      retrySeconds: 0,
    };
  }

  private refuse(error: unknown, json: boolean): Outcome {
    let known: OtlpError;
    if (error instanceof OtlpError) known = error;
    else {
      this.logger.error("a request met a defect of the receiver", { error });
      known = new OtlpError("internal", "the receiver failed on this request; see its log");
    }
    const { status, retrySeconds } = OTLP_FAULTS[known.fault];
    const contentType = json ? JSON_TYPE : PROTOBUF;
    return { status, contentType, body: encodeStatus(known, json), retrySeconds };
  }
}

function jsonToBinary(body: Uint8Array): Uint8Array {
  try {
    return encodeJsonRequest(Buffer.from(body).toString("utf8"));
  } catch (error) {
    if (error instanceof JsonRequestError) throw new OtlpError("badData", error.message);
    throw error;
  }
}

/** The content type without parameters such as a character set. */
function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function encodingOf(request: IncomingMessage): string {
  const encoding = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  return encoding === "identity" ? "" : encoding;
}
