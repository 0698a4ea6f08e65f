import { expect, test } from "vitest";
import { RandomFeatures } from "../../dist/llm/random-features.js";

const FEATURES = 4096;

/** Unit vectors in three dimensions, an angle apart. */
const at = (angle: number) => [Math.cos(angle), Math.sin(angle), 0];

test.each([0, 0.3, 1, 2, 3])(
  "products of features approximate the Gaussian kernel, %s radians apart",
  (angle) => {
    const features = new RandomFeatures(FEATURES, 7);
    const a = features.of(at(0)) as number[];
    const b = features.of(at(angle)) as number[];
    const product = a.reduce((sum, value, i) => sum + value * (b[i] as number), 0) / FEATURES;
    const square = (1 - Math.cos(angle)) ** 2 + Math.sin(angle) ** 2;
    // The standard error of the mean is at most 1/sqrt(k) times 1.5; four of them.
    expect(Math.abs(product - Math.exp(-square / 2))).toBeLessThan(6 / Math.sqrt(FEATURES));
  },
);

test("they are the same in every process, whatever the vector's length is scaled to", () => {
  const [one, other] = [new RandomFeatures(4, 1), new RandomFeatures(4, 1)];
  expect(one.of([1, 2, 3])).toEqual(other.of([1, 2, 3]));
  const scaled = one.of(new Float32Array([2, 4, 6])) as number[];
  for (const [i, value] of (other.of([1, 2, 3]) as number[]).entries()) {
    expect(scaled[i]).toBeCloseTo(value, 12);
  }
  expect(new RandomFeatures(4, 2).of([1, 2, 3])).not.toEqual(one.of([1, 2, 3]));
});

test("a vector without a direction has none", () => {
  const features = new RandomFeatures(4, 1);
  expect(features.of([0, 0])).toBeUndefined();
  expect(features.of([Number.NaN])).toBeUndefined();
});
