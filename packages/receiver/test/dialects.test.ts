import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import {
  EXPECTED,
  expectedEmbedding,
  expectedOf,
  toldBy,
} from "../../../test/dialects/expected.ts";
import { EMBEDDER } from "../../../test/dialects/model-server.ts";
import { post, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;

const folder = new URL("../../../test/dialects/recorded/", import.meta.url);
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

/** A receiver that has got what a library sent in its conversation. */
async function afterRecording(name: string): Promise<Receiver> {
  const text = readFileSync(new URL(`${name}.json`, folder), "utf8");
  const latestNs = Math.max(
    ...[...text.matchAll(/"endTimeUnixNano": "(\d+)"/g)].map(([, ns]) => Number(ns)),
  );
  const receiver = await startReceiver("", undefined, latestNs / 1e6 + 1000);
  running.push(receiver);
  const type = { "content-type": "application/json" };
  expect((await post(`${receiver.otlp}/v1/traces`, text, type)).status).toBe(200);
  return receiver;
}

/** A metric of one model, by its label `what`. */
async function byLabel(receiver: Receiver, metric: string, model: string, what: string) {
  const points = Object.entries(await receiver.metric(metric));
  const ofModel = points.filter(([labels]) => labels.includes(`model_name="${model}"`));
  const labelOf = (labels: string) => new RegExp(`${what}="([^"]*)"`).exec(labels)?.[1] ?? "";
  return Object.fromEntries(ofModel.map(([labels, value]) => [labelOf(labels), value]));
}

describe.each(Object.entries(EXPECTED))("spans that %s has sent", (name, knowledge) => {
  it("give the same signals, tokens and costs as any other's, each call counted once", async () => {
    const receiver = await afterRecording(name);
    const told = await toldBy(receiver.admin);
    const { model } = knowledge;
    expect(told[model]).toMatchObject(expectedOf(knowledge));
    expect(told[model]?.signals).toEqual(knowledge.signals);
    expect(told[EMBEDDER]).toEqual(
      knowledge.embedding && expect.objectContaining(expectedEmbedding(knowledge)),
    );
    // Nobody has a model called like the service.
    expect(Object.keys(told).filter((one) => one !== model && one !== EMBEDDER)).toEqual([]);
    expect(await receiver.metric("gen_ai_usage_cost_unknown_total")).toEqual({});
  });

  it("give times in seconds, whatever the dialect's unit", async () => {
    const receiver = await afterRecording(name);
    const told = (await toldBy(receiver.admin))[knowledge.model];
    // Four answers of 20 ms and a stream of 70 are the least; one library waits between attempts.
    expect(told?.seconds).toBeGreaterThan(0.14);
    expect(told?.seconds).toBeLessThan(name.includes("langchain") ? 4 : 0.6);
    if (!("response.time_to_first_token" in knowledge.signals)) return;
    // The model server waits 40 ms before the first chunk of a stream.
    expect(told?.firstSeconds).toBeGreaterThan(0.04);
    expect(told?.firstSeconds).toBeLessThan(0.1);
  });
});

describe("calls of a model that no price table has", () => {
  it("are counted, by tenant and provider, and have no cost", async () => {
    const receiver = await startReceiver();
    running.push(receiver);
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    const attribute = (key: string, value: object) => ({ key, value });
    const span = (index: number, source: string) => ({
      traceId: `${index}`.padStart(32, "a"),
      spanId: `${index}`.padStart(16, "b"),
      name: "chat mystery",
      startTimeUnixNano: String(nowNs - 1_000_000n),
      endTimeUnixNano: String(nowNs),
      attributes: [
        attribute("gen_ai.operation.name", { stringValue: "chat" }),
        attribute("gen_ai.provider.name", { stringValue: "acme" }),
        attribute("gen_ai.request.model", { stringValue: "mystery" }),
        attribute("gen_ai.usage.input_tokens", { intValue: 5 }),
        attribute("gen_ai.usage.cost.source", { stringValue: source }),
        attribute("ml.tenant", { stringValue: "globex" }),
      ],
    });
    const spans = [span(1, "unknown"), span(2, "unknown"), span(3, "tidemark 2026-11-21")];
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
    await post(`${receiver.otlp}/v1/traces`, body, { "content-type": "application/json" });
    const unknown = "gen_ai_usage_cost_unknown_total";
    expect(await byLabel(receiver, unknown, "mystery", "provider")).toEqual({ acme: 3 });
    expect(await byLabel(receiver, unknown, "mystery", "tenant")).toEqual({ globex: 3 });
    expect(await byLabel(receiver, "gen_ai_usage_cost_total", "mystery", "tenant")).toEqual({});
  });
});
