import { describe, expect, it } from "vitest";
import { adjustedEValues, adjustedPValues, eValueOfPValue } from "../src/index.ts";
import { seededRandom } from "./seeded-random.ts";

function expectClose(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 7);
}

describe("adjustedPValues", () => {
  it("gives the published Benjamini-Hochberg values", () => {
    expectClose(
      adjustedPValues([
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262,
        0.5719, 0.6528, 0.759, 1,
      ]),
      [
        0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486,
        0.58118182, 0.714875, 0.75323077, 0.81321429, 1,
      ],
    );
    expectClose(
      adjustedPValues([0.005, 0.009, 0.019, 0.022, 0.051, 0.101, 0.361, 0.387]),
      [0.036, 0.036, 0.044, 0.044, 0.0816, 0.1346667, 0.387, 0.387],
    );
  });

  it("keeps the order given, is dearer for any dependence, and refuses what is no p-value", () => {
    expectClose(adjustedPValues([0.04, 0.01]), [0.04, 0.02]);
    expectClose(adjustedPValues([0.04, 0.01], "any"), [0.06, 0.03]);
    expect(adjustedPValues([])).toEqual([]);
    expect(() => adjustedPValues([2])).toThrow("p-value 2");
  });

  it("rejects with e-values exactly those of e-BH's definition", () => {
    const random = seededRandom(90);
    for (let trial = 0; trial < 200; trial++) {
      const n = 1 + random.integer(12);
      const eValues = Array.from({ length: n }, () => 200 * random.uniform() ** 4);
      const adjusted = adjustedEValues(eValues);
      const q = 0.05 + 0.3 * random.uniform();
      const descending = eValues.toSorted((a, b) => b - a);
      let k = 0;
      for (let i = 1; i <= n; i++) if ((descending[i - 1] ?? 0) >= n / (q * i)) k = i;
      const rejected = eValues.filter((_, i) => (adjusted[i] ?? 1) <= q);
      expect(rejected.toSorted((a, b) => b - a)).toEqual(descending.slice(0, k));
    }
    expect(adjustedEValues([Infinity, 0])).toEqual([0, 1]);
    expect(() => adjustedEValues([-1])).toThrow("e-value -1");
  });

  it("turns p-values into e-values of mean 1", () => {
    for (const kappa of [0.3, 0.5, 0.9]) {
      // The integral over p, by the midpoint rule in p^kappa, in which it is constant.
      const cells = 1000;
      let mean = 0;
      for (let i = 0; i < cells; i++) {
        const [from, to] = [(i / cells) ** (1 / kappa), ((i + 1) / cells) ** (1 / kappa)];
        mean += eValueOfPValue(((i + 0.5) / cells) ** (1 / kappa), kappa) * (to - from);
      }
      expect(mean).toBeCloseTo(1, 2);
    }
    expect(eValueOfPValue(0.0001)).toBeCloseTo(50, 10);
    expect(() => eValueOfPValue(2)).toThrow("p-value 2");
    expect(() => eValueOfPValue(0.5, 1)).toThrow("kappa 1");
  });
});
