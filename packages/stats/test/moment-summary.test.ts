import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MomentSummary } from "../src/index.ts";
import { relativeError } from "./golden.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const value = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, null, undefined, 0, -0),
);
const stream = fc.array(value, { maxLength: 100 });

function of(values: Iterable<number | null | undefined>): MomentSummary {
  const moments = new MomentSummary();
  for (const x of values) moments.add(x);
  return moments;
}

function expectSame(a: MomentSummary, b: MomentSummary): void {
  const exact = (m: MomentSummary) => [m.count, m.invalid, m.missing, m.min, m.max];
  expect(exact(a)).toEqual(exact(b));
  if (a.count === 0) return;
  const size = Math.max(Math.abs(a.min), Math.abs(a.max), 1e-150);
  expect(Math.abs(a.mean - b.mean)).toBeLessThanOrEqual(1e-12 * size);
  expect(Math.abs(a.variance - b.variance)).toBeLessThanOrEqual(1e-12 * size * size);
}

describe("MomentSummary", () => {
  it("merges into what the concatenated stream gives, in any order", () => {
    fc.assert(
      fc.property(stream, stream, stream, (a, b, c) => {
        const whole = of([...a, ...b, ...c]);
        const left = of(a);
        left.merge(of(b));
        left.merge(of(c));
        expectSame(left, whole);
        const right = of(c);
        right.merge(of(a));
        right.merge(of(b));
        expectSame(right, whole);
      }),
    );
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(stream, (values) => {
        const moments = of(values);
        const back = MomentSummary.deserialise(moments.serialise());
        expect(back).toEqual(moments);
        expect([back.mean, back.variance]).toEqual([moments.mean, moments.variance]);
        expect(moments.clone()).toEqual(moments);
      }),
    );
  });

  it("does not cancel: a variance of 1 around a billion is 1", () => {
    const random = seededRandom(60);
    const values = draws(10_000, random.normal);
    const far = of(values.map((x) => x + 1e9));
    const near = of(values);
    expect(relativeError(far.variance, near.variance)).toBeLessThan(1e-6);
    const merged = of([]);
    for (let i = 0; i < 100; i++) merged.merge(of(values.map((x) => x + 1e9).subarray(0, 100)));
    const once = of(values.subarray(0, 100));
    expect(relativeError(merged.variance, once.variance)).toBeLessThan(1e-6);
  });

  it("keeps a finite mean of the largest doubles, and says Infinity for their variance", () => {
    const largest = Number.MAX_VALUE;
    const values = [largest, -largest, largest, -largest, largest / 2];
    const merged = of(values.slice(0, 1));
    merged.merge(of(values.slice(1)));
    for (const moments of [of(values), merged]) {
      expect(relativeError(moments.mean, largest / 10)).toBeLessThan(1e-12);
      expect(moments.variance).toBe(Infinity);
      expect(MomentSummary.deserialise(moments.serialise()).variance).toBe(Infinity);
    }
  });

  it("states the standard error of its mean, and NaN where nothing can be said", () => {
    const four = of([1, 2, 3, 4]);
    expect(four.sampleVariance).toBeCloseTo(5 / 3, 12);
    expect(four.meanError).toBeCloseTo(Math.sqrt(5 / 12), 12);
    expect([of([]).mean, of([]).variance, of([1]).sampleVariance]).toEqual([NaN, NaN, NaN]);
    expect([of([2]).mean, of([2]).variance]).toEqual([2, 0]);
  });

  it("adds a range of a typed array", () => {
    const moments = new MomentSummary();
    moments.addMany(Float64Array.of(9, 1, 2, 3, 9), 1, 4);
    expectSame(moments, of([1, 2, 3]));
  });
});
