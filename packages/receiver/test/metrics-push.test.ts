/** Metrics that are pushed: over HTTP and gRPC alike, and what has gone is said to be gone. */
import { rm } from "node:fs/promises";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { METRICS } from "@tidemark/semconv";
import { describe, expect, it, onTestFinished } from "vitest";
import { OtlpMetricsPush } from "../src/export/otlp-metrics-push.ts";
import { Logger } from "../src/logger.ts";
import type { Histograms, Labels, MetricFamily, NumberPoint } from "../src/metric-family.ts";
import { lazily } from "../src/metric-family.ts";
import { checkMetricsRequest } from "../src/otlp/request-check.ts";
import type { OtlpClient, SendResult } from "../src/otlp-client.ts";
import { readMetrics } from "./metrics-requests.ts";
import { startSink } from "./otlp-sink.ts";
import { START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

const EXPORT_METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const bytes = (value: Buffer) => value;

/** A gRPC service that keeps the bodies of metrics. */
async function metricsService() {
  const messages: Buffer[] = [];
  const server = new Server();
  onTestFinished(() => server.forceShutdown());
  server.addService(
    {
      export: {
        path: EXPORT_METRICS,
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    {
      export: (call: { request: Buffer }, done: (error: null, response: Buffer) => void) => {
        messages.push(call.request);
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return { url: `http://127.0.0.1:${port}`, messages };
}

const NAME = "otlp_http/test";

function pushOf(
  client: OtlpClient,
  families: () => MetricFamily[],
  { intervalMs = 10_000, histograms = "classic" } = {},
) {
  return new OtlpMetricsPush(
    {
      name: NAME,
      intervalMs,
      timeoutMs: 10_000,
      histograms: histograms as Histograms,
      resource: { "service.name": "me" },
    },
    client,
    families,
    () => START_MS,
    new Logger("error", true, () => {}),
  );
}

/** What leaves when these are pushed once, by scope. */
async function pushed(families: MetricFamily[], histograms: Histograms) {
  const bodies: Uint8Array[] = [];
  const client: OtlpClient = {
    send: async (body) => {
      bodies.push(body);
      return { kind: "delivered" };
    },
    close: () => {},
  };
  const push = pushOf(client, () => families, { histograms });
  await push.start();
  await push.shutdown();
  const [body = new Uint8Array(0)] = bodies;
  expect(checkMetricsRequest(Buffer.from(body))).toBeUndefined();
  return readMetrics(body);
}

const EXEMPLAR = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  value: 0.04,
  timeMs: START_MS - 250,
};
const PUSHED_EXEMPLAR = {
  traceId: Buffer.from(EXEMPLAR.traceId, "hex").toString("base64"),
  spanId: Buffer.from(EXEMPLAR.spanId, "hex").toString("base64"),
  asDouble: 0.04,
  timeUnixNano: `${EXEMPLAR.timeMs}000000`,
};
const LATENCY: MetricFamily = {
  definition: METRICS.predictionLatency,
  points: [
    {
      labels: { stage: "inference" },
      bounds: [0.01, 0.1],
      counts: [1, 2, 0],
      sum: 0.09,
      count: 3,
      exemplars: [undefined, EXEMPLAR],
      native: { schema: 3, zeroCount: 1, first: -7, counts: [1, 0, 1] },
      startMs: START_MS - 60_000,
    },
  ],
};

const ofOne = (value: number) => [{ labels: {}, value }];
const ofAll = (labels: readonly Labels[]) => labels.map((one, value) => ({ labels: one, value }));

describe("the receiver's metrics", () => {
  it("go to an endpoint over HTTP and to one over gRPC, the same ones", async () => {
    const sink = await startSink();
    onTestFinished(() => sink.close());
    const service = await metricsService();
    const receiver = await startReceiver(`exporters:
  otlp_http/a: { endpoint: "${sink.url}", interval: 1h }
  otlp_grpc/b: { endpoint: "${service.url}", interval: 1h }
service: { pipelines: { metrics: { exporters: [prometheus, otlp_http/a, otlp_grpc/b] } } }
`);
    const attributes = { "ml.model.name": "weather", "ml.stage": "inference" };
    await receiver.send([{ atMs: START_MS, attributes }]);
    // Stopping, it pushes once more.
    await receiver.shutdown();
    const [delivery] = sink.deliveries;
    expect(delivery?.path).toBe("/v1/metrics");
    for (const body of [delivery?.body, service.messages[0]]) {
      expect(checkMetricsRequest(body as Buffer)).toBeUndefined();
      expect(body?.includes("ml.prediction.requests")).toBe(true);
      expect(body?.includes("service.instance.id")).toBe(true);
    }
  });

  it("say once of a series that it has gone, when the endpoint hears it again", async () => {
    const gone: MetricFamily = {
      definition: METRICS.driftScore,
      points: [{ labels: { signal: "gone" }, value: 1 }],
    };
    const kept: MetricFamily = {
      definition: METRICS.predictionLatency,
      points: [{ labels: { stage: "x" }, bounds: [1], counts: [1, 0], sum: 1, count: 1 }],
    };
    let families = [gone, kept];
    const bodies: Buffer[] = [];
    const results: SendResult[] = [
      { kind: "delivered" },
      { kind: "retry", reason: "away" },
      { kind: "delivered" },
      { kind: "delivered" },
    ];
    let sent = () => {};
    const client: OtlpClient = {
      send: async (body) => {
        bodies.push(Buffer.from(body));
        sent();
        return results[bodies.length - 1] ?? { kind: "delivered" };
      },
      close: () => {},
    };
    const push = pushOf(client, () => families, { intervalMs: 20 });
    const arrived = (count: number) =>
      new Promise<void>((resolve) => {
        sent = () => bodies.length >= count && resolve();
      });
    await push.start();
    await arrived(1);
    families = [kept];
    await arrived(4);
    await push.shutdown();
    const about = bodies.slice(0, 4).map((body) => {
      expect(checkMetricsRequest(body)).toBeUndefined();
      return body.includes("gone");
    });
    // There, gone but not heard, gone and heard, and no word of it any more.
    expect(about).toEqual([true, true, true, false]);
    // Flags (field 8) of its point say "no recorded value".
    expect(bodies[1]?.includes(Buffer.of(8 << 3, 1))).toBe(true);
    const [family] = push.metrics();
    expect(family?.points).toContainEqual({
      labels: { exporter: NAME, outcome: "failed" },
      value: 1,
    });
  });

  it("have exemplars on buckets and counters, and say since when they count", async () => {
    const found: MetricFamily = {
      definition: METRICS.driftEvaluations,
      points: [{ labels: { outcome: "drifted" }, value: 2, exemplar: EXEMPLAR }],
    };
    const scopes = await pushed([LATENCY, found], "classic");
    expect([...scopes.keys()]).toEqual(["@tidemark/receiver"]);
    const [latency, evaluations] = scopes.get("@tidemark/receiver") ?? [];
    const common = { timeUnixNano: `${START_MS}000000`, exemplars: [PUSHED_EXEMPLAR] };
    expect(latency).toMatchObject({
      name: "ml.prediction.latency",
      unit: "s",
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            ...common,
            startTimeUnixNano: `${START_MS - 60_000}000000`,
            count: "3",
            sum: 0.09,
            bucketCounts: ["1", "2", "0"],
            explicitBounds: [0.01, 0.1],
          },
        ],
      },
    });
    // Without a start of its own it counts from the start of the process.
    const point = { ...common, startTimeUnixNano: `${START_MS}000000`, asDouble: 2 };
    expect(evaluations).toMatchObject({ sum: { isMonotonic: true, dataPoints: [point] } });
  });

  it("are read by others as they were written, however many and however long", async () => {
    const lengths = [0, 1, 127, 128, 16_383, 16_384, 70_000];
    const labels = lengths.map((length) => ({
      empty: "",
      text: "ü€😀".repeat(length).slice(0, length),
    }));
    const many = Array.from({ length: 3000 }, (_, at) => ({
      labels: { at: `${at}` },
      value: at - 0.5,
    }));
    const scopes = await pushed(
      [
        {
          definition: METRICS.driftScore,
          points: [...labels.map((one) => ({ labels: one, value: Number.NaN })), ...many],
        },
        {
          definition: METRICS.featureValue,
          points: [
            {
              labels: {},
              bounds: [-0.5, 1e300],
              counts: [2 ** 40, 0, 2 ** 52],
              sum: -1,
              count: 2 ** 53 - 1,
            },
          ],
        },
      ],
      "classic",
    );
    const [score, values] = scopes.get("@tidemark/receiver") ?? [];
    const gauge = score?.gauge as { dataPoints: { asDouble: number }[] } | undefined;
    const dataPoints = gauge?.dataPoints ?? [];
    expect(dataPoints).toHaveLength(lengths.length + many.length);
    for (const [at, one] of labels.entries()) {
      expect(dataPoints[at]).toMatchObject({
        attributes: [
          { key: "empty", value: { stringValue: "" } },
          { key: "text", value: { stringValue: Buffer.from(one.text).toString() } },
        ],
        asDouble: Number.NaN,
      });
    }
    expect(dataPoints.at(-1)?.asDouble).toBe(2998.5);
    const counts = { bucketCounts: [2 ** 40, 0, 2 ** 52].map(String), count: String(2 ** 53 - 1) };
    expect(values?.histogram).toMatchObject({
      dataPoints: [{ ...counts, explicitBounds: [-0.5, 1e300], sum: -1 }],
    });
  });

  it("leave in requests of a bounded length, of which none follows one that fails", async () => {
    const labels = Array.from({ length: 40_000 }, (_, at) => ({ signal: `feature-${at}` }));
    const score = { definition: METRICS.driftScore, points: ofAll(labels) };
    const tried: Uint8Array[] = [];
    const sentWith = async (results: readonly SendResult["kind"][]) => {
      tried.length = 0;
      const client: OtlpClient = {
        send: async (body) => {
          const kind = results[tried.push(body) - 1] ?? "delivered";
          return kind === "delivered" ? { kind } : { kind, reason: "so" };
        },
        close: () => {},
      };
      const push = pushOf(client, () => [score, LATENCY]);
      await push.start();
      await push.shutdown();
      const outcomes = [...(push.metrics()[0]?.points ?? [])] as NumberPoint[];
      return outcomes.find(({ value }) => value === 1)?.labels["outcome"];
    };
    expect(await sentWith([])).toBe("delivered");
    expect(tried.length).toBeGreaterThan(2);
    const all = tried.flatMap((body) => {
      expect(checkMetricsRequest(Buffer.from(body))).toBeUndefined();
      expect(body.length).toBeLessThan(2 ** 20 + 200);
      return readMetrics(body).get("@tidemark/receiver") ?? [];
    });
    const points = all.flatMap(
      ({ gauge }) => (gauge as { dataPoints: object[] })?.dataPoints ?? [],
    );
    expect(points).toMatchObject(labels.map((_, at) => ({ asDouble: at })));
    expect(all.at(-1)?.name).toBe("ml.prediction.latency");
    const requests = tried.length;
    expect(await sentWith(["delivered", "refused"])).toBe("refused");
    expect(tried).toHaveLength(requests);
    expect(await sentWith(["delivered", "retry"])).toBe("failed");
    expect(tried).toHaveLength(2);
  });

  it("leave one push after the other, however slow the endpoint, and the last is not lost", async () => {
    let value = 0;
    const score = { definition: METRICS.driftScore, points: lazily(() => ofOne(value).values()) };
    const said: unknown[] = [];
    let underWay = 0;
    const client: OtlpClient = {
      send: async (body) => {
        expect(++underWay).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 100));
        underWay--;
        const [metric] = readMetrics(body).get("@tidemark/receiver") ?? [];
        const gauge = metric?.gauge as { dataPoints: { asDouble: number }[] } | undefined;
        said.push(gauge?.dataPoints[0]?.asDouble);
        return { kind: "delivered" };
      },
      close: () => {},
    };
    const push = pushOf(client, () => [score], { intervalMs: 40 });
    await push.start();
    await expect.poll(() => said.length).toBe(2);
    await expect.poll(() => underWay).toBe(1);
    value = 1;
    await push.shutdown();
    await expect.poll(() => said.at(-1)).toBe(1);
    expect(said.slice(0, -1)).not.toContain(1);
  });

  it.each([
    { histograms: "native", classic: 0 },
    { histograms: "both", classic: 1 },
  ] as const)(
    "have native histograms if asked for: $histograms",
    async ({ histograms, classic }) => {
      const scopes = await pushed([LATENCY], histograms);
      expect(scopes.get("@tidemark/receiver") ?? []).toHaveLength(classic);
      const [native] = scopes.get("@tidemark/receiver/native") ?? [];
      expect(native).toMatchObject({
        name: "ml.prediction.latency",
        exponentialHistogram: {
          aggregationTemporality: 2,
          dataPoints: [
            {
              count: "3",
              sum: 0.09,
              scale: 3,
              zeroCount: "1",
              positive: { offset: -7, bucketCounts: ["1", "0", "1"] },
              exemplars: [PUSHED_EXEMPLAR],
            },
          ],
        },
      });
    },
  );

  it("say of what outlives a restart since when it counts, and of the rest that it began anew", async () => {
    const sink = await startSink();
    onTestFinished(() => sink.close());
    const folder = storageFolder();
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const yaml = `exporters:
  otlp_http/a: { endpoint: "${sink.url}", interval: 1h, histograms: both }
service: { pipelines: { metrics: { exporters: [prometheus, otlp_http/a] } } }
`;
    for (const run of [0, 1]) {
      const receiver = await startReceiver(yaml, folder, START_MS + run * 60_000);
      const attributes = { "ml.model.name": "weather", "ml.stage": "inference" };
      await receiver.send([{ atMs: START_MS, attributes }]);
      await receiver.shutdown();
    }
    const last = readMetrics(sink.deliveries.at(-1)?.body ?? new Uint8Array(0));
    const points = (name: string) =>
      last.get("@tidemark/receiver")?.find((metric) => metric.name === name)?.sum;
    expect(points("ml.prediction.requests")).toMatchObject({
      dataPoints: [{ startTimeUnixNano: `${START_MS}000000`, asDouble: 2 }, {}],
    });
    // Both calls took two milliseconds, whose native bucket is narrower than the explicit one.
    const [native] = last.get("@tidemark/receiver/native") ?? [];
    expect(native?.exponentialHistogram).toMatchObject({
      dataPoints: [
        { startTimeUnixNano: `${START_MS}000000`, count: "2", positive: { bucketCounts: ["2"] } },
      ],
    });
    expect(points("tidemark.receiver.received")).toMatchObject({
      dataPoints: [{ startTimeUnixNano: `${START_MS + 60_000}000000` }],
    });
  });
});
