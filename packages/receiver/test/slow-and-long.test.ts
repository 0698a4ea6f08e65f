/** Bounds of time, number and memory, held against clients that do not keep to them. */
import { request } from "node:http";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { connect as connectHttp2 } from "node:http2";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { EXPORT, grpcClient } from "./grpc-client.ts";
import { encodeSpans, post, START_MS, startReceiver } from "./running-receiver.ts";

const MIB = 1024 ** 2;
const span = { atMs: START_MS, attributes: { "ml.model.name": "weather" } };

async function started({ grpc = "", http = "", otlp = "" }) {
  const receiver = await startReceiver(`receivers:
  otlp:
    ${otlp}
    protocols:
      grpc: { endpoint: "127.0.0.1:0", ${grpc} }
      http: { endpoint: "127.0.0.1:0", ${http} }
`);
  onTestFinished(() => receiver.shutdown());
  return receiver;
}

/** A bare connection, and what comes over it until it ends. */
function bareConnection(url: string) {
  const socket: Socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  return { socket, ended };
}

function session(url: string) {
  const opened: ClientHttp2Session = connectHttp2(url);
  opened.on("error", () => {});
  onTestFinished(() => opened.destroy());
  const goaway = new Promise<number>((resolve) => opened.once("goaway", resolve));
  const closed = new Promise<void>((resolve) => opened.once("close", resolve));
  return { opened, goaway, closed };
}

