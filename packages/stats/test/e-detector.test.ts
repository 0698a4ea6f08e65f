import { describe, expect, it } from "vitest";
import { EDetector } from "../src/index.ts";
import { seededRandom } from "./seeded-random.ts";

const ENDLESS = 1e300;

/** Mean values to an alarm over `runs` runs. */
function meanRunLength(make: () => EDetector, law: () => number, runs: number): number {
  let rows = 0;
  const detector = make();
  for (let run = 0; run < runs; run++) {
    do rows++;
    while (!detector.add(law()));
  }
  return rows / runs;
}

describe("EDetector", () => {
  it("has evidence of mean exactly t after t coin tosses, summed over all sequences", () => {
    const tosses = 10;
    for (const p of [0.2, 0.5]) {
      let mean = 0;
      for (let path = 0; path < 2 ** tosses; path++) {
        const detector = EDetector.bounded({
          runLength: ENDLESS,
          low: 0,
          high: 1,
          meanLow: p,
          meanHigh: p,
        });
        let chance = 1;
        for (let t = 0; t < tosses; t++) {
          const toss = (path >> t) & 1;
          chance *= toss ? p : 1 - p;
          detector.add(toss);
        }
        mean += chance * detector.evidence;
      }
      expect(mean).toBeCloseTo(tosses, 9);
    }
  });

  it("has less for every mean inside its range", () => {
    const detector = (): EDetector =>
      EDetector.bounded({ runLength: ENDLESS, low: 0, high: 1, meanLow: 0.3, meanHigh: 0.5 });
    for (const p of [0.3, 0.4, 0.5]) {
      let mean = 0;
      for (let path = 0; path < 2 ** 8; path++) {
        const one = detector();
        let chance = 1;
        for (let t = 0; t < 8; t++) {
          const toss = (path >> t) & 1;
          chance *= toss ? p : 1 - p;
          one.add(toss);
        }
        mean += chance * one.evidence;
      }
      expect(mean).toBeLessThanOrEqual(8 + 1e-9);
    }
  });

  it("keeps its run length for laws that it was not told, and for laws that react to the past", () => {
    const random = seededRandom(110);
    const bounded = (): EDetector =>
      EDetector.bounded({ runLength: 200, low: 0, high: 1, meanLow: 0.5, meanHigh: 0.5 });
    expect(meanRunLength(bounded, random.uniform, 200)).toBeGreaterThan(200);
    expect(meanRunLength(bounded, () => random.integer(2), 200)).toBeGreaterThan(200);
    let last = 0.5;
    const reacting = (): number => {
      // Mean 1/2 whatever has been, but wild after a high value and calm after a low one.
      const reach = last > 0.5 ? 0.5 : 0.05;
      return (last = 0.5 + (random.uniform() < 0.5 ? reach : -reach));
    };
    expect(meanRunLength(bounded, reacting, 200)).toBeGreaterThan(200);
    const gaussian = (): EDetector =>
      EDetector.subGaussian({ runLength: 200, sigma: 2, meanLow: 7, meanHigh: 7 });
    expect(meanRunLength(gaussian, () => 7 + 2 * random.normal(), 200)).toBeGreaterThan(200);
  });

  it("sees changes of either sign within a small part of its run length", () => {
    const random = seededRandom(120);
    for (const shift of [-1, -0.5, 0.5, 1]) {
      const make = (): EDetector =>
        EDetector.subGaussian({ runLength: 1e5, sigma: 1, meanLow: 0, meanHigh: 0 });
      const delay = meanRunLength(make, () => random.normal() + shift, 40);
      // ln(1e5) / (shift^2 / 2) values carry that much evidence; the bets cost less than as much.
      expect(delay).toBeLessThan((2 * 2 * Math.log(1e5)) / shift ** 2);
    }
    const make = (): EDetector =>
      EDetector.bounded({ runLength: 1e5, low: 0, high: 1, meanLow: 0.02, meanHigh: 0.03 });
    const failing = (): number => (random.uniform() < 0.2 ? 1 : 0);
    expect(meanRunLength(make, failing, 40)).toBeLessThan(100);
  });

  it("starts anew after an alarm", () => {
    const detector = EDetector.bounded({
      runLength: 50,
      low: 0,
      high: 1,
      meanLow: 0.5,
      meanHigh: 0.5,
    });
    let rows = 0;
    do rows++;
    while (!detector.add(1));
    expect(detector.rows).toBe(rows);
    expect(detector.evidence).toBeGreaterThanOrEqual(50);
    detector.add(0.5);
    expect([detector.rows, detector.evidence]).toEqual([1, 1]);
  });

  it("refuses what it can promise nothing for", () => {
    const range = { runLength: 100, meanLow: 0.5, meanHigh: 0.5 };
    expect(() => EDetector.bounded({ ...range, low: 0.5, high: 1 })).toThrow("not inside 0.5, 1");
    expect(() => EDetector.bounded({ ...range, runLength: 1, low: 0, high: 1 })).toThrow(
      "runLength 1",
    );
    expect(() => EDetector.subGaussian({ ...range, sigma: 0 })).toThrow("sigma 0");
    expect(() => EDetector.subGaussian({ ...range, meanLow: 1, sigma: 1 })).toThrow("meanLow 1");
    const detector = EDetector.bounded({ ...range, low: 0, high: 1 });
    expect(() => detector.add(1.5)).toThrow("value 1.5 is not within [0, 1]");
  });
});
