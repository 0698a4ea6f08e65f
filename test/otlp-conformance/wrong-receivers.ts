/** Receivers that are wrong on purpose: what the suite must not let pass. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { Http2Server, ServerHttp2Stream } from "node:http2";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { frame } from "./grpc-endpoint.ts";
import { PROTOBUF } from "./http-endpoint.ts";
import { decodeBinary, encodeBinary } from "./otlp/binary.ts";

/** A server that is listening. */
export interface WrongReceiver {
  readonly url: URL;
  stop(): Promise<void>;
}

/** Answers one request whose body has been read. */
export type WrongAnswer = (
  request: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
) => void;

/** Serves HTTP with one answer for everything. */
export async function wrongHttp(answer: WrongAnswer): Promise<WrongReceiver> {
  const server = createServer((request, response) => {
    buffer(request).then(
      (body) => answer(request, body, response),
      () => response.destroy(),
    );
  });
  return listening(server, () => server.closeAllConnections());
}

/** Serves gRPC with one status for everything, and an empty response when that is OK. */
export async function wrongGrpc(code: number): Promise<WrongReceiver> {
  const server = createHttp2Server();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {}).resume();
    stream.respond({ ":status": 200, "content-type": "text/grpc" }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(code) }));
    stream.end(code === 0 ? frame(Buffer.alloc(0)) : undefined);
  });
  return listening(server, () => {
    for (const session of sessions) session.destroy();
  });
}

/** Says that all is well, whatever came, and keeps nothing. */
export const yesToAll: WrongAnswer = (request, _body, response) => {
  accept(request, response);
};

/** Says that it is busy, in words of its own. */
export const noToAll: WrongAnswer = (_request, _body, response) => {
  response.writeHead(503, { "Content-Type": "text/plain" }).end("no");
};

/** Reports a part of everything as rejected, without a reason, and counts in JSON numbers. */
export const partlyToAll: WrongAnswer = (request, _body, response) => {
  const partialSuccess = { rejected: 99n };
  const binary = encodeBinary("ExportResponse", { partialSuccess });
  accept(request, response, binary, '{"partialSuccess":{"rejectedSpans":99}}');
};

/** Answers in JSON, whatever the request's encoding. */
export const alwaysJson: WrongAnswer = (_request, _body, response) => {
  response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
};

/** Treats what it cannot decode as a failure of its own. */
export const failsOnBadData: WrongAnswer = (request, body, response) => {
  try {
    const gzip = request.headers["content-encoding"] === "gzip";
    const plain = gzip ? gunzipSync(body) : body;
    if (request.headers["content-type"] === PROTOBUF) decodeBinary("TraceRequest", plain);
    else JSON.parse(plain.toString());
    accept(request, response);
  } catch (error) {
    const type = request.headers["content-type"] ?? PROTOBUF;
    const status = { code: 13, message: (error as Error).message };
    const binary = type === PROTOBUF;
    response.writeHead(500, { "Content-Type": type });
    response.end(binary ? encodeBinary("Status", status) : JSON.stringify(status));
  }
};

/** Always has a partial_success, though nothing is rejected. */
export const emptyPartialSuccess: WrongAnswer = (request, _body, response) => {
  const binary = encodeBinary("ExportResponse", { partialSuccess: {} });
  accept(request, response, binary, '{"partialSuccess":{}}');
};

function accept(
  request: IncomingMessage,
  response: ServerResponse,
  binary: Uint8Array = Buffer.alloc(0),
  json = "{}",
): void {
  const type = request.headers["content-type"] ?? PROTOBUF;
  response.writeHead(200, { "Content-Type": type });
  response.end(type.toLowerCase().startsWith("application/json") ? json : binary);
}

async function listening(server: Server | Http2Server, cut: () => void): Promise<WrongReceiver> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      cut();
    });
  return { url: new URL(`http://127.0.0.1:${port}`), stop };
}
