import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CategoryCounts, SummaryFormatError } from "../src/index.ts";

const name = fc.oneof(
  fc.constantFrom("a", "b", "", "__proto__", "constructor", "\uFEFFbom", "\uD800"),
  fc.string({ unit: "grapheme", maxLength: 5 }),
);
const stream = fc.array(name, { maxLength: 60 });

function countsOf(names: readonly string[], capacity = 512): CategoryCounts {
  const counts = new CategoryCounts({ capacity });
  for (const each of names) counts.add(each);
  return counts;
}

describe("CategoryCounts", () => {
  it("counts null as missing and not as a name", () => {
    const counts = new CategoryCounts();
    counts.add(null);
    counts.add(undefined, 2);
    counts.add("null");
    expect([counts.count, counts.missing, counts.get("null")]).toEqual([1, 3, 1]);
  });

  it("merges into what the concatenated stream gives, in any order, while names fit", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        const whole = countsOf([...a, ...b]);
        const left = countsOf(a);
        left.merge(countsOf(b));
        const right = countsOf(b);
        right.merge(countsOf(a));
        expect(left.serialise()).toEqual(whole.serialise());
        expect(right.serialise()).toEqual(whole.serialise());
        expect(whole.count).toBe(a.length + b.length);
      }),
    );
  });

  it("keeps the total exact and reserved names by name when the rest overflows", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        const counts = new CategoryCounts({ capacity: 2, reserved: ["a", "b"] });
        for (const each of a) counts.add(each);
        const more = new CategoryCounts({ capacity: 2, reserved: ["a", "b"] });
        for (const each of b) more.add(each);
        counts.merge(more);
        const all = [...a, ...b];
        expect(counts.count).toBe(all.length);
        expect(counts.get("a")).toBe(all.filter((each) => each === "a").length);
        expect(counts.size).toBeLessThanOrEqual(4);
        let named = counts.other;
        for (const [, count] of counts.entries()) named += count;
        expect(named).toBe(counts.count);
      }),
    );
  });

  it("reads back what it wrote, reserved names included", () => {
    fc.assert(
      fc.property(stream, fc.nat(), fc.nat({ max: 5 }), (names, missing, capacity) => {
        const counts = new CategoryCounts({ capacity, reserved: ["a", "never seen"] });
        for (const each of names) counts.add(each);
        counts.addMissing(missing);
        const back = CategoryCounts.deserialise(counts.serialise());
        expect(back.serialise()).toEqual(counts.serialise());
        expect([back.count, back.other, back.missing]).toEqual([
          counts.count,
          counts.other,
          missing,
        ]);
        for (const each of names) {
          back.add(each);
          counts.add(each);
        }
        back.add("never seen");
        counts.add("never seen");
        expect(back.serialise()).toEqual(counts.serialise());
        expect(counts.clone().serialise()).toEqual(counts.serialise());
      }),
    );
  });

  it("rejects every corrupted byte with a clear error", () => {
    const bytes = countsOf(["red", "green", "red"]).serialise();
    for (let i = 0; i < bytes.length; i++) {
      const corrupt = bytes.slice();
      corrupt.set([(bytes.at(i) ?? 0) ^ 0x22], i);
      expect(() => CategoryCounts.deserialise(corrupt)).toThrow(SummaryFormatError);
      expect(() => CategoryCounts.deserialise(bytes.subarray(0, i))).toThrow(SummaryFormatError);
    }
  });

  it("pools names that are too long and is empty again after reset", () => {
    const counts = countsOf(["x".repeat(257), "ok"]);
    expect([counts.other, counts.size, counts.count]).toEqual([1, 1, 2]);
    counts.reset();
    expect(counts.serialise()).toEqual(countsOf([]).serialise());
    expect(() => new CategoryCounts({ capacity: 5000 })).toThrow("capacity 5000 exceeds 4096");
    expect(() => new CategoryCounts({ capacity: -1 })).toThrow("capacity -1");
  });
});
