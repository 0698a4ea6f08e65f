import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  alarmLevel,
  type DriftOutcome,
  initialMultiWindowState,
  multiWindowPolicies,
  nextMultiWindowState,
} from "../src/index.ts";

const outcome = fc.constantFrom<DriftOutcome[]>(
  "learning",
  "silent",
  "insufficient",
  "stable",
  "warning",
  "drifted",
);

/** Applies windows of alternating lengths; returns onsets and clearings of the signal. */
function run(windows: readonly { length: number; outcome: DriftOutcome; below: boolean }[]) {
  let state = initialMultiWindowState(3);
  const events: string[] = [];
  const alarms: string[] = [];
  for (const [i, { length, outcome: shown, below }] of windows.entries()) {
    const next = nextMultiWindowState(state, length, {
      outcome: shown,
      belowFloor: below,
      windowStartMs: i,
      windowEndMs: i + 1,
    });
    state = next.state;
    if (next.onset) events.push("onset");
    if (next.cleared) events.push("cleared");
    alarms.push(state.alarm);
  }
  return { state, events, alarms };
}

describe("several window lengths", () => {
  it("divide one promise among them", () => {
    const policies = multiWindowPolicies({ windowMinutes: [5, 60, 1440] });
    expect(policies.map(({ alpha }) => Number(alpha.toPrecision(2)))).toEqual([
      3.2e-8, 3.8e-7, 9.1e-6,
    ]);
    const perYear = policies.map(({ alpha }, i) => (alpha * 525_960) / ([5, 60, 1440][i] ?? 0));
    expect(perYear.reduce((sum, rate) => sum + rate, 0)).toBeCloseTo(0.01, 12);
  });

  it("take a promise for the whole installation", () => {
    const options = { evaluationMinutes: 60, windowLengths: 3 };
    expect(alarmLevel({ ...options, falseAlarmsPerYear: 5, activeFeatures: 500 })).toBe(
      alarmLevel({ ...options, falseAlarmsPerFeatureYear: 0.01 }),
    );
    expect(() => alarmLevel({ ...options, falseAlarmsPerYear: 5 })).toThrow("activeFeatures");
    const both = { falseAlarmsPerYear: 5, activeFeatures: 5, falseAlarmsPerFeatureYear: 1 };
    expect(() => alarmLevel({ ...options, ...both })).toThrow("two promises");
    const installation = { falseAlarmsPerYear: 5, activeFeatures: 500 };
    const [policy] = multiWindowPolicies({ windowMinutes: [60], ...installation });
    expect(policy?.warningAlpha).toBeGreaterThan(policy?.alpha ?? 1);
  });

  it("alarm once, with the first, and clear with the last", () => {
    const drifted = { outcome: "drifted" as const, below: false };
    const quiet = { outcome: "stable" as const, below: true };
    const { events } = run([
      { length: 0, ...drifted },
      { length: 1, ...drifted },
      { length: 0, ...quiet },
      { length: 0, ...quiet },
      { length: 1, ...quiet },
      { length: 1, ...quiet },
    ]);
    expect(events).toEqual(["onset", "cleared"]);
  });

  it("never clear by windows that cannot judge, and alternate onsets with clearings", () => {
    const window = fc.record({
      length: fc.integer({ min: 0, max: 2 }),
      outcome,
      below: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(window, { maxLength: 60 }), (windows) => {
        const { alarms } = run(windows);
        for (const [i, { outcome: shown, below }] of windows.entries()) {
          const before = alarms[i - 1] ?? "none";
          if (shown !== "stable" && before !== "none") expect(alarms[i]).not.toBe("none");
          if (before === "drifted" && alarms[i] !== "drifted")
            expect([shown, below]).toEqual(["stable", true]);
        }
      }),
    );
    const drifting = fc.array(window.filter(({ outcome: shown }) => shown !== "warning"));
    fc.assert(
      fc.property(drifting, (windows) => {
        const { events } = run(windows);
        for (const [i, event] of events.entries()) {
          expect(event).toBe(i % 2 === 0 ? "onset" : "cleared");
        }
      }),
    );
  });

  it("reject a length that does not exist", () => {
    expect(() => run([{ length: 3, outcome: "stable", below: true }])).toThrow("number 3");
  });
});
