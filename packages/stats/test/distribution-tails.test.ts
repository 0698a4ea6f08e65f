import { describe, expect, it } from "vitest";
import {
  chiSquareUpper,
  kolmogorovUpper,
  noncentralChiSquareUpper,
  noncentralChiSquareUpperQuantile,
  normalUpper,
  normalUpperQuantile,
} from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";

interface Tails {
  chiSquareUpper: [x: number, df: number, p: number][];
  noncentralUpper: [x: number, df: number, noncentrality: number, p: number][];
  normalUpper: [z: number, p: number][];
  kolmogorovUpper: [z: number, p: number][];
}

const tails = golden("tails.json") as Tails;

describe("distribution tails", () => {
  it("chi-square keeps 1e-10 relative accuracy down to 1e-100, also where @stdlib fails", () => {
    for (const [x, df, p] of tails.chiSquareUpper) {
      expect(relativeError(chiSquareUpper(x, df), p), `${x} on ${df}`).toBeLessThan(1e-10);
    }
    for (const [df, critical] of [
      [5, [11.0704977, 15.0862725, 20.5150057]],
      [9, [16.9189776, 21.6659943, 27.8771649]],
      [19, [30.1435272, 36.1908691, 43.820196]],
    ] as const) {
      const levels = critical.map((x) => chiSquareUpper(x, df));
      for (const [i, level] of [0.05, 0.01, 0.001].entries())
        expect(levels[i]).toBeCloseTo(level, 8);
    }
  });

  it("noncentral chi-square keeps 1e-9 relative accuracy down to 1e-80", () => {
    for (const [x, df, lambda, p] of tails.noncentralUpper) {
      const actual = noncentralChiSquareUpper(x, df, lambda);
      expect(relativeError(actual, p), `${x} on ${df}, ${lambda}`).toBeLessThan(1e-9);
    }
  });

  it("noncentral chi-square has defined ends", () => {
    expect(noncentralChiSquareUpper(0, 3, 5)).toBe(1);
    expect(noncentralChiSquareUpper(1e9, 3, 5)).toBe(0);
    expect(noncentralChiSquareUpper(1, 3, 1e9)).toBe(1);
    expect(noncentralChiSquareUpper(2, 3, 0)).toBe(chiSquareUpper(2, 3));
    expect(noncentralChiSquareUpper(2, 3, 1e-300)).toBeCloseTo(chiSquareUpper(2, 3), 14);
    expect(noncentralChiSquareUpper(2, 0, 1)).toBeNaN();
  });

  it("the noncentral quantile inverts the tail", () => {
    for (const p of [0.5, 0.05, 1e-3, 3.2e-8, 1e-12]) {
      for (const df of [1, 4, 9, 200]) {
        for (const lambda of [0, 0.1, 18, 625, 20_000]) {
          const x = noncentralChiSquareUpperQuantile(p, df, lambda);
          expect(relativeError(noncentralChiSquareUpper(x, df, lambda), p)).toBeLessThan(1e-6);
        }
      }
    }
  });

  it("normal and Kolmogorov tails agree with their tables", () => {
    for (const [z, p] of tails.normalUpper) {
      expect(relativeError(normalUpper(z), p)).toBeLessThan(1e-11);
      if (z >= 0 && z < 9) expect(normalUpperQuantile(p)).toBeCloseTo(z, 9);
    }
    for (const [z, p] of [
      ...tails.kolmogorovUpper,
      [0.5, 0.9639452436648751],
      [1, 0.26999967167735456],
      [1.3580986393225505, 0.05],
      [1.6276236115189504, 0.01],
      [2, 0.00067092525577969],
    ] as const) {
      expect(relativeError(kolmogorovUpper(z), p)).toBeLessThan(1e-9);
    }
  });
});
