/** Histograms of what goes into a model and comes out: by decile of the reference, and by class. */
import { describe, expect, it, onTestFinished } from "vitest";
import { limitSeries } from "../src/export/series-limit.ts";
import type { MetricFamily } from "../src/metric-family.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

const uniform = (index: number) => (index * 0.618_033_988_749_895) % 1;

function spans(count: number, fromMs: number, wind: (index: number) => number): TestSpan[] {
  return Array.from({ length: count }, (_, index) => ({
    atMs: fromMs + (index / count) * 200_000,
    durationMs: index % 2 === 0 ? 4 : 40,
    attributes: {
      "ml.model.name": "weather",
      "ml.stage": "inference",
      "ml.feature.wind": wind(index),
      "ml.prediction.class": index % 4 === 0 ? "rain" : "sun",
      "ml.prediction.confidence": index % 4 === 0 ? 0.55 : 0.97,
    },
  }));
}

async function learned() {
  const receiver = await startReceiver(`processors:
  learn: { samples: 1000, span: 0s }
  observe: { idleTimeout: 1h }
`);
  onTestFinished(() => receiver.shutdown());
  receiver.clock.nowMs = START_MS + 300_000;
  await receiver.send(spans(1000, START_MS, uniform));
  return receiver;
}

const buckets = (samples: Record<string, number>, label: string) =>
  Object.entries(samples)
    .filter(([labels]) => labels.includes(label))
    .map(([, value]) => value);

describe("the values of a feature", () => {
  it("lie in tenths while they are as in the reference, whichever pane they are in", async () => {
    const receiver = await learned();
    const name = "ml_feature_value_bucket";
    receiver.clock.nowMs += 300_000;
    await receiver.send(spans(500, START_MS + 300_000, uniform));
    const tenths = [...Array.from({ length: 9 }, (_, at) => 50 * (at + 1)), 500];
    const open = buckets(await receiver.metric(name), 'feature_name="wind"');
    expect(open).toHaveLength(10);
    for (const [at, count] of open.entries()) {
      expect(Math.abs(count - (tenths[at] as number))).toBeLessThanOrEqual(3);
    }
    // Closing windows takes nothing away, and what comes later is added.
    receiver.clock.nowMs += 600_000;
    await receiver.send(spans(500, START_MS + 900_000, () => 0.999));
    const closed = buckets(await receiver.metric(name), 'feature_name="wind"');
    expect(closed.at(-1)).toBe(1000);
    expect(closed.slice(0, 9)).toEqual(open.slice(0, 9));
    const [sum] = Object.values(await receiver.metric("ml_feature_value_sum"));
    expect(sum).toBeCloseTo(500 * 0.999 + spans(500, 0, uniform).reduce(sumOfWind, 0), 1);
  });
});

function sumOfWind(sum: number, { attributes }: TestSpan): number {
  return sum + Number(attributes["ml.feature.wind"]);
}

describe("the confidence of predictions", () => {
  it("is counted by predicted class, so that the median of a class can be asked for", async () => {
    const receiver = await learned();
    const counts = await receiver.metric("ml_prediction_confidence_count");
    expect(Object.entries(counts)).toEqual([
      [expect.stringContaining('predicted_class="rain"'), 250],
      [expect.stringContaining('predicted_class="sun"'), 750],
    ]);
    const rain = buckets(await receiver.metric("ml_prediction_confidence_bucket"), "rain");
    expect(rain).toEqual([0, 0, 0, 0, 0, 250, 250, 250, 250, 250, 250, 250, 250]);
  });

  it("is paired with the class of its row, and with none where a batch has fewer", async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.shutdown());
    const batch = {
      "ml.model.name": "weather",
      "ml.stage": "inference",
      "ml.prediction.class": ["a", "b"],
      "ml.prediction.confidence": [0.2, 0.4, 0.6],
    };
    await receiver.send([{ atMs: START_MS, attributes: batch }]);
    const sums = await receiver.metric("ml_prediction_confidence_sum");
    const byClass = Object.entries(sums).map(([labels, sum]) => [
      /predicted_class="(\w*)"/.exec(labels)?.[1],
      sum,
    ]);
    expect(byClass).toEqual([
      ["a", 0.2],
      ["b", 0.4],
      ["", 0.6],
    ]);
  });
});

describe("a latency", () => {
  it("leads from its bucket to a span that took so long", async () => {
    const receiver = await learned();
    const accept = "application/openmetrics-text";
    const text = await (await fetch(`${receiver.admin}/metrics`, { headers: { accept } })).text();
    const of = (le: string) =>
      text.split("\n").find((line) => line.includes(`stage="inference",le="${le}"`)) ?? "";
    expect(of("0.005")).toMatch(/ 500 # \{trace_id="\w{32}",span_id="\w{16}"\} 0\.004 \d/);
    expect(of("0.05")).toMatch(/ 1000 # \{trace_id="\w{32}",span_id="\w{16}"\} 0\.04 \d/);
    expect(of("10")).not.toContain("#");
  });
});

describe("series beyond the bound of their metric", () => {
  it("are one that says so where they can be summed, left out elsewhere, and counted", async () => {
    const receiver = await learned();
    const samples = await receiver.metric("tidemark_receiver_series_overflow");
    expect(samples).toEqual({});
    const definition = (kind: "counter" | "gauge") => ({
      name: kind,
      prometheus: kind,
      kind,
      unit: "",
      brief: "",
    });
    const points = [1, 2, 3, 4].map((value) => ({ labels: { at: String(value) }, value }));
    const read = (family?: MetricFamily) => [...(family?.points ?? [])];
    const [counter, gauge, overflow] = limitSeries(
      [
        { definition: definition("counter"), points },
        { definition: definition("gauge"), points },
      ],
      2,
    );
    expect(read(counter)).toEqual([
      ...points.slice(0, 2),
      { labels: { otel_metric_overflow: "true" }, value: 7 },
    ]);
    expect(read(gauge)).toEqual(points.slice(0, 2));
    expect(read(overflow)).toEqual([
      { labels: { metric: "counter" }, value: 2 },
      { labels: { metric: "gauge" }, value: 2 },
    ]);
  });
});
