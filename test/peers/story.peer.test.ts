/** From a drift to the very requests: the real Prometheus, Alertmanager and Jaeger around the receiver. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { closeWindows, SERVICE, seattleReference, sendCity, WINDOW_MS } from "./city-traffic.ts";
import type { StoredSpan } from "./peer-api.ts";
import {
  getJson,
  promExemplars,
  promSeries,
  promValue,
  storedSpans,
  traceSpans,
  tracesWithTags,
} from "./peer-api.ts";
import type { Collector, Jaeger, Prometheus, Receiver } from "./peer-stack.ts";
import {
  Stack,
  startAlertmanager,
  startCollector,
  startJaeger,
  startPrometheus,
  startReceiver,
} from "./peer-stack.ts";
import type { HttpSink } from "./sinks.ts";
import { startHttpSink } from "./sinks.ts";

const WAIT = { timeout: 60_000, interval: 500 };
/** The windows of the story lie in the hour before it is told: the first of them, and its length. */
const FIRST_MS = Math.floor(Date.now() / WINDOW_MS - 7) * WINDOW_MS;
const windowAt = (index: number) => FIRST_MS + index * WINDOW_MS;

const stack = new Stack();
let sink: HttpSink;
let prometheus: Prometheus;
let jaeger: Jaeger;
let receiver: Receiver;
let logs: Collector;

beforeAll(async () => {
  sink = await startHttpSink();
  stack.addSink(sink);
  const recipients = {
    slackUrl: `${sink.url}/slack`,
    pagerdutyUrl: `${sink.url}/pagerduty`,
    retrainingUrl: `${sink.url}/retraining`,
    smtpAddress: "127.0.0.1:9",
  };
  const alertmanager = await stack.add(startAlertmanager(stack.folder(), recipients));
  const targets = { alertmanager: new URL(alertmanager.url).host };
  prometheus = await stack.add(startPrometheus(stack.folder(), targets, { hasty: true }));
  jaeger = await stack.add(startJaeger(prometheus.url));
  const ofLogs = join(import.meta.dirname, "fixtures", "logs-collector.yaml");
  logs = await stack.add(startCollector(stack.folder(), {}, ofLogs));
  const config = configuration(stack.folder(), `${prometheus.url}/api/v1/otlp`, logs.otlpUrl);
  receiver = await stack.add(startReceiver(jaeger.otlpUrl, config));
  prometheus.setTarget("tidemark", receiver.metricsAddress);
  // What rates are made of must have been seen before it grows.
  await sendCity(receiver.otlpUrl, "Seattle", windowAt(0));
  await vi.waitFor(async () => {
    expect(await promValue(prometheus.url, "ml_prediction_requests_total")).toBeGreaterThan(0);
  }, WAIT);
  for (const index of [1, 2]) await sendCity(receiver.otlpUrl, "New York", windowAt(index));
  await closeWindows(receiver.otlpUrl, windowAt(3));
  // Windows are judged a few at a time, after the request that has closed them is answered.
  await vi.waitFor(async () => {
    const { verdicts } = await getJson<{ verdicts: { signal: string; detected: boolean }[] }>(
      `${receiver.adminUrl}/api/v1/verdicts`,
    );
    const drifted = verdicts.filter(({ detected }) => detected).map(({ signal }) => signal);
    expect(drifted).toContain("feature.wind");
  }, WAIT);
  // What comes while a signal drifts is flagged on the side to which it has moved.
  await sendCity(receiver.otlpUrl, "New York", windowAt(3) + 30);
  await closeWindows(receiver.otlpUrl, windowAt(4));
});
afterAll(() => stack.end());

