/**
 * What a stranger may send to the port: each gets a clear answer, others are served meanwhile, and the receiver, a process of its
 * own here, takes no more memory than follows from its configuration.
 *
 * TIDEMARK_CONNECTIONS sets how many idle connections are opened (default 1,000; 10,000 take
 * `ulimit -n 11000`).
 */

import { rm } from "node:fs/promises";
import type { ClientRequest } from "node:http";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { batch, differentSpans, killableReceiver, SPANS_PER_BATCH } from "./killable-receiver.ts";
import { startSink } from "./otlp-sink.ts";
import { encodeSpans, storageFolder } from "./running-receiver.ts";

const MIB = 1024 ** 2;
const CONNECTIONS = Number(process.env["TIDEMARK_CONNECTIONS"] ?? 1000);
/** What is under way at one time, and what one body may be: small, so that a leak shows. */
const INFLIGHT_BYTES_MAX = 128 * MIB;
const BODY_BYTES_MAX = 64 * MIB;
/** A connection with its parser and its buffers, as the configuration's schema has it. */
const CONNECTION_BYTES_MAX = 20_000;
/** What the collector leaves lying about, young and old, whatever the work. */
const SLACK_BYTES = 96 * MIB;

/** A receiver, what it answers, and how much memory its configuration entitles it to. */
async function abused(http = "") {
  const folder = storageFolder();
  const sink = await startSink();
  const receiver = await killableReceiver(folder, {
    sinkUrl: sink.url,
    otlp: `max_inflight_size: ${INFLIGHT_BYTES_MAX / MIB}MiB`,
    http,
    storage: "memory: 16MiB",
  });
  onTestFinished(async () => {
    await receiver.end("SIGTERM");
    await sink.close();
    await rm(folder, { recursive: true });
  });
  await receiver.start();
  for (let i = 0; i < 20; i++) expect((await post(receiver.tracesUrl, batch())).status).toBe(200);
  const baselineBytes = receiver.peakBytes();
  return {
    ...receiver,
    sink,
    /** Bodies as they came, one inflated body and its values, and what is held for the endpoint. */
    expectBounded: (connections = 0) => {
      const bodies = INFLIGHT_BYTES_MAX + 2 * BODY_BYTES_MAX + 16 * MIB;
      const bound = baselineBytes + bodies + connections * CONNECTION_BYTES_MAX + SLACK_BYTES;
      expect(receiver.peakBytes()).toBeLessThan(bound);
    },
  };
}

/** Asks again and again while `work` goes on: every answer must be 200. */
async function whileServed<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  const state = { over: false, served: 0 };
  const asking = (async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!state.over) {
      expect((await post(url, batch(), {}, agent)).status).toBe(200);
      state.served++;
      await sleep(10);
    }
    agent.destroy();
  })();
  const result = await work().finally(() => {
    state.over = true;
  });
  await asking;
  expect(state.served).toBeGreaterThan(0);
  return result;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

function post(
  url: string,
  body: Uint8Array | Uint8Array[],
  headers: Record<string, string> = {},
  agent: Agent | false = false,
): Promise<Answer> {
  const type = { "content-type": "application/x-protobuf" };
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers: { ...type, ...headers }, agent };
    const sent: ClientRequest = request(url, options, (response) => {
      response.resume().once("end", () => {
        const { statusCode: status = 0, headers: head } = response;
        resolve({ status, retryAfter: head["retry-after"] });
      });
    });
    sent.once("error", reject);
    for (const part of [body].flat()) sent.write(part);
    sent.end();
  });
}

function connected(port: number): Promise<{ socket: Socket; closed: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
  return new Promise((resolve) => {
    socket.once("connect", () => resolve({ socket, closed }));
    socket.once("close", () => resolve({ socket, closed }));
  });
}

describe("bombs", () => {
  const zeros = new Uint8Array(10 * MIB);
  const gzipped = gzipSync(zeros, { level: 9 });
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const zstd = zstdCompressSync(new Uint8Array(128 * MIB), { params });
  /** Members one after the other are one stream: each inflates to 10 MiB. */
  const bombs: [name: string, encoding: string, part: Uint8Array, parts: number, status: number][] =
    [
      ["10 MiB of zeros in gzip", "gzip", gzipped, 1, 400],
      ["10 GiB in 10 MiB of gzip", "gzip", gzipped, 1024, 413],
      ["10 GiB in zstd", "zstd", zstd, 80, 413],
    ];
  it.each(bombs)("of %s are refused, and take no more than one body", async (...bomb) => {
    const [, encoding, part, parts, status] = bomb;
    const receiver = await abused();
    const headers = { "content-encoding": encoding };
    const body = Array.from({ length: parts }, () => part);
    const answers = await whileServed(receiver.tracesUrl, () =>
      Promise.all(Array.from({ length: 4 }, () => post(receiver.tracesUrl, body, headers))),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(4).fill(status));
    receiver.expectBounded();
  });
});

