/** The OTLP/HTTP endpoint under test, spoken to by node:http and, where that is too polite, by bytes. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { Agent, request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest, Agent as SecureAgent } from "node:https";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { connect as connectSecure } from "node:tls";
import type { RawAnswer } from "./raw-answers.ts";
import { parseAnswers } from "./raw-answers.ts";

/** OTLP's two content types. */
export const PROTOBUF = "application/x-protobuf";
export const JSON_TYPE = "application/json";

/** What OTLP/HTTP answered, with what was sent, each in one line for the report. */
export interface HttpAnswer {
  readonly sent: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the interim answer "100 Continue" came first. */
  readonly continued: boolean;
}

/** A request; what is left out makes it a POST of protobuf to /v1/traces. */
export interface HttpRequest {
  readonly method?: string;
  readonly path?: string;
  readonly type?: string | undefined;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
  /** Chunks of a body without a length; taken instead of `body`. */
  readonly chunks?: Iterable<Uint8Array>;
  /** What the body is, for the report. */
  readonly what?: string;
  /** A connection to reuse; without one, each request has its own. */
  readonly agent?: Agent;
}

/** Where to send, and what to send with every request. */
export interface HttpEndpointOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of a body that the endpoint is expected to refuse. */
  readonly oversizeBytes: number;
}

/** An endpoint; `/v1/traces` and the like are appended to its path. */
export class HttpEndpoint {
  readonly oversizeBytes: number;
  private readonly url: URL;
  private readonly headers: Readonly<Record<string, string>>;

  constructor({ url, headers, oversizeBytes }: HttpEndpointOptions) {
    this.url = url;
    this.headers = headers;
    this.oversizeBytes = oversizeBytes;
  }

  /** An agent that keeps one connection alive. */
  keepAlive(): Agent {
    const options = { keepAlive: true, maxSockets: 1 };
    return this.url.protocol === "https:" ? new SecureAgent(options) : new Agent(options);
  }

