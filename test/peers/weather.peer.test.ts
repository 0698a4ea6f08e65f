/** The weather example with the real Jaeger and Prometheus: as the demo, and as docker-compose has it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePorts } from "../free-ports.ts";
import type { StoredSpan } from "./peer-api.ts";
import { promRange, promValue, storedSpans } from "./peer-api.ts";
import { DEMO_MS, startDemo } from "./peer-demo.ts";
import { ROOT, startProgram } from "./peer-programs.ts";
import type { Jaeger, Prometheus } from "./peer-stack.ts";
import {
  Stack,
  startCollector,
  startJaeger,
  startPrometheus,
  startReceiver,
} from "./peer-stack.ts";

const EXAMPLE = join(ROOT, "examples", "weather");
const REGISTER = ["--require", "@tidemark/instrumentation/register"];
const FEATURES = ["precipitation", "season", "temp_min", "wind"];
const WAIT = { timeout: 60_000, interval: 250 };

interface DemoResult {
  readonly asExpected: boolean;
  readonly complaints: readonly string[];
  readonly windowMs: number;
  readonly phases: readonly { readonly requests: number }[];
}

describe("The weather demo", () => {
  const stack = new Stack();
  let prometheus: Prometheus;
  let jaeger: Jaeger;
  let result: DemoResult;

  beforeAll(async () => {
    prometheus = await stack.add(startPrometheus(stack.folder()));
    jaeger = await stack.add(startJaeger(prometheus.url));
    const env = { TIDEMARK_DEMO_FORWARD: jaeger.otlpUrl };
    const scrape = (admin: string) => prometheus.setTarget("tidemark", new URL(admin).host);
    ({ result } = await stack.add(startDemo<DemoResult>(env, scrape)));
  }, DEMO_MS);
  afterAll(() => stack.end());

  it("ends as it expects itself", () => {
    expect(result.complaints).toEqual([]);
    expect(result.asExpected).toBe(true);
  });

  it("leaves in Jaeger one whole trace of two processes for every prediction", async () => {
    const requests = result.phases.reduce((sum, phase) => sum + phase.requests, 0);
    expect(requests).toBe(730 + 1461);
    await vi.waitFor(async () => {
      const traces = await predictionTraces(jaeger);
      for (const trace of traces) expectWhole(trace);
      expect(traces.length).toBeGreaterThanOrEqual(requests);
    }, WAIT);
  });

  it.each([["feature.wind"], ["feature.temp_min"]])(
    "makes Prometheus show that %s drifted in New York, and not at home",
    async (signal) => {
      await vi.waitFor(async () => {
        const [detected] = await promRange(prometheus.url, `ml_drift_detected{signal="${signal}"}`);
        expect(detected?.values.join("")).toMatch(/^0+1+$/);
        const score = `ml_drift_score{signal="${signal}",method="ks"}`;
        const [excess] = await promRange(prometheus.url, `${score} - ml_drift_threshold`);
        const signs = excess?.values.map((value) => (value > 0 ? "+" : "-"));
        expect(signs?.join("")).toMatch(/^-+\++$/);
      }, WAIT);
    },
  );

  it("makes Prometheus show that precipitation did not drift anywhere", async () => {
    const query = `ml_drift_detected{signal="feature.precipitation"}`;
    const [detected] = await promRange(prometheus.url, query);
    expect(new Set(detected?.values)).toEqual(new Set([0]));
  });
});

describe("The weather services behind the Collector, as in docker-compose.yml", () => {
  const stack = new Stack();
  afterAll(() => stack.end());

  it("have every prediction counted by the receiver and stored by Jaeger", async () => {
    const prometheus = await stack.add(startPrometheus(stack.folder()));
    const jaeger = await stack.add(startJaeger(prometheus.url));
    const receiver = await stack.add(startReceiver(jaeger.otlpUrl));
    const collector = await stack.add(startCollector(stack.folder(), receiver.otlpUrl));
    prometheus.setTarget("tidemark", receiver.metricsAddress);

    const train = [join(EXAMPLE, "dist", "train.js"), stack.folder()];
    const trained = execFileSync(process.execPath, train, { encoding: "utf8" });
    const [model = ""] = trained.split("\n");
    const [featurePort = 0, predictionPort = 0] = await freePorts(2);
    const start = (name: string, program: string, port: number, env = {}) =>
      startProgram({
        name,
        command: process.execPath,
        args: [...REGISTER, program],
        cwd: join(EXAMPLE, "services", name),
        env: {
          PORT: String(port),
          OTEL_SERVICE_NAME: name,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.otlpUrl,
          ...env,
        },
        readyUrl: `http://127.0.0.1:${port}/healthz`,
      });
    const services = [
      await stack.add(start("feature-service", "server.mjs", featurePort)),
      await stack.add(
        start("prediction-service", "server.cjs", predictionPort, {
          FEATURE_SERVICE_URL: `http://127.0.0.1:${featurePort}`,
          WEATHER_MODEL: model,
        }),
      ),
    ];

    const days = Array.from(
      { length: 31 },
      (_, day) => `2014-03-${String(day + 1).padStart(2, "0")}`,
    );
    for (const date of days) {
      const response = await fetch(`http://127.0.0.1:${predictionPort}/predict`, {
        method: "POST",
        body: JSON.stringify({ location: "Seattle", date }),
      });
      expect(await response.json()).toHaveProperty("temp_max");
    }
    // Ending, they send what they still have.
    for (const service of services) await service.stop();

    await vi.waitFor(async () => {
      const requests = `ml_prediction_requests_total{model_name="weather",status="success"}`;
      expect(await promValue(prometheus.url, requests)).toBe(days.length);
      const traces = await predictionTraces(jaeger);
      expect(traces).toHaveLength(days.length);
      for (const trace of traces) expectWhole(trace);
    }, WAIT);
  });
});

/** The spans of each trace with a prediction; health checks and the like are left out. */
async function predictionTraces(jaeger: Jaeger): Promise<StoredSpan[][]> {
  const spans = await storedSpans(jaeger.queryUrl, "prediction-service", 10_000);
  const traces = new Map<string, StoredSpan[]>();
  for (const span of spans) {
    const trace = traces.get(span.traceId);
    if (trace) trace.push(span);
    else traces.set(span.traceId, [span]);
  }
  return [...traces.values()].filter((trace) =>
    trace.some(({ attributes }) => attributes["ml.stage"] === "inference"),
  );
}

/** From the caller's POST down to the other service's answer, with all that a verdict needs. */
function expectWhole(trace: readonly StoredSpan[]): void {
  const shape = trace.map((span) => {
    const parent = trace.find(({ spanId }) => spanId === span.parentSpanId);
    return `${parent ? parent.name.split(" ")[0] : "-"} > ${span.service} ${span.name.split(" ")[0]}`;
  });
  expect(shape.toSorted()).toEqual([
    "- > prediction-service POST",
    "GET > feature-service GET",
    "POST > prediction-service feature_retrieval",
    "POST > prediction-service inference",
    "POST > prediction-service postprocessing",
    "POST > prediction-service preprocessing",
    "feature_retrieval > prediction-service GET",
  ]);
  const inference = trace.find(({ attributes }) => attributes["ml.stage"] === "inference");
  expect(inference?.attributes).toMatchObject({
    "ml.model.name": "weather",
    "ml.model.version": expect.stringMatching(/\d/),
    "ml.prediction.value": expect.any(Number),
  });
  for (const name of FEATURES) {
    expect(inference?.attributes[`ml.feature.${name}`]).toEqual(expect.any(Number));
  }
}
