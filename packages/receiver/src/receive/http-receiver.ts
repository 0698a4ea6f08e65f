/**
 * OTLP over HTTP, version 1: binary and JSON, plain and gzip.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { METRICS } from "@tidemark/semconv";
import type { HttpProtocol } from "../config/otlp-receiver-schema.js";
import { Cors } from "../cors.js";
import type { OtlpSignal } from "../log/log-record.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { readBody } from "./body.js";
import { brokenRequest } from "./http-broken-request.js";
import type { Intake } from "./intake.js";
import { encodeResponse } from "./intake.js";
import { encodeStatus, OTLP_FAULTS, OtlpError } from "./otlp-error.js";
import { ServerDoor } from "./server-door.js";
import { tlsOptions } from "./server-tls.js";

/** Where the configuration speaks of it. */
const KEY = "receivers.otlp.protocols.http";

/** How often slow senders are looked for: they may be late by so much, or by half their time. */
const SLOW_CHECK_MS = 5_000;
const DRAIN_BYTES_MAX = 256 * 1024 * 1024;

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";
/** OTLP's paths, and what is sent there. */
const SIGNALS: ReadonlyMap<string, string> = new Map([
  ["/v1/traces", "traces"],
  ["/v1/metrics", "metrics"],
  ["/v1/logs", "logs"],
  ["/v1development/profiles", "profiles"],
]);

interface Outcome {
  status: number;
  contentType: string;
  body: Uint8Array | string;
  retrySeconds: number;
}

/** Serves OTLP over HTTP, and hands every body to the intake before it is acknowledged. */
export class HttpReceiver implements Stage {
  private readonly config: HttpProtocol;
  private readonly intake: Intake;
  private readonly logger: Logger;
  private readonly now: () => number;
  private readonly server: Server;
  private readonly cors: Cors | undefined;
  private readonly door: ServerDoor;
  private readonly requests = new CounterSet([counted("200"), counted("400")]);
  private readonly connectedMs = new WeakMap<Socket, number>();

  /**
   * @param now milliseconds since the epoch
   * @throws CredentialError when a certificate or a list of users cannot be used
   */
  constructor(config: HttpProtocol, intake: Intake, logger: Logger, now: () => number) {
    this.config = config;
    this.intake = intake;
    this.logger = logger;
    this.now = now;
    this.cors = config.cors === undefined ? undefined : new Cors(config.cors);
    this.server = createHttpServer(config);
    this.door = new ServerDoor(config, KEY, this.server, logger);
    this.server.on("request", (request, response) => void this.handle(request, response));
    this.server.on("drop", () => this.requests.add(counted("dropped")));
    this.server.on("clientError", (error, socket) => {
      const status = brokenRequest(error, socket as Socket);
      this.requests.add(counted(status));
    });
    const connection = config.tls === undefined ? "connection" : "secureConnection";
    this.server.on(connection, (socket: Socket) => this.connectedMs.set(socket, now()));
  }

  /** The port it listens on, also when 0 was asked for. */
  get port(): number {
    return this.door.port;
  }

  start(): Promise<void> {
    return this.door.open();
  }

  shutdown(): Promise<void> {
    return this.door.close(
      () => this.server.closeIdleConnections(),
      () => this.server.closeAllConnections(),
    );
  }

  metrics(): MetricFamily[] {
    return [{ definition: METRICS.receiverRequests, points: this.requests.snapshot() }];
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.cors?.allow(request, response);
    if (this.cors?.isPreflight(request)) {
      this.requests.add(counted("204"));
      this.cors.preflight(request, response);
      response.writeHead(204).end();
      return;
    }
    const json = mediaType(request) === JSON_TYPE;
    let outcome: Outcome;
    try {
      outcome = await this.accept(request, json);
    } catch (error) {
      if (request.socket.destroyed) {
        this.requests.add(counted("aborted"));
        return;
      }
      outcome = this.refuse(error, json);
    }
    this.requests.add(counted(String(outcome.status)));
    this.respond(request, response, outcome);
  }

