/** Every query of every panel has an answer in the real Prometheus, and the rules of guides fire on our metrics. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GPU_METRICS, METRICS, PERFORMANCE_METRICS } from "@tidemark/semconv";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { SERVICE, seattleReference, sendCity, WINDOW_MS } from "./city-traffic.ts";
import type { Datasource } from "./dashboards.ts";
import { GRAFANA, queriesOf, readDashboards, withVariables } from "./dashboards.ts";
import { sendGauges } from "./otlp-gauges.ts";
import { sendSpans } from "./otlp-spans.ts";
import { promSeries } from "./peer-api.ts";
import { sleep } from "./peer-programs.ts";
import type { Prometheus, Receiver } from "./peer-stack.ts";
import { CONFIG, Stack, startPrometheus, startReceiver } from "./peer-stack.ts";

const dashboards = readDashboards();
const stack = new Stack();
let prometheus: Prometheus;
let receiver: Receiver;
const end = new AbortController();
let sending: Promise<void>;

beforeAll(async () => {
  const rules = join(import.meta.dirname, "fixtures", "tutorial-alerts.yml");
  prometheus = await stack.add(startPrometheus(stack.folder(), {}, { hasty: true, rules }));
  const config = configuration(stack.folder(), `${prometheus.url}/api/v1/otlp`);
  receiver = await stack.add(startReceiver("http://127.0.0.1:9", config));
  prometheus.setTarget("tidemark", receiver.metricsAddress);
  // Two windows of the past: a city's, which drifts, and a language model's, which learns and is judged.
  const first = Math.floor(Date.now() / WINDOW_MS - 3) * WINDOW_MS;
  for (const at of [0, 1, 2]) {
    await sendCity(receiver.otlpUrl, "New York", first + at * WINDOW_MS);
    const inWindow = (index: number) => first + at * WINDOW_MS + 40 + index * 900;
    await sendSpans(receiver.otlpUrl, "chat", 300, chat, inWindow);
    await sendSpans(receiver.otlpUrl, "chat", 300, retrieval, inWindow);
  }
  // Rates are made of what grows between scrapes.
  sending = keepSending();
});
afterAll(async () => {
  end.abort();
  await sending;
  await stack.end();
});

describe("A dashboard", () => {
  it.each(
    dashboards.flatMap(({ name, dashboard }) =>
      queriesOf(dashboard).map(({ title, expr }) => ({ name, title, expr })),
    ),
  )("$name shows something under $title", async ({ name, expr }) => {
    const model = name === "llm.json" ? ".*" : "weather";
    const query = withVariables(expr, { model, signal: ".*", feature: "wind" });
    await vi.waitFor(async () => {
      const answers = await promSeries(prometheus.url, query);
      expect(
        answers.filter(({ value }) => Number.isFinite(Number(value))),
        query,
      ).not.toEqual([]);
    }, WAIT);
  });

  it("llm.json shows what is retrieved and what people say, each by its name", async () => {
    await vi.waitFor(async () => {
      const series = await promSeries(prometheus.url, "ml_signal_value_count");
      const signals = new Set(series.map(({ signal }) => signal));
      expect([...signals].toSorted()).toEqual([
        "evaluation.score.relevance",
        "evaluation.score.thumbs",
        "retrieval.documents",
        "retrieval.score",
      ]);
    }, WAIT);
  });

  it.each(dashboards)("$name asks only for metrics that exist, where they are", ({ dashboard }) => {
    const asked = [
      ...queriesOf(dashboard).map(({ expr }) => expr),
      ...(dashboard.templating?.list ?? []).map(({ query }) => query),
    ];
    expect(unknownMetrics(asked)).toEqual([]);
    const file = join(GRAFANA, "provisioning", "datasources", "datasources.yml");
    const provisioned = parse(readFileSync(file, "utf8")) as { datasources: Datasource[] };
    const uids = new Set(provisioned.datasources.map(({ uid }) => uid));
    for (const { datasource, description, targets = [] } of dashboard.panels) {
      if (targets.length === 0) continue;
      expect(description).toBeTruthy();
      expect(uids).toContain(datasource?.uid);
      for (const target of targets) expect(uids).toContain(target.datasource.uid);
    }
  });

  it("is where the links of Jaeger's page lead", () => {
    const links = readFileSync(join(CONFIG, "jaeger", "ui.json"), "utf8");
    const uids = new Set(dashboards.map(({ dashboard }) => dashboard.uid));
    const linked = [...links.matchAll(/:3000\/d\/([\w-]+)/g)].map(([, uid]) => uid);
    expect(linked.length).toBeGreaterThan(2);
    for (const uid of linked) expect(uids).toContain(uid);
  });
});

describe("The alert rules", () => {
  it("ask only for metrics that exist", () => {
    const folder = join(CONFIG, "prometheus", "rules");
    const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
    expect(unknownMetrics(files.map((name) => readFileSync(join(folder, name), "utf8")))).toEqual(
      [],
    );
  });

  it.each([
    "HighPredictionErrorRate",
    "HighPredictionLatency",
    "LowPredictionConfidence",
    "GPUMemoryHigh",
  ])("of guides work as they are: %s fires", expectFiring);

  // Whether answers were right the receiver does not know; who has the labels sends it.
  it.each(["MlPerformanceLow", "MlCalibrationOff"])("%s fires on what is passed on", expectFiring);
});

async function expectFiring(alert: string): Promise<void> {
  await vi.waitFor(async () => {
    const firing = `ALERTS{alertname="${alert}",alertstate="firing"}`;
    expect(await promSeries(prometheus.url, firing)).not.toEqual([]);
  }, WAIT);
}

const WAIT = { timeout: 60_000, interval: 500 };

/** One after the other, however long each takes. */
async function keepSending(): Promise<void> {
  while (!end.signal.aborted) {
    await sendAll().catch(() => {});
    await sleep(500);
  }
}