function unaryCall(opened: ClientHttp2Session, chunks: readonly Uint8Array[] = []) {
  const stream = opened.request({
    ":method": "POST",
    ":path": EXPORT,
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  const status = new Promise<string>((resolve) => {
    const take = ({ "grpc-status": code }: IncomingHttpHeaders) => {
      if (typeof code === "string") resolve(code);
    };
    stream.on("response", take);
    stream.on("trailers", take);
    stream.once("close", () => resolve("none"));
  });
  stream.resume();
  for (const chunk of chunks) stream.write(chunk);
  return { stream, status };
}

/** A message of one span, in its frame. */
function message(): Buffer {
  const body = encodeSpans([span]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
}

describe("slow clients", () => {
  it("are cut off while they dribble headers, with a Status, and are counted", async () => {
    const receiver = await started({ http: "read_header_timeout: 200ms" });
    const { socket, ended } = bareConnection(receiver.otlp);
    socket.write("POST /v1/traces HTTP/1.1\r\nHost: x\r\n");
    const dribble = setInterval(() => socket.write("X-A: b\r\n"), 20);
    const answer = await ended;
    clearInterval(dribble);
    expect(answer).toMatch(/^HTTP\/1.1 408 .*\r\nContent-Type: application\/x-protobuf/);
    const counts = await receiver.metric("tidemark_receiver_requests_total");
    expect(counts['{transport="http",code="408"}']).toBe(1);
  });

  it("are cut off while they dribble a body", async () => {
    const receiver = await started({ http: "read_timeout: 300ms, read_header_timeout: 100ms" });
    const { socket, ended } = bareConnection(receiver.otlp);
    const head =
      "Host: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 100000\r\n\r\n";
    socket.write(`POST /v1/traces HTTP/1.1\r\n${head}`);
    const dribble = setInterval(() => socket.write("x"), 20);
    expect(await ended).toContain(" 408 ");
    clearInterval(dribble);
  });

  it("are cut off while they dribble a message, and may send others meanwhile", async () => {
    const receiver = await started({ grpc: "read_timeout: 300ms" });
    const { opened } = session(receiver.grpc);
    const slow = unaryCall(opened, [message().subarray(0, 20)]);
    const quick = unaryCall(opened, [message()]);
    quick.stream.end();
    expect(await Promise.all([slow.status, quick.status])).toEqual(["4", "0"]);
  });

  it("are cut off when they connect to gRPC and say nothing, or no HTTP/2", async () => {
    const receiver = await started({ grpc: "read_timeout: 100ms" });
    const silent = bareConnection(receiver.grpc);
    const other = bareConnection(receiver.grpc);
    other.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await Promise.all([silent.ended, other.ended]);
  });

  it("are pinged over gRPC, and let go when they do not answer", async () => {
    const keepalive = "keepalive: { server_parameters: { time: 100ms, timeout: 100ms } }";
    const receiver = await started({ grpc: keepalive });
    const { socket, ended } = bareConnection(receiver.grpc);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
    await ended;
  });
});

describe("connections", () => {
  it("of HTTP are closed after an answer when they are old", async () => {
    const receiver = await started({ http: "max_connection_age: 1m" });
    const { socket, ended } = bareConnection(receiver.otlp);
    const ask = () => socket.write("GET /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n");
    ask();
    await expect.poll(() => socket.bytesRead).toBeGreaterThan(0);
    receiver.clock.nowMs += 61_000;
    ask();
    const answers = (await ended).split("HTTP/1.1 405").slice(1);
    expect(answers.map((text) => /Connection: (\S+)/.exec(text)?.[1])).toEqual([
      "keep-alive",
      "close",
    ]);
  });

  it.each([
    ["old", "max_connection_age: 200ms"],
    ["idle", "max_connection_idle: 200ms"],
  ])("of gRPC are told to go when they are %s", async (_, keepalive) => {
    const receiver = await started({ grpc: `keepalive: { server_parameters: { ${keepalive} } }` });
    const { goaway, closed } = session(receiver.grpc);
    expect(await goaway).toBe(0);
    await closed;
  });

  it("of gRPC that are old finish what is under way, and are ended when that takes too long", async () => {
    const bounds = "max_connection_age: 100ms, max_connection_age_grace: 500ms";
    const receiver = await started({ grpc: `keepalive: { server_parameters: { ${bounds} } }` });
    const { opened, goaway, closed } = session(receiver.grpc);
    const finished = unaryCall(opened, [message()]);
    const endless = unaryCall(opened);
    await goaway;
    finished.stream.end();
    expect(await finished.status).toBe("0");
    await closed;
    expect(await endless.status).toBe("none");
  });

  it("beyond the bound are not taken", async () => {
    const receiver = await started({ grpc: "max_connections: 1", http: "max_connections: 1" });
    for (const url of [receiver.grpc, receiver.otlp]) {
      const first = bareConnection(url);
      await new Promise((resolve) => first.socket.once("connect", resolve));
      expect(await bareConnection(url).ended).toBe("");
    }
    const counts = await receiver.metric("tidemark_receiver_requests_total");
    const dropped = ["grpc", "http"].map((name) => counts[`{transport="${name}",code="dropped"}`]);
    expect(dropped).toEqual([1, 1]);
  });

  it("of gRPC have so many streams and no more, and the others wait for their turn", async () => {
    const receiver = await started({ grpc: "max_concurrent_streams: 2" });
    const client = grpcClient(receiver.grpc);
    onTestFinished(() => client.close());
    const results = Array.from({ length: 20 }, () => client.call(encodeSpans([span])));
    const codes = (await Promise.all(results)).map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set([0]));
  });

  it("that open and reset streams without end, or flood with settings, are ended", async () => {
    const receiver = await started({});
    const resets = session(receiver.grpc);
    const reset = () => {
      for (let i = 0; i < 100 && !resets.opened.destroyed && !resets.opened.closed; i++) {
        unaryCall(resets.opened).stream.close(8);
      }
    };
    const resetting = setInterval(reset, 5);
    await resets.closed;
    clearInterval(resetting);

    const { socket, ended } = bareConnection(receiver.grpc);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const settings = Buffer.alloc(9 + 6 * 100);
    settings.writeUIntBE(600, 0, 3);
    settings[3] = 4;
    for (let at = 9; at < settings.length; at += 6) settings[at + 1] = 3;
    socket.write(settings);
    await ended;
    expect((await post(`${receiver.otlp}/v1/traces`, encodeSpans([span]))).status).toBe(200);
  });
});

describe("large bodies", () => {
  /** How much the process grew at most while it worked, in bytes. */
  async function growth(work: () => Promise<unknown>): Promise<number> {
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    await work();
    clearInterval(watch);
    return Math.max(peak, process.memoryUsage().rss) - before;
  }

  const zeros = new Uint8Array(256 * MIB);
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  it.each([
    ["gzip", Buffer.concat([1, 2, 3, 4].map(() => gzipSync(zeros, { level: 1 })))],
    ["zstd", Buffer.concat([1, 2, 3, 4].map(() => zstdCompressSync(zeros, { params })))],
  ])("of 1 GiB in %s are refused while they are inflated", async (encoding, bomb) => {
    const bound = { http: "max_request_body_size: 8MiB", grpc: "max_recv_msg_size: 8MiB" };
    const receiver = await started(bound);
    const { opened } = session(receiver.grpc);
    const grown = await growth(async () => {
      const headers = { "content-encoding": encoding };
      expect((await post(`${receiver.otlp}/v1/traces`, bomb, headers)).status).toBe(413);
      const prefix = Buffer.of(1, 0, 0, 0, 0);
      prefix.writeUInt32BE(bomb.length, 1);
      const stream = opened.request({
        ":method": "POST",
        ":path": EXPORT,
        "content-type": "application/grpc",
        "grpc-encoding": encoding,
      });
      stream.end(Buffer.concat([prefix, bomb]));
      const head = await new Promise<object>((resolve) => stream.once("response", resolve));
      expect(head).toMatchObject({ "grpc-status": "8" });
      stream.close();
    });
    // Far below the 1 GiB; the client's own copy and the collector's mood are in it too.
    expect(grown).toBeLessThan(128 * MIB);
  });

  it("of 65 MiB are one too many by default, over both transports", async () => {
    const receiver = await started({});
    const body = new Uint8Array(65 * MIB);
    const client = grpcClient(receiver.grpc);
    onTestFinished(() => client.close());
    const answer = await post(`${receiver.otlp}/v1/traces`, body);
    const call = await client.call(body);
    expect([answer.status, call.code, call.retrySeconds]).toEqual([413, 8, undefined]);
  });

  it("of just below 64 MiB are taken over both transports", async () => {
    const receiver = await started({});
    const value = "x".repeat(63 * MIB);
    const body = encodeSpans([{ ...span, attributes: { large: value } }]);
    const client = grpcClient(receiver.grpc);
    onTestFinished(() => client.close());
    const answer = await post(`${receiver.otlp}/v1/traces`, body);
    expect([answer.status, (await client.call(body)).code]).toEqual([200, 0]);
  });

  it("make clients wait when there is no room for more, and say for how long", async () => {
    const receiver = await started({ otlp: "max_inflight_size: 1MiB" });
    const { opened } = session(receiver.grpc);
    const holding = unaryCall(opened, [Buffer.of(0, 0, 0x0f, 0, 0)]);
    const client = grpcClient(receiver.grpc);
    onTestFinished(() => client.close());
    const body = new Uint8Array(MIB / 2);
    await expect.poll(async () => (await client.call(body)).code).toBe(14);
    expect((await client.call(body)).retrySeconds).toBe(5);
    const answer = await post(`${receiver.otlp}/v1/traces`, body);
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    holding.stream.close(8);
    const small = async () => (await client.call(encodeSpans([span]))).code;
    await expect.poll(small).toBe(0);
    expect((await post(`${receiver.otlp}/v1/traces`, body)).status).toBe(400);
  });

  it("without a length take no more room than they need", async () => {
    const receiver = await started({ otlp: "max_inflight_size: 1MiB" });
    const body = encodeSpans([span]);
    const statuses = Array.from({ length: 30 }, () => {
      return new Promise((resolve) => {
        const headers = {
          "content-type": "application/x-protobuf",
          "transfer-encoding": "chunked",
        };
        const options = { method: "POST", headers };
        const sent = request(`${receiver.otlp}/v1/traces`, options, (response) => {
          resolve(response.resume().statusCode);
        });
        for (const byte of body) sent.write(Uint8Array.of(byte));
        sent.end();
      });
    });
    expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
  });
});

describe("a receiver that stops", () => {
  it("does not wait for clients that never end their side of a connection", async () => {
    const receiver = await started({});
    for (const url of [receiver.grpc, receiver.otlp]) {
      const port = Number(new URL(url).port);
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {});
      socket.resume();
      if (url === receiver.otlp) socket.write("POST /v1/traces HTTP/1.1\r\n");
      else socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
      await new Promise((resolve) => socket.once("connect", resolve));
    }
    await expect.poll(async () => (await post(receiver.otlp, "")).status).toBe(404);
    await receiver.shutdown();
  });

  it("answers what is under way over both transports, and takes nothing new", async () => {
    const receiver = await started({});
    const { opened, goaway, closed } = session(receiver.grpc);
    const whole = message();
    const call = unaryCall(opened, [whole.subarray(0, 20)]);
    const body = Buffer.from(encodeSpans([span]));
    const { socket, ended } = bareConnection(receiver.otlp);
    socket.write(
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n" +
        `Content-Length: ${body.length}\r\n\r\n`,
    );
    await new Promise((resolve) => opened.ping(resolve));
    await expect.poll(async () => (await post(receiver.otlp, "")).status).toBe(404);
    const stopped = receiver.shutdown();
    expect(await goaway).toBe(0);
    call.stream.end(whole.subarray(20));
    socket.write(body);
    expect(await call.status).toBe("0");
    expect(await ended).toMatch(/^HTTP\/1.1 200 [^]*Connection: close/);
    await Promise.all([closed, stopped]);
  });
});
