/**
 * The OTLP/gRPC endpoint under test, spoken to by frames of node:http2, so that a case decides what
 * every byte of a call is.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { connect, constants } from "node:http2";

/** The codes of gRPC that the cases name. */
export const GRPC_CODE = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
} as const;

/** A call; what is left out makes it an Export of traces. */
export interface GrpcCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces of the request's bytes, each written as a DATA frame of its own. */
  readonly pieces: Iterable<Uint8Array>;
  /** What the pieces are, for the report. */
  readonly what?: string;
}

/** What came of a call. */
export interface GrpcAnswer {
  readonly sent: string;
  readonly httpStatus: number;
  /** The headers, then the trailers, which win; they are one block when a call fails at once. */
  readonly metadata: IncomingHttpHeaders;
  /** grpc-status; nothing when the stream ended without one. */
  readonly code: number | undefined;
  readonly message: string;
  /** The bytes of the response: its frames with their prefixes. */
  readonly body: Buffer;
  /** Why the stream ended without a status, if it did. */
  readonly failure: string | undefined;
}

/** The method that exports a signal. */
export function exportMethod(signal: "trace" | "metrics" | "logs"): string {
  const service = { trace: "Trace", metrics: "Metrics", logs: "Logs" }[signal];
  return `/opentelemetry.proto.collector.${signal}.v1.${service}Service/Export`;
}

/** A message with the five bytes that gRPC writes before it. */
export function frame(message: Uint8Array, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed ? 1 : 0);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Where to call, and what to send with every call. */
export interface GrpcEndpointOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of a message that the endpoint is expected to refuse. */
  readonly oversizeBytes: number;
}

/** An endpoint; every call has a connection of its own unless it is given a session. */
export class GrpcEndpoint {
  readonly oversizeBytes: number;
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;

  constructor({ url, headers, oversizeBytes }: GrpcEndpointOptions) {
    this.url = url;
    this.headers = headers;
    this.oversizeBytes = oversizeBytes;
  }

  /** A connection for several calls; the caller destroys it. */
  connect(): ClientHttp2Session {
    const session = connect(this.url.origin);
    // A broken connection shows in its streams.
    session.on("error", () => {}).setMaxListeners(0);
    return session;
  }

  /** A call of one message. */
  export(message: Uint8Array, what = `${message.length} B of protobuf`): Promise<GrpcAnswer> {
    return this.call({ pieces: [frame(message)], what });
  }

  /** Any call; resolves also when the stream breaks. */
  async call(call: GrpcCall, session?: ClientHttp2Session): Promise<GrpcAnswer> {
    const own = session ?? this.connect();
    try {
      return await this.callOn(own, call);
    } finally {
      if (session === undefined) own.destroy();
    }
  }

  /** Opens a stream with the headers of a call. */
  open(session: ClientHttp2Session, call: Omit<GrpcCall, "pieces">): ClientHttp2Stream {
    return session.request({
      ":method": "POST",
      ":path": call.method ?? exportMethod("trace"),
      ":scheme": this.url.protocol.slice(0, -1),
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-accept-encoding": "identity,gzip",
      ...this.headers,
      ...call.headers,
    });
  }

  private callOn(session: ClientHttp2Session, call: GrpcCall): Promise<GrpcAnswer> {
    const sent = describe(call);
    return new Promise((resolve) => {
      const stream = this.open(session, call);
      let metadata: IncomingHttpHeaders = {};
      const parts: Buffer[] = [];
      let failure: string | undefined;
      stream.once("response", (headers) => {
        metadata = { ...metadata, ...headers };
      });
      stream.once("trailers", (headers) => {
        metadata = { ...metadata, ...headers };
      });
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.once("error", (error) => {
        failure = error.message;
      });
      const failed = (error: Error) => {
        failure = error.message;
      };
      session.once("error", failed);
      stream.once("close", () => {
        session.off("error", failed);
        resolve({ sent, body: Buffer.concat(parts), failure, ...statusOf(metadata) });
      });
      void write(stream, call.pieces);
    });
  }
}

async function write(stream: ClientHttp2Stream, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    if (stream.destroyed || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    await new Promise<void>((resolve) => {
      stream.once("close", resolve);
      stream.write(piece, () => {
        stream.off("close", resolve);
        resolve();
      });
    });
  }
  if (!stream.destroyed) stream.end();
}

function statusOf(metadata: IncomingHttpHeaders) {
  const code = metadata["grpc-status"];
  const message = metadata["grpc-message"];
  return {
    metadata,
    httpStatus: Number((metadata as Record<string, unknown>)[":status"] ?? 0),
    code: code === undefined ? undefined : Number(code),
    message: unescape(String(message ?? "")),
  };
}

/** grpc-message is percent-encoded; what is not, is left as it is. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function describe({ method, headers = {}, what }: GrpcCall): string {
  const name = (method ?? exportMethod("trace")).split(".").at(-1) ?? "";
  const extra = Object.entries(headers).map(([key, value]) => `${key}: ${value}`);
  return [name, ...extra, what].filter((part) => part !== undefined).join(", ");
}
