import { describe, expect, it } from "vitest";
import {
  alarmLevel,
  driftPolicy,
  effectFloors,
  effectiveSize,
  evaluateNumeric,
  GridSummary,
  ksCriticalValue,
  type NumericEvaluation,
  ReferenceGrid,
  requiredEffectiveSize,
  requiredLiveCount,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const random = seededRandom(20);
const reference = ReferenceGrid.fromSample(draws(20_000, random.normal));
const policy = driftPolicy({ evaluationMinutes: 60, windowLengths: 3 });

function evaluated(rows: number, law: () => number, grid = reference): NumericEvaluation {
  const live = new GridSummary(grid);
  live.addMany(draws(rows, law));
  return evaluateNumeric({ name: "wind", reference: grid, live, policy });
}

describe("alarmLevel and floors", () => {
  it("divide one false alarm in a hundred feature-years as published", () => {
    const levels = [5, 60, 1440].map((evaluationMinutes) =>
      alarmLevel({ falseAlarmsPerFeatureYear: 0.01, evaluationMinutes, windowLengths: 3 }),
    );
    expect(levels.map((alpha) => Number(alpha.toPrecision(2)))).toEqual([3.2e-8, 3.8e-7, 9.1e-6]);
    const margins = levels.map((alpha) => Number(ksCriticalValue(alpha).toFixed(2)));
    expect(margins).toEqual([3.0, 2.79, 2.49]);
    expect(() => alarmLevel({ evaluationMinutes: 0, windowLengths: 1 })).toThrow(
      "evaluationMinutes 0",
    );
  });

  it("follow from the one knob as published", () => {
    const floors = effectFloors(0.25);
    expect(floors.kolmogorovSmirnov).toBeCloseTo(0.1, 2);
    expect(floors.populationStability).toBe(0.0625);
    expect(floors.jensenShannon).toBeCloseTo(0.106, 3);
    expect(floors.hellinger).toBeCloseTo(0.088, 3);
    expect(() => driftPolicy({ evaluationMinutes: 5, windowLengths: 1, shift: 3 })).toThrow(
      "shift 3",
    );
  });
});

describe("effective size", () => {
  it("caps what a sketch is worth: 15,000 rows at k = 200, 1.4 million at k = 2,048", () => {
    const endless = { count: 1e12 };
    const worth = (epsilon: number): number => effectiveSize({ count: 1e12, epsilon }, endless);
    expect(worth(0.0133)).toBeCloseTo(15_000, -2);
    expect(worth(0.00138) / 1e6).toBeCloseTo(1.4, 1);
  });

  it("inverts: that many live rows reach the required size, one fewer does not", () => {
    const required = requiredEffectiveSize(2.79, 0.3, 0.1);
    expect(required).toBeCloseTo((3.43 / 0.2) ** 2, 6);
    const from = { count: 5000, inflation: 1.5, epsilon: 0.00138 };
    const needed = requiredLiveCount(required, from, { inflation: 2 });
    const sizeAt = (count: number): number => effectiveSize(from, { count, inflation: 2 });
    expect(sizeAt(needed)).toBeGreaterThanOrEqual(required);
    expect(sizeAt(needed - 1)).toBeLessThan(required);
    expect(requiredLiveCount(required, { count: 200 })).toBe(Infinity);
    expect(() => requiredEffectiveSize(3, 0.1, 0.1)).toThrow("must exceed the floor");
  });
});

describe("evaluateNumeric", () => {
  it("calls the same law stable and says how close it is", () => {
    const verdict = evaluated(5000, random.normal);
    expect(verdict.outcome).toBe("stable");
    expect(verdict.belowFloor).toBe(true);
    expect(verdict.pValue).toBe(1);
    expect(verdict.sentence).toMatch(
      /^wind: no relevant change, cumulative shares differ by at most/,
    );
    expect(verdict.nEffective).toBeCloseTo(4000, 6);
    expect(verdict.psi?.cells).toBe(10);
    expect(verdict.psi?.pValue).toBeGreaterThan(0.99);
  });

  it("does not alarm on a certain but tiny shift, however many rows", () => {
    const verdict = evaluated(500_000, () => random.normal() + 0.1);
    expect(verdict.statistic).toBeGreaterThan(0.03);
    expect(verdict.outcome).toBe("stable");
  });

  it("alarms on a shift above the floor, exactly when the lower bound passes the floor", () => {
    for (const shift of [0.2, 0.3, 0.35, 0.4, 0.5, 1, -2]) {
      const verdict = evaluated(5000, () => random.normal() + shift);
      const beyond = verdict.statistic > verdict.threshold;
      expect(beyond).toBe(verdict.outcome === "drifted");
      expect(verdict.lowerBound > verdict.floor).toBe(beyond);
      expect(verdict.pValue < verdict.alpha).toBe(beyond);
      if (Math.abs(shift) >= 0.5) expect(beyond).toBe(true);
      const psi = verdict.psi;
      expect((psi?.statistic ?? 0) > (psi?.threshold ?? 0)).toBe((psi?.pValue ?? 1) < policy.alpha);
    }
  });

  it("says insufficient and the number needed, never stable, when it could not see a drift", () => {
    const verdict = evaluated(50, random.normal);
    expect(verdict.outcome).toBe("insufficient");
    expect(verdict.needed).toBeGreaterThan(250);
    expect(verdict.needed).toBeLessThan(400);
    expect(verdict.sentence).toBe(
      `wind: only 50 values in this window, ${verdict.needed} are needed to see a large change`,
    );
    const enough = evaluated(verdict.needed, random.normal);
    expect(enough.outcome).toBe("stable");
    expect(evaluated(1, random.normal).psi).toBeUndefined();
  });

  it("keeps its promise of 90 % power at the number it asks for", () => {
    const needed = evaluated(50, random.normal).needed;
    // A shift of s moves the normal law by 2 Phi(s/2) - 1 = 3 floors.
    const shift = 0.7675;
    let seen = 0;
    const trials = 400;
    for (let i = 0; i < trials; i++) {
      const verdict = evaluated(needed, () => random.normal() + shift);
      if (verdict.outcome === "drifted") seen++;
    }
    expect(seen / trials).toBeGreaterThan(0.88);
  });

  it("says that the reference is too small when no live number is enough", () => {
    const small = ReferenceGrid.fromSample(draws(200, random.normal));
    const verdict = evaluated(100_000, random.normal, small);
    expect(verdict.outcome).toBe("insufficient");
    expect(verdict.needed).toBe(Infinity);
    expect(verdict.sentence).toContain("the reference's 200 values are too few");
  });

  it("believes strong evidence in a small window", () => {
    expect(evaluated(60, () => random.normal() + 5).outcome).toBe("drifted");
  });

  it("calls a window without values silent and one without a known spread learning", () => {
    const silent = evaluated(0, random.normal);
    expect(silent.outcome).toBe("silent");
    expect(silent.statistic).toBeNaN();
    const live = new GridSummary(reference);
    live.addMany(draws(1000, () => random.normal() + 5));
    const learning = evaluateNumeric({ reference, live, policy, learning: true });
    expect(learning.outcome).toBe("learning");
    expect(learning.sentence).toBe("still learning how much its windows vary");
  });

  it("asks more of dependent rows", () => {
    const live = new GridSummary(reference);
    live.addMany(draws(2000, () => random.normal() + 0.5));
    const plain = evaluateNumeric({ reference, live, policy });
    const phi = { reference: 1, live: 20 };
    const dependent = evaluateNumeric({ reference, live, policy, phi });
    expect(plain.outcome).toBe("drifted");
    expect(dependent.outcome).toBe("insufficient");
    expect(dependent.needed).toBeGreaterThan(15 * plain.needed);
    expect(() => evaluateNumeric({ reference, live, policy, phi: { live: 0.5 } })).toThrow("phi");
  });

  it("refuses a summary of another grid, naming both", () => {
    const other = ReferenceGrid.fromSample([1, 2]);
    const live = new GridSummary(other);
    expect(() => evaluateNumeric({ reference, live, policy })).toThrow(other.id);
  });
});

describe("the sentence", () => {
  const cases: [name: string, law: () => number, expected: RegExp][] = [
    ["far up", () => random.normal() + 6, /above the reference's maximum \(expected 0 %\)$/],
    ["up", () => random.normal() + 1.3, /lie above the reference's (75|90|95)th percentile/],
    ["down", () => random.normal() - 1.3, /lie at or below the reference's (25|10|5)th percentile/],
    ["narrow", () => random.normal() / 5, /lie in the reference's middle (50|80) %/],
    ["wide", () => random.normal() * 2.5, /lie outside the reference's middle (80|90) %/],
  ];
  it.each(cases)("names what is most telling when the law moves %s", (_name, law, expected) => {
    const verdict = evaluated(5000, law);
    expect(verdict.outcome).toBe("drifted");
    expect(verdict.sentence).toMatch(expected);
  });

  it("names a single value that gains or loses", () => {
    const zeros = draws(10_000, () => (random.uniform() < 0.2 ? 0 : 1 + random.uniform()));
    const grid = ReferenceGrid.fromSample(zeros);
    const verdict = evaluated(
      5000,
      () => (random.uniform() < 0.7 ? 0 : 1 + random.uniform()),
      grid,
    );
    expect(verdict.sentence).toMatch(
      /^wind: (69|70|71) % of live values are 0 \(expected (19|20) %\)$/,
    );
  });
});
