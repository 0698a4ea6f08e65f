/** What a store says of a signal whose reference is another one now: nothing about the one before. */
import { GridSummary, ReferenceGrid } from "@tidemark/stats";
import { expect, it } from "vitest";
import type { ClosedWindow } from "../src/closed-window.ts";
import { Evaluator } from "../src/evaluate/evaluator.ts";
import { Logger } from "../src/logger.ts";
import type { StateChanges, StoredState } from "../src/state/state-store.ts";
import { windowLengths } from "../src/window-lengths.ts";

const WINDOW_MS = 300_000;
const LENGTHS = windowLengths([WINDOW_MS, 3 * WINDOW_MS], 1);
const signal = { model: "m", version: "", name: "feature.x", segment: "" };
const values = Float64Array.from({ length: 1000 }, (_, row) => row / 1000);
const before = ReferenceGrid.fromSample(values);
const after = ReferenceGrid.fromSample(values.map((x) => x + 5));

/** A store in memory; its parts are those of the real one. */
function newDisk() {
  const kept = new Map<string, Map<string, Uint8Array | string>>();
  const of = (kind: string) => {
    const items = kept.get(kind) ?? new Map<string, Uint8Array | string>();
    kept.set(kind, items);
    return items;
  };
  const changes: StateChanges = {
    put: (kind, key, body) => {
      of(kind).set(key, typeof body === "string" ? body : body.slice());
    },
    delete: (kind, key) => void of(kind).delete(key),
    deleteBefore: () => {},
    write: () => {},
    remove: () => {},
  };
  const stored: StoredState = {
    items: async (kind) => Array.from(of(kind), ([key, body]) => ({ key, body })),
    itemsOf: async () => [],
    read: async () => new Uint8Array(0),
  };
  return { changes, stored };
}

function newEvaluator() {
  const promises = { shift: 0.25, falseAlarmsPerFeatureYear: 0.01, falseWarningsPerFeatureYear: 1 };
  const logger = new Logger("error", true, () => {});
  const rest = { lengths: LENGTHS, dependence: "none" as const, history: 10 };
  return new Evaluator({ ...promises, ...rest }, logger);
}

function closed(grid: ReferenceGrid, window: number, end: number, shift: number): ClosedWindow {
  const summary = new GridSummary(grid);
  if (Number.isFinite(shift)) summary.addMany(values.map((x) => x + shift));
  const endMs = Date.UTC(2026, 0, 5) + end * WINDOW_MS;
  const startMs = endMs - (LENGTHS[window]?.ms ?? 0);
  const reference = { name: "r", provisional: false, missing: 0, kind: "numeric" as const, grid };
  return { signal, reference, window, startMs, endMs, summary, exemplars: () => [] };
}

function save(evaluator: Evaluator, changes: StateChanges): void {
  for (const rest of evaluator.save(changes)) for (const _ of rest);
}

it("forgets an alarm, and the evidence of every length, with the reference that they are about", async () => {
  const { changes, stored } = newDisk();
  const evaluator = newEvaluator();
  for (const end of [3, 6]) {
    for (const window of [0, 1]) evaluator.consume(closed(before, window, end, 5));
  }
  save(evaluator, changes);
  const alarmed = newEvaluator();
  await alarmed.restore(stored);
  expect(alarmed.verdicts().map(({ drift }) => drift.alarm)).toEqual(["drifted", "drifted"]);

  // Nothing comes in the first window of the new reference, and then what it expects.
  evaluator.consume(closed(after, 0, 7, Number.NaN));
  save(evaluator, changes);
  const silent = newEvaluator();
  await silent.restore(stored);
  expect(silent.verdicts()).toEqual([]);

  evaluator.consume(closed(after, 0, 8, 5));
  save(evaluator, changes);
  const again = newEvaluator();
  await again.restore(stored);
  const told = again.verdicts().map(({ window, drift }) => [window, drift.status, drift.alarm]);
  expect(told).toEqual([["5m", "stable", "none"]]);
});
