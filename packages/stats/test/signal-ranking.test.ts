import { describe, expect, it } from "vitest";
import {
  CategoryCounts,
  driftPolicy,
  evaluateCategorical,
  evaluateNumeric,
  evaluateRate,
  GridSummary,
  normalUpperQuantile,
  ReferenceGrid,
  rankSignals,
} from "../src/index.ts";

const policy = driftPolicy({
  shift: 0.25,
  falseAlarmsPerFeatureYear: 0.01,
  warningsPerFeatureYear: 1,
  evaluationMinutes: 5,
  windowLengths: 3,
});
const normal = (count: number, mean: number) =>
  Array.from({ length: count }, (_, i) => mean - normalUpperQuantile((i + 0.5) / count));

function numeric(shift: number) {
  const reference = ReferenceGrid.fromSample(normal(5000, 0));
  const live = new GridSummary(reference);
  for (const value of normal(4000, shift)) live.add(value);
  return evaluateNumeric({ reference, live, policy });
}

function categorical(shift: number) {
  const cells = (mean: number) => {
    const counts = new CategoryCounts();
    for (const value of normal(5000, mean)) counts.add(String(Math.floor(value * 2)));
    return counts;
  };
  return evaluateCategorical({ reference: cells(0), live: cells(shift), policy });
}

const rateOf = (events: number) =>
  evaluateRate({ reference: { events: 100, rows: 5000 }, live: { events, rows: 5000 }, policy });

describe("rankSignals", () => {
  it("gives the shift back, whatever kind of signal has shifted", () => {
    for (const shift of [0.5, 1, 2]) {
      const [ks] = rankSignals([{ name: "ks", evaluation: numeric(shift) }]);
      const [hellinger] = rankSignals([{ name: "h", evaluation: categorical(shift) }]);
      expect(ks?.shift).toBeGreaterThan(0.98 * shift);
      expect(ks?.shift).toBeLessThan(1.02 * shift);
      expect(hellinger?.shift).toBeGreaterThan(0.93 * shift);
      expect(hellinger?.shift).toBeLessThan(1.02 * shift);
    }
  });

  it("puts those that moved first, by how far, and says which did not", () => {
    const ranked = rankSignals([
      { name: "still", evaluation: numeric(0.02) },
      { name: "slight", evaluation: numeric(0.6) },
      { name: "mix", evaluation: categorical(1.5) },
      { name: "errors", evaluation: rateOf(1500) },
      { name: "silent", evaluation: rateOf(0) },
    ]);
    expect(ranked.map(({ name, moved }) => [name, moved])).toEqual([
      ["mix", true],
      ["errors", true],
      ["slight", true],
      ["silent", true],
      ["still", false],
    ]);
  });

  it("leaves out what has no values", () => {
    const evaluation = evaluateRate({
      reference: { events: 1, rows: 10 },
      live: { events: 0, rows: 0 },
      policy,
    });
    expect(rankSignals([{ name: "none", evaluation }])).toEqual([]);
  });
});
