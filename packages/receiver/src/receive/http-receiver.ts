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
import type { Stage } from "../stage.js";
import { readBody } from "./body.js";
import { encodeStatus, OTLP_FAULTS, OtlpError } from "./otlp-error.js";
import type { TraceIntake } from "./trace-intake.js";
import { encodeTraceResponse } from "./trace-intake.js";

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

/** Where to listen, and the bound on a body. */
export interface HttpReceiverOptions {
  readonly host: string;
  readonly port: number;
  /** Largest body, before and after inflating. */
  readonly bodyBytesMax: number;
}

interface Outcome {
  status: number;
  contentType: string;
  body: Uint8Array | string;
  retrySeconds: number;
}

/** Serves OTLP over HTTP, and hands every body to the intake before it is acknowledged. */
export class HttpReceiver implements Stage {
  private readonly options: HttpReceiverOptions;
  private readonly intake: TraceIntake;
  private readonly logger: Logger;
  private readonly server: Server;
  private readonly requests = new CounterSet([{ code: "200" }, { code: "400" }]);
  private stopping: Promise<void> | undefined;

  constructor(options: HttpReceiverOptions, intake: TraceIntake, logger: Logger) {
    this.options = options;
    this.intake = intake;
    this.logger = logger;
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
    return [{ definition: METRICS.receiverRequests, points: this.requests.snapshot() }];
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
    this.checkHead(request);
    const announced = Number(request.headers["content-length"] ?? 0);
    const room = this.intake.reserve(Math.min(announced, bodyBytesMax));
    try {
      const body = await readBody(request, bodyBytesMax, room);
      const accepted = await this.intake.take({
        body,
        bodyBytesMax,
        contentType: json ? JSON_TYPE : PROTOBUF,
        contentEncoding: encodingOf(request),
      });
      return {
        status: 200,
        contentType: json ? JSON_TYPE : PROTOBUF,
        body: encodeTraceResponse(accepted, json),
        retrySeconds: 0,
      };
    } finally {
      room.release();
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

/** The content type without parameters such as a character set. */
function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function encodingOf(request: IncomingMessage): string {
  const encoding = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  return encoding === "identity" ? "" : encoding;
}
