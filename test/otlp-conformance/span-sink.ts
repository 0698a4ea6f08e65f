/** An OTLP/HTTP endpoint of the suite's own: where the endpoint under test forwards to. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { decodeBinary } from "./otlp/binary.ts";
import { canonical } from "./otlp/canonical.ts";
import { fromJson } from "./otlp/json.ts";
import type { Message } from "./otlp/schema.ts";

/** A span as the text that `canonical` makes of it, its resource and its scope. */
export interface ArrivedSpan {
  readonly traceId: string;
  readonly text: string;
}

/** Every span of a request, each with the resource and scope it stands in. */
export function spansOf(request: Message): ArrivedSpan[] {
  return list(request["resourceSpans"]).flatMap(({ resource, scopeSpans, schemaUrl }) =>
    list(scopeSpans).flatMap(({ scope, spans, schemaUrl: scopeSchemaUrl }) =>
      list(spans).map((span) => ({
        traceId: (span["traceId"] as Buffer).toString("hex"),
        text: canonical({ resource, schemaUrl, scope, scopeSchemaUrl, span }),
      })),
    ),
  );
}

function list(value: unknown): readonly Message[] {
  return (value ?? []) as readonly Message[];
}

/** Takes trace requests in any form, and keeps their spans by trace; other signals it drops. */
export class SpanSink {
  private readonly server: Server;
  private readonly spans = new Map<string, string[]>();
  private readonly waiting = new Set<() => void>();
  private readonly patienceMs: number;

  /** @param patienceMs how long a span may be on its way, batching and retries included */
  constructor(patienceMs: number) {
    this.patienceMs = patienceMs;
    this.server = createServer((request, response) => {
      this.take(request, response).catch((error: Error) => {
        response.writeHead(400).end(error.message);
      });
    });
  }

  /** Where it listens; to be used once `listen` has resolved. */
  get url(): string {
    const { address, port } = this.server.address() as AddressInfo;
    return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(port, host, resolve);
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  /** The spans of a trace once there are `count` of them, or those that came within the patience. */
  async arrived(traceId: string, count: number): Promise<readonly string[]> {
    const found = () => this.spans.get(traceId) ?? [];
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const look = () => (found().length >= count ? done() : undefined);
      const timer = setTimeout(done, this.patienceMs);
      this.waiting.add(look);
      look();
    });
    return found();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = inflate(await buffer(request), request.headers["content-encoding"]);
    const type = request.headers["content-type"] ?? "";
    const json = type.startsWith("application/json");
    if (request.url?.endsWith("/v1/traces")) this.keep(body, json);
    response.writeHead(200, { "Content-Type": type }).end(json ? "{}" : "");
    for (const look of this.waiting) look();
  }

  private keep(body: Buffer, json: boolean): void {
    const message = json
      ? fromJson("TraceRequest", JSON.parse(body.toString()) as Record<string, unknown>)
      : decodeBinary("TraceRequest", body);
    for (const { traceId, text } of spansOf(message)) {
      this.spans.set(traceId, [...(this.spans.get(traceId) ?? []), text]);
    }
  }
}

function inflate(body: Buffer, encoding = "identity"): Buffer {
  if (encoding === "gzip") return gunzipSync(body);
  return encoding === "zstd" ? zstdDecompressSync(body) : body;
}
