import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EXPONENTIAL_SCALE_MAX, ExponentialHistogram } from "../src/index.ts";
import { ByteWriter } from "../src/summaries/summary-bytes.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const value = fc.oneof(
  fc.double({ min: -1e3, max: 1e3, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1060, max: 1020 }).map((exponent) => 2 ** exponent),
  fc.constantFrom(0, -0, Number.MIN_VALUE, -Number.MAX_VALUE, NaN, Infinity, null, undefined),
);
const stream = fc.array(value, { maxLength: 60 });

function of(values: Iterable<number | null | undefined>, bucketsMax = 8): ExponentialHistogram {
  const histogram = new ExponentialHistogram({ bucketsMax });
  for (const x of values) histogram.add(x);
  return histogram;
}

/** What is exported, without the sum, which depends on the order by its rounding. */
function exported(histogram: ExponentialHistogram): unknown[] {
  const { scale, zeroCount, positive, negative, count, invalid, missing, min, max } = histogram;
  const sides = [positive, negative].map((side) => [side.offset, Array.from(side.counts())]);
  return [scale, zeroCount, ...sides, count, invalid, missing, min, max];
}

describe("ExponentialHistogram", () => {
  it("puts each value between the bounds of its bucket, those of powers of two exactly", () => {
    for (const [x, scale, index] of [
      [1, 0, -1],
      [2, 0, 0],
      [1.0001, 0, 0],
      [4, 1, 3],
      [4, 20, 2 ** 21 - 1],
      [Number.MIN_VALUE, 0, -1075],
      [2 ** -1030, 0, -1031],
      [Number.MAX_VALUE, 0, 1023],
      [Math.SQRT2 * 1.001, 1, 1],
    ] as const) {
      const histogram = of([x], 160);
      expect(histogram.scale).toBe(EXPONENTIAL_SCALE_MAX);
      const coarse = histogram.positive.offset >> (EXPONENTIAL_SCALE_MAX - scale);
      expect(coarse, `${x} at ${scale}`).toBe(index);
    }
  });

  it("merges into exactly what the concatenated stream gives, in any order", () => {
    fc.assert(
      fc.property(stream, stream, stream, (a, b, c) => {
        const whole = exported(of([...a, ...b, ...c]));
        const left = of(a);
        left.merge(of(b));
        left.merge(of(c));
        expect(exported(left)).toEqual(whole);
        const right = of(c);
        right.merge(of(a));
        right.merge(of(b));
        expect(exported(right)).toEqual(whole);
      }),
    );
  });

  it("is at the finest scale that its values allow, and bounds its buckets", () => {
    fc.assert(
      fc.property(stream, (values) => {
        const histogram = of(values);
        const { scale, positive, negative } = histogram;
        const widest = Math.max(positive.counts().length, negative.counts().length);
        expect(widest).toBeLessThanOrEqual(8);
        const finer = [positive, negative].some((side) => side.counts().length > 4);
        if (scale < EXPONENTIAL_SCALE_MAX) expect(finer).toBe(true);
      }),
    );
  });

  it("reads back what it wrote", () => {
    fc.assert(
      fc.property(stream, (values) => {
        const histogram = of(values);
        const back = ExponentialHistogram.deserialise(histogram.serialise());
        expect(exported(back)).toEqual(exported(histogram));
        expect(back.sum).toEqual(histogram.sum);
        expect(exported(histogram.clone())).toEqual(exported(histogram));
      }),
    );
  });

  it("gives quantiles within its relative error, negatives and zeros included", () => {
    const random = seededRandom(70);
    for (const law of [
      () => Math.exp(random.normal()),
      random.normal,
      () => (random.uniform() < 0.3 ? 0 : random.normal()),
    ]) {
      const values = draws(5000, law);
      const histogram = of(values, 160);
      const sorted = values.toSorted();
      expect(histogram.relativeError).toBeLessThan(0.1);
      for (const q of [0, 0.01, 0.3, 0.5, 0.9, 1]) {
        const exact = sorted[Math.max(1, Math.ceil(q * 5000)) - 1] as number;
        const off = Math.abs(histogram.quantile(q) - exact);
        expect(off).toBeLessThanOrEqual(1.0001 * histogram.relativeError * Math.abs(exact));
      }
    }
    expect(of([]).quantile(0.5)).toBeNaN();
  });

  it("refuses buckets that no number falls into at their scale, which no scale could widen", () => {
    const out = new ByteWriter();
    out.start("TMEH", 1);
    // 2 buckets a sign, scale -11, no zeros, invalid or missing; one bucket a million above 0.
    for (const x of [2, 0, 0, 0, 0]) out.integer(x);
    for (const x of [1, 1, 1]) out.double(x);
    for (const x of [1, 2 ** 31 + 1e6, 1, 0]) out.integer(x);
    expect(() => ExponentialHistogram.deserialise(out.closed())).toThrow(
      "exponential histogram: buckets 1000000 to 1000000 hold no number at scale -11",
    );
  });

  it("counts many as one by one", () => {
    const many = new ExponentialHistogram();
    many.addMany(Float64Array.of(9, 1, 2, NaN, 9), 1, 4);
    expect(exported(many)).toEqual(exported(of([1, 2, NaN], 160)));
  });

  it("refuses other numbers of buckets, naming both", () => {
    expect(() => of([], 8).merge(of([], 9))).toThrow(
      "an exponential histogram of 9 buckets cannot be merged into one of 8",
    );
    expect(() => new ExponentialHistogram({ bucketsMax: 1 })).toThrow("bucketsMax 1");
    expect(() => of([1]).quantile(2)).toThrow("quantile 2");
  });
});
