import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FeatureMap, FeatureMean } from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const map = new FeatureMap({ dimension: 3, bandwidth: 2, features: 64, seed: 5 });
type Row = number[] | null | undefined;
const component = fc.double({ min: -10, max: 10, noNaN: true });
const embedding = fc.oneof(
  { weight: 9, arbitrary: fc.array(component, { minLength: 3, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<Row[]>(null, undefined, [1, 2], [1, NaN, 3]) },
);
const stream = fc.array(embedding, { maxLength: 20 });

function of(rows: readonly Row[], features = map): FeatureMean {
  const mean = new FeatureMean(features);
  for (const row of rows) mean.add(row);
  return mean;
}

function kernel(a: Float64Array, b: Float64Array, bandwidth: number): number {
  const squared = a.reduce((sum, x, i) => sum + (x - (b[i] as number)) ** 2, 0);
  return Math.exp(-squared / (2 * bandwidth * bandwidth));
}

/** The unbiased MMD^2 by all pairs of rows. */
function exactDiscrepancy(a: Float64Array[], b: Float64Array[], bandwidth: number): number {
  const within = (rows: Float64Array[]) => {
    let sum = 0;
    for (const [i, x] of rows.entries()) {
      for (const [j, y] of rows.entries()) if (i !== j) sum += kernel(x, y, bandwidth);
    }
    return sum / (rows.length * (rows.length - 1));
  };
  let cross = 0;
  for (const x of a) for (const y of b) cross += kernel(x, y, bandwidth);
  return within(a) + within(b) - (2 * cross) / (a.length * b.length);
}

describe("FeatureMean", () => {
  it("estimates the discrepancy of the kernel within its stated error in 99 % of draws", () => {
    const random = seededRandom(80);
    const rows = (shift: number) =>
      Array.from({ length: 40 }, () => draws(3, () => random.normal() + shift));
    let misses = 0;
    for (let seed = 0; seed < 200; seed++) {
      const features = new FeatureMap({ dimension: 3, bandwidth: 2, features: 128, seed });
      const [a, b] = [rows(0), rows(0.7 * (seed % 3))];
      const [left, right] = [new FeatureMean(features), new FeatureMean(features)];
      for (const row of a) left.add(row);
      for (const row of b) right.add(row);
      const { squared, featureError, distance } = left.discrepancy(right);
      expect(distance).toBe(Math.sqrt(Math.max(0, squared)));
      if (Math.abs(squared - exactDiscrepancy(a, b, 2)) > featureError) misses++;
    }
    // Binomial(200, .01) exceeds 8 with probability 2e-4.
    expect(misses).toBeLessThanOrEqual(8);
  });

  it("is unbiased: 0 on average when both laws are the same, and far from it when not", () => {
    const random = seededRandom(81);
    const wide = new FeatureMap({ dimension: 8, bandwidth: 4, seed: 1 });
    const sample = (shift: number, n: number) => {
      const mean = new FeatureMean(wide);
      mean.addMany(draws(8 * n, () => random.normal() + shift));
      return mean;
    };
    const nulls = draws(400, () => sample(0, 20).discrepancy(sample(0, 20)).squared);
    const average = nulls.reduce((sum, x) => sum + x, 0) / 400;
    const spread = Math.sqrt(nulls.reduce((sum, x) => sum + x * x, 0) / 400 / 400);
    expect(Math.abs(average)).toBeLessThan(4 * spread);
    expect(sample(1, 200).discrepancy(sample(0, 200)).squared).toBeGreaterThan(0.1);
  });

  it("merges into what the concatenated stream gives, up to the rounding of sums", () => {
    fc.assert(
      fc.property(stream, stream, (a, b) => {
        const whole = of([...a, ...b]);
        for (const [first, second] of [
          [a, b],
          [b, a],
        ] as const) {
          const merged = of(first);
          merged.merge(of(second));
          const facts = (m: FeatureMean) => [m.count, m.invalid, m.missing];
          expect(facts(merged)).toEqual(facts(whole));
          if (whole.count === 0) continue;
          const expected = whole.mean();
          for (const [i, x] of merged.mean().entries())
            expect(x).toBeCloseTo(expected[i] ?? NaN, 12);
        }
        expect(FeatureMean.deserialise(map, whole.serialise()).serialise()).toEqual(
          whole.serialise(),
        );
      }),
    );
  });

  it("draws the same features from the same seed, and others from another", () => {
    const options = { dimension: 3, bandwidth: 2, features: 64 };
    const again = new FeatureMap({ ...options, seed: 5 });
    expect(of([[1, 2, 3]], again).mean()).toEqual(of([[1, 2, 3]]).mean());
    for (const seed of [6, 5 + 2 ** 32, -5]) {
      const other = new FeatureMap({ ...options, seed });
      expect(of([[1, 2, 3]], other).mean()).not.toEqual(of([[1, 2, 3]]).mean());
    }
  });

  it("refuses another seed, dimension or number of features, naming both", () => {
    const other = of([], new FeatureMap({ dimension: 3, bandwidth: 2, features: 64, seed: 6 }));
    expect(() => of([]).merge(other)).toThrow(
      "a feature mean of dimension 3, bandwidth 2, 64 features, seed 6 cannot be merged into one " +
        "of dimension 3, bandwidth 2, 64 features, seed 5",
    );
    expect(() => of([]).discrepancy(other)).toThrow("cannot be compared with one of");
    expect(() => FeatureMean.deserialise(map, other.serialise())).toThrow("seed 6, not of");
    expect(() => of([]).discrepancy(of([]))).toThrow("each side needs two");
    expect(() => new FeatureMap({ dimension: 0, bandwidth: 1 })).toThrow("dimension 0");
    expect(() => new FeatureMap({ dimension: 2, bandwidth: 0 })).toThrow("bandwidth 0");
    expect(() => new FeatureMap({ dimension: 2, bandwidth: 1, features: 3 })).toThrow("3 is odd");
    expect(() => new FeatureMap({ dimension: 2, bandwidth: 1, seed: 0.5 })).toThrow("seed 0.5");
  });
});
