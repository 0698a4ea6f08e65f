// The closed-form stream that golden/write.py feeds to DataSketches, and what is asked of sketches.

import { KllSketch } from "../src/summaries/kll-sketch.ts";

/** Full period of 10,007, both signs, ties beyond it. */
export function kllValues(n: number, offset = 0): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (((i * 7919 + offset) % 10007) - 5000) / 8);
}

export interface KllFacts {
  bytes: string;
  k: number;
  n: number;
  retained: number;
  isEstimate: boolean;
  points: number[];
  ranks: number[];
  shares: number[];
  quantiles: number[];
}

export const KLL_CASES: [name: string, k: number, n: number][] = [
  ["empty", 200, 0],
  ["one", 200, 1],
  ["three", 200, 3],
  ["exactly k", 200, 200],
  ["k and one", 200, 201],
  ["many", 200, 50_000],
  ["small k", 8, 3_000],
  ["baseline", 2048, 50_000],
];

export function kllOf(k: number, values: Float64Array, seed = 0): KllSketch {
  const sketch = new KllSketch({ k, seed });
  sketch.addMany(values);
  return sketch;
}

export function kllMerged(): KllSketch {
  const merged = new KllSketch({ k: 400 });
  merged.merge(kllOf(400, kllValues(9_000)));
  merged.merge(kllOf(400, kllValues(9_000, 11)));
  return merged;
}

export function kllFacts(sketch: KllSketch): KllFacts {
  const points = [-600, -100.5, 0, 0.125, 333];
  const shares = [0.01, 0.25, 0.5, 0.9, 0.99];
  const empty = sketch.count === 0;
  return {
    bytes: Buffer.from(sketch.serialise()).toString("base64"),
    k: sketch.k,
    n: sketch.count,
    retained: sketch.retained,
    isEstimate: sketch.isEstimate,
    points,
    ranks: empty ? [] : points.map((x) => sketch.rank(x)),
    shares,
    quantiles: empty ? [] : sketch.quantiles(shares),
  };
}

/** All cases as they are committed in golden/kll-ours.json, which DataSketches has read. */
export function kllOurs(): Record<string, KllFacts> {
  const rows: Record<string, KllFacts> = {};
  for (const [name, k, n] of KLL_CASES) rows[name] = kllFacts(kllOf(k, kllValues(n)));
  rows["merged"] = kllFacts(kllMerged());
  return rows;
}
