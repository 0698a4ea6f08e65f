/** The real Collector before the real Jaeger and Prometheus: nothing acknowledged is lost, Monitor works. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sendSpans } from "./otlp-spans.ts";
import { getJson, promValue, storedSpans } from "./peer-api.ts";
import type { Jaeger, Prometheus } from "./peer-stack.ts";
import { Stack, startCollector, startJaeger, startPrometheus } from "./peer-stack.ts";

/** A port of this machine that nobody listens on: a receiver that is down. */
const NOWHERE = "http://127.0.0.1:9";
const SERVICE = "prediction-service";

describe("The Collector with collector.yaml", () => {
  const stack = new Stack();
  let prometheus: Prometheus;
  let jaeger: Jaeger;

  beforeAll(async () => {
    prometheus = await stack.add(startPrometheus(stack.folder()));
    jaeger = await stack.add(startJaeger(prometheus.url));
  });
  afterAll(() => stack.end());

  it("delivers what it acknowledged even after kill -9 during an outage behind it", async () => {
    const queue = stack.folder();
    const first = await stack.add(startCollector(queue, NOWHERE));
    const sent = await sendSpans(first.otlpUrl, SERVICE, 100, { "http.route": "/predict" });
    await first.kill();

    const second = await stack.add(startCollector(queue, jaeger.otlpUrl));
    await vi.waitFor(async () => {
      const stored = await storedSpans(jaeger.queryUrl, SERVICE, 1000);
      const ids = new Set(stored.map((span) => span.spanId));
      expect(sent.filter((span) => !ids.has(span.spanId))).toEqual([]);
    }, WAIT);
    await second.stop();
  });

  it("derives the metrics that Jaeger's Monitor tab reads from Prometheus", async () => {
    const collector = await stack.add(startCollector(stack.folder(), jaeger.otlpUrl));
    prometheus.setTarget("span_metrics", collector.spanMetricsAddress);
    prometheus.setTarget("collector", collector.metricsAddress);
    // Rates need growth between scrapes, so spans come in several instalments.
    await vi.waitFor(async () => {
      await sendSpans(collector.otlpUrl, SERVICE, 20);
      const latencies = await monitor(jaeger, "latencies?quantile=0.95&");
      expect(latencies.some((ms) => ms >= 15 && ms <= 30)).toBe(true);
      expect((await monitor(jaeger, "calls?")).some((rate) => rate > 1)).toBe(true);
    }, WAIT);
    const queueLength = `otelcol_exporter_queue_size{job="collector"}`;
    expect(await promValue(prometheus.url, `count(${queueLength})`)).toBe(1);
  });
});

const WAIT = { timeout: 60_000, interval: 500 };

interface MonitorAnswer {
  readonly metrics: readonly {
    readonly metricPoints: readonly { readonly gaugeValue?: { readonly doubleValue?: unknown } }[];
  }[];
}

/** What the tab's graphs are drawn from: the numbers of one quantity over the last minutes. */
async function monitor(jaeger: Jaeger, quantity: string): Promise<number[]> {
  const range = "lookback=300000&step=5000&ratePer=10000&spanKind=server";
  const url = `${jaeger.queryUrl}/api/metrics/${quantity}service=${SERVICE}&${range}`;
  const { metrics } = await getJson<MonitorAnswer>(url);
  const points = metrics.flatMap(({ metricPoints }) => metricPoints);
  return points.map(({ gaugeValue }) => Number(gaugeValue?.doubleValue)).filter(Number.isFinite);
}
