/**
 * OTLP over gRPC: the unary calls of one service, on Node's own HTTP/2. Messages are taken as the
 * bytes that came, which a general gRPC library would decode, at more than twice the cost.
 * https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants, createSecureServer, createServer } from "node:http2";
import type { Socket } from "node:net";
import { METRICS } from "@tidemark/semconv";
import type { GrpcProtocol } from "../config/otlp-receiver-schema.js";
import type { Logger } from "../logger.js";
import type { MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { Stage } from "../stage.js";
import { CONTENT_ENCODINGS } from "./body.js";
import { GrpcConnections } from "./grpc-connections.js";
import { frameMessage, readMessage } from "./grpc-message.js";
import { GRPC_OK, grpcFailure } from "./grpc-status.js";
import type { Intake } from "./intake.js";
import { encodeResponse } from "./intake.js";
import { OTLP_FAULTS, OtlpError } from "./otlp-error.js";
import { ServerDoor } from "./server-door.js";
import { tlsOptions } from "./server-tls.js";

/** Where the configuration speaks of it. */
const KEY = "receivers.otlp.protocols.grpc";

/** Of a stream and of a connection: what may be on its way before it has been read. */
const STREAM_WINDOW_BYTES = 1024 ** 2;
const CONNECTION_WINDOW_BYTES = 4 * 1024 ** 2;
const HEADER_BYTES_MAX = 16 * 1024;
/** A client that keeps to the protocol causes none of these; floods of them end the connection. */
const INVALID_FRAMES_MAX = 100;
const REJECTED_STREAMS_MAX = 100;
const SETTINGS_MAX = 32;
/** Of streams, opened and reset at once: a client that restarts may reset all that it had. */
const RESET_BURST = 1000;
const RESETS_PER_SECOND = 100;

const PROTOBUF = "application/x-protobuf";
const SERVICES = "/opentelemetry.proto.collector.";
const EXPORT_TRACES = `${SERVICES}trace.v1.TraceService/Export`;
/** OTLP's methods, and what they export. */
const SIGNALS: ReadonlyMap<string, string> = new Map([
  [EXPORT_TRACES, "traces"],
  [`${SERVICES}metrics.v1.MetricsService/Export`, "metrics"],
  [`${SERVICES}logs.v1.LogsService/Export`, "logs"],
  [`${SERVICES}profiles.v1development.ProfilesService/Export`, "profiles"],
]);
const HEALTH_CHECK = "/grpc.health.v1.Health/Check";
/** `HealthCheckResponse` with the status SERVING. */
const SERVING = Uint8Array.of(0x08, 1);

const RESPONSE_HEADERS = {
  ":status": 200,
  "content-type": "application/grpc",
  "grpc-accept-encoding": ["identity", ...CONTENT_ENCODINGS].join(","),
} as const;

/** Serves OTLP over gRPC, and hands every message to the intake before it is acknowledged. */
export class GrpcReceiver implements Stage {
  private readonly config: GrpcProtocol;
  private readonly intake: Intake;
  private readonly logger: Logger;
  private readonly server: Http2Server;
  private readonly door: ServerDoor;
  private readonly connections: GrpcConnections;
  private readonly requests = new CounterSet([counted("200"), counted("400")]);