  private respond(request: IncomingMessage, response: ServerResponse, outcome: Outcome): void {
    response.statusCode = outcome.status;
    response.setHeader("Content-Type", outcome.contentType);
    response.setHeader("Content-Length", Buffer.byteLength(outcome.body));
    if (outcome.retrySeconds > 0) response.setHeader("Retry-After", outcome.retrySeconds);
    if (outcome.status === 405) response.setHeader("Allow", "POST");
    const { authenticator } = this.door;
    if (outcome.status === 401 && authenticator) {
      response.setHeader("WWW-Authenticate", authenticator.challenges);
    }
    if (this.door.isClosing || this.isOld(request.socket))
      response.setHeader("Connection", "close");
    // Node drains what is left of a refused body; an endless one is not worth keeping alive for.
    const rest = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY);
    if (!request.complete && rest > DRAIN_BYTES_MAX) response.setHeader("Connection", "close");
    response.end(outcome.body);
  }

  private async accept(request: IncomingMessage, json: boolean): Promise<Outcome> {
    const { max_request_body_size: bodyBytesMax } = this.config;
    const signal = this.checkHead(request);
    const announced = Number(request.headers["content-length"] ?? 0);
    const room = this.intake.reserve(Math.min(announced, bodyBytesMax));
    try {
      const body = await readBody(request, bodyBytesMax, room);
      const accepted = await this.intake.take({
        body,
        signal,
        bodyBytesMax,
        contentType: json ? JSON_TYPE : PROTOBUF,
        contentEncoding: encodingOf(request),
      });
      return {
        status: 200,
        contentType: json ? JSON_TYPE : PROTOBUF,
        body: encodeResponse(accepted, json),
        retrySeconds: 0,
      };
    } finally {
      room.release();
    }
  }

  /** @returns what the body will be of */
  private checkHead(request: IncomingMessage): OtlpSignal {
    const path = pathOf(request);
    const name = SIGNALS.get(path);
    if (name === undefined) {
      throw new OtlpError("unknownPath", `there is nothing at ${path}; send traces to /v1/traces`);
    }
    const signal = this.intake.admit(name);
    if (request.method !== "POST") {
      throw new OtlpError("wrongMethod", `${request.method} is not supported; use POST`);
    }
    const { authenticator } = this.door;
    if (authenticator && !authenticator.admits(request.headers.authorization)) {
      throw new OtlpError("unauthenticated", "the authorization is missing or not known here");
    }
    const type = mediaType(request);
    if (type !== PROTOBUF && type !== JSON_TYPE) {
      throw new OtlpError(
        "wrongType",
        `Content-Type "${type}" is not supported; send ${PROTOBUF} or ${JSON_TYPE}`,
      );
    }
    if (this.door.isClosing) throw new OtlpError("stopping", "the receiver is shutting down");
    return signal;
  }

  /** A connection that should not take another request, so that its client makes a new one. */
  private isOld(socket: Socket): boolean {
    const { max_connection_age: ageMs } = this.config;
    return ageMs > 0 && this.now() - (this.connectedMs.get(socket) ?? 0) >= ageMs;
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

function createHttpServer(config: HttpProtocol): Server {
  const { read_header_timeout, read_timeout } = config;
  const options: ServerOptions = {
    headersTimeout: Math.min(read_header_timeout, read_timeout),
    requestTimeout: read_timeout,
    connectionsCheckingInterval: Math.min(SLOW_CHECK_MS, read_header_timeout / 2, read_timeout / 2),
    keepAliveTimeout: config.idle_timeout,
  };
  if (config.tls === undefined) return createServer(options);
  return createTlsServer({ ...options, ...tlsOptions(config.tls, `${KEY}.tls`) });
}

function counted(code: string) {
  return { transport: "http", code };
}

/** The content type without parameters such as a character set. */
function mediaType(request: IncomingMessage): string {
  return (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** https://www.rfc-editor.org/rfc/rfc9110.html#section-8.4.1 */
function encodingOf(request: IncomingMessage): string {
  const encoding = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "identity") return "";
  return encoding === "x-gzip" ? "gzip" : encoding;
}

/**
 * The path of a request target, which clients of a proxy write as a whole URL.
 * https://www.rfc-editor.org/rfc/rfc9112.html#section-3.2.2
 */
function pathOf(request: IncomingMessage): string {
  const target = (request.url ?? "").replace(/^https?:\/\/[^/?]*/i, "");
  return target.split("?", 1)[0] as string;
}