describe("clients that are slow on purpose", () => {
  it("are closed when their headers take too long, hundreds of them, and others are served", async () => {
    const receiver = await abused("read_header_timeout: 500ms");
    const clients = await Promise.all(
      Array.from({ length: 300 }, () => connected(receiver.otlpPort)),
    );
    const dribble = setInterval(() => {
      for (const { socket } of clients) if (socket.writable) socket.write("X");
    }, 50);
    for (const { socket } of clients) socket.write("POST /v1/traces HTTP/1.1\r\nX-A: ");
    const answers = await whileServed(receiver.tracesUrl, () =>
      Promise.all(clients.map(({ closed }) => closed)),
    );
    clearInterval(dribble);
    expect(answers.filter((answer) => answer.startsWith("HTTP/1.1 408 "))).toHaveLength(300);
    receiver.expectBounded(300);
  });

  it("and connections that never say a word are as many as the bound allows, and no more", async () => {
    const receiver = await abused(`max_connections: ${CONNECTIONS + 1}, read_header_timeout: 1h`);
    await whileServed(receiver.tracesUrl, async () => {
      const idle = [];
      while (idle.length < CONNECTIONS) {
        const some = Array.from({ length: 100 }, () => connected(receiver.otlpPort));
        idle.push(...(await Promise.all(some)));
      }
      const beyond = await Promise.all(
        Array.from({ length: 20 }, () => connected(receiver.otlpPort)),
      );
      expect(await Promise.all(beyond.map(({ closed }) => closed))).toEqual(Array(20).fill(""));
      expect(idle.filter(({ socket }) => socket.destroyed)).toEqual([]);
      const dropped = 'tidemark_receiver_requests_total{transport="http",code="dropped"}';
      expect(await receiver.metric(dropped)).toBe(20);
      for (const { socket } of idle) socket.destroy();
    });
    receiver.expectBounded(CONNECTIONS);
  }, 120_000);
});

describe("bodies that are made to be slow", () => {
  it("by keys that all hash alike are read like others", async () => {
    const receiver = await abused();
    const name = (i: number) => `ml.feature.${String(i).padStart(8, "0")}aaaa`;
    const keys = Array.from({ length: 100_000 }, (_, i) => [name(i), true] as const);
    const attributes = { "ml.model.name": "m", ...Object.fromEntries(keys) };
    const body = encodeSpans([{ atMs: Date.now(), attributes }]);
    await whileServed(receiver.tracesUrl, async () => {
      for (let i = 0; i < 5; i++) expect((await post(receiver.tracesUrl, body)).status).toBe(200);
    });
    receiver.expectBounded();
  });
});

describe("too much at once", () => {
  it("of one body is refused at its bound, and the connection goes on", async () => {
    const receiver = await abused();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const body = Array.from({ length: 65 }, () => new Uint8Array(MIB));
    await whileServed(receiver.tracesUrl, async () => {
      const announced = { "content-length": String(65 * MIB) };
      expect((await post(receiver.tracesUrl, body, announced, agent)).status).toBe(413);
      expect((await post(receiver.tracesUrl, body, {}, agent)).status).toBe(413);
      expect((await post(receiver.tracesUrl, batch(), {}, agent)).status).toBe(200);
    });
    receiver.expectBounded();
  });

  it("of requests is answered, each with 200 or with when to come again, and nothing is lost", async () => {
    const receiver = await abused();
    const before = await receiver.counted();
    const bodies = Array.from({ length: 1000 }, () => batch(20_000));
    const answers = await Promise.all(bodies.map((body) => post(receiver.tracesUrl, body)));
    const accepted = answers.filter(({ status }) => status === 200).length;
    const waiting = answers.filter(
      ({ status, retryAfter }) => status === 503 && retryAfter === "5",
    );
    expect(accepted + waiting.length).toBe(1000);
    expect(accepted).toBeGreaterThan(0);
    const spans = before.spans + accepted * SPANS_PER_BATCH;
    expect(await receiver.counted()).toEqual({ spans, values: spans });
    const arrived = () => differentSpans(receiver.sink.deliveries);
    // Forwarding may have begun to wait longer between attempts: the sink is in this busy process.
    await expect.poll(arrived, { timeout: 90_000, interval: 500 }).toBe(spans);
    receiver.expectBounded(1000);
  }, 180_000);
});
