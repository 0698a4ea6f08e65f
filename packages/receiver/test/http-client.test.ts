/** The client that forwards, against real servers: Node's own, and sockets that answer as told. */
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import { createServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer as createSocketServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpClient } from "../src/forward/http-client.ts";
import { parseAnswer } from "../src/forward/http-response.ts";
import { createAuthority } from "./certificates.ts";

const TYPE = "application/x-protobuf";
const TIMEOUT_MS = 10_000;

async function portOf(server: Server | ReturnType<typeof createSocketServer>): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    await once(server, "close");
  });
  return (server.address() as AddressInfo).port;
}

function clientOf(port: number, timeoutMs = TIMEOUT_MS, scheme = "http"): HttpClient {
  const url = new URL(`${scheme}://127.0.0.1:${port}/v1/traces?tenant=a`);
  const client = new HttpClient(url, { "x-key": "secret" }, timeoutMs);
  onTestFinished(() => client.close());
  return client;
}

/** A server that reads requests by their lengths, and answers each with `answer`'s bytes. */
async function socketServer(answer: (socket: Socket, nth: number) => void) {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      const length = Number(/Content-Length: (\d+)/.exec(received.toString("latin1"))?.[1]);
      if (end < 0 || received.length < end + 4 + length) return;
      received = received.subarray(end + 4 + length);
      answer(socket, ++requests);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { port: await portOf(server), connections: () => sockets.size };
}

