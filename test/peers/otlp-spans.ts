/** Spans for a test, sent as OTLP/HTTP JSON: enough to be counted, stored and found again. */
import { randomBytes } from "node:crypto";

export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly name: string;
}

/** A string, or a number that is sent as a double. */
export type Attributes = Readonly<Record<string, string | number>>;

/**
 * Sends `count` server spans of a service, each a trace of its own, with the given attributes, ending
 * at the given times, by default now.
 * @throws Error when the endpoint does not answer 200.
 */
export async function sendSpans(
  otlpUrl: string,
  service: string,
  count: number,
  attributes: Attributes | ((index: number) => Attributes) = {},
  endMs: (index: number) => number = Date.now,
  { error = false, durationMs = 20 } = {},
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
  const response = await fetch(`${otlpUrl}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: {}, spans }] }] }),
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
