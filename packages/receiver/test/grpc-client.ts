/** The usual gRPC library as the client, sending bytes as a test gives them. */
import type { ChannelCredentials, ChannelOptions, Metadata as Trailers } from "@grpc/grpc-js";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { RetryInfo, RpcStatus, TraceResponse } from "../src/otlp/schema.ts";

export const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** What became of a call; `code` 0 is success. */
export interface CallResult {
  readonly code: number;
  readonly message: string;
  readonly response?: Buffer;
  /** Seconds after which to try again, when the server said so. */
  readonly retrySeconds?: number;
}

export interface CallOptions {
  readonly path?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

/** A client of one address; it never tries again by itself. */
export function grpcClient(
  url: string,
  channel: ChannelCredentials = credentials.createInsecure(),
  options: ChannelOptions = {},
) {
  const limits = { "grpc.max_send_message_length": -1, "grpc.enable_retries": 0 };
  const client = new Client(new URL(url).host, channel, { ...limits, ...options });
  const call = (body: Uint8Array, { path = EXPORT, metadata = {}, deadlineMs }: CallOptions = {}) =>
    new Promise<CallResult>((resolve) => {
      const headers = new Metadata();
      for (const [key, value] of Object.entries(metadata)) headers.set(key, value);
      const deadline = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from(body),
        headers,
        deadline,
        (error, response) => {
          if (error === null) resolve({ code: 0, message: "", response: response as Buffer });
          else resolve({ code: error.code, message: error.details, ...retryOf(error.metadata) });
        },
      );
    });
  return { call, close: () => client.close() };
}

/** The partial success of a response. */
export function partialSuccess(response: Buffer | undefined): unknown {
  const decoded = TraceResponse.decode(response ?? Buffer.alloc(0));
  return TraceResponse.toObject(decoded, { longs: Number })["partialSuccess"];
}

function retryOf(trailers: Trailers): { retrySeconds?: number } {
  const [encoded] = trailers.get("grpc-status-details-bin");
  if (encoded === undefined) return {};
  const status = RpcStatus.toObject(RpcStatus.decode(encoded as Buffer)) as {
    details?: { typeUrl: string; value: Uint8Array }[];
  };
  const info = status.details?.find(({ typeUrl }) => typeUrl.endsWith("/google.rpc.RetryInfo"));
  if (info === undefined) return {};
  const retry = RetryInfo.toObject(RetryInfo.decode(info.value), { longs: Number }) as {
    retryDelay: { seconds: number };
  };
  return { retrySeconds: retry.retryDelay.seconds };
}
