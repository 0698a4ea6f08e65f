import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  GridSummary,
  KllSketch,
  kolmogorovSmirnov,
  ReferenceGrid,
  SummaryFormatError,
} from "../src/index.ts";
import { golden } from "./golden.ts";
import { KLL_CASES, type KllFacts, kllFacts, kllOf, kllOurs, kllValues } from "./kll-stream.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const theirs = golden("kll.json") as Record<string, KllFacts>;

function bytesOf(facts: KllFacts): Uint8Array {
  return new Uint8Array(Buffer.from(facts.bytes, "base64"));
}

/** sup |rank - true rank| over all distinct values. */
function worstRankError(sketch: KllSketch, values: Float64Array): number {
  const sorted = values.toSorted();
  const { values: items, weights } = sketch.sortedView();
  let worst = 0;
  let [below, item] = [0, 0];
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] === sorted[i + 1]) continue;
    while (item < items.length && (items[item] as number) <= (sorted[i] as number)) {
      below += weights[item++] as number;
    }
    worst = Math.max(worst, Math.abs(below - (i + 1)) / sorted.length);
  }
  return worst;
}

describe("KllSketch", () => {
  it("writes the very bytes of DataSketches until the first compaction", () => {
    for (const [name, k, n] of KLL_CASES) {
      if (n <= k) expect(kllFacts(kllOf(k, kllValues(n))), name).toEqual(theirs[name]);
    }
  });

  it("reads every sketch that DataSketches has written and answers as it does", () => {
    for (const [name, facts] of Object.entries(theirs)) {
      const sketch = KllSketch.deserialise(bytesOf(facts));
      expect(kllFacts(sketch), name).toEqual(facts);
    }
  });

  it("writes what DataSketches has read and confirmed, byte for byte", async () => {
    // After a wanted change: vitest -u, then golden/write.py, which has DataSketches check it.
    const text = `${JSON.stringify(kllOurs(), null, 1)}\n`;
    await expect(text).toMatchFileSnapshot("golden/kll-ours.json");
  });

  it("is exact until the first compaction and then within its stated error", () => {
    const exact = kllOf(200, kllValues(200));
    expect([exact.isEstimate, exact.rankError(), exact.shareError()]).toEqual([false, 0, 0]);
    expect(worstRankError(exact, kllValues(200))).toBe(0);
    const random = seededRandom(30);
    for (const [k, epsilon] of [
      [200, 0.0133],
      [512, 0.00533],
      [1024, 0.00272],
      [2048, 0.00138],
    ] as const) {
      const values = draws(60_000, random.normal);
      const sketch = kllOf(k, values, k);
      expect(sketch.rankError()).toBeCloseTo(epsilon, 4);
      expect(worstRankError(sketch, values)).toBeLessThan(epsilon);
      expect(sketch.retained).toBeLessThan(3.2 * k + 100);
    }
  });

  it("keeps its error in 99 % of trials, sorted and adverse orders included", () => {
    const random = seededRandom(31);
    let misses = 0;
    for (let trial = 0; trial < 200; trial++) {
      const values = draws(4000, random.normal);
      const ordered = trial % 2 === 0 ? values : values.toSorted();
      const sketch = kllOf(64, ordered, trial);
      if (worstRankError(sketch, ordered) > sketch.rankError()) misses++;
    }
    // Binomial(200, .01) exceeds 8 with probability 2e-4.
    expect(misses).toBeLessThanOrEqual(8);
  });

  it("merges within the stated error, with count and extremes exact, negatives included", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 6 }),
        fc.integer(),
        (lengths, seed) => {
          const parts = lengths.map((n, i) => kllValues(n, 17 * i));
          const merged = new KllSketch({ k: 128, seed });
          for (const part of parts) merged.merge(kllOf(128, part, seed));
          const all = Float64Array.from(parts.flatMap((part) => Array.from(part)));
          expect(merged.count).toBe(all.length);
          if (all.length === 0) return;
          expect(merged.min).toBe(Math.min(...all));
          expect(merged.max).toBe(Math.max(...all));
          // 99 % bound; 1.6 times it is beyond any of these runs.
          expect(worstRankError(merged, all)).toBeLessThanOrEqual(1.6 * merged.rankError());
          const { weights } = merged.sortedView();
          expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(all.length);
          expect(kllFacts(KllSketch.deserialise(merged.serialise()))).toEqual(kllFacts(merged));
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  it("gives back a value whose rank is the one asked for, within twice the error", () => {
    const sketch = kllOf(200, draws(30_000, seededRandom(36).normal));
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (q) => {
        const rank = sketch.rank(sketch.quantile(q));
        expect(Math.abs(rank - q)).toBeLessThanOrEqual(2 * sketch.rankError());
        const x = 6 * (q - 0.5);
        const back = sketch.quantile(sketch.rank(x));
        expect(Math.abs(sketch.rank(back) - sketch.rank(x))).toBeLessThan(sketch.rankError());
      }),
    );
  });

  it("is not changed by what is merged into or cloned from it", () => {
    const values = kllValues(30_000);
    const sketch = kllOf(64, values);
    const bytes = sketch.serialise();
    const [copy, merged] = [sketch.clone(), kllOf(64, kllValues(20_000, 5))];
    merged.merge(sketch);
    // Each now halves runs that they share, and others take over the memory.
    for (const other of [copy, merged]) {
      other.merge(other);
      other.addMany(values);
      other.serialise();
    }
    kllOf(64, kllValues(20_000, 9));
    expect(sketch.serialise()).toEqual(bytes);
    expect([copy.count, merged.count]).toEqual([90_000, 130_000]);
  });

  it("counts null as missing and not as 0", () => {
    const sketch = new KllSketch();
    for (const x of [null, undefined, Number.NaN, "7" as unknown as number]) sketch.add(x);
    expect([sketch.count, sketch.missing, sketch.invalid]).toEqual([0, 2, 2]);
    const copy = sketch.clone();
    copy.merge(sketch);
    expect([copy.count, copy.missing, copy.invalid]).toEqual([0, 4, 4]);
  });

  it("does not err in one direction when many equal sketches of one seed are merged", () => {
    const random = seededRandom(32);
    const merged = new KllSketch({ k: 200 });
    const all: Float64Array[] = [];
    for (let pane = 0; pane < 200; pane++) {
      const values = draws(1000, random.normal);
      all.push(values);
      merged.merge(kllOf(200, values));
    }
    const values = Float64Array.from(all.flatMap((part) => Array.from(part)));
    expect(worstRankError(merged, values)).toBeLessThan(merged.rankError());
  });

  it("keeps the error of the smallest sketch that DataSketches has merged in", () => {
    const sketch = KllSketch.deserialise(bytesOf(theirs["merged"] as KllFacts));
    expect([sketch.k, sketch.rankError()]).toEqual([400, 2.296 / 128 ** 0.9723]);
    const merged = kllOf(400, kllValues(5000));
    merged.merge(sketch);
    expect(KllSketch.deserialise(merged.serialise()).rankError()).toBe(sketch.rankError());
  });

  it("refuses to merge another k, and names both", () => {
    expect(() => kllOf(200, kllValues(5)).merge(kllOf(128, kllValues(5)))).toThrow(
      "a KLL sketch of k 128 cannot be merged into one of k 200",
    );
  });

  it("gives the same bytes for the same seed and stream", () => {
    const values = kllValues(30_000);
    expect(kllOf(200, values, 5).serialise()).toEqual(kllOf(200, values, 5).serialise());
    expect(kllOf(200, values, 5).serialise()).not.toEqual(kllOf(200, values, 6).serialise());
    const clone = kllOf(200, values, 5).clone();
    clone.addMany(values);
    expect(clone.count).toBe(60_000);
  });

  it("refuses corrupt bytes with a clear error and without a huge allocation", () => {
    const random = seededRandom(33);
    const good = kllOf(200, kllValues(5000)).serialise();
    for (let length = 0; length < good.length; length += 7) {
      expect(() => KllSketch.deserialise(good.subarray(0, length))).toThrow(SummaryFormatError);
    }
    for (let trial = 0; trial < 3000; trial++) {
      const bytes = good.slice();
      for (let flips = 0; flips < 3; flips++) bytes[random.integer(80)] = random.integer(256);
      try {
        const sketch = KllSketch.deserialise(bytes);
        expect(sketch.retained * 8).toBeLessThan(good.length);
      } catch (error) {
        expect(error).toBeInstanceOf(SummaryFormatError);
      }
    }
    expect(() => KllSketch.deserialise(Uint8Array.of(2, 3, 15, 1, 200, 0, 8, 0))).toThrow(
      "KLL sketch: serial version 3",
    );
  });

  it("leaves out and counts what is not finite; empty has no quantile", () => {
    const sketch = new KllSketch();
    sketch.addMany(Float64Array.of(Number.NaN, Infinity));
    expect([sketch.count, sketch.invalid]).toEqual([0, 2]);
    expect(sketch.quantile(0.5)).toBeNaN();
    expect(sketch.rank(0)).toBeNaN();
    expect(() => sketch.quantile(2)).toThrow("quantile 2");
    expect(() => new KllSketch({ k: 7 })).toThrow("k 7");
  });
});

