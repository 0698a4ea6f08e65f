/** What is pushed no more is gone from the real Prometheus at once, not after its five minutes. */
import { METRICS } from "@tidemark/semconv";
import { afterAll, describe, expect, it, vi } from "vitest";
import { OtlpMetricsPush } from "../../packages/receiver/dist/export/otlp-metrics-push.js";
import { HttpClient } from "../../packages/receiver/dist/forward/http-client.js";
import { Logger } from "../../packages/receiver/dist/logger.js";
import type { MetricFamily } from "../../packages/receiver/dist/metric-family.js";
import { promValue } from "./peer-api.ts";
import { Stack, startPrometheus } from "./peer-stack.ts";

const WAIT = { timeout: 60_000, interval: 250 };

const stack = new Stack();
afterAll(() => stack.end());

describe("Prometheus", () => {
  it("knows at once what has gone from a push, of whatever kind, and keeps the rest", async () => {
    const prometheus = await stack.add(startPrometheus(stack.folder()));
    let models = ["gone", "kept"];
    const url = new URL(`${prometheus.url}/api/v1/otlp/v1/metrics`);
    const push = new OtlpMetricsPush(
      {
        name: "otlp_http/prometheus",
        intervalMs: 500,
        timeoutMs: 10_000,
        histograms: "both",
        resource: { "service.name": "pushing" },
      },
      new HttpClient(url, {}, 10_000),
      () => families(models),
      Date.now,
      new Logger("error", true, () => {}),
    );
    await push.start();
    stack.addSink({ stop: () => push.shutdown() });
    await vi.waitFor(() => expectSeries(prometheus.url, { gone: 1, kept: 1 }), WAIT);
    models = ["kept"];
    await vi.waitFor(() => expectSeries(prometheus.url, { gone: 0, kept: 1 }), WAIT);
    // The same series may come again.
    models = ["gone", "kept"];
    await vi.waitFor(() => expectSeries(prometheus.url, { gone: 1, kept: 1 }), WAIT);
  });
});

/** A metric of every kind of each model. */
function families(models: readonly string[]): MetricFamily[] {
  const labels = models.map((model_name) => ({ model_name }));
  const latency = { bounds: [0.1, 1], counts: [1, 1, 0], sum: 0.6, count: 2 };
  const native = { schema: 0, zeroCount: 0, first: -4, counts: [1, 0, 0, 1] };
  return [
    {
      definition: METRICS.driftDetected,
      points: labels.map((one) => ({ labels: one, value: 1 })),
    },
    {
      definition: METRICS.predictionRequests,
      points: labels.map((one) => ({ labels: one, value: 2 })),
    },
    {
      definition: METRICS.predictionLatency,
      points: labels.map((one) => ({ labels: one, ...latency, native })),
    },
  ];
}

/** How many series each metric of a model has now. */
async function expectSeries(
  url: string,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [model, count] of Object.entries(expected)) {
    const of = `model_name="${model}"`;
    for (const series of [
      `ml_drift_detected{${of}}`,
      `ml_prediction_requests_total{${of}}`,
      `ml_prediction_latency_seconds_bucket{${of},le="+Inf"}`,
      `ml_prediction_latency_seconds{${of}}`,
    ]) {
      expect(await promValue(url, `count(${series})`), series).toBe(count);
    }
  }
}
