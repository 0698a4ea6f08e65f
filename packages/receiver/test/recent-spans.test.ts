import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecentSpans } from "../src/observe/recent-spans.ts";

const TRACE_BYTES = 16;
const SPAN_AT = TRACE_BYTES;

/** Trace id and span id of a number, as unlike random ids as a test's counters are. */
function idsOf(id: number): DataView {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(12, id);
  view.setUint32(20, id);
  return view;
}

const isNew = (spans: RecentSpans, id: number) => spans.add(idsOf(id), 0, SPAN_AT);

describe("RecentSpans", () => {
  it("knows a span for at least as many further ones as its horizon", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 300 }),
        (horizon, ids) => {
          const spans = new RecentSpans(horizon);
          const order: number[] = [];
          for (const id of ids) {
            const known = order.slice(-horizon).includes(id);
            const added = isNew(spans, id);
            if (known) expect(added).toBe(false);
            if (!order.slice(-2 * horizon).includes(id)) expect(added).toBe(true);
            if (added) order.push(id);
          }
        },
      ),
    );
  });

  it("takes no new span for a known one, however alike their ids are", () => {
    const spans = new RecentSpans(300_000);
    let dropped = 0;
    for (let id = 1; id <= 500_000; id++) if (!isNew(spans, id)) dropped++;
    expect(dropped).toBe(0);
  });

  it("tells trace ids apart as well as span ids", () => {
    const spans = new RecentSpans(10);
    const one = idsOf(1);
    const other = idsOf(1);
    other.setUint32(0, 7);
    expect([spans.add(one, 0, SPAN_AT), spans.add(other, 0, SPAN_AT)]).toEqual([true, true]);
    expect([spans.add(one, 0, SPAN_AT), spans.add(other, 0, SPAN_AT)]).toEqual([false, false]);
  });

  it("is the same after it was stored in parts and restored", () => {
    const spans = new RecentSpans(100);
    const stored = new Map<string, { generation: number; from: number; bytes: Uint8Array }>();
    for (let id = 1; id <= 530; id++) {
      isNew(spans, id);
      if (id % 37 !== 0 && id !== 530) continue;
      const { parts, oldest } = spans.unsaved();
      for (const part of parts) {
        const key = [part.generation, part.from].map((n) => String(n).padStart(5)).join();
        stored.set(key, part);
      }
      for (const [key, { generation }] of stored) if (generation < oldest) stored.delete(key);
    }
    const restored = new RecentSpans(100);
    const keys = [...stored.keys()].toSorted();
    restored.restore(keys.map((key) => stored.get(key) as never));
    for (let id = 431; id <= 530; id++) expect(isNew(restored, id)).toBe(false);
    expect(isNew(restored, 531)).toBe(true);
  });
});