describe("ReferenceGrid.fromSketch", () => {
  it("carries the sketch's error and stays within it of the exact distance", () => {
    const random = seededRandom(34);
    const past = draws(100_000, random.normal);
    const grid = ReferenceGrid.fromSketch(kllOf(2048, past));
    expect(grid.epsilon).toBeCloseTo(0.00138, 5);
    expect(grid.count).toBe(100_000);
    const values = draws(20_000, () => random.normal() + 0.3);
    const live = new GridSummary(grid);
    live.addMany(values);
    const onGrid = kolmogorovSmirnov(grid, live);
    const exact = kolmogorovSmirnov(past, values).statistic;
    expect(Math.abs(onGrid.statistic - exact)).toBeLessThan(onGrid.errorBound);
    expect(grid.mean).toBeCloseTo(0, 1);
    expect(grid.variance).toBeCloseTo(1, 1);
  });

  it("equals the grid of the raw rows while the sketch is exact", () => {
    const values = kllValues(2000);
    const fromSketch = ReferenceGrid.fromSketch(kllOf(2048, values));
    expect(fromSketch.id).toBe(ReferenceGrid.fromSample(values).id);
  });

  it("keeps real atoms and does not invent any", () => {
    const random = seededRandom(35);
    const law = (): number => (random.uniform() < 0.3 ? 0 : random.normal());
    const grid = ReferenceGrid.fromSketch(kllOf(200, draws(200_000, law)));
    const atoms = Array.from(grid.edges).filter((_, bin) => grid.isAtom(bin));
    expect(atoms).toEqual([0]);
    expect(() => ReferenceGrid.fromSketch(new KllSketch())).toThrow("at least one");
  });
});
