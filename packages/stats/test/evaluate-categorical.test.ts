import { describe, expect, it } from "vitest";
import {
  type CategoricalEvaluation,
  CategoryCounts,
  driftPolicy,
  evaluateCategorical,
} from "../src/index.ts";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom(40);
const policy = driftPolicy({ evaluationMinutes: 60, windowLengths: 3 });
const COLOURS = { red: 0.12, green: 0.5, blue: 0.38 };

function drawn(rows: number, shares: Record<string, number>, into = new CategoryCounts()) {
  for (let i = 0; i < rows; i++) {
    let left = random.uniform();
    for (const [name, share] of Object.entries(shares)) {
      left -= share;
      if (left < 0) {
        into.add(name);
        break;
      }
    }
  }
  return into;
}

const reference = drawn(20_000, COLOURS);

function evaluated(live: CategoryCounts, against = reference): CategoricalEvaluation {
  return evaluateCategorical({ name: "colour", reference: against, live, policy });
}

function liveOf(rows: number, shares: Record<string, number>): CategoryCounts {
  return drawn(rows, shares, CategoryCounts.liveFor(reference));
}

describe("evaluateCategorical", () => {
  it("calls the same shares stable", () => {
    const verdict = evaluated(liveOf(5000, COLOURS));
    expect(verdict.outcome).toBe("stable");
    expect(verdict.belowFloor).toBe(true);
    expect(verdict.cells).toBe(4);
    expect(verdict.sentence).toMatch(/^colour: no relevant change, .* % of values lie elsewhere$/);
  });

  it("does not alarm on a certain but tiny change", () => {
    const verdict = evaluated(liveOf(500_000, { red: 0.14, green: 0.49, blue: 0.37 }));
    expect(verdict.outcome).toBe("stable");
  });

  it("names the category that moved", () => {
    const verdict = evaluated(liveOf(5000, { red: 0.38, green: 0.3, blue: 0.32 }));
    expect(verdict.outcome).toBe("drifted");
    expect(verdict.statistic).toBeGreaterThan(verdict.threshold);
    expect(verdict.lowerBound).toBeGreaterThan(verdict.floor);
    expect(verdict.sentence).toMatch(
      /^colour: 3[78] % of live values are "red" \(expected 12 %\)$/,
    );
  });

  it("names a new category, however many others crowd the window", () => {
    const live = CategoryCounts.liveFor(reference, 8);
    for (let i = 0; i < 100; i++) live.add(`typo ${i}`);
    drawn(5000, COLOURS, live);
    expect(evaluated(live).outcome).toBe("stable");
    const verdict = evaluated(liveOf(5000, { red: 0.1, green: 0.4, blue: 0.3, mauve: 0.2 }));
    expect(verdict.outcome).toBe("drifted");
    expect(verdict.sentence).toMatch(/(19|20|21) % of live values are "mauve" \(expected 0 %\)$/);
  });

  it("names the commonest of many new categories that are each too rare to stand alone", () => {
    const live = liveOf(3000, COLOURS);
    for (let i = 0; i < 200; i++) live.add(`typo ${i}`, i === 7 ? 6 : 5);
    const verdict = evaluated(live);
    expect(verdict.outcome).toBe("drifted");
    expect(verdict.sentence).toMatch(/rare or new categories, 0.1 % the new "typo 7" \(expected 0/);
  });

  it("sees rows move between a category and names each too rare to count, whichever side is small", () => {
    const known = new CategoryCounts();
    known.add("cat", 250);
    known.add("dog", 250);
    const many = CategoryCounts.liveFor(known);
    for (let id = 0; id < 500_000; id++) many.add(`id ${id}`);
    many.add("cat", 500_000);
    expect(evaluated(many, known)).toMatchObject({ outcome: "drifted", cells: 3 });
    const crowd = new CategoryCounts();
    for (let id = 0; id < 200; id++) crowd.add(`id ${id}`, 2500);
    crowd.add("cat", 500_000);
    const few = CategoryCounts.liveFor(crowd);
    few.add("cat", 250);
    few.add("dog", 250);
    expect(evaluated(few, crowd)).toMatchObject({ outcome: "drifted", cells: 3 });
    const same = CategoryCounts.liveFor(crowd);
    same.add("cat", 250);
    for (let id = 0; id < 250; id++) same.add(`id ${id % 200}`);
    expect(evaluated(same, crowd)).toMatchObject({ outcome: "stable", cells: 2 });
  });

  it("does not take what a small reference happens to lack for drift", () => {
    const shares = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`c${i}`, 1 / 200]));
    let alarms = 0;
    for (let trial = 0; trial < 50; trial++) {
      const small = drawn(600, shares);
      const live = drawn(3000, shares, CategoryCounts.liveFor(small));
      const lax = { ...policy, alpha: 0.01 };
      const { pValue } = evaluateCategorical({ reference: small, live, policy: lax });
      if (pValue <= 0.01) alarms++;
    }
    expect(alarms).toBeLessThanOrEqual(4);
  });

  it("rejects exactly when the statistic passes its threshold", () => {
    for (let red = 0.12; red < 0.4; red += 0.02) {
      const rest = 1 - red;
      const live = liveOf(2000, { red, green: rest * 0.57, blue: rest * 0.43 });
      const verdict = evaluated(live);
      expect(verdict.statistic > verdict.threshold).toBe(verdict.pValue < policy.alpha);
      expect(verdict.pValue < policy.alpha).toBe(verdict.outcome === "drifted");
    }
  });

  it("says insufficient with the number needed, and keeps its 90 % power at that number", () => {
    const verdict = evaluated(liveOf(20, COLOURS));
    expect(verdict.outcome).toBe("insufficient");
    expect(verdict.needed).toBeGreaterThan(100);
    expect(verdict.needed).toBeLessThan(1000);
    // Hellinger distance 3 floors = .265 from COLOURS, by moving red.
    const red = 0.4523;
    const rest = (1 - red) / 0.88;
    const moved = { red, green: 0.5 * rest, blue: 0.38 * rest };
    let seen = 0;
    for (let i = 0; i < 400; i++) {
      if (evaluated(liveOf(verdict.needed, moved)).outcome === "drifted") seen++;
    }
    expect(seen / 400).toBeGreaterThan(0.85);
  });

  it("copes with a constant, a rare-only and a small reference, and with silence", () => {
    const constant = new CategoryCounts();
    constant.add("only", 10_000);
    const changed = new CategoryCounts();
    changed.add("other", 1000);
    expect(evaluated(changed, constant).outcome).toBe("drifted");
    const unique = new CategoryCounts({ capacity: 4096 });
    for (let i = 0; i < 4000; i++) unique.add(`id ${i}`);
    const few = CategoryCounts.liveFor(unique);
    for (let i = 0; i < 500; i++) few.add(`id ${i}`);
    expect(evaluated(few, unique).outcome).toBe("insufficient");
    const small = drawn(30, COLOURS);
    const verdict = evaluated(liveOf(10_000, COLOURS), small);
    expect(verdict.outcome).toBe("insufficient");
    expect(verdict.needed).toBe(Infinity);
    expect(evaluated(new CategoryCounts()).outcome).toBe("silent");
    expect(() => evaluated(changed, new CategoryCounts())).toThrow("reference has no rows");
  });
});
