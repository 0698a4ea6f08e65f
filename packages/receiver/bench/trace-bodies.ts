/**
 * Seeded OTLP bodies that look like what the receiver gets: "inference" is nothing but prediction
 * spans with ten features each, "mixed" is whole requests (HTTP, feature lookup, inference, SQL).
 */
import otlp from "otlp-transformer-protobufjs/build/src/generated/root.js";

/** The published generated schema; the package's own typings cover the encoder only. */
export const { ExportTraceServiceRequest } = (otlp as unknown as GeneratedRoot).opentelemetry.proto
  .collector.trace.v1;

interface GeneratedRoot {
  opentelemetry: {
    proto: { collector: { trace: { v1: { ExportTraceServiceRequest: GeneratedType } } } };
  };
}

interface GeneratedType {
  encode(message: object): { finish(): Uint8Array };
  decode(bytes: Uint8Array): DecodedRequest;
}

/** What the generated decoder returns, as far as the baseline reads it. */
export interface DecodedRequest {
  resourceSpans: {
    resource?: { attributes: DecodedAttribute[] };
    scopeSpans: { spans: DecodedSpan[] }[];
  }[];
}

/** A span as the generated decoder returns it; 64-bit numbers are Long objects or numbers. */
export interface DecodedSpan {
  traceId: Uint8Array | null;
  spanId: Uint8Array | null;
  name: string;
  kind: number;
  startTimeUnixNano: { low: number; high: number };
  endTimeUnixNano: { low: number; high: number };
  attributes: DecodedAttribute[];
  status?: { code: number };
}

/** An attribute as the generated decoder returns it; a value's absent members are null. */
export interface DecodedAttribute {
  key: string | null;
  value: DecodedValue | null;
}

/** An AnyValue as the generated decoder returns it. */
export interface DecodedValue {
  stringValue?: string | null;
  boolValue?: boolean | null;
  intValue?: { low: number; high: number } | number | null;
  doubleValue?: number | null;
  arrayValue?: { values: DecodedValue[] } | null;
}

/** A small, fast, seeded generator (mulberry32): benchmarks must see the same bytes each run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Encodes one request of `spanCount` spans. */
export function traceBody(kind: "inference" | "mixed", spanCount: number, seed: number) {
  const random = seeded(seed);
  const make = kind === "inference" ? inferenceSpan : mixedSpan;
  const spans = Array.from({ length: spanCount }, (_, index) => make(random, index));
  return ExportTraceServiceRequest.encode({
    resourceSpans: [
      {
        resource: {
          attributes: [
            text("service.name", "prediction-service"),
            text("service.version", "1.4.2"),
            text("telemetry.sdk.language", "nodejs"),
          ],
        },
        scopeSpans: [{ scope: { name: "@tidemark/instrumentation", version: "1.0.0" }, spans }],
      },
    ],
  }).finish();
}

function text(key: string, stringValue: string) {
  return { key, value: { stringValue } };
}

function int(key: string, intValue: number) {
  return { key, value: { intValue } };
}

function double(key: string, doubleValue: number) {
  return { key, value: { doubleValue } };
}

function bytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => 1 + Math.floor(random() * 255));
}

function span(random: () => number, name: string, attributes: object[], index: number) {
  const start = 1_790_000_000_000_000_000n + BigInt(index) * 1_000_000n;
  const end = start + BigInt(Math.floor(random() * 5e6));
  return {
    traceId: bytes(random, 16),
    spanId: bytes(random, 8),
    parentSpanId: bytes(random, 8),
    name,
    kind: 1,
    startTimeUnixNano: fixed64(start),
    endTimeUnixNano: fixed64(end),
    attributes,
    status: { code: random() < 0.01 ? 2 : 0 },
  };
}

function fixed64(value: bigint) {
  return { low: Number(value & 0xffffffffn), high: Number(value >> 32n), unsigned: true };
}

const FEATURES = "age income tenure balance visits distance rating discount weight score".split(
  " ",
);

function inferenceSpan(random: () => number, index: number) {
  const attributes = [
    text("ml.model.name", "churn"),
    text("ml.model.version", "2026.11.1"),
    text("ml.model.framework", "onnxruntime"),
    text("ml.task", "classification"),
    text("ml.stage", "inference"),
    int("ml.batch.size", 1),
    ...FEATURES.map((name) => double(`ml.feature.${name}`, random() * 100)),
    text("ml.prediction.class", random() < 0.3 ? "leaves" : "stays"),
    double("ml.prediction.confidence", 0.5 + random() / 2),
    text("ml.prediction.id", `req-${index.toString(16).padStart(12, "0")}`),
    text("ml.segment.region", random() < 0.5 ? "eu-west" : "us-east"),
  ];
  return span(random, "inference churn", attributes, index);
}

function mixedSpan(random: () => number, index: number) {
  const kind = index % 4;
  if (kind === 0) {
    const attributes = [
      text("ml.model.name", "churn"),
      text("ml.model.version", "2026.11.1"),
      text("ml.stage", "inference"),
      int("ml.batch.size", 1),
      ...FEATURES.slice(0, 3).map((name) => double(`ml.feature.${name}`, random() * 100)),
      double("ml.prediction.value", random()),
    ];
    return span(random, "inference churn", attributes, index);
  }
  if (kind === 1) return span(random, "POST /predict", httpAttributes(random), index);
  if (kind === 2) {
    const attributes = [
      text("db.system.name", "postgresql"),
      text("db.namespace", "features"),
      text("db.query.text", "SELECT age, income FROM customers WHERE id = $1"),
      text("server.address", "10.0.12.7"),
      int("server.port", 5432),
    ];
    return span(random, "SELECT features.customers", attributes, index);
  }
  return span(random, "GET", httpAttributes(random).slice(0, 6), index);
}

function httpAttributes(random: () => number) {
  return [
    text("http.request.method", "POST"),
    text("url.scheme", "https"),
    text("url.path", "/predict"),
    text("http.route", "/predict"),
    text("server.address", "predict.example.com"),
    int("http.response.status_code", random() < 0.98 ? 200 : 503),
    text("network.protocol.version", "1.1"),
    text("user_agent.original", "node"),
    text("client.address", "10.0.3.41"),
  ];
}
