// A quick, seeded look at what the verdict promises: false alarms at F = G and on the boundary of
// the floor stay within alpha and its 99.9 % binomial band. The full calibration is a benchmark.

import { describe, expect, it } from "vitest";
import {
  cellTest,
  driftPolicy,
  effectiveSize,
  evaluateNumeric,
  GridSummary,
  normalUpperQuantile,
  ReferenceGrid,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const TRIALS = 1500;
const ROWS = 1000;
const LIVE_ROWS = 300;
const ALPHA = 0.01;
const BAND = ALPHA + 3.1 * Math.sqrt((ALPHA * (1 - ALPHA)) / TRIALS);

const random = seededRandom(60);
const options = { evaluationMinutes: 60, windowLengths: 1 };
const falseAlarmsPerFeatureYear = (ALPHA * 525_960) / options.evaluationMinutes;
const floored = driftPolicy({ ...options, falseAlarmsPerFeatureYear });
const point = driftPolicy({ ...options, falseAlarmsPerFeatureYear, shift: 0 });
const delta0 = floored.floors.kolmogorovSmirnov;

/** Share of windows that reject, KS and PSI, each with a fresh reference. */
function rejections(reference: () => number, live: () => number, policy: typeof floored) {
  let [ks, psi] = [0, 0];
  for (let trial = 0; trial < TRIALS; trial++) {
    const grid = ReferenceGrid.fromSample(draws(ROWS, reference));
    const window = new GridSummary(grid);
    window.addMany(draws(LIVE_ROWS, live));
    const verdict = evaluateNumeric({ reference: grid, live: window, policy });
    if (verdict.pValue <= ALPHA) ks++;
    if ((verdict.psi?.pValue ?? 1) <= ALPHA) psi++;
  }
  return { ks: ks / TRIALS, psi: psi / TRIALS };
}

const uniform = (): number => random.uniform();
const laws: Record<string, () => number> = {
  normal: random.normal,
  lognormal: () => Math.exp(2 * random.normal()),
  "zero-inflated": () => (random.uniform() < 0.6 ? 0 : random.uniform()),
  "five integers": () => random.integer(5),
};

describe("the level", () => {
  it.each(Object.entries(laws))("of the point null holds for %s", (_name, law) => {
    const { ks, psi } = rejections(law, law, point);
    expect(ks).toBeLessThanOrEqual(BAND);
    expect(psi).toBeLessThanOrEqual(BAND);
  });

  const shifted = (): number => random.normal() + 0.25;
  const plateau = (): number => {
    const u = random.uniform();
    // Uniform but for delta0 of mass moved from the lowest to the highest tenth-and-a-bit: the
    // difference of the two laws is delta0 on the whole middle.
    return u < delta0 ? 1 - delta0 * random.uniform() : u;
  };
  const boundary: [name: string, reference: () => number, live: () => number][] = [
    ["a shift of .25 sigma", random.normal, shifted],
    ["a plateau", uniform, plateau],
    ["a spike", uniform, () => (random.uniform() < delta0 ? 1 : random.uniform())],
  ];
  it.each(boundary)("on the boundary of the floor holds for %s", (_name, reference, live) => {
    expect(rejections(reference, live, floored).ks).toBeLessThanOrEqual(BAND);
  });

  it("of PSI on the boundary of its own floor holds for a shift of .25 sigma", () => {
    // Ten equal cells of N(0,1): a shift of .25 has a binned PSI just below .0625.
    expect(rejections(random.normal, shifted, floored).psi).toBeLessThanOrEqual(BAND);
  });

  it("of the cell test holds when a rare cell is emptied", () => {
    const shares = [0.4, 0.3, 0.2, 0.09, 0.01];
    const nEffective = effectiveSize({ count: ROWS }, { count: LIVE_ROWS });
    const sampled = (rows: number): number[] => {
      const counts = [0, 0, 0, 0, 0];
      for (let i = 0; i < rows; i++) {
        let left = random.uniform();
        const cell = shares.findIndex((share) => (left -= share) < 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      return counts;
    };
    let alarms = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const test = cellTest(sampled(ROWS), sampled(LIVE_ROWS), nEffective, 0);
      if (test.pValue <= ALPHA) alarms++;
    }
    expect(alarms / TRIALS).toBeLessThanOrEqual(BAND);
  });

  it("is the price of an alarm rate: a normal shift of twice the floor is still seen", () => {
    const shift = -2 * normalUpperQuantile(0.5 + delta0);
    expect(shift).toBeGreaterThan(0.49);
    const { ks } = rejections(random.normal, () => random.normal() + shift, floored);
    expect(ks).toBeGreaterThan(0.15);
  });
});
