// Figures that scipy, Deequ or a paper has published for inputs that fit on a line. Those of
// single tests stand with these tests; here are the ones that several tests share.

import { describe, expect, it } from "vitest";
import {
  andersonDarling,
  chebyshev,
  cramerVonMises,
  deequDistance,
  empiricalLaw,
  energyDistance,
  goodnessOfFit,
  kolmogorovSmirnov,
  MomentSummary,
  mannWhitney,
  normalUpperQuantile,
  pooledT,
  populationStabilityIndex,
  populationStabilityQuantile,
  wassersteinDistance,
  welchT,
} from "../src/index.ts";
import { relativeError } from "./golden.ts";

const A = [38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58];
const B = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];
const R = [16, 18, 16, 14, 12, 12];
const C = [16, 16, 16, 16, 16, 8];

function linspace(from: number, to: number, length: number, shift = 0): number[] {
  return Array.from({ length }, (_, i) => from + ((to - from) * i) / (length - 1) + shift);
}

function normalGrid(length: number, shift: number): number[] {
  return Array.from({ length }, (_, i) => shift - normalUpperQuantile((i + 0.5) / length));
}

/** To half a unit of the last digit that was published. */
function expectPublished(actual: number, published: string): void {
  const [mantissa = "", exponent = "0"] = published.split("e");
  const decimals = mantissa.split(".")[1]?.length ?? 0;
  const allowed = Math.max(0.5001 * 10 ** (Number(exponent) - decimals), 1e-9 * Math.abs(actual));
  expect(Math.abs(actual - Number(published)), `${actual} is not ${published}`).toBeLessThan(
    allowed,
  );
}

