import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const MINUTES_5 = 300_000;
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(observe = "", storage?: string, nowMs?: number): Promise<Receiver> {
  const receiver = await startReceiver(
    "processors:\n  learn: { samples: 500, span: 0s }\n  evaluate: { windows: [5m], ladder: 1, dependence: none }\n" +
      `  observe: { ${observe} }\n`,
    storage,
    nowMs,
  );
  running.push(receiver);
  return receiver;
}

/** Traffic of two regions; the mean of `wind` in one of them is given. */
function traffic(fromMs: number, euMean: number, count = 2000): TestSpan[] {
  const random = seeded(fromMs);
  return Array.from({ length: count }, (_, index) => {
    const region = index % 2 === 0 ? "eu" : "us";
    const noise = random() + random() + random() - 1.5;
    return {
      atMs: fromMs + (index / count) * (MINUTES_5 - 1000),
      attributes: {
        "ml.model.name": "weather",
        "ml.feature.wind": (region === "eu" ? euMean : 30) + noise,
        "ml.segment.region": region,
        "app.tier": index % 3 === 0 ? "gold" : "free",
      },
    };
  });
}

async function send(receiver: Receiver, fromMs: number, spans: TestSpan[]): Promise<void> {
  receiver.clock.nowMs = fromMs + MINUTES_5;
  expect((await receiver.send(spans)).status).toBe(200);
}

async function statesOf(receiver: Receiver): Promise<Record<string, unknown>> {
  await receiver.settled();
  const verdicts = await receiver.verdicts();
  return Object.fromEntries(
    verdicts.map(({ signal, segment, state }) => [`${String(signal)} ${String(segment)}`, state]),
  );
}

describe("segments", () => {
  it("have signals, references and verdicts of their own", async () => {
    const receiver = await started();
    await send(receiver, START_MS, traffic(START_MS, 10));
    await send(receiver, START_MS + MINUTES_5, traffic(START_MS + MINUTES_5, 10));
    await send(receiver, START_MS + 2 * MINUTES_5, traffic(START_MS + 2 * MINUTES_5, 12));
    await send(receiver, START_MS + 3 * MINUTES_5, traffic(START_MS + 3 * MINUTES_5, 10, 600));
    expect(await statesOf(receiver)).toMatchObject({
      "feature.wind region=eu": "drifted",
      "feature.wind region=us": "stable",
    });
    const detected = await receiver.metric("ml_drift_detected");
    const eu = Object.entries(detected).filter(([labels]) => labels.includes('"region=eu"'));
    expect(eu.map(([, value]) => value)).toEqual([1]);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    // What counts for a segment as well is one observation.
    expect(observations['{outcome="observed"}']).toBe(6600);
  });

  it("may be of any attribute, and are bounded: what finds no room is counted", async () => {
    const receiver = await started("segments: [app.tier], maxSegments: 3");
    const spans = traffic(START_MS, 10, 100).map((span, index) => ({
      ...span,
      attributes: { ...span.attributes, "ml.segment.user": `u${index}` },
    }));
    await send(receiver, START_MS, spans);
    const { signals } = (await (await fetch(`${receiver.admin}/api/v1/signals`)).json()) as {
      signals: { signal: string; segment: string }[];
    };
    const names = signals.map(({ signal, segment }) => `${signal} ${segment}`.trim());
    expect(names).toEqual([
      "feature.wind",
      "segment.region",
      "segment.app.tier",
      "segment.user",
      "feature.wind region=eu",
      "feature.wind app.tier=gold",
      "feature.wind user=u0",
    ]);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="overflow_segments"}']).toBe(99 + 50 + 66);
    expect((await receiver.metric("tidemark_receiver_signals"))[""]).toBe(7);
  });

  it("survive a restart", async () => {
    const storage = storageFolder();
    const before = await started("", storage);
    await send(before, START_MS, traffic(START_MS, 10, 600));
    await before.shutdown();
    running.length = 0;
    const after = await started("", storage, START_MS + MINUTES_5);
    const { signals } = (await (await fetch(`${after.admin}/api/v1/signals`)).json()) as {
      signals: object[];
    };
    expect(signals).toEqual([
      expect.objectContaining({ signal: "feature.wind", segment: "", state: "monitored" }),
      expect.objectContaining({ signal: "segment.region", segment: "", state: "monitored" }),
      expect.objectContaining({ segment: "region=eu", state: "learning", learned: 300 }),
      expect.objectContaining({ segment: "region=us", state: "learning", learned: 300 }),
    ]);
  });
});

