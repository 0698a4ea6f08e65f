/** A drift is told as a trace that leads to its predictions, as a log record, and as an exemplar. */
import { describe, expect, it, onTestFinished } from "vitest";
import { LogsRequest } from "../src/export/telemetry-schema.ts";
import { TraceRequest } from "../src/otlp/schema.ts";
import { startSink } from "./otlp-sink.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

const WINDOW_MS = 300_000;
const COUNT = 1000;

/** Evenly spread over [0, 1), without chance. */
const uniform = (index: number) => (index * 0.618_033_988_749_895) % 1;

function window(at: number, shift: number): TestSpan[] {
  return Array.from({ length: COUNT }, (_, index) => ({
    atMs: START_MS + at * WINDOW_MS + (index / COUNT) * 299_000,
    attributes: {
      "ml.model.name": "weather",
      "ml.model.version": "7",
      "ml.stage": "inference",
      "ml.feature.wind": uniform(index) + shift,
      "ml.feature.rain": uniform(index * 3),
    },
  }));
}

interface Attributed {
  readonly attributes: { key: string; value: Record<string, unknown> }[];
}

interface Traces {
  readonly resourceSpans: {
    readonly resource?: Attributed;
    readonly scopeSpans: {
      readonly spans: (Attributed & {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly links?: (Attributed & { readonly traceId: string })[];
      })[];
    }[];
  }[];
}

interface Logs {
  readonly resourceLogs: {
    readonly scopeLogs: {
      readonly logRecords: (Attributed & {
        readonly traceId: string;
        readonly eventName: string;
        readonly severityText: string;
        readonly body: { readonly stringValue: string };
      })[];
    }[];
  }[];
}

/** Learns from one window, sees a second one like it, drifts for two, and comes back for two. */
async function driftAndBack(shifts = [0, 0, 1, 1, 0, 0, 0]) {
  const sink = await startSink();
  onTestFinished(() => sink.close());
  const receiver = await startReceiver(`processors:
  learn: { samples: 1000, span: 0s }
  observe: { allowedLateness: 0s, idleTimeout: 1h }
  evaluate: { windows: [5m], dependence: none, ladder: 1 }
exporters:
  otlp_http/sink: { endpoint: "${sink.url}" }
service:
  pipelines:
    traces: { exporters: [otlp_http/sink] }
    logs: { exporters: [otlp_http/sink] }
`);
  onTestFinished(() => receiver.shutdown());
  for (const [at, shift] of shifts.entries()) {
    receiver.clock.nowMs = START_MS + (at + 1) * WINDOW_MS;
    expect((await receiver.send(window(at, shift), "prediction-service")).status).toBe(200);
  }
  const decoded = <T>(path: string, type: typeof TraceRequest) =>
    sink.deliveries
      .filter((delivery) => delivery.path === path)
      .map(({ body }) => type.toObject(type.decode(body), { bytes: String }) as T);
  const told = () =>
    decoded<Traces>("/v1/traces", TraceRequest).flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans.filter(({ name }) => name === "drift.evaluation")),
      ),
    );
  const events = () =>
    decoded<Logs>("/v1/logs", LogsRequest).flatMap(({ resourceLogs }) =>
      resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords)),
    );
  const predictions = () =>
    decoded<Traces>("/v1/traces", TraceRequest).flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  await expect.poll(() => events().length, { timeout: 20_000 }).toBe(shifts.length > 4 ? 2 : 1);
  await expect.poll(() => predictions().length).toBeGreaterThanOrEqual(shifts.length * COUNT);
  return { receiver, told, events, predictions };
}

function plain({ attributes }: Attributed): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

