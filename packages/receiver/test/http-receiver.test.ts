import { request } from "node:http";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BadRequest, RpcStatus, TraceResponse } from "../src/otlp/schema.ts";
import {
  encodeSpans,
  LOGS_BODY,
  post,
  requestOf,
  START_MS,
  startReceiver,
} from "./running-receiver.ts";

let receiver: Awaited<ReturnType<typeof startReceiver>>;
let url: string;
beforeAll(async () => {
  receiver = await startReceiver();
  url = `${receiver.otlp}/v1/traces`;
});
afterAll(() => receiver.shutdown());

const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";
const span = { atMs: START_MS, attributes: { "ml.model.name": "weather" } };

const jsonType = { "content-type": "application/json" };

/** A request whose resource has a map in a map, so many of them. */
function nestedJson(depth: number): string {
  const head = '{"kvlistValue":{"values":[{"key":"k","value":'.repeat(depth);
  const value = `${head}{"boolValue":true}${"}]}}".repeat(depth)}`;
  return `{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":${value}}]}}]}`;
}

/** The same request in OTLP's JSON: hex ids, 64-bit integers as strings. */
function jsonSpans(): Record<string, unknown> {
  const message = JSON.stringify(requestOf([span]), (_, value: unknown) => {
    const long = value as { low?: number; high?: number; type?: string; data?: number[] };
    if (long?.type === "Buffer") return Buffer.from(long.data ?? []).toString("hex");
    if (long?.low === undefined) return value;
    return String((BigInt((long.high ?? 0) >>> 0) << 32n) | BigInt(long.low >>> 0));
  });
  return JSON.parse(message) as Record<string, unknown>;
}

async function refused(response: Response) {
  const body = Buffer.from(await response.arrayBuffer());
  const json = response.headers.get("content-type") === "application/json";
  const { code, message } = json
    ? (JSON.parse(body.toString()) as { code: number; message: string })
    : (RpcStatus.toObject(RpcStatus.decode(body)) as { code: number; message: string });
  return { http: response.status, code, message };
}

