import { describe, expect, it } from "vitest";
import { andersonDarlingUpper } from "../src/distributions/anderson-darling-law.ts";
import {
  cramerVonMisesExact,
  cramerVonMisesUpper,
} from "../src/distributions/cramer-von-mises-laws.ts";
import { mannWhitneyExact } from "../src/distributions/mann-whitney-law.ts";
import {
  jensenShannonQuantile,
  jensenShannonUpper,
  kolmogorovOneSampleUpper,
  populationStabilityQuantile,
  populationStabilityUpper,
  studentTwoSided,
} from "../src/index.ts";
import { golden, relativeError } from "./golden.ts";

interface NullLaws {
  kolmogorovOneSample: [d: number, n: number, p: number][];
  cramerVonMises: [x: number, p: number][];
  andersonDarling: [x: number, p: number][];
  student: [t: number, df: number, p: number][];
  populationStability: [p: number, cells: number, n: number, m: number, value: number][];
}

const laws = golden("null-laws.json") as NullLaws;

describe("laws under the null", () => {
  it("one sample's Kolmogorov-Smirnov law is scipy's kstwo from 1 row to 100,000", () => {
    for (const [d, n, p] of [
      ...laws.kolmogorovOneSample,
      [0.2, 50, 0.03143877776953241],
      [0.06, 500, 0.05243463489026223],
      [0.02, 5000, 0.03613941395325637],
    ] as const) {
      expect(relativeError(kolmogorovOneSampleUpper(d, n), p), `${d} of ${n}`).toBeLessThan(1e-9);
    }
    expect(kolmogorovOneSampleUpper(0, 5)).toBe(1);
    expect(kolmogorovOneSampleUpper(1, 5)).toBe(0);
    expect(kolmogorovOneSampleUpper(Number.NaN, 5)).toBeNaN();
    expect(() => kolmogorovOneSampleUpper(0.1, 0)).toThrow("positive");
  });

  it("its expansions meet the exact law where they take over", () => {
    for (const z of [1, 1.4, 1.6, 2.5, 4]) {
      const [before, after] = [100_000, 100_001].map((n) =>
        kolmogorovOneSampleUpper(z / Math.sqrt(n), n),
      ) as [number, number];
      // One row more changes the tail by z / (3 n^1.5) itself.
      expect(relativeError(after, before)).toBeLessThan(1e-6);
    }
  });

  it("Cramer-von Mises keeps its digits in the tail, where scipy's 1 - P loses them", () => {
    for (const [x, p] of laws.cramerVonMises) {
      expect(relativeError(cramerVonMisesUpper(x), p), `${x}`).toBeLessThan(1e-11);
    }
    expect(cramerVonMisesUpper(0)).toBe(1);
    expect(cramerVonMisesUpper(Number.NaN)).toBeNaN();
  });

  it("Anderson-Darling's limit law keeps its digits in the tail", () => {
    for (const [x, p] of laws.andersonDarling) {
      expect(relativeError(andersonDarlingUpper(x), p), `${x}`).toBeLessThan(1e-11);
    }
    expect(andersonDarlingUpper(0)).toBe(1);
    expect(andersonDarlingUpper(Number.NaN)).toBeNaN();
  });

  it("exact laws add up: all arrangements of three against two", () => {
    // Of 10 arrangements, the two extreme ones have the largest T and U.
    const largest = (3 * 2 * (1 + 1)) / 5 / 2;
    expect(cramerVonMisesExact(largest / 2, 3, 2)).toBeLessThanOrEqual(0.6);
    expect(cramerVonMisesExact(0, 3, 2)).toBe(1);
    expect(mannWhitneyExact(6, 3, 2)).toBeCloseTo(0.1, 15);
    expect(mannWhitneyExact(5, 3, 2)).toBeCloseTo(0.2, 15);
    expect(mannWhitneyExact(7, 3, 2)).toBe(0);
  });

  it("Student's t keeps 1e-9 from half a degree of freedom to 1e8, and into the far tail", () => {
    for (const [t, df, p] of laws.student) {
      if (p < 1e-300) expect(studentTwoSided(t, df)).toBeLessThan(1e-299);
      else expect(relativeError(studentTwoSided(t, df), p), `${t}, ${df}`).toBeLessThan(1e-9);
      expect(studentTwoSided(-t, df)).toBe(studentTwoSided(t, df));
    }
    expect(studentTwoSided(0, 3)).toBe(1);
    expect(studentTwoSided(Infinity, 3)).toBe(0);
    expect(studentTwoSided(1e200, 1)).toBeCloseTo(0, 15);
    expect(studentTwoSided(1.959963984540054, Infinity)).toBeCloseTo(0.05, 14);
    expect(studentTwoSided(1, 0)).toBeNaN();
  });

  it("PSI and Jensen-Shannon exceed their points as often as they say", () => {
    for (const [p, cells, n, m, value] of laws.populationStability) {
      expect(relativeError(populationStabilityQuantile(p, cells, n, m), value)).toBeLessThan(1e-8);
      expect(relativeError(populationStabilityUpper(value, cells, n, m), p)).toBeLessThan(1e-9);
      const js = jensenShannonQuantile(p, cells, n, m);
      expect(relativeError(jensenShannonUpper(js, cells, n, m), p)).toBeLessThan(1e-7);
      expect(relativeError(8 * Math.LN2 * js * js, value)).toBeLessThan(1e-8);
    }
  });
});
