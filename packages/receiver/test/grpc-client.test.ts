import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { ServerUnaryCall, sendUnaryData } from "@grpc/grpc-js";
import { Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcClient } from "../src/forward/grpc-client.ts";
import { RetryInfo, RpcStatus, TraceRequest } from "../src/otlp/schema.ts";
import { encodeSpans, requestOf, START_MS, startReceiver } from "./running-receiver.ts";

const PROTOBUF = "application/x-protobuf";
const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

interface Failure {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** The trace service of a real gRPC server, which keeps what it gets and fails as it is told. */
async function traceService(failure?: () => Failure | undefined, wantedPort = 0) {
  const server = new Server();
  const messages: Buffer[] = [];
  const metadata: Metadata[] = [];
  const bytes = (message: Buffer) => message;
  server.addService(
    {
      export: {
        path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    {
      export: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        messages.push(call.request);
        metadata.push(call.metadata);
        const failed = failure?.();
        if (failed) done(failed);
        else done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      `127.0.0.1:${wantedPort}`,
      ServerCredentials.createInsecure(),
      (error, bound) => {
        if (error) reject(error);
        else resolve(bound);
      },
    );
  });
  cleanups.push(() => server.forceShutdown());
  return { url: new URL(`http://127.0.0.1:${port}`), messages, metadata, server };
}

function clientOf(url: URL, timeoutMs = 5000): GrpcClient {
  const client = new GrpcClient(url, "traces", { Authorization: "Bearer x" }, timeoutMs);
  cleanups.push(() => client.close());
  return client;
}

const spans = [{ atMs: START_MS, attributes: { "ml.model.name": "m" } }];

function statusWith(code: number, retrySeconds?: number): Metadata {
  const metadata = new Metadata();
  const value = RetryInfo.encode({ retryDelay: { seconds: retrySeconds, nanos: 5e8 } }).finish();
  const typeUrl = "type.googleapis.com/google.rpc.RetryInfo";
  const details = retrySeconds === undefined ? [] : [{ typeUrl, value }];
  const bytes = RpcStatus.encode({ code, message: "", details }).finish();
  metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  return metadata;
}

describe("GrpcClient", () => {
  it("delivers the original bytes with its metadata, plain and gzipped", async () => {
    const service = await traceService();
    const client = clientOf(service.url);
    const body = encodeSpans(spans);
    expect(await client.send(body, PROTOBUF, "")).toEqual({ kind: "delivered" });
    expect(await client.send(gzipSync(body), PROTOBUF, "gzip")).toEqual({ kind: "delivered" });
    expect(service.messages).toEqual([Buffer.from(body), Buffer.from(body)]);
    expect(service.metadata[0]?.get("authorization")).toEqual(["Bearer x"]);
  });

  it("turns what gRPC servers do not know into plain binary: zstd and JSON", async () => {
    const service = await traceService();
    const client = clientOf(service.url);
    const body = encodeSpans(spans);
    await client.send(zstdCompressSync(body), PROTOBUF, "zstd");
    const message = TraceRequest.toObject(TraceRequest.fromObject(requestOf(spans)), {
      longs: String,
    }) as { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] };
    for (const span of message.resourceSpans[0]?.scopeSpans[0]?.spans ?? []) {
      for (const id of ["traceId", "spanId"]) {
        span[id] = Buffer.from(span[id] as Uint8Array).toString("hex");
      }
    }
    const json = gzipSync(JSON.stringify(message));
    expect(await client.send(json, "application/json", "gzip")).toEqual({ kind: "delivered" });
    expect(service.messages[0]).toEqual(Buffer.from(body));
    const decoded = TraceRequest.decode(service.messages[1] as Buffer).toJSON();
    expect(JSON.stringify(decoded)).toContain("ml.model.name");
  });

  it.each([
    ["UNAVAILABLE", status.UNAVAILABLE, undefined, { kind: "retry" }],
    ["UNAVAILABLE with a delay", status.UNAVAILABLE, 7, { kind: "retry", retryAfterMs: 7500 }],
    ["RESOURCE_EXHAUSTED with a delay", status.RESOURCE_EXHAUSTED, 2, { kind: "retry" }],
    ["RESOURCE_EXHAUSTED without", status.RESOURCE_EXHAUSTED, undefined, { kind: "refused" }],
    ["INVALID_ARGUMENT", status.INVALID_ARGUMENT, undefined, { kind: "refused" }],
    ["UNAUTHENTICATED", status.UNAUTHENTICATED, undefined, { kind: "refused" }],
  ])("knows what may be tried again: %s", async (_, code, seconds, expected) => {
    const details = "100 % of it: ü";
    const failure = { code, details, metadata: statusWith(code, seconds) };
    const service = await traceService(() => failure);
    const result = await clientOf(service.url).send(encodeSpans(spans), PROTOBUF, "");
    const reason = `gRPC status ${code}: ${details}`;
    expect(result).toMatchObject({ ...expected, reason });
  });

  it("asks for another attempt when the server is gone, and connects anew for it", async () => {
    const service = await traceService();
    const client = clientOf(service.url);
    expect(await client.send(encodeSpans(spans), PROTOBUF, "")).toEqual({ kind: "delivered" });
    service.server.forceShutdown();
    const failed = await client.send(encodeSpans(spans), PROTOBUF, "");
    expect(failed).toMatchObject({ kind: "retry" });
    await traceService(undefined, Number(service.url.port));
    expect(await client.send(encodeSpans(spans), PROTOBUF, "")).toEqual({ kind: "delivered" });
  });

  it("gives up waiting for a server that does not answer", async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const client = clientOf(new URL(`http://127.0.0.1:${port}`), 200);
    const result = await client.send(encodeSpans(spans), PROTOBUF, "");
    expect(result).toEqual({ kind: "retry", reason: "no answer in 200 ms" });
  });

  it("says when the endpoint speaks HTTP but no gRPC", async () => {
    const server = createServer((_, response) => {
      response.writeHead(404);
      response.end("nothing here");
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const client = clientOf(new URL(`http://127.0.0.1:${port}`));
    expect(await client.send(encodeSpans(spans), PROTOBUF, "")).toEqual({
      kind: "refused",
      reason: "HTTP 404, which is no gRPC",
    });
  });
});

it("is tried again by the receiver when it was unavailable, and not when it said no for good", async () => {
  const failures = [
    { code: status.UNAVAILABLE, details: "later", metadata: statusWith(status.UNAVAILABLE, 0) },
    { code: status.RESOURCE_EXHAUSTED, details: "", metadata: statusWith(8, 0) },
    undefined,
    { code: status.INVALID_ARGUMENT, details: "no spans" },
  ];
  let calls = 0;
  const service = await traceService(() => failures[calls++]);
  const receiver = await startReceiver(
    `exporters:\n  otlp_grpc/jaeger: { endpoint: "${service.url.href}", concurrency: 1 }\n` +
      "service: { pipelines: { traces: { exporters: [otlp_grpc/jaeger] } } }\n",
  );
  try {
    await receiver.send(spans);
    await expect.poll(() => service.messages.length, { timeout: 20_000 }).toBe(3);
    await receiver.send(spans);
    const delivered = async () => {
      const points = await receiver.metric("tidemark_receiver_forward_requests_total");
      return ["delivered", "refused", "retried"].map(
        (outcome) => points[`{exporter="otlp_grpc/jaeger",outcome="${outcome}"}`],
      );
    };
    await expect.poll(delivered, { timeout: 20_000 }).toEqual([1, 1, 2]);
    const sent = Buffer.from(encodeSpans(spans));
    expect(service.messages.map((message) => message.length)).toEqual(
      [1, 2, 3, 4].map(() => sent.length),
    );
    expect(receiver.log.join("")).toContain("no spans");
  } finally {
    await receiver.shutdown();
  }
});