describe("When Seattle's model is asked for New York's weather", () => {
  it("the channel hears which signals drift, by how much, and what to do", async () => {
    await vi.waitFor(() => {
      const texts = slack().map(({ text }) => text);
      expect(texts.join("\n")).toMatch(
        /feature\.wind of weather 2 differs from its reference \(.+\) over the last 5m: ks 0\.\d+ \(threshold 0\.\d+\)/,
      );
      expect(texts.join("\n")).toContain("feature.temp_min of weather 2 differs");
      expect(texts.join("\n")).not.toContain("feature.precipitation");
      expect(texts.join("\n")).toContain("http://localhost:9464/playbooks/MlDriftDetected");
      const retraining = sink.received.find(({ path }) => path === "/retraining");
      expect(retraining?.body).toMatchObject({ groupLabels: { model_name: "weather" } });
    }, WAIT);
  });

  it.each([
    ["scraped", "tidemark"],
    ["pushed", "tidemark-receiver"],
  ])(
    "Prometheus leads from what is %s, the count of drifts and latency, to requests that Jaeger knows",
    async (_, job) => {
      const drifted = `ml_drift_evaluations_total{signal="feature.wind",job="${job}"}`;
      await vi.waitFor(async () => {
        const traces = await promExemplars(prometheus.url, drifted);
        expect(traces.length).toBeGreaterThan(0);
        for (const traceId of traces) {
          const [span] = await traceSpans(jaeger.queryUrl, traceId);
          expect(span?.attributes["app.city"]).toBe("New York");
        }
        const latency = `ml_prediction_latency_seconds_bucket{job="${job}"}`;
        const [slow] = await promExemplars(prometheus.url, latency);
        const [span] = await traceSpans(jaeger.queryUrl, slow ?? "none");
        expect(span?.attributes["ml.model.name"]).toBe("weather");
      }, WAIT);
    },
  );

  it("Jaeger finds the flagged predictions by their tag, and nothing else", async () => {
    await vi.waitFor(async () => {
      const all = await storedSpans(jaeger.queryUrl, SERVICE, 10_000);
      const tagOf = ({ attributes }: StoredSpan) => attributes["ml.drift.outlier"] as string[];
      const flagged = all.filter((span) => tagOf(span) !== undefined);
      const [first] = flagged;
      expect(flagged.length).toBeGreaterThan(10);
      expect(all.length).toBeGreaterThan(flagged.length);
      const tag = JSON.stringify(first && tagOf(first));
      const alike = flagged.filter((span) => JSON.stringify(tagOf(span)) === tag);
      const found = await tracesWithTags(jaeger.queryUrl, SERVICE, { "ml.drift.outlier": tag });
      expect(found.toSorted()).toEqual(alike.map(({ traceId }) => traceId).toSorted());
    }, WAIT);
  });

  it("a trace tells of the drift, with its numbers and links to such predictions", async () => {
    await vi.waitFor(async () => {
      const about = { "ml.drift.signal": "feature.wind" };
      const [told = ""] = await tracesWithTags(jaeger.queryUrl, "tidemark-receiver", about);
      const [finding] = await traceSpans(jaeger.queryUrl, told);
      expect(finding?.name).toBe("drift.evaluation");
      expect(finding?.attributes).toMatchObject({
        "ml.model.name": "weather",
        "ml.drift.status": "drifted",
        "ml.drift.window": "5m",
        "ml.drift.method": "ks",
        "ml.drift.score": expect.any(Number),
      });
      expect(finding?.links.length).toBeGreaterThan(0);
      for (const traceId of finding?.links ?? []) {
        const [span] = await traceSpans(jaeger.queryUrl, traceId);
        expect(span?.attributes["app.city"]).toBe("New York");
        expect(span?.attributes["ml.drift.outlier"]).toContain("feature.wind");
      }
    }, WAIT);
  });

  it("whoever keeps logs hears of it too, within the trace that tells of it", async () => {
    await vi.waitFor(async () => {
      const records = logs.output().split("LogRecord #");
      const begun = records.find((record) => record.includes("Str(feature.wind)")) ?? "";
      expect(begun).toContain("ml.drift.changed");
      expect(begun).toContain("SeverityText: WARN");
      const [, traceId = "none"] = /Trace ID: ([0-9a-f]{32})/.exec(begun) ?? [];
      const [told] = await traceSpans(jaeger.queryUrl, traceId);
      expect(told?.name).toBe("drift.evaluation");
    }, WAIT);
  });

  it("Jaeger's page of trace quality, which asks from the browser, shows the drift with examples", async () => {
    const ask = (service: string) => {
      const url = `${receiver.adminUrl}/api/v1/quality-metrics?service=${service}&hours=2`;
      return fetch(url, { headers: { origin: "http://localhost:16686" } });
    };
    const response = await ask(SERVICE);
    expect(response.headers.get("access-control-allow-origin")).toBe("http://localhost:16686");
    const page = (await response.json()) as {
      metrics: { failureExamples?: { traceID: string }[] }[];
    };
    // The page offers the services that Jaeger knows, and each asks for its own models.
    const others = (await (await ask("shop")).json()) as typeof page;
    expect(others.metrics).toEqual([]);
    const [worst] = page.metrics;
    const [example] = worst?.failureExamples ?? [];
    await vi.waitFor(async () => {
      const [span] = await traceSpans(jaeger.queryUrl, example?.traceID ?? "none");
      expect(span?.attributes["app.city"]).toBe("New York");
    }, WAIT);
  });

  it("Jaeger's Monitor tab has latencies, calls and errors of the service", async () => {
    await vi.waitFor(async () => {
      await closeWindows(receiver.otlpUrl, windowAt(4));
      expect((await monitor("latencies?quantile=0.95&")).some((ms) => ms >= 15 && ms <= 30)).toBe(
        true,
      );
      expect((await monitor("calls?")).some((rate) => rate > 0)).toBe(true);
      expect((await monitor("errors?")).every((share) => share === 0)).toBe(true);
    }, WAIT);
  });

  it("Prometheus has the same numbers by scrape and by push", async () => {
    const all = `{__name__=~"ml_.+",model_name="weather"}`;
    await vi.waitFor(async () => {
      const series = await promSeries(prometheus.url, all);
      const scraped = series.filter(({ job }) => job === "tidemark").map(withoutOrigin);
      const pushed = series.filter(({ job }) => job === "tidemark-receiver").map(withoutOrigin);
      expect(scraped.length).toBeGreaterThan(50);
      expect(pushed.toSorted()).toEqual(scraped.toSorted());
    }, WAIT);
  });

  it.each([
    ["scraped", "tidemark"],
    ["pushed", "tidemark-receiver"],
  ])(
    "native histograms, %s, say what classic ones say, but for the width of buckets",
    async (_, job) => {
      const p95 = (of: string) => promValue(prometheus.url, `histogram_quantile(0.95, ${of})`);
      await vi.waitFor(async () => {
        const native = await p95(`sum(ml_prediction_latency_seconds{job="${job}"})`);
        expect(native).toBeGreaterThan(0.018);
        expect(native).toBeLessThan(0.022);
        const classic = await p95(
          `sum by (le) (ml_prediction_latency_seconds_bucket{job="${job}"})`,
        );
        expect(classic).toBeGreaterThan(0.01);
        expect(classic).toBeLessThanOrEqual(0.025);
      }, WAIT);
    },
  );

  it("the alert is resolved when Seattle is back", async () => {
    for (const index of [4, 5, 6]) await sendCity(receiver.otlpUrl, "Seattle", windowAt(index));
    await closeWindows(receiver.otlpUrl, windowAt(7));
    await vi.waitFor(async () => {
      const resolved = slack().filter(({ title }) => title.startsWith("Resolved"));
      expect(resolved.map(({ text }) => text).join()).toContain("feature.wind has drifted");
      const drifting = 'ml_drift_detected{signal="feature.wind",job="tidemark"}';
      expect(await promValue(prometheus.url, drifting)).toBe(0);
    }, WAIT);
  });
});

