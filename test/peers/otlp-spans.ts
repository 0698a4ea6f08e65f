/** Spans for a test, sent over OTLP/HTTP: enough to be counted, stored and found again. */
import { randomBytes } from "node:crypto";
import { encodeJsonRequest } from "../../packages/receiver/dist/otlp/json-request.js";

export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
}

/** A string, or a number that is sent as a double. */
export type Attributes = Readonly<Record<string, string | number>>;

/**
 * Sends `count` server spans of a service, each a trace of its own, with the given attributes, ending
 * at the given times, by default now; as JSON, or `binary`, which alone is annotated in flight.
 * @throws Error when the endpoint does not answer 200.
 */
export async function sendSpans(
  otlpUrl: string,
  service: string,
  count: number,
  attributes: Attributes | ((index: number) => Attributes) = {},
  endMs: (index: number) => number = Date.now,
  { error = false, durationMs = 20, binary = false } = {},
): Promise<SentSpan[]> {
  const of = typeof attributes === "function" ? attributes : () => attributes;
  const spans = Array.from({ length: count }, (_, index) => ({
    traceId: randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    name: "POST /predict",
    kind: 2,
    startTimeUnixNano: `${endMs(index) - durationMs}000000`,
    endTimeUnixNano: `${endMs(index)}000000`,
    attributes: keyValues(of(index)),
    status: { code: error ? 2 : 0 },
  }));
  const resource = { attributes: keyValues({ "service.name": service }) };
  const request = { resourceSpans: [{ resource, scopeSpans: [{ scope: {}, spans }] }] };
  const response = await fetch(`${otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": binary ? "application/x-protobuf" : "application/json" },
    body: binary ? Buffer.from(encodeJsonRequest(request)) : JSON.stringify(request),
  });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${otlpUrl} answered ${response.status}: ${body}`);
  return spans;
}

function keyValues(attributes: Attributes): unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { doubleValue: value },
  }));
}