describe("a drift", () => {
  it("is told by a trace with its numbers, linked to predictions that are marked, until it ends", async () => {
    const { told, predictions, receiver } = await driftAndBack();
    const spans = told().map(plain);
    expect(spans.map((span) => span["ml.drift.status"])).toEqual([
      "drifted",
      "drifted",
      "drifted",
      "stable",
    ]);
    for (const span of spans) {
      expect(span).toMatchObject({
        "ml.model.name": "weather",
        "ml.model.version": "7",
        "ml.drift.signal": "feature.wind",
        "ml.drift.window": "5m",
        "ml.drift.method": "ks",
      });
    }
    const [first] = spans;
    expect(Number(first?.["ml.drift.score"])).toBeGreaterThan(
      Number(first?.["ml.drift.threshold"]),
    );
    expect(first?.["ml.drift.window.start"]).toBe(new Date(START_MS + 2 * WINDOW_MS).toISOString());

    const all = predictions();
    const marked = new Set(
      all
        .filter(({ attributes }) => attributes.some(({ key }) => key === "ml.drift.outlier"))
        .map(({ traceId }) => traceId),
    );
    const [links = []] = told().map((span) => span.links);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      expect(marked).toContain(link.traceId);
      expect(plain(link)["ml.drift.exemplar.value"]).toBeGreaterThan(1);
    }
    const findings = await receiver.metric("tidemark_receiver_findings_total");
    expect(findings).toEqual({ '{outcome="told"}': 4, '{outcome="dropped"}': 0 });
  });

  it("is on Jaeger's page of quality, with the traces that show it, and leads to the playbook", async () => {
    const { receiver, predictions } = await driftAndBack([0, 0, 1, 1]);
    const ask = (query: string) => fetch(`${receiver.admin}/api/v1/quality-metrics?${query}`);
    const asked = await ask("service=prediction-service&hours=1");
    const page = (await asked.json()) as {
      bannerText: string;
      scores: unknown[];
      metrics: {
        name: string;
        category: string;
        passCount: number;
        failureCount: number;
        failureExamples: { traceID: string }[];
        metricDocumentationLink: string;
        details: { columns: string[]; rows: Record<string, string>[] }[];
      }[];
    };
    expect(page.bannerText).toBe("1 of 2 signals drifts.");
    expect(page.scores).toEqual([
      { key: "drift", label: "Signals without drift", max: 2, value: 1 },
    ]);
    // The page keeps cards apart by name, and puts them under the score of their category.
    expect(new Set(page.metrics.map(({ name }) => name)).size).toBe(page.metrics.length);
    expect(page.metrics.every(({ category }) => category === "drift")).toBe(true);
    const [wind, rain] = page.metrics;
    expect(wind).toMatchObject({ name: "weather 7 feature.wind", passCount: 0, failureCount: 1 });
    expect(rain).toMatchObject({ passCount: 1, failureCount: 0, failureExamples: [] });
    const ids = new Set(
      predictions().map((span) => Buffer.from(span.traceId, "base64").toString("hex")),
    );
    expect(wind?.failureExamples.length).toBeGreaterThan(0);
    for (const { traceID } of wind?.failureExamples ?? []) expect(ids).toContain(traceID);
    expect(wind?.details[0]?.rows[0]).toMatchObject({ Window: "5m", Verdict: "drifted" });
    const entry = await (await fetch(wind?.metricDocumentationLink ?? "")).text();
    expect(entry).toMatch(/^## MlDriftDetected\n/);

    const banner = async (query: string) =>
      ((await (await ask(query)).json()) as { bannerText: string }).bannerText;
    // Of another service's models there is nothing to say; findings are told by the receiver.
    expect(await banner("service=any&hours=1")).toContain("no signal");
    expect(await banner("service=tidemark-receiver&hours=1")).toBe(page.bannerText);
    expect(await banner("hours=1")).toBe(page.bannerText);
    expect((await ask("hours=0.5")).status).toBe(400);
    const missing = await fetch(`${receiver.admin}/playbooks/Nothing`);
    expect([missing.status, await missing.text()]).toEqual([
      404,
      expect.stringContaining("MlDriftDetected"),
    ]);
  });

  it("is a log record when it begins and when it ends, within the trace that tells of it", async () => {
    const { told, events } = await driftAndBack();
    const [begun, ended] = events();
    expect([begun?.severityText, ended?.severityText]).toEqual(["WARN", "INFO"]);
    expect(begun?.eventName).toBe("ml.drift.changed");
    expect(begun?.body.stringValue).toContain("wind");
    const traces = told().map(({ traceId }) => traceId);
    expect([begun?.traceId, ended?.traceId]).toEqual([traces[0], traces[3]]);
  });

  it("leads from the count of evaluations to a prediction, in OpenMetrics alone", async () => {
    const { receiver, predictions } = await driftAndBack([0, 0, 1, 1]);
    const text = async (accept: string) =>
      (await fetch(`${receiver.admin}/metrics`, { headers: { accept } })).text();
    const lines = (await text("application/openmetrics-text")).split("\n");
    const line = lines.find(
      (one) => one.includes('signal="feature.wind"') && one.includes('outcome="drifted"'),
    );
    const [, traceId = ""] =
      /# \{trace_id="(\w{32})",span_id="\w{16}"\} 1\.\d+ \d+/.exec(line ?? "") ?? [];
    const ids = predictions().map((span) => Buffer.from(span.traceId, "base64").toString("hex"));
    expect(ids).toContain(traceId);
    expect(await text("text/plain")).not.toContain("trace_id");
  });
});
