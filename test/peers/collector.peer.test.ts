/** The real Collector in each place it is meant for: nothing acknowledged is lost, nothing counted is a sample. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { GPU_METRICS } from "@tidemark/semconv";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sendGauges } from "./otlp-gauges.ts";
import { sendSpans } from "./otlp-spans.ts";
import { promValue, storedSpans } from "./peer-api.ts";
import type { Jaeger, Prometheus } from "./peer-stack.ts";
import {
  Stack,
  startCollector,
  startJaeger,
  startPrometheus,
  startReceiver,
} from "./peer-stack.ts";

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

  it("passes what applications measure on to Prometheus, under the names that alerts ask for", async () => {
    const variables = {
      TIDEMARK_OTLP_URL: NOWHERE,
      PROMETHEUS_OTLP_URL: `${prometheus.url}/api/v1/otlp`,
    };
    const collector = await stack.add(startCollector(stack.folder(), variables));
    await expectGauge(collector.otlpUrl, prometheus.url, "0");
  });

  it("shows Prometheus how long its queue is", async () => {
    const collector = await stack.add(startCollector(stack.folder(), jaeger.otlpUrl));
    prometheus.setTarget("collector", collector.metricsAddress);
    await sendSpans(collector.otlpUrl, SERVICE, 20);
    const queueLength = `otelcol_exporter_queue_size{job="collector",exporter="otlp_http/tidemark"}`;
    await vi.waitFor(async () => {
      expect(await promValue(prometheus.url, `count(${queueLength})`)).toBe(1);
    }, WAIT);
  });
});

describe("The Collectors with agent.yaml and gateway.yaml", () => {
  const stack = new Stack();
  afterAll(() => stack.end());

  it("bring every span of a service to one receiver, through two queues on disk", async () => {
    const receivers = [
      await stack.add(startReceiver(NOWHERE, listenOnly(stack.folder()))),
      await stack.add(startReceiver(NOWHERE, listenOnly(stack.folder()))),
    ];
    const addresses = receivers.map(({ otlpGrpcUrl }) => new URL(otlpGrpcUrl).host);
    const prometheus = await stack.add(startPrometheus(stack.folder()));
    const variables = {
      COLLECTOR_RECEIVERS: `[${addresses.join(", ")}]`,
      PROMETHEUS_OTLP_URL: `${prometheus.url}/api/v1/otlp`,
    };
    const gateway = await stack.add(startCollector(stack.folder(), variables, "gateway.yaml"));
    const toGateway = { COLLECTOR_GATEWAY: gateway.otlpGrpcAddress };
    const agent = await stack.add(startCollector(stack.folder(), toGateway, "agent.yaml"));

    const services = Array.from({ length: 24 }, (_, at) => `service-${at}`);
    for (const service of services) await sendSpans(agent.otlpUrl, service, 25);
    await vi.waitFor(async () => {
      const seen = await Promise.all(receivers.map(({ adminUrl }) => callsByService(adminUrl)));
      const counts = services.map((service) => seen.map((calls) => calls[service] ?? 0));
      // All of a service is in one place, and not all services are in the same: of so many, whatever
      // the addresses, by which they are spread.
      for (const ofService of counts) {
        expect(ofService.toSorted((a, b) => a - b)).toEqual([0, 25]);
      }
      expect(seen.every((calls) => Object.keys(calls).length > 0)).toBe(true);
    }, WAIT);
    await expectGauge(agent.otlpUrl, prometheus.url, "1");
  });
});

describe("The Collector with sampling.yaml", () => {
  const stack = new Stack();
  afterAll(() => stack.end());

  it("behind the receiver keeps what is marked, fails or tells of a drift, of traces all counted", async () => {
    const prometheus = await stack.add(startPrometheus(stack.folder()));
    const jaeger = await stack.add(startJaeger(prometheus.url));
    const variables = {
      JAEGER_OTLP_URL: jaeger.otlpUrl,
      COLLECTOR_DECISION_WAIT: "1s",
      COLLECTOR_SAMPLE_PERCENT: "0",
    };
    const sampler = await stack.add(startCollector(stack.folder(), variables, "sampling.yaml"));
    const marked = await sendSpans(sampler.otlpUrl, SERVICE, 5, { "ml.drift.outlier": "wind" });
    const told = await sendSpans(sampler.otlpUrl, SERVICE, 1, { "ml.drift.signal": "wind" });
    await sendSpans(sampler.otlpUrl, SERVICE, 200, { "http.route": "/predict" });
    const wanted = [...marked, ...told].map(({ spanId }) => spanId).toSorted();
    await vi.waitFor(async () => {
      const stored = await storedSpans(jaeger.queryUrl, SERVICE, 1000);
      expect(stored.map(({ spanId }) => spanId).toSorted()).toEqual(wanted);
    }, WAIT);
  });
});

const WAIT = { timeout: 60_000, interval: 500 };

/** A receiver's configuration that counts spans and sends them nowhere. */
function listenOnly(folder: string): string {
  const file = join(folder, "tidemark.yaml");
  writeFileSync(
    file,
    `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_GRPC_PORT}" }
      http: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_HTTP_PORT}" }
processors: { spanMetrics: { enabled: true } }
exporters:
  prometheus: { endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}" }
service:
  storage: { directory: "\${env:TIDEMARK_DATA_DIR}" }
`,
  );
  return file;
}

/** Sends what a GPU has in use to a Collector, and waits until Prometheus has it. */
async function expectGauge(otlpUrl: string, prometheusUrl: string, gpu: string): Promise<void> {
  const { memoryUsed } = GPU_METRICS;
  await sendGauges(otlpUrl, { gpu_id: gpu }, [[memoryUsed, 12e9]]);
  await vi.waitFor(async () => {
    const query = `${memoryUsed.prometheus}{gpu_id="${gpu}"}`;
    expect(await promValue(prometheusUrl, query)).toBe(12e9);
  }, WAIT);
}

async function callsByService(adminUrl: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const lines = text.matchAll(
    /^traces_span_metrics_calls_total\{service_name="(.*?)".*\} (\d+)$/gm,
  );
  return Object.fromEntries([...lines].map(([, service = "", calls]) => [service, Number(calls)]));
}