/** The messages that the channel got. */
function slack(): { title: string; text: string }[] {
  return sink.received
    .filter(({ path }) => path === "/slack")
    .flatMap(({ body }) => body["attachments"] as { title: string; text: string }[]);
}

interface MonitorAnswer {
  readonly metrics: readonly {
    readonly metricPoints: readonly { readonly gaugeValue?: { readonly doubleValue?: unknown } }[];
  }[];
}

/** What the tab's graphs are drawn from: the numbers of one quantity over the last minutes. */
async function monitor(quantity: string): Promise<number[]> {
  const range = "lookback=300000&step=5000&ratePer=10000&spanKind=server";
  const url = `${jaeger.queryUrl}/api/metrics/${quantity}service=${SERVICE}&${range}`;
  const { metrics } = await getJson<MonitorAnswer>(url);
  const points = metrics.flatMap(({ metricPoints }) => metricPoints);
  return points.map(({ gaugeValue }) => Number(gaugeValue?.doubleValue)).filter(Number.isFinite);
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

/** A receiver with Seattle's reference that is scraped and pushes, too. */
function configuration(folder: string, otlpMetrics: string, otlpLogs: string): string {
  const file = join(folder, "tidemark.yaml");
  writeFileSync(
    file,
    `
receivers:
  otlp:
    protocols:
      grpc: { enabled: false }
      http: { endpoint: "127.0.0.1:\${env:TIDEMARK_OTLP_HTTP_PORT}" }
processors:
  observe: { allowedLateness: 0s, idleTimeout: 1h }
  spanMetrics: { enabled: true }
  references: [{ file: ${seattleReference(folder)} }]
  evaluate: { windows: [5m], ladder: 1, dependence: none }
exporters:
  prometheus:
    endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}"
    cors: { allowed_origins: ["http://localhost:16686"] }
  otlp_http/jaeger: { endpoint: "\${env:JAEGER_OTLP_URL}" }
  otlp_http/prometheus: { endpoint: "${otlpMetrics}", interval: 500ms, histograms: both }
  otlp_http/logs: { endpoint: "${otlpLogs}" }
service:
  storage: { directory: "\${env:TIDEMARK_DATA_DIR}" }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http/jaeger] }
    metrics: { exporters: [prometheus, otlp_http/prometheus] }
    logs: { exporters: [otlp_http/logs] }
`,
  );
  return file;
}
