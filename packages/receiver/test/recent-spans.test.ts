import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  SPAN_BYTES as HASH_BYTES,
  RecentSpans,
  SPANS_AT_ONCE,
} from "../src/observe/recent-spans.ts";

const TRACE_BYTES = 16;
const SPAN_BYTES = 24;

/** Trace ids and span ids of numbers, as unlike random ids as a test's counters are. */
function idsOf(...ids: readonly number[]) {
  const view = new DataView(new ArrayBuffer(SPAN_BYTES * ids.length));
  for (const [at, id] of ids.entries()) {
    view.setUint32(SPAN_BYTES * at + 12, id);
    view.setUint32(SPAN_BYTES * at + 20, id);
  }
  const traceId = Int32Array.from(ids, (_, at) => SPAN_BYTES * at);
  return { view, traceId, spanId: traceId.map((at) => at + TRACE_BYTES) };
}

/** Which of the spans of a block are new. */
function areNew(spans: RecentSpans, ...ids: readonly number[]): boolean[] {
  const order = Int32Array.from(ids.keys());
  return [...spans.add(idsOf(...ids), order, ids.length).subarray(0, ids.length)].map(Boolean);
}

const isNew = (spans: RecentSpans, id: number) => areNew(spans, id)[0] as boolean;

/** Writes what is unsaved behind what is there, and drops what is forgotten, as a checkpoint does. */
function save(spans: RecentSpans, store: Map<number, Uint8Array<ArrayBuffer>>): void {
  const { parts, generations } = spans.unsaved();
  for (const { generation, from, bytes } of parts) {
    const before = store.get(generation)?.subarray(0, from * HASH_BYTES) ?? new Uint8Array();
    expect(before.length).toBe(from * HASH_BYTES);
    store.set(generation, Uint8Array.from([...before, ...bytes]));
  }
  const counts = new Map(generations.map(({ generation, count }) => [generation, count]));
  for (const [generation, bytes] of store) {
    if (!counts.has(generation)) store.delete(generation);
    else expect(bytes.length).toBe((counts.get(generation) as number) * HASH_BYTES);
  }
}

/** What another process finds in a store. */
function restored(
  horizon: number,
  store: ReadonlyMap<number, Uint8Array<ArrayBuffer>>,
): RecentSpans {
  const spans = new RecentSpans(horizon);
  const parts = [...store].map(([generation, bytes]) => ({ generation, from: 0, bytes }));
  spans.restore(parts.toSorted((a, b) => a.generation - b.generation));
  return spans;
}

describe("RecentSpans", () => {
  it("knows a span for as many further ones as its horizon, in blocks, through restarts", () => {
    const block = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.oneof(block, fc.constant("save"), fc.constant("restart")), { maxLength: 40 }),
        (horizon, steps) => {
          let spans = new RecentSpans(horizon);
          const store = new Map<number, Uint8Array<ArrayBuffer>>();
          const order: number[] = [];
          for (const step of steps) {
            if (typeof step === "string") save(spans, store);
            if (step === "restart") spans = restored(horizon, store);
            if (typeof step === "string") continue;
            for (const [at, added] of areNew(spans, ...step).entries()) {
              const id = step[at] as number;
              if (order.slice(-horizon).includes(id)) expect(added).toBe(false);
              if (!order.slice(-2 * horizon).includes(id)) expect(added).toBe(true);
              if (added) order.push(id);
            }
          }
        },
      ),
    );
  });

  it("knows a span again within its own block", () => {
    const spans = new RecentSpans(10);
    expect(areNew(spans, 1, 2, 1, 1, 3, 2)).toEqual([true, true, false, false, true, false]);
  });

  it("takes everything for new when it remembers nothing", () => {
    expect(areNew(new RecentSpans(0), 1, 1)).toEqual([true, true]);
  });

  it("takes no new span for a known one, however alike their ids are", () => {
    const spans = new RecentSpans(300_000);
    let dropped = 0;
    for (let from = 1; from <= 500_000; from += SPANS_AT_ONCE) {
      const ids = Array.from({ length: SPANS_AT_ONCE }, (_, at) => from + at);
      dropped += areNew(spans, ...ids).filter((added) => !added).length;
    }
    expect(dropped).toBe(0);
  });

  it("tells trace ids apart as well as span ids", () => {
    const spans = new RecentSpans(10);
    const one = idsOf(1);
    const other = idsOf(1);
    other.view.setUint32(0, 7);
    const first = Int32Array.of(0);
    const added = [one, other, one, other].map((ids) => spans.add(ids, first, 1)[0]);
    expect(added).toEqual([1, 1, 0, 0]);
  });

  it("is the same after it was stored in parts and restored", () => {
    const spans = new RecentSpans(100);
    const store = new Map<number, Uint8Array<ArrayBuffer>>();
    for (let id = 1; id <= 530; id++) {
      isNew(spans, id);
      if (id % 37 === 0 || id === 530) save(spans, store);
    }
    const again = restored(100, store);
    for (let id = 431; id <= 530; id++) expect(isNew(again, id)).toBe(false);
    expect(isNew(again, 531)).toBe(true);
  });
});
