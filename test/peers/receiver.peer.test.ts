/** The receiver between the real Collector, Jaeger and Prometheus: spans pass, metrics arrive twice alike. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sendSpans } from "./otlp-spans.ts";
import { promSeries, promValue, storedSpans } from "./peer-api.ts";
import type { Jaeger, Prometheus } from "./peer-stack.ts";
import {
  Stack,
  startCollector,
  startJaeger,
  startPrometheus,
  startReceiver,
} from "./peer-stack.ts";

const WAIT = { timeout: 60_000, interval: 250 };
const SERVICE = "prediction-service";

/** One call of a model; the values differ from call to call. */
function prediction(index: number) {
  return {
    "ml.stage": "inference",
    "ml.model.name": "weather",
    "ml.model.version": "2",
    "ml.feature.wind": (index * 7) % 30,
    "ml.prediction.class": index % 3 === 0 ? "rain" : "sun",
  };
}

describe("The receiver", () => {
  const stack = new Stack();
  let prometheus: Prometheus;
  let jaeger: Jaeger;

  beforeAll(async () => {
    prometheus = await stack.add(startPrometheus(stack.folder()));
    jaeger = await stack.add(startJaeger(prometheus.url));
  });
  afterAll(() => stack.end());

  it("takes every span from the Collector, and Jaeger takes every span from it", async () => {
    const receiver = await stack.add(startReceiver(jaeger.otlpUrl));
    const collector = await stack.add(startCollector(stack.folder(), receiver.otlpUrl));
    prometheus.setTarget("tidemark", receiver.metricsAddress);
    const sent = await sendSpans(collector.otlpUrl, SERVICE, 250, prediction);

    await vi.waitFor(async () => {
      const accepted = `tidemark_receiver_spans_total{job="tidemark",outcome="accepted"}`;
      expect(await promValue(prometheus.url, accepted)).toBe(sent.length);
      const requests = `ml_prediction_requests_total{model_name="weather",status="success"}`;
      expect(await promValue(prometheus.url, requests)).toBe(sent.length);
      const stored = await storedSpans(jaeger.queryUrl, SERVICE, 1000);
      expect(stored.map(({ spanId }) => spanId).toSorted()).toEqual(
        sent.map(({ spanId }) => spanId).toSorted(),
      );
    }, WAIT);
    const [first] = await storedSpans(jaeger.queryUrl, SERVICE, 1);
    expect(first?.attributes).toMatchObject({
      "ml.model.name": "weather",
      "ml.stage": "inference",
    });
    await receiver.stop();
  });

  it("shows Prometheus the same metrics by scrape and by OTLP", async () => {
    const folder = stack.folder();
    const config = join(folder, "push.yaml");
    writeFileSync(config, pushConfig(`${prometheus.url}/api/v1/otlp`));
    const receiver = await stack.add(startReceiver(jaeger.otlpUrl, config));
    prometheus.setTarget("tidemark", receiver.metricsAddress);
    const batch = (index: number) => ({ ...prediction(index), "ml.model.name": "pushed" });
    await sendSpans(receiver.otlpUrl, SERVICE, 300, batch);

    const all = `{__name__=~"ml_.+",model_name="pushed"}`;
    await vi.waitFor(async () => {
      const series = await promSeries(prometheus.url, all);
      const scraped = series.filter(({ job }) => job === "tidemark").map(withoutOrigin);
      const pushed = series.filter(({ job }) => job !== "tidemark").map(withoutOrigin);
      expect(scraped.length).toBeGreaterThan(15);
      expect(pushed.toSorted()).toEqual(scraped.toSorted());
    }, WAIT);
  });
});

/** tidemark.yaml with a second way out for metrics. */
function pushConfig(endpoint: string): string {
  return `
receivers:
  otlp:
    protocols:
      grpc: { enabled: false }
      http: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_HTTP_PORT}" }
exporters:
  prometheus: { endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}" }
  otlp_http/prometheus: { endpoint: "${endpoint}", interval: 500ms }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [] }
    metrics: { exporters: [prometheus, otlp_http/prometheus] }
`;
}

/**
 * Name, labels and value of a series, without what tells where it came from. Prometheus itself spells
 * a bucket's bound "1.0" when scraped and "1" when pushed.
 */
function withoutOrigin({
  job: _job,
  instance: _instance,
  ...rest
}: Record<string, string>): string {
  const labels = rest["le"] === undefined ? rest : { ...rest, le: String(Number(rest["le"])) };
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => `${name}=${value}`).join(" ");
}
