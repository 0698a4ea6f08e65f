/** What a scraper gets: the format that it asks for, with exemplars where the format has a place. */
import { METRICS } from "@tidemark/semconv";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { exposeMetrics } from "../src/export/exposition.ts";
import type { MetricFamily } from "../src/metric-family.ts";

const PROTOBUF =
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
const EXEMPLAR = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  value: 0.04,
  timeMs: 1_700_000_000_250,
};
const START_MS = 1_700_000_000_000;
const LABELS = { model_name: "weather", stage: "inference" };
const FAMILIES: MetricFamily[] = [
  {
    definition: METRICS.predictionLatency,
    points: [
      {
        labels: LABELS,
        bounds: [0.01, 0.1],
        counts: [1, 2, 0],
        sum: 0.09,
        count: 3,
        exemplars: [undefined, EXEMPLAR],
        native: { schema: 0, zeroCount: 0, first: -7, counts: [1, 0, 2] },
        startMs: START_MS - 60_500,
      },
    ],
  },
  {
    definition: METRICS.driftEvaluations,
    points: [{ labels: { outcome: "drifted" }, value: 2, exemplar: { ...EXEMPLAR, value: 1 } }],
  },
  { definition: METRICS.receiverSignals, points: [{ labels: {}, value: 7, exemplar: EXEMPLAR }] },
];

function whole(parts: Iterable<string | Uint8Array>): Buffer {
  return Buffer.concat(Array.from(parts, (part) => Buffer.from(part)));
}

function text(accept: string): string {
  return whole(exposeMetrics(FAMILIES, accept, START_MS).body).toString();
}

describe("a scrape", () => {
  it.each([
    ["", "text/plain; version=0.0.4"],
    ["*/*", "text/plain; version=0.0.4"],
    ["application/openmetrics-text;version=1.0.0", "application/openmetrics-text"],
    [`${PROTOBUF};q=0.6,application/openmetrics-text;q=0.5,*/*;q=0.1`, "application/vnd.google"],
    [`${PROTOBUF};q=0.4,application/openmetrics-text;q=0.5`, "application/openmetrics-text"],
    ["application/vnd.google.protobuf;proto=other;encoding=text,text/plain;q=0.1", "text/plain"],
    ["application/openmetrics-text;q=0,text/plain;q=0.2", "text/plain"],
    ["application/openmetrics-text;q=often", "text/plain"],
  ])("that accepts %s gets %s", (accept, type) => {
    const { contentType } = exposeMetrics(FAMILIES, accept, START_MS);
    expect(contentType.startsWith(type)).toBe(true);
  });

  it("has exemplars on buckets and counters, never on gauges, and in OpenMetrics alone", () => {
    const ids = '{trace_id="0af7651916cd43dd8448eb211c80319c",span_id="b7ad6b7169203331"}';
    const lines = text("application/openmetrics-text").split("\n");
    expect(lines.filter((line) => line.includes(" # "))).toEqual([
      `ml_prediction_latency_seconds_bucket{model_name="weather",stage="inference",le="0.1"} 3 # ${ids} 0.04 1700000000.25`,
      `ml_drift_evaluations_total{outcome="drifted"} 2 # ${ids} 1 1700000000.25`,
    ]);
    expect(text("text/plain")).not.toContain("trace_id");
  });

  it("says in protobuf since when counters and histograms count", () => {
    const { body } = exposeMetrics(FAMILIES, PROTOBUF, START_MS);
    const said = families(whole(body));
    expect(said).toMatchObject([
      {
        name: "ml_prediction_latency_seconds",
        metric: [{ histogram: { created: { seconds: "1699999939", nanos: 500_000_000 } } }],
      },
      {
        name: "ml_drift_evaluations_total",
        metric: [{ counter: { created: { seconds: "1700000000" } } }],
      },
      { name: "tidemark_receiver_signals", metric: [{ label: [] }] },
    ]);
  });
});

/** Field numbers as published in prometheus/client_model. */
const Family = protobuf
  .parse(`syntax = "proto3";
  message Timestamp { int64 seconds = 1; int32 nanos = 2; }
  message Label { string name = 1; string value = 2; }
  message Counter { Timestamp created = 3; }
  message Histogram { Timestamp created = 15; }
  message Metric { repeated Label label = 1; Counter counter = 3; Histogram histogram = 7; }
  message Family { string name = 1; repeated Metric metric = 4; }
`)
  .root.lookupType("Family");

function families(body: Uint8Array): object[] {
  const reader = protobuf.Reader.create(body);
  const found: object[] = [];
  while (reader.pos < reader.len) {
    found.push(Family.toObject(Family.decodeDelimited(reader), { longs: String, arrays: true }));
  }
  return found;
}
