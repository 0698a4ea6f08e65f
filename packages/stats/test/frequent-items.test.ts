import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrequentItems, SummaryFormatError } from "../src/index.ts";
import { golden } from "./golden.ts";
import { seededRandom } from "./seeded-random.ts";
import {
  FREQUENT_CASES,
  type FrequentFacts,
  frequentFacts,
  frequentItem,
  frequentOf,
  sketchesOurs,
} from "./sketch-streams.ts";

const theirs = golden("frequent-items.json") as Record<string, FrequentFacts & { bytes: string }>;
const item = fc.constantFrom(...Array.from("abcdefghijklmnopqrstuvwxyzäöü"));
const stream = fc.array(item, { maxLength: 300 });

function of(items: readonly string[], mapSize = 16): FrequentItems {
  const frequent = new FrequentItems({ mapSize });
  frequent.addMany(items);
  return frequent;
}

/** The guarantee: true counts lie between the bounds, which are as near as promised. */
function expectBounds(frequent: FrequentItems, items: readonly string[]): void {
  const exact = new Map<string, number>();
  for (const name of items) exact.set(name, (exact.get(name) ?? 0) + 1);
  expect(frequent.count).toBe(items.length);
  expect(frequent.error).toBeLessThanOrEqual(frequent.errorShareMax * items.length);
  for (const [name, count] of exact) {
    expect(frequent.lowerBound(name)).toBeLessThanOrEqual(count);
    expect(frequent.upperBound(name)).toBeGreaterThanOrEqual(count);
  }
  let kept = 0;
  for (const { lowerBound } of frequent.frequentItems("possible")) kept += lowerBound;
  expect(frequent.remainder).toBe(items.length - kept);
  const threshold = Math.max(frequent.error, 5);
  const above = [...exact].filter(([, count]) => count > threshold).map(([name]) => name);
  const certain = frequent.frequentItems("certain", threshold).map((found) => found.item);
  const possible = frequent.frequentItems("possible", threshold).map((found) => found.item);
  expect(above).toEqual(expect.arrayContaining(certain));
  expect(possible).toEqual(expect.arrayContaining(above));
}

describe("FrequentItems", () => {
  it("reads every sketch that DataSketches has written and answers as it does", () => {
    for (const [name, { bytes, ...facts }] of Object.entries(theirs)) {
      const items = FrequentItems.deserialise(Buffer.from(bytes, "base64"));
      expect(frequentFacts(items), name).toEqual(facts);
    }
  });

  it("counts as DataSketches does until the first purge", () => {
    for (const [name, mapSize, n] of FREQUENT_CASES.slice(0, 3)) {
      expect(theirs[name]).toMatchObject(frequentFacts(frequentOf(mapSize, n)));
    }
  });

  it("writes what DataSketches has read and confirmed, byte for byte", async () => {
    // After a wanted change: vitest -u, then golden/write_sketches.py check.
    const text = `${JSON.stringify(sketchesOurs(), null, 1)}\n`;
    await expect(text).toMatchFileSnapshot("golden/sketches-ours.json");
  });

  it("bounds every count, over any stream and after any merge", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        expectBounds(of(a), a);
        const merged = of(a);
        merged.merge(of(b));
        expectBounds(merged, [...a, ...b]);
        const other = of(b);
        other.merge(of(a));
        expectBounds(other, [...a, ...b]);
      }),
    );
  });

  it("equals the concatenated stream while nothing is purged", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        const merged = of(a, 64);
        merged.merge(of(b, 64));
        expect(frequentFacts(merged)).toEqual(frequentFacts(of([...a, ...b], 64)));
        expect([merged.error, merged.remainder]).toEqual([0, 0]);
      }),
    );
  });

  it("keeps 768 of a million distinct items, and an error below 3.5/1024", () => {
    const items = new FrequentItems();
    const random = seededRandom(50);
    for (let i = 0; i < 200_000; i++) items.add(`item ${Math.floor(1 / random.uniform() ** 1.2)}`);
    expect(items.size).toBeLessThanOrEqual(768);
    expect(items.error / items.count).toBeLessThan(3.5 / 1024);
    expect(items.frequentItems("certain")[0]?.item).toBe("item 1");
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(stream, (names) => {
        const items = of(names);
        const back = FrequentItems.deserialise(items.serialise());
        expect(back.serialise()).toEqual(items.serialise());
        expect(frequentFacts(back)).toEqual(frequentFacts(items));
      }),
    );
  });

  it("takes bytes as the text they encode", () => {
    const items = new FrequentItems();
    items.add(new TextEncoder().encode("grün"));
    items.add("grün");
    items.add(Uint8Array.of(0xff));
    items.add("\uD800");
    expect([items.lowerBound("grün"), items.lowerBound("\uFFFD")]).toEqual([2, 2]);
  });

  it("counts what is no item apart", () => {
    const items = new FrequentItems();
    items.addMany([null, undefined, "x".repeat(1025), 3 as unknown as string, ""]);
    expect([items.count, items.missing, items.invalid]).toEqual([1, 2, 2]);
    const merged = items.clone();
    merged.merge(items);
    expect([merged.count, merged.missing, merged.invalid]).toEqual([2, 4, 4]);
  });

  it("refuses other map sizes and thresholds below its error, and names them", () => {
    expect(() => of([], 16).merge(of([], 32))).toThrow(
      "frequent items of map size 32 cannot be merged into some of 16",
    );
    expect(() => new FrequentItems({ mapSize: 12 })).toThrow("mapSize 12");
    const purged = frequentOf(32, 20_000);
    expect(() => purged.frequentItems("certain", 1)).toThrow("threshold 1 is below");
  });

  it("merges with itself", () => {
    const items = frequentOf(32, 5_000);
    items.merge(items);
    expect(items.count).toBe(10_000);
  });

  it("refuses bytes that end anywhere", () => {
    const bytes = frequentOf(16, 1_000).serialise();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => FrequentItems.deserialise(bytes.subarray(0, length))).toThrow(
        SummaryFormatError,
      );
    }
    expect(frequentItem(0)).toBe("0");
  });
});
