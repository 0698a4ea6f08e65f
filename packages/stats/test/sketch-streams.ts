// The closed-form streams that golden/write_sketches.py feeds to DataSketches, and the sketches of
// ours that it reads.

import { FrequentItems, HllSketch } from "../src/index.ts";
import { kllOf, kllValues } from "./kll-stream.ts";

export const FREQUENT_CASES: [name: string, mapSize: number, n: number][] = [
  ["empty", 8, 0],
  ["one", 32, 1],
  ["exact", 256, 2_000],
  ["purged", 32, 20_000],
];

export const HLL_CASES: [name: string, lgK: number, n: number][] = [
  ["empty", 12, 0],
  ["list", 12, 5],
  ["set", 12, 200],
  ["set at its largest", 12, 384],
  ["registers", 12, 385],
  ["many", 12, 50_000],
  ["small", 7, 3_000],
  ["huge", 8, 1_000_000],
];

/** Skewed names, the most frequent first; two-, three- and four-byte characters among them. */
export function frequentItem(i: number): string {
  const rank = ((i * 7919) % 1009) % (1 + ((i * 31) % 97));
  const prefix = Array.from("änderung €𝄞").slice(0, rank % 12);
  return prefix.join("") + rank;
}

export function frequentOf(mapSize: number, n: number, first = 0): FrequentItems {
  const items = new FrequentItems({ mapSize });
  for (let i = first; i < first + n; i++) items.add(frequentItem(i));
  return items;
}

/** Texts, integers and doubles in turn, no two of them alike. */
export function hllRow(i: number): string | bigint | number {
  return [`row ${i}`, BigInt(i), i + 0.5][i % 3] as string | bigint | number;
}

export function hllOf(lgK: number, n: number, first = 0): HllSketch {
  const sketch = new HllSketch({ lgK });
  for (let i = first; i < first + n; i++) sketch.add(hllRow(i));
  return sketch;
}

export function hllMerged(): HllSketch {
  const merged = hllOf(12, 20_000);
  merged.merge(hllOf(12, 20_000, 10_000));
  return merged;
}

interface OursRow {
  readonly kind: "frequent" | "hll" | "kll";
  readonly bytes: string;
  /** What DataSketches must say of the bytes. */
  readonly facts: Record<string, unknown>;
}

/** As committed in golden/sketches-ours.json, which DataSketches has read. */
export function sketchesOurs(): Record<string, OursRow> {
  const rows: Record<string, OursRow> = {};
  for (const [name, mapSize, n] of FREQUENT_CASES) {
    rows[`frequent ${name}`] = frequentRow(frequentOf(mapSize, n));
  }
  const merged = frequentOf(32, 9_000);
  merged.merge(frequentOf(32, 9_000, 5));
  rows["frequent merged"] = frequentRow(merged);
  for (const [name, lgK, n] of HLL_CASES) rows[`hll ${name}`] = hllFacts(hllOf(lgK, n));
  rows["hll merged"] = {
    kind: "hll",
    bytes: base64(hllMerged().serialise()),
    facts: { ooo: true },
  };
  for (const n of [0, 1, 700, 9_000]) {
    const sketch = kllOf(200, kllValues(n));
    sketch.merge(kllOf(200, kllValues(n, 11)));
    const quantiles = n === 0 ? [] : sketch.quantiles([0.01, 0.25, 0.5, 0.9, 0.99]);
    const facts = { count: 2 * n, quantiles };
    rows[`kll ${n}`] = { kind: "kll", bytes: base64(sketch.serialise()), facts };
  }
  return rows;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** What golden/write_sketches.py writes of each of theirs. */
export interface FrequentFacts {
  count: number;
  size: number;
  bounds: [lower: number, upper: number, upperOfAbsent: number];
  possible: [item: string, lower: number, upper: number][];
  certain: string[];
}

export function frequentFacts(items: FrequentItems): FrequentFacts {
  const possible = items.frequentItems("possible");
  return {
    count: items.count,
    size: items.size,
    bounds: [items.lowerBound("0"), items.upperBound("0"), items.upperBound("?")],
    possible: possible
      .map((x): FrequentFacts["possible"][0] => [x.item, x.lowerBound, x.upperBound])
      .toSorted((a, b) => byCodePoint(a[0], b[0])),
    certain: items
      .frequentItems("certain")
      .map((x) => x.item)
      .toSorted(byCodePoint),
  };
}

/** UTF-8 keeps the order of code points, which is how Python sorts. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function frequentRow(items: FrequentItems): OursRow {
  const facts = { ...frequentFacts(items) };
  return { kind: "frequent", bytes: base64(items.serialise()), facts };
}

function hllFacts(sketch: HllSketch): OursRow {
  const exact = sketch.relativeError() > 0.001;
  const facts = exact ? { estimate: sketch.estimate(), ooo: false } : { ooo: false };
  return { kind: "hll", bytes: base64(sketch.serialise()), facts };
}