  /**
   * Sends one request.
   * @throws Error when the connection ends without an answer
   */
  send(request: HttpRequest): Promise<HttpAnswer> {
    const { method = "POST", path = "/v1/traces", body = "", chunks } = request;
    const headers = this.headersOf(request);
    const sent = describe(method, path, request, body);
    const start = this.url.protocol === "https:" ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      let continued = false;
      const agent = request.agent ?? false;
      const options = { method, headers, agent, path: this.pathOf(path) };
      const outgoing = start(this.url, options, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.once("error", reject);
        response.once("end", () => {
          const { statusCode: status = 0, headers: answered } = response;
          resolve({ sent, status, headers: answered, body: Buffer.concat(parts), continued });
          if (!outgoing.writableFinished) outgoing.destroy();
        });
      });
      outgoing.once("error", (error) => reject(new Error(`${sent}: ${error.message}`)));
      const write = () => (chunks === undefined ? void outgoing.end(body) : pour(chunks, outgoing));
      if (outgoing.getHeader("expect") === undefined) write();
      else {
        outgoing.once("continue", () => {
          continued = true;
          write();
        });
        outgoing.flushHeaders();
      }
    });
  }

  /** Posts a body with its content type; the usual request. */
  post(body: Uint8Array | string, type: string, more: HttpRequest = {}): Promise<HttpAnswer> {
    return this.send({ body, type, ...more });
  }

  /** Posts protobuf over HTTP/2 with prior knowledge, as gRPC connects, or by ALPN with TLS. */
  sendHttp2(body: Uint8Array): Promise<HttpAnswer> {
    const session = connectHttp2(this.url.origin);
    return new Promise<HttpAnswer>((resolve, reject) => {
      const stream = session.request({
        ":method": "POST",
        ":path": this.pathOf("/v1/traces"),
        "content-type": PROTOBUF,
        ...this.headers,
      });
      const sent = `HTTP/2 POST /v1/traces, ${PROTOBUF}, ${body.length} B`;
      const parts: Buffer[] = [];
      let headers: IncomingHttpHeaders = {};
      const failed = (error: Error) => reject(new Error(`${sent}: ${error.message}`));
      session.once("error", failed);
      stream.once("error", failed);
      stream.once("response", (head) => {
        headers = head;
      });
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.once("end", () => {
        const status = Number((headers as Record<string, unknown>)[":status"] ?? 0);
        resolve({ sent, status, headers, body: Buffer.concat(parts), continued: false });
      });
      stream.end(body);
    }).finally(() => session.destroy());
  }

  /** The head of a request as text, for what is written by hand; ends with the empty line. */
  head(lines: readonly string[], target = this.pathOf("/v1/traces"), method = "POST"): string {
    const own = Object.entries(this.headers).map(([name, value]) => `${name}: ${value}`);
    const all = [`${method} ${target} HTTP/1.1`, `Host: ${this.url.host}`, ...own, ...lines];
    return `${all.join("\r\n")}\r\n\r\n`;
  }

  /** The address of a path as an absolute URL. */
  absolute(path: string): string {
    return new URL(this.pathOf(path), this.url).href;
  }

  /**
   * Writes bytes, one part after the other, and reads until `count` answers are complete, or until
   * the endpoint closes the connection.
   */
  async raw(parts: Iterable<string | Uint8Array>, count = 1): Promise<RawAnswer[]> {
    const socket = await this.open();
    let received: Buffer = Buffer.alloc(0);
    try {
      return await new Promise<RawAnswer[]>((resolve, reject) => {
        socket.on("data", (part: Buffer) => {
          received = Buffer.concat([received, part]);
          const answers = parseAnswers(received);
          if (answers.length >= count) resolve(answers);
        });
        const end = () => resolve(parseAnswers(received));
        socket.once("end", end).once("close", end);
        writeParts(socket, parts).catch(reject);
      });
    } finally {
      socket.destroy();
    }
  }

  /** A connection on which nothing has been said. */
  open(): Promise<Socket> {
    const secure = this.url.protocol === "https:";
    const host = this.url.hostname.replaceAll(/[[\]]/g, "");
    const port = Number(this.url.port || (secure ? 443 : 80));
    return new Promise((resolve, reject) => {
      const socket: Socket = secure
        ? connectSecure({ host, port, servername: host }, () => resolve(socket))
        : connect({ host, port, noDelay: true }, () => resolve(socket));
      socket.once("error", reject);
      // Later, a broken connection shows as one that ends early.
      socket.on("error", () => {});
    });
  }

  pathOf(path: string): string {
    return `${this.url.pathname.replace(/\/$/, "")}${path}`;
  }

  private headersOf(request: HttpRequest): OutgoingHttpHeaders {
    const { type, chunks, body = "", method = "POST" } = request;
    const length = method === "POST" && chunks === undefined;
    return {
      ...this.headers,
      ...(type === undefined ? {} : { "Content-Type": type }),
      ...(length ? { "Content-Length": Buffer.byteLength(body) } : {}),
      ...request.headers,
    };
  }
}

/** Writes as fast as the endpoint reads, and stops when it no longer does. */
function pour(
  chunks: Iterable<Uint8Array>,
  out: { write(c: Uint8Array): boolean; end(): void; destroyed: boolean; once: EmitterOnce },
): void {
  const iterator = chunks[Symbol.iterator]();
  const next = () => {
    for (;;) {
      if (out.destroyed) return;
      const { value, done } = iterator.next();
      if (done) return out.end();
      if (!out.write(value)) return void out.once("drain", next);
    }
  };
  next();
}

type EmitterOnce = (event: "drain", listener: () => void) => unknown;

async function writeParts(socket: Socket, parts: Iterable<string | Uint8Array>): Promise<void> {
  for (const part of parts) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      socket.write(part, () => resolve());
    });
  }
}

function describe(
  method: string,
  path: string,
  { type, headers = {}, chunks, what }: HttpRequest,
  body: Uint8Array | string,
): string {
  const size = chunks === undefined ? `${Buffer.byteLength(body)} B` : "chunked";
  const extra = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  const parts = [
    `${method} ${path}`,
    type,
    ...extra,
    what === undefined ? size : `${what}, ${size}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
