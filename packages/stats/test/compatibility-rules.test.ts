// The decisions of the real Evidently and scipy; golden/write_evidently.py is the oracle.

import { describe, expect, it } from "vitest";
import {
  CategoryCounts,
  type CompatibilityRule,
  categoricalByRule,
  GridSummary,
  KllSketch,
  numericByRule,
  ReferenceGrid,
} from "../src/index.ts";
import { golden } from "./golden.ts";
import { goldenCounts, goldenSample, type SampleSpec } from "./golden-samples.ts";

type Decision = [test: string, score: number, drifted: boolean];
type CountSpec = [cells: number, seed: number, most: number];

const numeric = golden("compatibility-numeric.json") as [
  SampleSpec,
  SampleSpec,
  evidently: Decision,
  scipy: Decision,
][];
const categories = golden("compatibility-categories.json") as [
  CountSpec,
  CountSpec,
  evidently: Decision,
  scipy: Decision,
][];

function expectDecision(
  actual: ReturnType<typeof numericByRule>,
  rule: CompatibilityRule,
  [test, score, drifted]: Decision,
): void {
  expect(actual).toMatchObject({ rule, test, drifted, certain: true });
  expect(actual.scoreRange).toEqual([actual.score, actual.score]);
  // Evidently's z-test takes its tail as 1 - P, which leaves 1e-16 of 1.
  const allowed = Math.max(1e-9 * score, test === "z" ? 3e-16 : 1e-300);
  expect(Math.abs(actual.score - score), `${actual.score} is not ${score}`).toBeLessThanOrEqual(
    allowed,
  );
}

function named(spec: CountSpec): Map<string, number> {
  return new Map(goldenCounts(...spec).map((count, i) => [`c${i}`, count]));
}

describe("compatibility rules", () => {
  it.each(numeric.map((row, i) => [i, row] as const))("numeric case %i", (_, row) => {
    const [reference, live, evidently, scipy] = row;
    const [a, b] = [goldenSample(reference), goldenSample(live)];
    expectDecision(numericByRule("evidently", a, b), "evidently", evidently);
    expectDecision(numericByRule("scipy", a, b), "scipy", scipy);
  });

  it.each(categories.map((row, i) => [i, row] as const))("categorical case %i", (_, row) => {
    const [reference, live, evidently, scipy] = row;
    const [r, c] = [named(reference), named(live)];
    expectDecision(categoricalByRule("evidently", r, c), "evidently", evidently);
    expectDecision(categoricalByRule("scipy", r, c), "scipy", scipy);
  });

  it("on grids and sketches the decision is that of the rows wherever it says it is certain", () => {
    let certain = 0;
    for (const [reference, live, ...decisions] of numeric) {
      const [a, b] = [goldenSample(reference), goldenSample(live)];
      const grid = ReferenceGrid.fromSample(a);
      const summary = new GridSummary(grid);
      summary.addMany(b);
      const sketch = new KllSketch({ k: 200 });
      for (const x of b) sketch.add(x);
      for (const [i, rule] of (["evidently", "scipy"] as const).entries()) {
        for (const verdict of [
          numericByRule(rule, grid, summary),
          numericByRule(rule, a, sketch),
        ]) {
          const [test, score, drifted] = decisions[i] as Decision;
          if (verdict.test === test) {
            const [low, high] = verdict.scoreRange;
            expect(low).toBeLessThanOrEqual(score * (1 + 1e-9) + 1e-15);
            expect(high).toBeGreaterThanOrEqual(score * (1 - 1e-9) - 1e-15);
          }
          if (!verdict.certain) continue;
          certain++;
          expect(verdict).toMatchObject({ test, drifted });
        }
      }
    }
    expect(certain / (4 * numeric.length)).toBeGreaterThan(0.7);
  });

  it("reads CategoryCounts, unseen and single categories, and leaves out bad rows", () => {
    const reference = new CategoryCounts();
    const live = CategoryCounts.liveFor(reference);
    reference.add("a", 500);
    reference.add("b", 400);
    live.add("a", 50);
    live.add("c", 5);
    expect(categoricalByRule("evidently", reference, live)).toMatchObject({
      test: "chi-square",
      score: 0,
      drifted: true,
    });
    expect(categoricalByRule("scipy", [["a", 5]], [["a", 7]])).toMatchObject({ score: 1 });
    expect(categoricalByRule("evidently", [["a", 5]], [["a", 7]])).toMatchObject({ test: "z" });
    expect(() => categoricalByRule("scipy", [["a", 5]], [])).toThrow(RangeError);
    const rows = [1, 2, 3, 4, 5, 6, 7];
    const dirty = [Number.NaN, ...rows, Infinity, null];
    for (const rule of ["evidently", "scipy"] as const) {
      expect(numericByRule(rule, dirty, dirty)).toEqual(numericByRule(rule, rows, rows));
      expect(() => numericByRule(rule, [], rows)).toThrow("no finite value");
    }
  });
});