  /**
   * @param random a number in [0, 1)
   * @throws CredentialError when a certificate or a list of users cannot be used
   */
  constructor(config: GrpcProtocol, intake: Intake, logger: Logger, random: () => number) {
    this.config = config;
    this.intake = intake;
    this.logger = logger;
    this.connections = new GrpcConnections(connectionBounds(config), random);
    this.server = createHttp2Server(config);
    this.door = new ServerDoor(config, KEY, this.server, logger);
    this.server.on("drop", () => this.requests.add(counted("dropped")));
    this.acceptConnections();
    this.server.on("stream", (stream, headers) => void this.handle(stream, headers));
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
      () => this.connections.retire(),
      () => this.connections.destroy(),
    );
  }

  metrics(): MetricFamily[] {
    return [{ definition: METRICS.receiverRequests, points: this.requests.snapshot() }];
  }

  /** Node makes a socket's session in its own listener, so that ours comes just before. */
  private acceptConnections(): void {
    const event = this.config.tls === undefined ? "connection" : "secureConnection";
    let latest: Socket;
    this.server.prependListener(event, (socket: Socket) => {
      latest = socket;
    });
    this.server.on("session", (session) => {
      session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
      this.connections.add(session, latest);
    });
  }

  private async handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    // A stream that its client resets ends in an error, after which there is nobody to answer.
    stream.on("error", () => {});
    let response: Uint8Array;
    try {
      response = await this.answer(stream, headers);
    } catch (error) {
      this.refuse(stream, error);
      return;
    }
    this.requests.add(counted(accept(stream, response) ? "200" : "aborted"));
  }

  private async answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): Promise<Uint8Array> {
    const path = headers[":path"] ?? "";
    checkProtocol(headers);
    if (path === HEALTH_CHECK) return SERVING;
    const name = SIGNALS.get(path);
    if (name === undefined) {
      throw new OtlpError(
        "unknownMethod",
        `there is no method ${path}; send traces to ${EXPORT_TRACES}`,
      );
    }
    const signal = this.intake.admit(name);
    const { authenticator } = this.door;
    if (authenticator && !authenticator.admits(headers.authorization)) {
      throw new OtlpError("unauthenticated", "the authorization is missing or not known here");
    }
    const encoding = encodingOf(headers);
    const { max_recv_msg_size: bodyBytesMax, read_timeout: timeoutMs } = this.config;
    const room = this.intake.reserve(0);
    try {
      const { bytes, compressed } = await readMessage(stream, { bodyBytesMax, timeoutMs }, room);
      if (compressed && encoding === "") {
        throw new OtlpError(
          "unsaidCompression",
          "the message is compressed, and grpc-encoding is not said",
        );
      }
      const accepted = await this.intake.take({
        body: bytes,
        signal,
        bodyBytesMax,
        contentType: PROTOBUF,
        contentEncoding: compressed ? encoding : "",
      });
      return encodeResponse(accepted, false) as Uint8Array;
    } finally {
      room.release();
    }
  }

  private refuse(stream: ServerHttp2Stream, error: unknown): void {
    let known: OtlpError;
    if (error instanceof OtlpError) {
      known = error;
    } else {
      this.logger.error("a call met a defect of the receiver", { error });
      known = new OtlpError("internal", "the receiver failed on this call; see its log");
    }
    if (stream.closed) {
      this.requests.add(counted("aborted"));
      return;
    }
    const { status } = OTLP_FAULTS[known.fault];
    this.requests.add(counted(String(status)));
    // What is no gRPC is refused as HTTP; whoever sent it looks for no trailers.
    const httpStatus = known.fault === "wrongType" || known.fault === "wrongMethod" ? status : 200;
    const headers = { ...RESPONSE_HEADERS, ":status": httpStatus, ...grpcFailure(known) };
    stream.respond(headers, { endStream: true });
    // The client need not send the rest.
    if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

function createHttp2Server(config: GrpcProtocol): Http2Server {
  const options = {
    settings: {
      maxConcurrentStreams: config.max_concurrent_streams,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: HEADER_BYTES_MAX,
      enablePush: false,
    },
    maxSettings: SETTINGS_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESETS_PER_SECOND,
  };
  if (config.tls === undefined) return createServer(options);
  return createSecureServer({ ...options, ...tlsOptions(config.tls, `${KEY}.tls`) });
}

function connectionBounds({ read_timeout, keepalive }: GrpcProtocol) {
  const { server_parameters: server } = keepalive;
  return {
    greetingMs: read_timeout,
    idleMs: server.max_connection_idle,
    ageMs: server.max_connection_age,
    graceMs: server.max_connection_age_grace,
    pingEveryMs: server.time,
    pingTimeoutMs: server.timeout,
  };
}

function counted(code: string) {
  return { transport: "grpc", code };
}

function checkProtocol(headers: IncomingHttpHeaders): void {
  if (headers[":method"] !== "POST") {
    throw new OtlpError("wrongMethod", `${headers[":method"]} is not supported; use POST`);
  }
  const type = headers["content-type"] ?? "";
  if (/^application\/grpc(?:\+proto)?\s*(?:;|$)/i.test(type)) return;
  throw new OtlpError(
    "wrongType",
    `Content-Type "${type}" is not supported; send application/grpc`,
  );
}

/** The compression of compressed messages; empty for none. */
function encodingOf(headers: IncomingHttpHeaders): string {
  const encoding = String(headers["grpc-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity") return "";
  if (CONTENT_ENCODINGS.includes(encoding)) return encoding;
  const known = RESPONSE_HEADERS["grpc-accept-encoding"];
  throw new OtlpError("unknownCompression", `"${encoding}" is not supported; send ${known}`);
}

/** @returns whether there was still somebody to tell */
function accept(stream: ServerHttp2Stream, response: Uint8Array): boolean {
  if (stream.closed) return false;
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  stream.once("wantTrailers", () => {
    if (!stream.closed) stream.sendTrailers(GRPC_OK);
  });
  stream.end(frameMessage(response));
  return true;
}
