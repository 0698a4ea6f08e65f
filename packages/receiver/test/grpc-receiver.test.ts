import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:http2";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TraceRequest } from "../src/otlp/schema.ts";
import { EXPORT, grpcClient, partialSuccess } from "./grpc-client.ts";
import { encodeSpans, LOGS_BODY, requestOf, START_MS, startReceiver } from "./running-receiver.ts";

let receiver: Awaited<ReturnType<typeof startReceiver>>;
let client: ReturnType<typeof grpcClient>;
beforeAll(async () => {
  receiver = await startReceiver();
  client = grpcClient(receiver.grpc);
});
afterAll(async () => {
  client.close();
  await receiver.shutdown();
});

const span = { atMs: START_MS, attributes: { "ml.model.name": "weather" } };
const HEALTH = "/grpc.health.v1.Health/Check";
const MIB = 1024 ** 2;

const HEADERS: OutgoingHttpHeaders = {
  ":method": "POST",
  ":path": EXPORT,
  "content-type": "application/grpc",
  te: "trailers",
};

/** A message with its prefix. */
function framed(message: Uint8Array, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** One call on a bare HTTP/2 connection: what its headers and trailers said. */
async function bareCall(
  chunks: readonly Uint8Array[],
  headers: OutgoingHttpHeaders = {},
  session: ClientHttp2Session = connect(receiver.grpc),
) {
  const stream = session.request({ ...HEADERS, ...headers });
  const seen: IncomingHttpHeaders = {};
  const body: Buffer[] = [];
  stream.on("response", (head) => Object.assign(seen, head));
  stream.on("trailers", (trailers) => Object.assign(seen, trailers));
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  stream.on("error", () => {});
  const closed = new Promise((resolve) => stream.once("close", resolve));
  for (const chunk of chunks) {
    await new Promise((resolve) => stream.write(chunk, resolve));
  }
  stream.end();
  await closed;
  session.close();
  return { status: seen[":status"], grpc: seen["grpc-status"], headers: seen, body };
}

async function counts(name: string): Promise<Record<string, number>> {
  return receiver.metric(name);
}

describe("OTLP over gRPC", () => {
  it("acknowledges with an empty response on full success, and counts the spans", async () => {
    const before = await counts("tidemark_receiver_spans_total");
    const result = await client.call(encodeSpans([span, span]));
    expect(result).toEqual({ code: 0, message: "", response: Buffer.alloc(0) });
    const after = await counts("tidemark_receiver_spans_total");
    const accepted = '{outcome="accepted"}';
    expect((after[accepted] ?? 0) - (before[accepted] ?? 0)).toBe(2);
  });

  it.each([
    ["an empty request", new Uint8Array(0), {}],
    ["gzip", encodeSpans([span]), { "grpc-encoding": "gzip" }],
    ["a deadline", encodeSpans([span]), { "grpc-timeout": "20S" }],
  ])("takes %s", async (_, body, headers) => {
    const compressed = "grpc-encoding" in headers;
    const message = framed(compressed ? gzipSync(body) : body, compressed ? 1 : 0);
    expect(await bareCall([message], headers)).toMatchObject({ status: 200, grpc: "0" });
  });

  it("takes zstd, and says which compressions it takes", async () => {
    const message = framed(zstdCompressSync(encodeSpans([span])), 1);
    const result = await bareCall([message], { "grpc-encoding": "zstd" });
    expect(result).toMatchObject({ status: 200, grpc: "0" });
    expect(result.headers["grpc-accept-encoding"]).toBe("identity,gzip,zstd");
  });

  it("takes a message byte by byte, and one that is not compressed though it could be", async () => {
    const message = framed(encodeSpans([span]));
    const bytes = Array.from(message, (byte) => Uint8Array.of(byte));
    expect(await bareCall(bytes, { "grpc-encoding": "gzip" })).toMatchObject({ grpc: "0" });
  });

  it("rejects spans without ids one by one, as partial success", async () => {
    const message = requestOf([span, span]);
    message.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.traceId = new Uint8Array(3);
    const { code, response } = await client.call(TraceRequest.encode(message).finish());
    expect(code).toBe(0);
    expect(partialSuccess(response)).toEqual({
      rejectedSpans: 1,
      errorMessage: "1 spans rejected: trace_id must be 16 bytes",
    });
  });

  it("says that it serves, to whoever asks for its health", async () => {
    const { code, response } = await client.call(new Uint8Array(0), { path: HEALTH });
    expect([code, response]).toEqual([0, Buffer.of(8, 1)]);
  });

  const METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
  const LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
  it.each([
    ["a message that is no protobuf", [framed(Buffer.from("hello, world"))], {}, "3", /at byte 3/],
    ["logs in place of traces", [framed(LOGS_BODY)], {}, "3", /Span's field 1 has the wire type 1/],
    ["a message cut off", [framed(encodeSpans([span])).subarray(0, -1)], {}, "3", /cut off/],
    ["a call without a message", [], {}, "3", /cut off/],
    ["two messages", [framed(Buffer.of()), framed(Buffer.of())], {}, "3", /behind the message/],
    ["a flag of another protocol", [Buffer.of(0x80, 0, 0, 0, 0)], {}, "3", /byte 128/],
    ["compression that is not said", [framed(gzipSync(""), 1)], {}, "13", /grpc-encoding/],
    ["no gzip", [framed(Buffer.of(1), 1)], { "grpc-encoding": "gzip" }, "3", /no valid gzip/],
    ["another compression", [framed(Buffer.of(1), 1)], { "grpc-encoding": "snappy" }, "12", /gzip/],
    ["metrics", [framed(Buffer.of())], { ":path": METRICS }, "12", /metrics are not taken/],
    ["logs", [framed(Buffer.of())], { ":path": LOGS }, "12", /logs are not taken/],
    ["an unknown method", [framed(Buffer.of())], { ":path": "/x.Y/Z" }, "12", /no method \/x\.Y/],
    ["too long a message", [Buffer.of(0, 0, 0x10, 0, 1)], {}, "8", /max_recv_msg_size/],
  ])("refuses %s with a status that says why", async (_, chunks, headers, code, message) => {
    const result = await bareCall(chunks, headers);
    expect(result).toMatchObject({ status: 200, grpc: code, body: [] });
    expect(decodeURIComponent(result.headers["grpc-message"] as string)).toMatch(message);
    const details = Buffer.from(String(result.headers["grpc-status-details-bin"] ?? ""), "base64");
    expect(details.includes("google.rpc.BadRequest")).toBe(code === "3");
    expect(details.includes("google.rpc.RetryInfo")).toBe(false);
  });

  it.each([
    ["another type", { "content-type": "application/json" }, 415],
    ["gRPC for web pages", { "content-type": "application/grpc-web+proto" }, 415],
    ["another method", { ":method": "GET" }, 405],
  ])("refuses %s as HTTP does", async (_, headers, status) => {
    expect(await bareCall([], headers)).toMatchObject({ status });
  });

  it("refuses what is too large, announced or once inflated, with nothing to retry", async () => {
    const bomb = framed(gzipSync(new Uint8Array(200 * MIB)), 1);
    const inflated = await bareCall([bomb], { "grpc-encoding": "gzip" });
    expect(inflated).toMatchObject({ status: 200, grpc: "8" });
    expect(inflated.headers["grpc-status-details-bin"]).toBeUndefined();
    const large = await client.call(new Uint8Array(20 * MIB));
    expect(large).toMatchObject({ code: 8 });
    expect(large.retrySeconds).toBeUndefined();
  });

  it("lets go of a call that its client gives up", async () => {
    const session = connect(receiver.grpc);
    const stream = session.request(HEADERS);
    stream.on("error", () => {});
    stream.write(framed(encodeSpans([span])).subarray(0, 20));
    await new Promise((resolve) => session.ping(resolve));
    stream.close(8);
    const aborted = '{transport="grpc",code="aborted"}';
    await expect
      .poll(async () => (await counts("tidemark_receiver_requests_total"))[aborted])
      .toBe(1);
    session.close();
  });

  it("survives clients that give up when all has been sent, at whatever moment", async () => {
    const session = connect(receiver.grpc);
    const message = framed(encodeSpans([span]));
    const sum = async () => {
      const requests = Object.entries(await counts("tidemark_receiver_requests_total"));
      const grpc = requests.filter(([labels]) =>
        /transport="grpc",code="(200|aborted)"/.test(labels),
      );
      return grpc.reduce((total, [, count]) => total + count, 0);
    };
    const before = await sum();
    for (let i = 0; i < 200; i++) {
      const stream = session.request(HEADERS);
      stream.on("error", () => {});
      stream.end(message);
      setTimeout(() => stream.close(8), i / 20);
      if (i % 20 === 0) await new Promise((resolve) => session.ping(resolve));
    }
    await expect.poll(async () => (await sum()) - before).toBe(200);
    session.close();
  });

  it("is alive after all that, and has counted it under HTTP's numbers", async () => {
    const requests = await counts("tidemark_receiver_requests_total");
    const grpc = (code: number) => requests[`{transport="grpc",code="${code}"}`];
    expect([400, 404, 405, 413, 415].map(grpc)).toEqual([8, 3, 1, 3, 3]);
    expect((await client.call(encodeSpans([span]))).code).toBe(0);
  });
});
