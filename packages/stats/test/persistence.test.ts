import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DriftOutcome,
  INITIAL_PERSISTENCE,
  persistenceLevel,
  persistentOutcome,
} from "../src/index.ts";

function run(outcomes: readonly DriftOutcome[], rejections: number, windows: number) {
  let state = INITIAL_PERSISTENCE;
  return outcomes.map((outcome) => {
    const next = persistentOutcome(state, outcome, { rejections, windows });
    state = next.state;
    return next.outcome;
  });
}

const outcome = fc.constantFrom<DriftOutcome[]>(
  "learning",
  "silent",
  "insufficient",
  "stable",
  "warning",
  "drifted",
);

describe("persistence", () => {
  it("lets the second of two in three through", () => {
    const seen: DriftOutcome[] = ["drifted", "stable", "drifted", "drifted", "stable", "stable"];
    expect(run(seen, 2, 3)).toEqual([
      "warning",
      "stable",
      "drifted",
      "warning",
      "stable",
      "stable",
    ]);
  });

  it("looks past windows that cannot judge", () => {
    const seen: DriftOutcome[] = ["drifted", "silent", "insufficient", "learning", "drifted"];
    expect(run(seen, 2, 2).at(-1)).toBe("drifted");
    expect(run(["drifted", "stable", "stable", "drifted"], 2, 3).at(-1)).toBe("warning");
  });

  it("changes nothing when it is one of one", () => {
    fc.assert(
      fc.property(fc.array(outcome), (seen) => {
        expect(run(seen, 1, 1)).toEqual(seen);
      }),
    );
  });

  it("spends k rejections an onset, which is why k alpha keeps the promise", () => {
    const kOfN = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 5 }));
    fc.assert(
      fc.property(fc.array(outcome), kOfN, (seen, [k, more]) => {
        const onsets = run(seen, k, k + more).filter((shown) => shown === "drifted").length;
        const rejections = seen.filter((shown) => shown === "drifted").length;
        expect(onsets * k).toBeLessThanOrEqual(rejections);
      }),
    );
  });

  it("gives each window k alpha, never more than 5 %", () => {
    expect(persistenceLevel(1e-4, { rejections: 3, windows: 5 })).toBeCloseTo(3e-4, 15);
    expect(persistenceLevel(0.04, { rejections: 3, windows: 5 })).toBe(0.05);
    expect(() => persistenceLevel(0.01, { rejections: 3, windows: 2 })).toThrow("3 of 2");
    expect(() => run(["stable"], 1, 31)).toThrow("1 of 31");
  });
});
