/** An OTLP/HTTP endpoint in the test's process that reads the spans out of JSON and protobuf. */
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { decodeTraceRequest } from "./trace-request.js";

/** One span as it was exported. */
export interface SinkSpan {
  readonly name: string;
  readonly scope: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** When it ended, in nanoseconds since 1970. */
  readonly endNs: string;
  readonly error: boolean;
  readonly statusMessage: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: object }[];
  readonly resource: Readonly<Record<string, unknown>>;
}

interface AnyValue {
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly [kind: string]: unknown;
}

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly JsonSpan[];
    }[];
  }[];
}

interface JsonSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly endTimeUnixNano: unknown;
  readonly status: { readonly code?: number; readonly message?: string } | null;
  readonly attributes: readonly KeyValue[];
  readonly events?: readonly { readonly name: string; readonly attributes: readonly KeyValue[] }[];
}

const STATUS_ERROR = 2;

/** What a sink answers: a status, with headers and a body if it likes; undefined never answers. */
export type SinkAnswer =
  | number
  | { status: number; headers?: Record<string, string>; body?: Uint8Array }
  | undefined;

/** Starts a sink; `respond` may refuse or never answer. */
export async function startSink(respond: () => SinkAnswer = () => 200) {
  const bodies: Buffer[] = [];
  const contentTypes: (string | undefined)[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      bodies.push(request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body);
      contentTypes.push(request.headers["content-type"]);
      headers.push(request.headers);
      const answer = respond();
      if (answer === undefined) return;
      const { status, ...rest } = typeof answer === "number" ? { status: answer } : answer;
      response.writeHead(status, "headers" in rest ? rest.headers : {});
      response.end("body" in rest ? rest.body : undefined);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const spansOf = (index: number) =>
    spansIn(bodies[index] as Buffer, contentTypes[index] === "application/json");
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    contentTypes,
    headers,
    spansOf,
    spans: () => bodies.flatMap((_, index) => spansOf(index)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function spansIn(body: Buffer, json: boolean): SinkSpan[] {
  const request: unknown = json ? JSON.parse(body.toString()) : decodeTraceRequest(body);
  const { resourceSpans } = request as TraceRequest;
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        name: span.name,
        scope: scope.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        endNs: String(span.endTimeUnixNano),
        error: span.status?.code === STATUS_ERROR,
        statusMessage: span.status?.message,
        attributes: plain(span.attributes),
        events: (span.events ?? []).map(({ name, attributes }) => {
          return { name, attributes: plain(attributes) };
        }),
        resource: plain(resource.attributes),
      })),
    ),
  );
}

function plain(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));
}

function valueOf(value: AnyValue): unknown {
  if (value.arrayValue) return value.arrayValue.values.map((member) => valueOf(member));
  // Integers of 64 bits are texts in JSON.
  return "intValue" in value ? Number(value["intValue"]) : Object.values(value)[0];
}
