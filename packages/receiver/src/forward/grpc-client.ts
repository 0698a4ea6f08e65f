/**
 * Sends one body to an OTLP/gRPC endpoint and says what became of it, over one HTTP/2 connection.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 * https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response
 */
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { connect } from "node:http2";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { OtlpSignal } from "../log/log-record.js";
import { encodeJsonRequest, parseJson } from "../otlp/json-request.js";
import { RetryInfo, RpcStatus } from "../otlp/schema.js";
import type { OtlpClient, SendResult } from "../otlp-client.js";

/** https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto/collector */
const PATHS: Readonly<Record<OtlpSignal, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};
const PREFIX_BYTES = 5;
const OK = "0";
const RESOURCE_EXHAUSTED = "8";
/** CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const RETRYABLE = new Set(["1", "4", "10", "11", "14", "15"]);
/** Answers of proxies and load balancers that are no gRPC. */
const RETRYABLE_HTTP = new Set([429, 502, 503, 504]);

/** One connection to one endpoint, opened when there is something to send. */
export class GrpcClient implements OtlpClient {
  private readonly url: URL;
  private readonly path: string;
  private readonly metadata: Readonly<Record<string, string>>;
  private readonly timeoutMs: number;
  private session: ClientHttp2Session | undefined;

  /** @param headers become metadata, with their names in lower case */
  constructor(
    url: URL,
    signal: OtlpSignal,
    headers: Readonly<Record<string, string>>,
    timeoutMs: number,
  ) {
    this.url = url;
    this.path = PATHS[signal];
    this.metadata = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    this.timeoutMs = timeoutMs;
  }

  async send(body: Uint8Array, contentType: string, contentEncoding: string): Promise<SendResult> {
    try {
      const { message, encoding } = messageOf(body, contentType, contentEncoding);
      return resultOf(await this.call(message, encoding));
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      return { kind: "retry", reason: message || (code ?? "the connection failed") };
    }
  }

  close(): void {
    this.session?.destroy();
    this.session = undefined;
  }

  /** Resolves with the headers and trailers of the answer, together. */
  private call(message: Uint8Array, encoding: string): Promise<IncomingHttpHeaders> {
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix[0] = encoding === "" ? 0 : 1;
    prefix.writeUInt32BE(message.length, 1);
    const { timeoutMs } = this;
    return new Promise((resolve, reject) => {
      const stream = this.connected().request({
        ...this.metadata,
        ":method": "POST",
        ":path": this.path,
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": `${timeoutMs}m`,
        ...(encoding === "" ? {} : { "grpc-encoding": encoding }),
      });
      const answer: IncomingHttpHeaders = {};
      const timer = setTimeout(() => {
        stream.destroy(new Error(`no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      stream.on("response", (headers) => void Object.assign(answer, headers));
      stream.on("trailers", (trailers) => void Object.assign(answer, trailers));
      stream.once("error", reject);
      stream.once("close", () => {
        clearTimeout(timer);
        resolve(answer);
      });
      stream.resume();
      stream.write(prefix);
      stream.end(message);
    });
  }

  private connected(): ClientHttp2Session {
    const { session: open } = this;
    if (open && !open.closed && !open.destroyed) return open;
    const session = connect(this.url);
    this.session = session;
    const forget = () => {
      if (this.session === session) this.session = undefined;
      session.close();
    };
    // The streams under way are told as well; here it only must not end the process.
    session.on("error", forget);
    session.on("goaway", forget);
    session.on("close", forget);
    return session;
  }
}

/** gRPC carries binary messages only, and its servers know gzip but seldom zstd. */
function messageOf(body: Uint8Array, contentType: string, contentEncoding: string) {
  const json = contentType === "application/json";
  if (!json && contentEncoding !== "zstd") return { message: body, encoding: contentEncoding };
  const plain = inflated(body, contentEncoding);
  if (!json) return { message: plain, encoding: "" };
  return { message: encodeJsonRequest(parseJson(plain)), encoding: "" };
}

function inflated(body: Uint8Array, contentEncoding: string): Uint8Array {
  if (contentEncoding === "gzip") return gunzipSync(body);
  return contentEncoding === "zstd" ? zstdDecompressSync(body) : body;
}

function resultOf(answer: IncomingHttpHeaders): SendResult {
  const status = answer["grpc-status"];
  if (status === OK) return { kind: "delivered" };
  if (typeof status !== "string") {
    const http = Number(answer[":status"] ?? 0);
    const reason = http === 0 ? "the connection was closed" : `HTTP ${http}, which is no gRPC`;
    const retry = http === 0 || RETRYABLE_HTTP.has(http);
    return retry ? { kind: "retry", reason } : { kind: "refused", reason };
  }
  const reason = `gRPC status ${status}: ${messageText(answer["grpc-message"])}`;
  const retryAfterMs = retryDelayMs(answer["grpc-status-details-bin"]);
  // Exhausted for good, such as by a size limit, unless the server says when to come back.
  const comesBack = status === RESOURCE_EXHAUSTED && retryAfterMs !== undefined;
  if (!RETRYABLE.has(status) && !comesBack) return { kind: "refused", reason };
  return retryAfterMs === undefined
    ? { kind: "retry", reason }
    : { kind: "retry", reason, retryAfterMs };
}

/** The percent-encoded text of a status; one that is encoded wrongly stays as it is. */
function messageText(value: string | string[] | undefined): string {
  const text = String(value ?? "");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** When to come back, out of a google.rpc.RetryInfo among the details of a Status. */
function retryDelayMs(value: string | string[] | undefined): number | undefined {
  if (typeof value !== "string") return undefined;
  try {
    const status = RpcStatus.decode(Buffer.from(value, "base64")) as unknown as {
      details: { typeUrl: string; value: Uint8Array }[];
    };
    const detail = status.details.find(({ typeUrl }) => typeUrl.endsWith("google.rpc.RetryInfo"));
    if (detail === undefined) return undefined;
    const { retryDelay } = RetryInfo.decode(detail.value) as unknown as {
      retryDelay?: { seconds: number | { toNumber(): number }; nanos: number };
    };
    return Number(retryDelay?.seconds ?? 0) * 1000 + (retryDelay?.nanos ?? 0) / 1e6;
  } catch {
    return undefined;
  }
}
