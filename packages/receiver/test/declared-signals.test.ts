import { afterEach, describe, expect, it } from "vitest";
import { TraceRequest } from "../src/otlp/schema.ts";
import type { TestSpan } from "./running-receiver.ts";
import { post, requestOf, START_MS, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(declared: string, learn = "learn: { samples: 100, span: 0s }") {
  const receiver = await startReceiver(
    `processors:\n  ${learn}\n  evaluate: { windows: [5m], ladder: 1, dependence: none }\n  signals:\n${declared}\n`,
  );
  running.push(receiver);
  receiver.clock.nowMs = START_MS + 300_000;
  return receiver;
}

interface SignalJson {
  readonly model: string;
  readonly signal: string;
  readonly learned: number;
}

async function signalsOf(receiver: Receiver): Promise<string[]> {
  const answer = await fetch(`${receiver.admin}/api/v1/signals`);
  const json = (await answer.json()) as { signals: SignalJson[] };
  return json.signals.map(({ model, signal, learned }) => `${model} ${signal} ${learned}`);
}

const spanWith = (attributes: TestSpan["attributes"], more: Partial<TestSpan> = {}): TestSpan => ({
  atMs: START_MS,
  attributes,
  ...more,
});

describe("a signal that the configuration declares", () => {
  it("may be numbers, categories, rates or the length of texts", async () => {
    const receiver = await started(`
    - { attribute: app.items, as: numeric }
    - { attribute: app.items, as: category, name: app.items.exactly }
    - { attribute: app.plan, as: category }
    - { attribute: app.cached, as: rate }
    - { attribute: http.response.status_code, as: rate, equals: [500, 503], name: overloaded }
    - { attribute: app.answer, as: text-length }
    - { span: duration }
    - { span: status, name: failed }`);
    const attributes = {
      "ml.model.name": "shop",
      "app.items": [3, 4],
      "app.plan": "gold",
      "app.cached": true,
      "http.response.status_code": 503,
      "app.answer": "grüß dich",
    };
    await receiver.send([spanWith(attributes)]);
    expect(await signalsOf(receiver)).toEqual([
      "shop app.items 2",
      "shop app.items.exactly 2",
      "shop app.plan 1",
      "shop app.cached 1",
      "shop overloaded 1",
      "shop app.answer 1",
      "shop span.duration 1",
      "shop failed 1",
    ]);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="observed"}']).toBe(10);
  });

  it("is not needed for predictions that a model has refused to make: they are a rate", async () => {
    const receiver = await started("    []");
    const rejected = (value: boolean) =>
      spanWith({ "ml.model.name": "shop", "ml.prediction.rejected": value });
    await receiver.send([rejected(true), rejected(false)]);
    expect(await signalsOf(receiver)).toEqual(["shop prediction.rejected 2"]);
  });

  it("counts values of another type as invalid", async () => {
    const receiver = await started(`
    - { attribute: app.items, as: numeric }
    - { attribute: app.cached, as: rate }
    - { attribute: app.answer, as: text-length }`);
    const attributes = { "app.items": "three", "app.cached": "yes", "app.answer": 7 };
    await receiver.send([spanWith({ "ml.model.name": "shop", ...attributes })]);
    expect(await signalsOf(receiver)).toEqual([]);
    const observations = await receiver.metric("tidemark_receiver_observations_total");
    expect(observations['{outcome="invalid"}']).toBe(3);
  });

  it("belongs to the model that it names, which spans without a model then have", async () => {
    const receiver = await started(`
    - { attribute: app.items, as: numeric, model: shop }
    - { span: status, model: shop }`);
    await receiver.send([
      spanWith({ "app.items": 3 }),
      spanWith({ "app.items": 4, "ml.model.name": "other" }),
      spanWith({ "app.items": 5, "ml.model.name": "shop" }, { error: true }),
      spanWith({ "app.unrelated": 6 }),
    ]);
    expect(await signalsOf(receiver)).toEqual(["shop app.items 2", "shop span.status 2"]);
  });

  it("is read from the resource and the scope as well, where the span does not say it", async () => {
    const receiver = await started(`
    - { attribute: app.pool, as: numeric }
    - { attribute: app.library, as: category }`);
    const spans = [{ "ml.model.name": "shop" }, { "ml.model.name": "shop", "app.pool": 2 }];
    const [sent] = requestOf(spans.map((attributes) => spanWith(attributes))).resourceSpans;
    const resource = { attributes: [{ key: "app.pool", value: { intValue: 8 } }] };
    const scope = {
      name: "lib",
      attributes: [{ key: "app.library", value: { stringValue: "x" } }],
    };
    const scopeSpans = (sent?.scopeSpans ?? []).map((each) => ({ ...each, scope }));
    const body = { resourceSpans: [{ resource, scopeSpans }] };
    await post(`${receiver.otlp}/v1/traces`, TraceRequest.encode(body).finish());
    expect(await signalsOf(receiver)).toEqual(["shop app.library 2", "shop app.pool 2"]);
  });

  it("says itself what an attribute of the convention is", async () => {
    const receiver = await started("    - { attribute: ml.feature.zip, as: category }");
    await receiver.send([spanWith({ "ml.model.name": "shop", "ml.feature.zip": 8001 })]);
    expect(await signalsOf(receiver)).toEqual(["shop ml.feature.zip 1"]);
  });

  it("that is a rate drifts as a rate: from 1 to 6 % is below the floor of numbers, and seen", async () => {
    const receiver = await started("    - { span: status }", "learn: { samples: 5000, span: 0s }");
    const traffic = (fromMs: number, every: number) =>
      Array.from({ length: 5000 }, (_, index) =>
        spanWith(
          { "ml.model.name": "shop", "ml.stage": "inference" },
          { atMs: fromMs + index * 50, error: index % every === 0 },
        ),
      );
    const send = async (fromMs: number, every: number) => {
      receiver.clock.nowMs = fromMs + 300_000;
      expect((await receiver.send(traffic(fromMs, every))).status).toBe(200);
    };
    await send(START_MS, 100);
    await send(START_MS + 300_000, 90);
    await send(START_MS + 600_000, 16);
    await send(START_MS + 900_000, 100);
    await receiver.settled();
    const states = receiver.log.filter((line) => line.includes("span.status"));
    expect(states.join("")).toMatch(/state=stable[\s\S]*state=drifted/);
    const [verdict] = await receiver.verdicts();
    expect(verdict).toMatchObject({ signal: "span.status", model: "shop" });
  });
});
