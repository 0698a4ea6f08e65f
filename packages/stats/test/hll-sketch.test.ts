import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HllSketch, SummaryFormatError } from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";
import { base64, HLL_CASES, hllMerged, hllOf, hllRow } from "./sketch-streams.ts";

interface HllFacts {
  compact: string;
  updatable?: string;
  estimate: number;
  lower: number;
  upper: number;
}

const theirs = golden("hll.json") as Record<string, HllFacts>;
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const range = fc.tuple(fc.nat(3000), fc.nat(1500));

describe("HllSketch", () => {
  it("hashes and estimates texts, integers and doubles as DataSketches does", () => {
    for (const [name, lgK, n] of HLL_CASES) {
      const { estimate, compact } = theirs[`${name}, 8 bits`] as HllFacts;
      const ours = hllOf(lgK, n);
      expect(relativeError(ours.estimate(), estimate), name).toBeLessThan(1e-11);
      // Where theirs write coupons in the order of a table, ours are in the order of arrival.
      const ordered = name.startsWith("set") || name === "registers" || name === "many";
      if (!ordered) expect(base64(ours.serialise()), name).toBe(compact);
    }
  });

  it("reads all that DataSketches writes: lists, sets, 4, 6 and 8 bits, compact or not", () => {
    for (const [name, { compact, updatable, estimate }] of Object.entries(theirs)) {
      for (const text of [compact, updatable ?? compact]) {
        const sketch = HllSketch.deserialise(bytesOf(text));
        // After a merge, theirs estimate with tables; both are within 1.6 % of the truth.
        const close = name.startsWith("merged") ? 0.005 : 1e-11;
        expect(relativeError(sketch.estimate(), estimate), name).toBeLessThan(close);
        expect(HllSketch.deserialise(sketch.serialise()).serialise()).toEqual(sketch.serialise());
      }
    }
    for (const [name, lgK, n] of HLL_CASES) {
      const [four, six, eight] = [4, 6, 8].map((bits) => {
        const { compact } = theirs[`${name}, ${bits} bits`] as HllFacts;
        return HllSketch.deserialise(bytesOf(compact)).serialise();
      });
      expect([four, six], `${name} ${lgK} ${n}`).toEqual([eight, eight]);
    }
  });

  it("bounds the count about as DataSketches does", () => {
    for (const [name, { compact, lower, upper }] of Object.entries(theirs)) {
      const sketch = HllSketch.deserialise(bytesOf(compact));
      const small = name.startsWith("small") || name.startsWith("huge");
      expect(relativeError(sketch.lowerBound(), lower), name).toBeLessThan(small ? 0.05 : 0.005);
      expect(relativeError(sketch.upperBound(), upper), name).toBeLessThan(small ? 0.05 : 0.005);
    }
  });

  it("is within its standard error about two times in three, and within two nearly always", () => {
    for (const parts of [1, 2]) {
      let [near, far] = [0, 0];
      for (let trial = 0; trial < 200; trial++) {
        const first = trial * 100_000;
        const sketch = hllOf(10, 6_000, first);
        if (parts === 2) sketch.merge(hllOf(10, 6_000, first + 3_000));
        const error = Math.abs(sketch.estimate() / (parts === 1 ? 6_000 : 9_000) - 1);
        if (error <= sketch.relativeError()) near++;
        if (error > 2 * sketch.relativeError()) far++;
      }
      // Binomial(200, .683) is below 110, and binomial(200, .046) above 22, once in 10,000.
      expect(near).toBeGreaterThan(110);
      expect(far).toBeLessThan(22);
    }
  });

  it("merges into what the concatenated stream gives: the same registers, in any order", () => {
    fc.assert(
      fc.property(range, range, ([a, n], [b, m]) => {
        const merged = hllOf(8, n, a);
        merged.merge(hllOf(8, m, b));
        const reversed = hllOf(8, m, b);
        reversed.merge(hllOf(8, n, a));
        const whole = hllOf(8, n, a);
        for (let i = b; i < b + m; i++) whole.add(hllRow(i));
        // Merged into registers without a history, only the registers show.
        const registersOf = (sketch: HllSketch) => {
          const base = hllOf(8, 50, 90_000);
          base.merge(base);
          base.merge(sketch);
          return base.serialise();
        };
        expect(registersOf(merged)).toEqual(registersOf(whole));
        expect(registersOf(reversed)).toEqual(registersOf(whole));
      }),
      { numRuns: 60 },
    );
  });

  it("keeps the history when one side still has coupons", () => {
    const merged = hllOf(12, 20_000);
    merged.merge(hllOf(12, 100, 50_000));
    const other = hllOf(12, 100, 50_000);
    other.merge(hllOf(12, 20_000));
    for (const sketch of [merged, other]) {
      expect(sketch.relativeError()).toBeCloseTo(0.8326 / 64, 4);
      expect(relativeError(sketch.estimate(), 20_100)).toBeLessThan(0.03);
    }
    expect(hllMerged().relativeError()).toBeCloseTo(1.039 / 64, 4);
  });

  it("takes bytes as the text they encode, long ones too", () => {
    const long = "long ".repeat(300);
    const texts = new HllSketch();
    const bytes = new HllSketch();
    for (const text of ["a", "grün", long]) {
      texts.add(text);
      bytes.add(new TextEncoder().encode(text));
    }
    expect(bytes.serialise()).toEqual(texts.serialise());
    expect(texts.estimate()).toBeCloseTo(3, 6);
  });

  it("counts what cannot be hashed apart, and one zero", () => {
    const sketch = new HllSketch();
    sketch.addMany(Float64Array.of(0, -0, Number.NaN, Infinity));
    sketch.add(null);
    sketch.add("");
    sketch.add(2n ** 64n);
    expect([sketch.estimate(), sketch.invalid, sketch.missing]).toEqual([1, 3, 2]);
    const copy = sketch.clone();
    copy.merge(sketch);
    expect([copy.estimate(), copy.invalid, copy.missing]).toEqual([1, 6, 4]);
  });

  it("refuses another lgK, and bytes that end anywhere", () => {
    expect(() => hllOf(10, 1).merge(hllOf(12, 1))).toThrow(
      "an HLL of lgK 12 cannot be merged into one of lgK 10",
    );
    expect(() => new HllSketch({ lgK: 3 })).toThrow("lgK 3");
    for (const [name, { compact, updatable }] of Object.entries(theirs)) {
      // Updatable registers may end in empty slots, of which some may be missing.
      const coupons = /^(list|set)/.test(name);
      for (const text of [compact, coupons && updatable ? updatable : compact]) {
        const bytes = bytesOf(text);
        for (let length = 0; length < bytes.length; length += 1 + (bytes.length >> 6)) {
          expect(() => HllSketch.deserialise(bytes.subarray(0, length)), name).toThrow(
            SummaryFormatError,
          );
        }
      }
    }
  });
});