describe("what strangers send", () => {
  it("stays bounded: segments, categories and names of control characters", async () => {
    const receiver = await started();
    let sent = 0;
    for (let batch = 0; batch < 20; batch++) {
      const spans = Array.from({ length: 5000 }, (): TestSpan => {
        const index = sent++;
        return {
          atMs: START_MS,
          attributes: {
            "ml.model.name": 'mo\ndel\t"x"',
            "ml.segment.s": `s${index}`,
            "ml.prediction.class": `c${index}`,
            "ml.feature.a\u0001b": index,
          },
        };
      });
      expect((await receiver.send(spans)).status).toBe(200);
    }
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="overflow_segments"}']).toBe(100_000 - 100);
    // Three signals of the model, and two of each of a hundred segments.
    expect((await receiver.metric("tidemark_receiver_signals"))[""]).toBe(203);
    await receiver.send([
      { atMs: START_MS, attributes: { "ml.model.name": "late", "ml.feature.a": 1 } },
    ]);
    const { signals } = (await (await fetch(`${receiver.admin}/api/v1/signals`)).json()) as {
      signals: { model: string; signal: string; segment: string }[];
    };
    expect(signals.some(({ model }) => model === "late")).toBe(true);
    expect(signals[0]).toMatchObject({ model: 'mo\ndel\t"x"', segment: "" });
    expect(signals.some(({ signal }) => signal === "feature.a\u0001b")).toBe(true);
  });

  it("keeps 256 of a million different texts, and counts the others as one", async () => {
    const receiver = await started("idleTimeout: 1h, allowedLateness: 0s");
    const at = (atMs: number, index: number, classes: string[]) => ({
      atMs: atMs + index,
      attributes: { "ml.model.name": "m", "ml.prediction.class": classes },
    });
    const usual = Array.from({ length: 600 }, (_, index) => (index % 3 === 0 ? "cat" : "dog"));
    await send(receiver, START_MS, [at(START_MS, 0, usual)]);
    const fromMs = START_MS + MINUTES_5;
    for (let batch = 0; batch < 50; batch++) {
      const classes = (span: number) =>
        Array.from({ length: 1000 }, (_, index) => `c${(batch * 20 + span) * 1000 + index}`);
      const spans = Array.from({ length: 20 }, (_, span) => at(fromMs, span, classes(span)));
      await send(receiver, fromMs, spans);
    }
    await send(receiver, fromMs + MINUTES_5, [at(fromMs + MINUTES_5, 0, usual)]);
    await receiver.settled();
    const [verdict] = await receiver.verdicts();
    expect(verdict).toMatchObject({ signal: "prediction.class", state: "drifted" });
    expect(verdict).toMatchObject({ liveCount: 1_000_000 });
    const query = "model=m&signal=prediction.class&hours=24";
    const answer = await fetch(`${receiver.admin}/api/v1/history?${query}`);
    const { panes } = (await answer.json()) as {
      panes: { count: number; other: number; categories: Record<string, number> }[];
    };
    const pane = panes.find(({ count }) => count === 1_000_000);
    // Beside the two that the reference knows.
    const named = Object.keys(pane?.categories ?? {}).filter((name) => /^c\d/.test(name));
    expect(named.length).toBe(256);
    expect(pane?.other).toBe(1_000_000 - 256);
    const violations = await receiver.metric("ml_quality_violations_total");
    const unknown = Object.entries(violations).find(([key]) => key.includes("new_category"));
    expect(unknown?.[1]).toBe(1_000_000);
  }, 60_000);

  it("of two types is one type and a count", async () => {
    const receiver = await started();
    const spans = [1, "one", true, 2, Number.NaN, "two"].map((value) => ({
      atMs: START_MS,
      attributes: { "ml.model.name": "m", "ml.feature.a": value },
    }));
    await receiver.send(spans);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="observed"}']).toBe(3);
    expect(observations['{outcome="invalid"}']).toBe(3);
  });

  it("may be of the year 1970 or 2100", async () => {
    const receiver = await started();
    receiver.clock.nowMs = START_MS + 10;
    const at = (atMs: number) => ({
      atMs,
      attributes: { "ml.model.name": "m", "ml.feature.a": 1 },
    });
    await receiver.send([at(START_MS), at(0), at(Date.UTC(2100, 0, 1))]);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="observed"}']).toBe(3);
    expect(observations['{outcome="span_in_future"}']).toBe(1);
    expect(await receiver.verdicts()).toEqual([]);
  });
});
