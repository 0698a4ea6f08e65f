/** A call counts once, though the receiver ends between two reports of it. */
import { rm } from "node:fs/promises";
import { expect, it, onTestFinished } from "vitest";
import type { ObservedModel } from "../src/observe/observed-model.ts";
import type { ObserverState } from "../src/observe/observer-state.ts";
import { RecentCalls } from "../src/observe/recent-calls.ts";
import { RecentCallsCheckpoint } from "../src/observe/recent-calls-checkpoint.ts";
import type { SpanRows } from "../src/otlp/span-rows.ts";
import type { StateChanges } from "../src/state/state-store.ts";
import type { CallSpan } from "./call-spans.ts";
import { encodeCalls } from "./call-spans.ts";
import { post, startReceiver, storageFolder } from "./running-receiver.ts";

const attributes = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "gpt",
  "gen_ai.usage.input_tokens": 10,
};
/** Two reports of each call: one knows the tokens that were written, the other the cost. */
const inner = (id: number): CallSpan => ({
  id: 2 * id,
  parent: 2 * id + 1,
  trace: id,
  scope: "inner",
  attributes: { ...attributes, "gen_ai.usage.output_tokens": 5 },
});
const outer = (id: number): CallSpan => ({
  id: 2 * id + 1,
  trace: id,
  scope: "outer",
  attributes: { ...attributes, "gen_ai.usage.cost.amount": 1 },
});

it("counts a call once, whichever of its reports comes before a restart", async () => {
  const storage = storageFolder();
  onTestFinished(() => rm(storage, { recursive: true, force: true }));
  let receiver = await startReceiver("", storage);
  const send = (...spans: CallSpan[]) => post(`${receiver.otlp}/v1/traces`, encodeCalls(spans));
  await send(inner(1), outer(2), inner(3), outer(3));
  await receiver.shutdown();
  receiver = await startReceiver("", storage);
  onTestFinished(() => receiver.shutdown());
  await send(outer(1), inner(2), inner(4));
  const valuesOf = async (metric: string) => Object.values(await receiver.metric(metric));
  expect(await valuesOf("ml_prediction_requests_total")).toEqual([4, 0]);
  expect(await valuesOf("gen_ai_usage_tokens_total")).toEqual([40, 20]);
  expect(await valuesOf("gen_ai_usage_cost_total")).toEqual([3]);
});

it("stores what has changed, deletes what is forgotten, and both again when that has failed", () => {
  const recent = new RecentCalls();
  const checkpoint = new RecentCallsCheckpoint({} as ObserverState, recent);
  const model = { model: "gpt", version: "" } as ObservedModel;
  const add = (from: number, to: number) => {
    for (let trace = from; trace < to; trace++) {
      const bytes = Buffer.alloc(24);
      bytes.writeUInt32BE(trace, 0);
      bytes.writeUInt32BE(1, 16);
      const rows = { bytes, traceId: [0], spanId: [16], parentId: [-1] } as unknown as SpanRows;
      const report = { model, responseId: "", scope: "a", startMs: trace, endMs: trace + 1 };
      recent.add(rows, 0, report);
    }
  };
  const saved = () => {
    const count = { put: 0, delete: 0 };
    const put = () => count.put++;
    const gone = () => count.delete++;
    const rest = checkpoint.save({ put, delete: gone } as unknown as StateChanges);
    Array.from(rest);
    return count;
  };
  add(0, 4096);
  expect(saved()).toEqual({ put: 4096, delete: 0 });
  add(0, 10);
  expect(saved()).toEqual({ put: 10, delete: 0 });
  // The oldest of them give way.
  add(5000, 5100);
  expect(saved()).toEqual({ put: 100, delete: 100 });
  checkpoint.forgetSaved();
  expect(saved()).toEqual({ put: 4096, delete: 100 });
  expect(saved()).toEqual({ put: 0, delete: 0 });
  // What was never stored is not deleted.
  add(6000, 16_000);
  expect(saved()).toEqual({ put: 4096, delete: 4096 });
});