/** Of everything a little, now. */
async function sendAll(): Promise<void> {
  const { otlpUrl } = receiver;
  await sendSpans(otlpUrl, "chat", 20, chat);
  await sendSpans(otlpUrl, "chat", 20, retrieval);
  const stages = ["feature_retrieval", "preprocessing", "inference", "postprocessing"];
  for (const stage of stages) {
    await sendSpans(otlpUrl, SERVICE, 10, {
      "ml.model.name": "weather",
      "ml.model.version": "2",
      "ml.stage": stage,
      "ml.feature.wind": 90,
      "ml.prediction.value": 12,
      "ml.prediction.class": "sun",
      "ml.prediction.confidence": 0.45,
    });
  }
  const failing = { "ml.model.name": "weather", "ml.model.version": "2", "ml.stage": "inference" };
  await sendSpans(otlpUrl, SERVICE, 5, failing, Date.now, { error: true, durationMs: 4000 });
  await sendGauges(otlpUrl, { gpu_id: "0" }, [
    [GPU_METRICS.utilization, 12],
    [GPU_METRICS.memoryUsed, 95e9],
    [GPU_METRICS.memoryTotal, 100e9],
  ]);
  await sendGauges(otlpUrl, { model_name: "weather", model_version: "2" }, [
    [PERFORMANCE_METRICS.accuracy, 0.7],
    [PERFORMANCE_METRICS.ece, 0.2],
  ]);
}

/** What a search has found, and what somebody thought of the answer. */
function retrieval(index: number): Record<string, string | number> {
  return {
    "openinference.span.kind": "RETRIEVER",
    "retrieval.documents.0.document.score": 0.5 + (index % 40) / 100,
    "gen_ai.evaluation.name": "thumbs",
    "gen_ai.evaluation.score.value": index % 3 === 0 ? 0 : 1,
  };
}

function chat(index: number): Record<string, string | number> {
  return {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt",
    "gen_ai.usage.input_tokens": 100 + (index % 50),
    "gen_ai.usage.output_tokens": 20 + (index % 30),
    "gen_ai.usage.cost.amount": 0.01,
    "gen_ai.usage.cost.currency": "USD",
    "gen_ai.response.time_to_first_chunk": 0.2 + (index % 10) / 50,
    "gen_ai.client.operation.time_per_output_chunk": 0.02,
    "gen_ai.prompt.version": `v${index % 2}`,
    "gen_ai.evaluation.name": "relevance",
    "gen_ai.evaluation.score.value": (index % 10) / 10,
    "gen_ai.evaluation.score.label": index % 10 < 5 ? "poor" : "good",
    "ml.tenant": "acme",
  };
}

/** With those that applications send, and that are passed on. */
const KNOWN = { ...METRICS, ...GPU_METRICS, ...PERFORMANCE_METRICS };

function unknownMetrics(texts: readonly string[]): string[] {
  const known = new Set<string>();
  for (const { prometheus: name, kind } of Object.values(KNOWN)) {
    const suffixes = kind === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    for (const suffix of suffixes) known.add(name + suffix);
  }
  // A name behind a level and a colon is a recording rule's; quantities of calls have no selector.
  const named = texts.flatMap(
    (text) => text.match(/(?<![:\w])(?:ml|tidemark|gen_ai|traces)_\w+(?=[{[,]| [=<>])/g) ?? [],
  );
  expect(named.length).toBeGreaterThan(0);
  return [...new Set(named)].filter((name) => !known.has(name));
}

/** A receiver that passes metrics of others on to Prometheus, and is scraped itself. */
function configuration(folder: string, otlpMetrics: string): string {
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
  learn: { samples: 250, span: 0s }
  references: [{ file: ${seattleReference(folder)} }]
  evaluate: { windows: [5m], ladder: 1, dependence: none }
exporters:
  prometheus: { endpoint: "127.0.0.1:\${env:TIDEMARK_METRICS_PORT}" }
  otlp_http/prometheus: { endpoint: "${otlpMetrics}", interval: 1s }
service:
  storage: { directory: "\${env:TIDEMARK_DATA_DIR}" }
  pipelines:
    traces: { receivers: [otlp], exporters: [] }
    metrics: { receivers: [otlp], exporters: [prometheus, otlp_http/prometheus] }
`,
  );
  return file;
}
