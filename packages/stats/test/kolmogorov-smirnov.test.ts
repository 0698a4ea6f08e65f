import { describe, expect, it } from "vitest";
import {
  empiricalLaw,
  kolmogorovSmirnov,
  kolmogorovSmirnovExact,
  kolmogorovUpper,
  normalUpperQuantile,
} from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";

interface TwoSamples {
  name: string;
  a: number[];
  b: number[];
  ks: number;
  ksExact: number;
}

function linspace(from: number, to: number, length: number, shift = 0): number[] {
  return Array.from({ length }, (_, i) => from + ((to - from) * i) / (length - 1) + shift);
}

function repeated(...runs: [value: number, times: number][]): number[] {
  return runs.flatMap(([value, times]) => Array<number>(times).fill(value));
}

function normalGrid(length: number, shift: number): number[] {
  return Array.from({ length }, (_, i) => shift - normalUpperQuantile((i + 0.5) / length));
}

function expectTest(a: number[], b: number[], statistic: number, pValue: number): void {
  const test = kolmogorovSmirnov(a, b);
  expect(test.law).toBe("exact");
  expect(test.statistic).toBeCloseTo(statistic, 14);
  expect(relativeError(test.pValue, pValue)).toBeLessThan(1e-9);
}

const A = [38.7, 41.5, 43.8, 44.5, 45.5, 46, 47.7, 58];
const B = [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8];

describe("kolmogorovSmirnov", () => {
  it("gives scipy's exact p-values on evenly spaced samples", () => {
    const a = linspace(1, 100, 100);
    expectTest(a, linspace(1, 100, 110, 20.1), 232 / 1100, 0.015739183865607353);
    expectTest(a, linspace(1, 100, 110, 19.9), 229 / 1100, 0.017803803861026313);
    expect(kolmogorovUpper(Math.sqrt((100 * 110) / 210) * (232 / 1100))).toBeCloseTo(
      0.0189312696,
      10,
    );
  });

  it("gives scipy's exact p-values with ties", () => {
    const a = repeated([2, 3], [3, 4], [5, 5], [6, 4]);
    expectTest(
      a,
      a.map((x) => x + 1),
      5 / 16,
      0.4262934613454952,
    );
    const c = repeated([2, 3], [3, 4], [5, 10], [6, 4]);
    const d = repeated([3, 10], [4, 2], [6, 10], [7, 4]);
    expectTest(c, d, 190 / 546, 0.0919245790168125);
  });

  it("keeps tiny p-values up to 10,000 rows a side, and Q beyond", () => {
    const offset = -1 / (4 * 10_000 * 110);
    const a = linspace(1, 200, 10_000, offset);
    const b = linspace(2, 100, 110);
    const test = kolmogorovSmirnov(a, b);
    expect(test.statistic).toBeCloseTo(55275 / 110000, 14);
    expect(relativeError(test.pValue, 6.263465662e-26)).toBeLessThan(1e-9);
    const far = kolmogorovSmirnov(a, linspace(2, 200, 11_000));
    expect(far.law).toBe("limit");
    expect(far.statistic).toBeCloseTo(563 / 110000, 14);
    expect(relativeError(far.pValue, 0.9991572995)).toBeLessThan(1e-9);
    const exact = kolmogorovSmirnovExact(563 / 110000, 10_000, 11_000);
    expect(relativeError(exact, 0.9990456491488628)).toBeLessThan(1e-9);
  });

  it("agrees on normal grids and on the eight-value example", () => {
    const x = normalGrid(1000, 0);
    const near = kolmogorovSmirnov(x, normalGrid(1000, 0.1));
    expect(near.statistic).toBeCloseTo(0.04, 12);
    expect(near.pValue).toBeCloseTo(0.40063, 5);
    expect(kolmogorovUpper(Math.sqrt(500) * 0.04)).toBeCloseTo(0.4004710362, 9);
    const half = kolmogorovSmirnov(x, normalGrid(500, 0.2));
    expect(half.statistic).toBeCloseTo(0.081, 12);
    expect(half.pValue).toBeCloseTo(0.0247088, 7);
    expectTest(A, B, 0.625, 0.08702408702408702);
    expect(kolmogorovUpper(2 * 0.625)).toBeCloseTo(0.0878664139, 9);
  });

  it("agrees with scipy on seeded samples with and without ties", () => {
    for (const { a, b, ks, ksExact } of golden("two-samples.json") as TwoSamples[]) {
      expectTest(a, b, ks, ksExact);
      expectTest(b, a, ks, ksExact);
    }
  });

  it("gives Deequ's published distances", () => {
    expect(kolmogorovSmirnov([1, 2, 3, 4], [2, 3, 4, 5]).statistic).toBe(0.25);
    const a = repeated([1, 10], [2, 20], [3, 25], [4, 10], [5, 5]);
    const b = repeated([1, 11], [2, 20], [3, 25], [4, 10], [5, 10]);
    expect(kolmogorovSmirnov(a, b).statistic).toBeCloseTo(0.06015037593984962, 14);
  });

  it("is 1 for equal samples and refuses what it cannot order", () => {
    expect(kolmogorovSmirnov([1, 2], [2, 1])).toMatchObject({ statistic: 0, pValue: 1 });
    expect(kolmogorovSmirnov([1], [2])).toMatchObject({ statistic: 1, pValue: 1 });
    expect(() => kolmogorovSmirnov([], [1])).toThrow("empty");
    const half = empiricalLaw([1], [0.5]);
    expect(kolmogorovSmirnov(half, [2]).law).toBe("limit");
    expect(() => kolmogorovSmirnov(half, [2], "exact")).toThrow("not whole");
    expect(() => kolmogorovSmirnov([Number.NaN], [1])).toThrow("no finite value");
  });
});
