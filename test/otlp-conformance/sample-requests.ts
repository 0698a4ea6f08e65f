/** Requests that the cases start from. Ids are random, so that runs do not meet each other. */
import { randomBytes } from "node:crypto";
import { encodeBinary } from "./otlp/binary.ts";
import { toJson } from "./otlp/json.ts";
import type { Message } from "./otlp/schema.ts";

/** A span with all that a backend needs; `more` adds to it or replaces. */
export function sampleSpan(more: Message = {}): Message {
  const nowNanos = BigInt(Date.now()) * 1_000_000n;
  return {
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    name: "conformance",
    kind: 2,
    startTimeUnixNano: nowNanos - 20_000_000n,
    endTimeUnixNano: nowNanos,
    attributes: [{ key: "http.request.method", value: { stringValue: "POST" } }],
    ...more,
  };
}

/** The spans in one scope of one resource. */
export function traceRequest(spans: readonly Message[] = [sampleSpan()]): Message {
  return { resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ scope: SCOPE, spans }] }] };
}

/** An attribute of a span. */
export function attribute(key: string, value: Message): Message {
  return { key, value };
}

const RESOURCE = {
  attributes: [attribute("service.name", { stringValue: "otlp-conformance" })],
};
const SCOPE = { name: "otlp-conformance" };

/** A trace request in binary form, by default of one ordinary span. */
export function tracesBody(request: Message = traceRequest()): Buffer {
  return encodeBinary("TraceRequest", request);
}

/** The same as JSON text. */
export function tracesJson(request: Message = traceRequest()): string {
  return JSON.stringify(toJson("TraceRequest", request));
}

/** JSON of a request with one span, whose members are given as they shall stand in the text. */
export function spanJson(members: Readonly<Record<string, unknown>>): string {
  const span = { ...toJson("Span", sampleSpan()), ...members };
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
}

/** JSON of a request whose one span has an attribute with this value. */
export function valueJson(value: unknown): string {
  return spanJson({ attributes: [{ key: "value", value }] });
}

/**
 * A log record; `more` adds to it. With nothing but a body it has only a field that a span has, too,
 * with the same wire type: read as a trace request, it is a span with a strange name and no ids.
 */
export function logsRequest(more: Message = {}): Message {
  const record = { body: { stringValue: "hello" }, ...more };
  return {
    resourceLogs: [{ resource: RESOURCE, scopeLogs: [{ scope: SCOPE, logRecords: [record] }] }],
  };
}

/** A gauge of one point. */
export function metricsRequest(): Message {
  const timeUnixNano = BigInt(Date.now()) * 1_000_000n;
  const gauge = { dataPoints: [{ timeUnixNano, asDouble: 21.5 }] };
  const metrics = [{ name: "otlp.conformance", gauge }];
  return { resourceMetrics: [{ resource: RESOURCE, scopeMetrics: [{ scope: SCOPE, metrics }] }] };
}
