/**
 * A client that keeps a server busy: a child process that posts trace requests over keep-alive
 * connections, as fast as they are answered, and says how many spans were acknowledged.
 * Every span has ids of its own, as in life; those of compressed bodies repeat.
 */
import type { Socket } from "node:net";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { KeyTable, SpanRows, TraceReader, wantedKeys } from "../dist/index.js";
import { traceBody } from "./trace-bodies.ts";

/** What to send, and for how long. */
export interface LoadOrder {
  readonly port: number;
  readonly durationMs: number;
  readonly connections: number;
  readonly kind: "inference" | "mixed";
  readonly spans: number;
  readonly gzip: boolean;
  /** All connections together; without it, as many as are answered. */
  readonly requestsPerSecond?: number;
}

/** What was acknowledged, and how soon. */
export interface LoadResult {
  readonly spans: number;
  readonly requests: number;
  /** Answers other than 200. */
  readonly refused: number;
  /** Of answers with 200. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

const BODIES = 8;
const HEAD_END = Buffer.from("\r\n\r\n");

/** Bodies whose span ids can be changed in place. */
class Bodies {
  private readonly requests: Buffer[];
  private readonly ids: number[][];
  private turn = 0;
  private counter = 0;

  constructor({ kind, spans, gzip, port }: LoadOrder) {
    const bodies = Array.from({ length: BODIES }, (_, seed) => traceBody(kind, spans, seed + 1));
    this.ids = gzip ? bodies.map(() => []) : bodies.map(spanIdOffsets);
    this.requests = bodies.map((body) => {
      const sent = gzip ? gzipSync(body) : body;
      const head =
        `POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        `Content-Type: application/x-protobuf\r\nContent-Length: ${sent.length}\r\n` +
        `${gzip ? "Content-Encoding: gzip\r\n" : ""}\r\n`;
      return Buffer.concat([Buffer.from(head), sent]);
    });
    for (const [index, offsets] of this.ids.entries()) {
      const headBytes = (this.requests[index] as Buffer).indexOf(HEAD_END) + HEAD_END.length;
      for (let i = 0; i < offsets.length; i++) offsets[i] = (offsets[i] as number) + headBytes;
    }
  }

  /** A request of which the socket has taken its copy when `write` returns. */
  request(): Buffer {
    const index = this.turn++ % BODIES;
    const request = Buffer.from(this.requests[index] as Buffer);
    for (const offset of this.ids[index] as number[]) {
      request.writeUInt32LE(this.counter++ >>> 0, offset);
    }
    return request;
  }
}

function spanIdOffsets(body: Uint8Array): number[] {
  const rows = new SpanRows();
  new TraceReader(new KeyTable(wantedKeys())).read(body, rows);
  return [...rows.spanId.subarray(0, rows.spanCount)];
}

/** Posts until the time is over; each connection waits for its answer. */
async function load(order: LoadOrder): Promise<LoadResult> {
  const bodies = new Bodies(order);
  const turns = new Turns(order);
  const latencies: number[] = [];
  const result = { spans: 0, requests: 0, refused: 0 };
  const one = async () => {
    const socket = connect(order.port, "127.0.0.1");
    socket.setNoDelay(true);
    for (;;) {
      const from = await turns.next();
      if (from === undefined) break;
      const status = await exchange(socket, bodies.request());
      result.requests++;
      if (status === 200) {
        result.spans += order.spans;
        latencies.push(performance.now() - from);
      } else result.refused++;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: order.connections }, one));
  const sorted = Float64Array.from(latencies).toSorted();
  const quantile = (share: number) => sorted[Math.floor(share * sorted.length)] ?? Number.NaN;
  return { ...result, medianMs: quantile(0.5), p99Ms: quantile(0.99) };
}

/** When the next request is to be sent. */
class Turns {
  private readonly intervalMs: number;
  private readonly untilMs: number;
  private nextMs = performance.now();

  constructor({ requestsPerSecond = Number.POSITIVE_INFINITY, durationMs }: LoadOrder) {
    this.intervalMs = 1000 / requestsPerSecond;
    this.untilMs = this.nextMs + durationMs;
  }

  /**
   * Resolves when it is time, with the time from which the answer is waited for: a request that is
   * late because no connection was free has been waiting since its turn. Undefined at the end.
   */
  async next(): Promise<number | undefined> {
    const nowMs = performance.now();
    const turnMs = this.intervalMs === 0 ? nowMs : this.nextMs;
    this.nextMs = turnMs + this.intervalMs;
    if (Math.max(turnMs, nowMs) >= this.untilMs) return undefined;
    if (turnMs <= nowMs) return turnMs;
    await new Promise((resolve) => setTimeout(resolve, turnMs - nowMs));
    return performance.now();
  }
}

/** Sends one request and waits for the whole answer; resolves with its status. */
function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
      const headEnd = answer.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = answer.toString("latin1", 0, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (answer.length < headEnd + HEAD_END.length + length) return;
      socket.off("data", onData);
      socket.off("error", reject);
      resolve(Number(head.slice(9, 12)));
    };
    socket.on("data", onData);
    socket.once("error", reject);
    socket.write(request);
  });
}

process.on("message", (order: LoadOrder) => {
  void load(order).then((result) => process.send?.(result));
});