describe("the HTTP client", () => {
  it("sends what it was given, byte for byte, over one connection", async () => {
    const seen: unknown[] = [];
    const bodies: Buffer[] = [];
    const connections = new Set<Socket>();
    const server = createServer((message, response) => {
      connections.add(message.socket);
      const { method, url, headers } = message;
      const { "content-encoding": encoding, "content-type": type, "x-key": key } = headers;
      seen.push([method, url, type, encoding, key]);
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => {
        bodies.push(Buffer.concat(chunks));
        response.end("fine");
      });
    });
    const client = clientOf(await portOf(server));
    const large = Buffer.alloc(5_000_000, "tidemark");
    const packed = gzipSync("{}");
    expect(await client.send(large, TYPE, "")).toEqual({ kind: "delivered" });
    expect(await client.send(packed, "application/json", "gzip")).toEqual({ kind: "delivered" });
    expect(bodies.map((body, at) => body.equals([large, packed][at] as Buffer))).toEqual([
      true,
      true,
    ]);
    expect(seen).toEqual([
      ["POST", "/v1/traces?tenant=a", TYPE, undefined, "secret"],
      ["POST", "/v1/traces?tenant=a", "application/json", "gzip", "secret"],
    ]);
    expect(connections.size).toBe(1);
  });

  it("speaks TLS, and only with whom an authority vouches for", async () => {
    const authority = createAuthority("it");
    const server = createTlsServer(authority.issue("127.0.0.1"), (_, response) => response.end());
    const port = await portOf(server);
    const send = () => clientOf(port, TIMEOUT_MS, "https").send(Buffer.from("x"), TYPE, "");
    expect(await send()).toMatchObject({
      kind: "retry",
      reason: expect.stringMatching(/certificate/),
    });
    const usual = getCACertificates("default");
    onTestFinished(() => setDefaultCACertificates(usual));
    setDefaultCACertificates([authority.cert]);
    expect(await send()).toEqual({ kind: "delivered" });
  });

  it("gives each concurrent request a connection of its own, and uses them again", async () => {
    let open = 0;
    const server = createServer((message, response) => {
      message.resume().on("end", () => setTimeout(() => response.end(), 20));
    }).on("connection", () => open++);
    const client = clientOf(await portOf(server));
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(
        Array.from({ length: 5 }, () => client.send(Buffer.from("x"), TYPE, "")),
      );
      expect(results).toEqual(Array.from({ length: 5 }, () => ({ kind: "delivered" })));
    }
    expect(open).toBe(5);
  });

  it("takes a connection that was closed while idle for nothing that went wrong", async () => {
    const server = await socketServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      // Without a word in the header, as servers do after their keep-alive time.
      socket.destroySoon();
    });
    const client = clientOf(server.port);
    for (let i = 0; i < 20; i++) {
      expect(await client.send(Buffer.from("x"), TYPE, "")).toEqual({ kind: "delivered" });
    }
  });

  it("says why an endpoint refuses or cannot, and when to come back", async () => {
    const answers = [
      "HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nno spans!",
      "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n" +
        "4\r\nwait\r\n0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.0 502 Bad Gateway\r\n\r\nfrom a proxy",
      "SMTP ready\r\n\r\n",
    ];
    const server = await socketServer((socket, nth) => {
      const answer = answers[nth - 1] as string;
      // HTTP/1.0 without a length ends with its connection.
      if (answer.startsWith("HTTP/1.0")) socket.end(answer);
      else socket.write(answer);
    });
    const client = clientOf(server.port);
    const results = [];
    for (const _ of answers) results.push(await client.send(Buffer.from("x"), TYPE, ""));
    expect(results).toEqual([
      { kind: "refused", reason: "HTTP 400: no spans!" },
      { kind: "retry", reason: "HTTP 503: wait", retryAfterMs: 7000 },
      { kind: "delivered" },
      { kind: "retry", reason: "HTTP 502: from a proxy" },
      { kind: "retry", reason: "its answer is no HTTP/1.1" },
    ]);
  });

  it("does not wait for ever, nor send again by itself what may have arrived", async () => {
    let requests = 0;
    const server = await socketServer(() => requests++);
    const client = clientOf(server.port, 200);
    const result = await client.send(Buffer.from("x"), TYPE, "");
    expect(result).toEqual({ kind: "retry", reason: "no answer in 200 ms" });
    expect(requests).toBe(1);
    const nobody = clientOf(1);
    expect(await nobody.send(Buffer.from("x"), TYPE, "")).toMatchObject({
      kind: "retry",
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("stops sending when the answer is there before the end of the body", async () => {
    const server = createSocketServer((socket) => {
      socket.on("error", () => {});
      onTestFinished(() => void socket.destroy());
      socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\ntoo");
    });
    const client = clientOf(await portOf(server));
    const result = await client.send(Buffer.alloc(64 << 20), TYPE, "");
    expect(result).toEqual({ kind: "refused", reason: "HTTP 413: too" });
  });

  it("refuses headers that would be other headers", () => {
    const url = new URL("http://127.0.0.1:1/");
    expect(() => new HttpClient(url, { "x-a": "b\r\nx-c: d" }, 1)).toThrow(/header/);
  });
});

describe("an answer", () => {
  const token = fc.stringMatching(/^[a-z]{1,8}$/);
  const answers = fc.record({
    status: fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    headers: fc.dictionary(
      token.map((name) => `x-${name}`),
      token,
      { maxKeys: 4 },
    ),
    body: fc.uint8Array({ maxLength: 700 }),
    chunked: fc.boolean(),
  });

  it("is read as Node's own client reads it, however it is cut into pieces", async () => {
    let next = { status: 200, headers: {}, body: new Uint8Array(), chunked: false };
    const server = createServer((_, response) => {
      const { status, headers, body, chunked } = next;
      response.sendDate = false;
      response.writeHead(status, chunked ? headers : { ...headers, "Content-Length": body.length });
      response.write(body.subarray(0, body.length / 2));
      response.end(body.subarray(body.length / 2));
    });
    const port = await portOf(server);
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        next = answer;
        const sent = request({ port, host: "127.0.0.1", agent: false }).end();
        const [response] = (await once(sent, "response")) as [IncomingMessage];
        response.resume();
        await once(response, "end");
        const wire = await rawAnswer(port);
        const whole = parseAnswer(wire, true);
        expect(whole?.status).toBe(response.statusCode);
        const theirs = Object.entries(response.headers).filter(([name]) => name.startsWith("x-"));
        for (const [name, value] of theirs) expect(whole?.headers.get(name)).toBe(value);
        expect(Buffer.from(whole?.body ?? [])).toEqual(Buffer.from(answer.body.subarray(0, 512)));
        for (let cut = 0; cut < wire.length; cut++) {
          expect(parseAnswer(wire.subarray(0, cut), false)).toBeUndefined();
        }
        expect(parseAnswer(wire, false)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("of any bytes is an answer, an error, or not there yet: never anything else", () => {
    const piece = fc.oneof(
      fc.constantFrom("HTTP/1.1 200 OK\r\n", "\r\n", "\r\n\r\n", "Content-Length: ", "5", "0", ":"),
      fc.constantFrom(
        "Transfer-Encoding: chunked\r\n",
        "ffffffff\r\n",
        "-1",
        "1e3",
        " ",
        "HTTP/1.0 ",
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (pieces, ended) => {
        try {
          const answer = parseAnswer(Buffer.from(pieces.join(""), "latin1"), ended);
          expect(answer === undefined || answer.status >= 200).toBe(true);
          if (ended) expect(answer).toBeDefined();
        } catch (error) {
          expect((error as Error).name).toBe("HttpAnswerError");
        }
      }),
      { numRuns: 5000 },
    );
  });
});

/** What a server writes, up to the end of the connection. */
async function rawAnswer(port: number): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n");
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
