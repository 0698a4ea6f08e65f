/** Trials of feedback are of all calls of their minutes or of none, whatever ends in between. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Evaluations } from "../src/observe/evaluations.ts";
import { EvaluationsCheckpoint } from "../src/observe/evaluations-checkpoint.ts";
import { FeedbackRates } from "../src/observe/feedback-rates.ts";
import { FeedbackRatesCheckpoint } from "../src/observe/feedback-rates-checkpoint.ts";
import type { ObservedModel } from "../src/observe/observed-model.ts";
import type { ObserverState } from "../src/observe/observer-state.ts";
import { StateStore } from "../src/state/state-store.ts";
import { storageFolder } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
const WITHIN = 10;
const FROM = 100_000;
const model = { model: "gpt", version: "" } as ObservedModel;
const group = { model, segments: [], promptVersion: "" };

/** One minute of an app: calls, how much late each is, and when it gets its feedback if it does. */
interface Minute {
  readonly calls: readonly { readonly late: number; readonly after: number | undefined }[];
  /** The receiver starts again at its end, and then remembers so many calls. */
  readonly restart: number | undefined;
}

const minutes = fc.array(
  fc.record<Minute>({
    calls: fc.array(
      fc.record({ late: fc.nat(3), after: fc.option(fc.nat(6), { nil: undefined }) }),
      { maxLength: 12 },
    ),
    restart: fc.oneof(
      { weight: 30, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom(20, 60, 500) },
    ),
  }),
  { minLength: 50, maxLength: 70 },
);

/** A receiver's part that counts feedback, on a real store. */
function started(store: StateStore, calls: number, watermark: { state: { valueMs: number } }) {
  const state = { watermark, modelNamed: () => model } as unknown as ObserverState;
  const rates = new FeedbackRates(WITHIN * MINUTE_MS);
  const evaluations = new Evaluations(calls, MINUTE_MS, (judgement, of, call) => {
    if (call) rates.addFeedback(of, judgement, call, judgement.timeMs);
  });
  const parts = [
    new EvaluationsCheckpoint(state, evaluations),
    new FeedbackRatesCheckpoint(state, rates),
  ];
  return {
    rates,
    evaluations,
    save: () =>
      store.transaction((changes) => {
        for (const part of parts) part.save(changes);
        return [];
      }),
    restore: async () => {
      for (const part of parts) await part.restore(store);
    },
  };
}

/** @returns what was told of each minute, and what there was */
async function trialsOf(store: StateStore, app: readonly Minute[]) {
  const watermark = { state: { valueMs: Number.NEGATIVE_INFINITY } };
  let counter = started(store, 20, watermark);
  const truth = new Map<number, { happened: number; not: number }>();
  const due = new Map<number, (readonly [minute: number, key: string])[]>();
  const told: [minute: number, trials: object][] = [];
  let id = 0;
  for (const [at, { calls, restart }] of app.entries()) {
    const now = FROM + at;
    for (const { late, after } of calls) {
      const [minute, key] = [now - late, `call-${++id}`];
      const call = counter.evaluations.addCall([key], group, minute);
      if (call) counter.rates.addCall(group, call);
      const all = truth.get(minute) ?? { happened: 0, not: 0 };
      truth.set(minute, { ...all, not: all.not + 1 });
      if (after !== undefined) {
        due.set(now + after, [...(due.get(now + after) ?? []), [minute, key]]);
      }
    }
    for (const [minute, key] of due.get(now) ?? []) {
      const said = { name: "copied", score: 1, label: undefined, ids: new Uint8Array(24) };
      const judgement = { ...said, timeMs: now * MINUTE_MS, refs: [key], lastRef: "", own: group };
      counter.evaluations.add(judgement, judgement.timeMs);
      const { happened, not } = truth.get(minute) as { happened: number; not: number };
      truth.set(minute, { happened: happened + 1, not: not - 1 });
    }
    const untilMs = (now - 3) * MINUTE_MS;
    watermark.state.valueMs = untilMs;
    const { forgottenMinute } = counter.evaluations.calls;
    counter.rates.end(untilMs, forgottenMinute, ({ happened, not, timeMs }) =>
      told.push([timeMs / MINUTE_MS - WITHIN - 1, { happened, not }]),
    );
    if (restart === undefined) continue;
    await counter.save();
    counter = started(store, restart, watermark);
    await counter.restore();
  }
  return { told, truth };
}

it("tells of all calls of a minute or of none, however often the receiver starts again", async () => {
  let trials = 0;
  await fc.assert(
    fc.asyncProperty(minutes, async (app) => {
      const folder = storageFolder();
      const store = new StateStore(join(folder, "state.sqlite"));
      await store.start();
      try {
        const { told, truth } = await trialsOf(store, app);
        trials += told.length;
        for (const [minute, found] of told) expect(found).toEqual(truth.get(minute));
      } finally {
        await store.shutdown();
        await rm(folder, { recursive: true });
      }
    }),
    { numRuns: 60, endOnFailure: true },
  );
  expect(trials).toBeGreaterThan(100);
}, 60_000);