describe("OTLP over HTTP", () => {
  it("acknowledges protobuf in protobuf, with an empty response on full success", async () => {
    const response = await post(url, encodeSpans([span]));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-protobuf");
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  it("acknowledges JSON in JSON, with or without a character set", async () => {
    const headers = { "content-type": "application/json; charset=utf-8" };
    const response = await post(url, JSON.stringify(jsonSpans()), headers);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.json()).toEqual({});
  });

  it.each([
    ["gzip of several members", "gzip", gzipSync],
    ["gzip by its old name", "x-gzip", gzipSync],
    ["zstd of several frames", "zstd", zstdCompressSync],
  ])("counts what is in %s, as it may come", async (_, encoding, compress) => {
    const parts = [encodeSpans([span]), encodeSpans([span, span])].map((part) => compress(part));
    const before = await receiver.metric("tidemark_receiver_spans_total");
    const response = await post(url, Buffer.concat(parts), { "content-encoding": encoding });
    const after = await receiver.metric("tidemark_receiver_spans_total");
    expect(response.status).toBe(200);
    const accepted = '{outcome="accepted"}';
    expect((after[accepted] ?? 0) - (before[accepted] ?? 0)).toBe(3);
  });

  it("takes gzip, and an empty request", async () => {
    const gzip = await post(url, gzipSync(encodeSpans([span])), { "content-encoding": "gzip" });
    const empty = await post(url, new Uint8Array(0));
    expect([gzip.status, empty.status]).toEqual([200, 200]);
  });

  it("takes a request whose target is a whole URL, as through a proxy", async () => {
    const body = encodeSpans([span]);
    const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
    const status = await new Promise((resolve) => {
      const { hostname, port } = new URL(url);
      const sent = request({ hostname, port, path: url, method: "POST", headers }, (response) => {
        resolve(response.resume().statusCode);
      });
      sent.end(body);
    });
    expect(status).toBe(200);
  });

  it("rejects spans without ids one by one, as partial success", async () => {
    const message = requestOf([span, span]);
    const [bad] = message.resourceSpans[0]!.scopeSpans[0]!.spans;
    bad!.traceId = new Uint8Array(3);
    const { TraceRequest } = await import("../src/otlp/schema.ts");
    const response = await post(url, TraceRequest.encode(message).finish());
    const body = TraceResponse.decode(new Uint8Array(await response.arrayBuffer()));
    expect(response.status).toBe(200);
    expect(TraceResponse.toObject(body, { longs: Number })).toEqual({
      partialSuccess: {
        rejectedSpans: 1,
        errorMessage: "1 spans rejected: trace_id must be 16 bytes",
      },
    });
  });

  it.each(["resourceLogs", "resourceMetrics", "resource_spans", "trace"])(
    "ignores JSON that has nothing but %s, and tells its sender",
    async (name) => {
      const body = JSON.stringify({ [name]: [{}] });
      const response = await post(url, body, { "content-type": "application/json" });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        partialSuccess: {
          errorMessage: `nothing is kept: the body has "${name}" and no "resourceSpans"`,
        },
      });
    },
  );

  it("counts rejected spans in a string where the answer is JSON", async () => {
    const body = '{"resourceSpans":[{"scopeSpans":[{"spans":[{}]}]}]}';
    const response = await post(url, body, { "content-type": "application/json" });
    expect(await response.json()).toEqual({
      partialSuccess: {
        rejectedSpans: "1",
        errorMessage: "1 spans rejected: trace_id must be 16 bytes",
      },
    });
  });

  it.each([
    [
      "a body that is no protobuf",
      "",
      "hello, world",
      {},
      400,
      3,
      /no trace request: .*\(at byte 3\)/,
    ],
    ["logs in place of traces", "", LOGS_BODY, {}, 400, 3, /Span's field 1 has the wire type 1/],
    ["a body that is no JSON", "", "{", { "content-type": "application/json" }, 400, 3, /no JSON/],
    ["JSON that is nested too deeply", "", nestedJson(32), jsonType, 400, 3, /nested too deeply/],
    [
      "JSON of another shape",
      "",
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}',
      { "content-type": "application/json" },
      400,
      3,
      /resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId must be/,
    ],
    [
      "a body that is no gzip",
      "",
      "plain",
      { "content-encoding": "gzip" },
      400,
      3,
      /no valid gzip/,
    ],
    [
      "zstd that is cut off",
      "",
      zstdCompressSync(encodeSpans([span])).subarray(0, -4),
      { "content-encoding": "zstd" },
      400,
      3,
      /no valid zstd: unexpected end/,
    ],
    [
      "zstd with something behind it",
      "",
      Buffer.concat([zstdCompressSync(encodeSpans([span])), Buffer.from("tail")]),
      { "content-encoding": "zstd" },
      400,
      3,
      /no valid zstd/,
    ],
    ["another encoding", "", "x", { "content-encoding": "br" }, 415, 3, /"br" is not supported/],
    ["another type", "", "x", { "content-type": "text/plain" }, 415, 3, /"text\/plain"/],
    ["metrics", "/../metrics", "", {}, 404, 12, /metrics are not taken here/],
    ["another path", "/x", "", {}, 404, 5, /nothing at/],
  ])("refuses %s with a Status", async (_, suffix, body, headers, http, code, message) => {
    const answer = await refused(await post(new URL(`${url}${suffix}`).href, body, headers));
    expect(answer).toEqual({ http, code, message: expect.stringMatching(message) as string });
  });

  it("says in the details of a Status what is bad, and where, in either encoding", async () => {
    const description = expect.stringMatching(/no trace request: .*\(at byte 3\)/) as string;
    const binary = await post(url, "hello, world");
    const status = RpcStatus.decode(new Uint8Array(await binary.arrayBuffer()));
    const { details } = RpcStatus.toObject(status) as {
      details: { typeUrl: string; value: Uint8Array }[];
    };
    expect(details.map(({ typeUrl }) => typeUrl)).toEqual([BAD_REQUEST]);
    expect(BadRequest.toObject(BadRequest.decode(details[0]!.value))).toEqual({
      fieldViolations: [{ description }],
    });
    const body = '{"resourceSpans":[{"scopeSpans":5}]}';
    const json = await post(url, body, { "content-type": "application/json" });
    const field = "resourceSpans[0].scopeSpans";
    expect(await json.json()).toMatchObject({
      details: [
        {
          "@type": BAD_REQUEST,
          fieldViolations: [{ field, description: `${field} must be an array` }],
        },
      ],
    });
  });

  it("answers other methods with 405 and names the right one", async () => {
    const response = await fetch(url);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("refuses what is too large, on the wire, without a length, and only once inflated", async () => {
    const large = new Uint8Array(1024 ** 2 + 1);
    const stream = new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 20; i++) controller.enqueue(new Uint8Array(100_000));
        controller.close();
      },
    });
    const chunked = fetch(url, {
      method: "POST",
      body: stream,
      duplex: "half",
      headers: { "content-type": "application/x-protobuf" },
    } as RequestInit);
    const bomb = gzipSync(new Uint8Array(200 * 1024 ** 2));
    const answers = await Promise.all([
      post(url, large).then(refused),
      chunked.then(refused),
      post(url, bomb, { "content-encoding": "gzip" }).then(refused),
    ]);
    for (const answer of answers) expect(answer).toMatchObject({ http: 413, code: 8 });
  });

  it("is alive after all that, and has counted it", async () => {
    const counts = await receiver.metric("tidemark_receiver_requests_total");
    expect(counts['{transport="http",code="400"}']).toBe(10);
    expect(counts['{transport="http",code="413"}']).toBe(3);
    expect(counts['{transport="http",code="415"}']).toBe(2);
    const spans = await receiver.metric("tidemark_receiver_spans_total");
    expect(spans['{outcome="rejected"}']).toBe(2);
    expect((await post(url, encodeSpans([span]))).status).toBe(200);
  });
});
