import { describe, expect, it } from "vitest";
import { rateFloorPValue } from "../src/index.ts";
import { likelihoodCritical, likelihoodTail } from "../src/verdict/rate-floor.ts";

/** P(Binomial(n, p) = k). */
function chance(n: number, p: number, k: number): number {
  let log = n * Math.log1p(-p);
  for (let i = 1; i <= k; i++) log += Math.log(((n - i + 1) / i) * (p / (1 - p)));
  return Math.exp(log);
}

/** The exact probability that the test rejects at `alpha`. */
function level(n: number, p: number, m: number, q: number, floor: number, alpha: number): number {
  let sum = 0;
  for (let x = 0; x <= n; x++) {
    for (let y = 0; y <= m; y++) {
      if (rateFloorPValue(x, n, y, m, floor) <= alpha) sum += chance(n, p, x) * chance(m, q, y);
    }
  }
  return sum;
}

const moved = (p: number, h: number): number => Math.sin(Math.asin(Math.sqrt(p)) + h / 2) ** 2;

describe("the exact test of two rates with a floor", () => {
  it("keeps its level exactly, summed over all outcomes, on the boundary of the floor", () => {
    for (const [p, floor] of [
      [0.001, 0.1],
      [0.01, 0.1],
      [0.02, 0.3],
      [0.3, 0.1],
      [0.05, 0],
    ] as const) {
      for (const alpha of [0.05, 1e-3, 1e-6]) {
        const q = moved(p, floor);
        expect(level(80, p, 30, q, floor, alpha)).toBeLessThanOrEqual(alpha);
        expect(level(30, q, 80, p, floor, alpha)).toBeLessThanOrEqual(alpha);
      }
    }
  });

  it("has the power to see a burst", () => {
    expect(level(80, 0.01, 30, 0.5, 0.1, 1e-3)).toBeGreaterThan(0.9);
  });

  it("is 1 within the floor, falls with the distance, and is symmetric", () => {
    expect(rateFloorPValue(5, 100, 6, 100, 0.1)).toBe(1);
    let before = 1;
    for (let y = 10; y <= 100; y += 10) {
      const p = rateFloorPValue(5, 100, y, 100, 0.1);
      expect(p).toBeLessThanOrEqual(before);
      expect(rateFloorPValue(y, 100, 5, 100, 0.1)).toBeCloseTo(p, 12);
      expect(rateFloorPValue(95, 100, 100 - y, 100, 0.1) / p).toBeCloseTo(1, 6);
      before = p;
    }
    expect(before).toBeGreaterThan(0);
  });

  it("inverts its tail", () => {
    for (const alpha of [0.05, 1e-3, 1e-8, 1e-15]) {
      expect(likelihoodTail(likelihoodCritical(alpha)) / alpha).toBeCloseTo(1, 9);
    }
  });
});