describe("published values", () => {
  it("what scipy calls the asymptotic Kolmogorov-Smirnov p-value", () => {
    const p = (a: number[], b: number[]) => kolmogorovSmirnov(a, b, "one-sample").pValue;
    const even = linspace(1, 100, 100);
    expect(relativeError(p(even, linspace(1, 100, 110, 20.1)), 0.016541419540219482)).toBeLessThan(
      1e-9,
    );
    const many = linspace(1, 200, 10_000, -1 / (4 * 10_000 * 11_000));
    expect(relativeError(p(many, linspace(2, 200, 11_000)), 0.9990660108966576)).toBeLessThan(1e-9);
    expectPublished(p(normalGrid(1000, 0), normalGrid(1000, 0.1)), "0.39025");
    expectPublished(p(normalGrid(1000, 0), normalGrid(500, 0.2)), "0.0238962");
    expectPublished(p(A, B), "0.0493164");
  });

  it("eight against eight, in every test", () => {
    expectPublished(kolmogorovSmirnov(A, B).pValue, "0.08702408702");
    expectPublished(cramerVonMises(A, B).statistic, "0.4375");
    expectPublished(cramerVonMises(A, B).pValue, "0.0643356643");
    expect(mannWhitney(A, B).statistic).toBe(49);
    expectPublished(mannWhitney(A, B).pValue, "0.0829836830");
    expectPublished(andersonDarling(A, B).statistic, "1.71831");
    expectPublished(andersonDarling(A, B).pValue, "0.0635147");
    expectPublished(welchT(A, B).statistic, "1.8594523");
    expectPublished(welchT(A, B).pValue, "0.0951206");
    expectPublished(pooledT(A, B).pValue, "0.0841057");
    expectPublished(energyDistance(A, B).statistic, "1.5702309");
    expectPublished(wassersteinDistance(A, B).statistic, "4.1625");
    expectPublished(wassersteinDistance(A, B).normalised, "0.7812361058");
  });

  it("scipy's examples of the energy distance", () => {
    const first = energyDistance(empiricalLaw([0, 1], [3, 1]), [0]);
    expect(first.statistic).toBeCloseTo(Math.SQRT2 / 4, 14);
    expect(energyDistance([0, 1, 2], [1, 2, 3]).statistic).toBeCloseTo(Math.sqrt(2 / 3), 14);
    expectPublished(
      energyDistance(normalGrid(1000, 0), normalGrid(1000, 0.1)).statistic,
      "0.0751133",
    );
  });

  it("a t-test from counts, means and variances alone is that of the rows", () => {
    const moments = (rows: number[]) => {
      const mean = rows.reduce((sum, x) => sum + x, 0) / rows.length;
      const variance = rows.reduce((sum, x) => sum + (x - mean) ** 2, 0) / rows.length;
      return { count: rows.length, mean, variance };
    };
    for (const test of [welchT, pooledT]) {
      const [fromRows, fromMoments] = [test(A, B), test(moments(A), moments(B))];
      expect(relativeError(fromMoments.statistic, fromRows.statistic)).toBeLessThan(1e-12);
      expect(relativeError(fromMoments.pValue, fromRows.pValue)).toBeLessThan(1e-12);
      const summary = new MomentSummary();
      for (const x of [...A, Number.NaN]) summary.add(x);
      const fromSummary = test(summary, B);
      expect(relativeError(fromSummary.pValue, fromRows.pValue)).toBeLessThan(1e-12);
      expect(fromSummary.invalid).toEqual({ reference: 1, live: 0 });
    }
  });

  it("a t-test without variance, or with too much of it, is NaN, and two constants differ", () => {
    for (const test of [welchT, pooledT]) {
      expect(test([1, 1], [1, 1])).toMatchObject({ statistic: Number.NaN, pValue: Number.NaN });
      expect(test([2, 2], [1, 1])).toMatchObject({ statistic: Infinity, pValue: 0 });
      const boundless = { count: 3, mean: 1e200, variance: Infinity };
      expect(test(boundless, [1, 2])).toMatchObject({ statistic: Number.NaN, pValue: Number.NaN });
      expect(() => test({ count: 0, mean: 0, variance: 0 }, [1])).toThrow(RangeError);
    }
    expect(welchT([1], [1, 2]).pValue).toBeNaN();
    expect(pooledT([1], [1, 2]).degreesOfFreedom).toBe(1);
  });

  it("six cells: goodness of fit takes the reference for exact, which homogeneity does not", () => {
    expectPublished(goodnessOfFit(R, C).pValue, "0.6730876007");
    // The formula is without smoothing; what is displayed adds 1/2 to each count.
    expectPublished(populationStabilityIndex(R, C, 0), "0.0372183816");
    expectPublished(populationStabilityIndex(R, C), "0.0345");
    expectPublished(chebyshev(R, C), "0.0454545455");
  });

  it("PSI's 95 % point says what .1 is worth at each number of rows", () => {
    expectPublished(populationStabilityQuantile(0.05, 10, 1000, 1000), "0.033837955");
    expectPublished(populationStabilityQuantile(0.05, 10, 100_000, 10_000), "0.0018610875");
    expectPublished(populationStabilityQuantile(0.05, 10, 1000, 200), "0.1015138656");
    expectPublished(populationStabilityQuantile(0.05, 20, 1000, 1000), "0.0602870544");
  });

  it("Deequ's distances, as they are and less what sampling explains", () => {
    expect(deequDistance([1, 2, 3, 4], [2, 3, 4, 5], 0)).toBe(0.25);
    expect(deequDistance([1, 2, 3, 4], [2, 3, 4, 5])).toBe(0);
    const values = [1, 2, 3, 4, 5];
    const a = empiricalLaw(values, [10, 20, 25, 10, 5]);
    const b = empiricalLaw(values, [11, 20, 25, 10, 10]);
    expect(relativeError(deequDistance(a, b, 0), 0.06015037593984962)).toBeLessThan(1e-9);
    const far = deequDistance(linspace(0, 1, 100), linspace(1, 2, 100));
    expect(far).toBeCloseTo(0.99 - 1.8 * Math.sqrt(0.02), 12);
  });
});
