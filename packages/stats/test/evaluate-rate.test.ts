import { describe, expect, it } from "vitest";
import {
  driftPolicy,
  type EventRate,
  evaluateRate,
  fisherExact,
  rateFloorPValue,
} from "../src/index.ts";
import { seededRandom } from "./seeded-random.ts";

const policy = driftPolicy({ evaluationMinutes: 60, windowLengths: 3 });
const reference = { events: 400, rows: 20_000 };

function evaluated(live: EventRate, against: EventRate = reference) {
  return evaluateRate({ name: "wind missing", reference: against, live, policy });
}

describe("evaluateRate", () => {
  it("calls the same rate stable and a tiny certain change too", () => {
    expect(evaluated({ events: 100, rows: 5000 }).outcome).toBe("stable");
    const tiny = evaluated({ events: 24_000, rows: 1_000_000 });
    expect(tiny.outcome).toBe("stable");
    expect(tiny.sentence).toBe(
      "wind missing: no relevant change, 2.4 % of live rows (reference 2 %)",
    );
  });

  it("alarms above the floor, and says both rates", () => {
    const verdict = evaluated({ events: 5000, rows: 50_000 });
    expect(verdict.outcome).toBe("drifted");
    expect(verdict.method).toBe("arcsine");
    expect(verdict.lowerBound).toBeGreaterThan(verdict.floor);
    expect(verdict.sentence).toBe("wind missing: 10 % of live rows (reference 2 %)");
  });

  it("lets an exact test with the floor decide where events are few for the level", () => {
    const never = { events: 0, rows: 10_000 };
    const burst = evaluated({ events: 20, rows: 60 }, never);
    expect(burst.method).toBe("likelihood");
    expect(burst.pValue).toBe(rateFloorPValue(0, 10_000, 20, 60, policy.rateFloor));
    expect(burst.outcome).toBe("drifted");
    // Fisher alone would reject (p 3e-13), but the rate is 4 in 10,000.
    const trickle = evaluated({ events: 4, rows: 10_000 }, { events: 0, rows: 10_000_000 });
    expect(trickle.pValue).toBe(1);
    expect(trickle.belowFloor).toBe(true);
  });

  it("lets Fisher decide where events are few and there is no floor", () => {
    const live = { events: 12, rows: 60 };
    const against = { events: 0, rows: 10_000 };
    const verdict = evaluateRate({ reference: against, live, policy: { ...policy, rateFloor: 0 } });
    expect(verdict.method).toBe("fisher");
    expect(verdict.pValue).toBe(fisherExact(0, 10_000, 12, 60));
  });

  it("says when a change above the floor is not established", () => {
    const { outcome, sentence } = evaluated({ events: 70, rows: 1500 });
    expect(outcome).toBe("stable");
    expect(sentence).toMatch(/^wind missing: no change above the floor is established, 4.7 % of/);
  });

  it("says insufficient, silent and refuses impossible counts", () => {
    const verdict = evaluated({ events: 1, rows: 30 });
    expect(verdict.outcome).toBe("insufficient");
    expect(verdict.needed).toBeGreaterThan(500);
    expect(evaluated({ events: 0, rows: 0 }).outcome).toBe("silent");
    expect(() => evaluated({ events: 2, rows: 1 })).toThrow("2 events of 1 rows");
  });

  it("keeps its level on the boundary of the floor", () => {
    const random = seededRandom(50);
    const lax = driftPolicy({
      evaluationMinutes: 60,
      windowLengths: 1,
      falseAlarmsPerFeatureYear: (0.01 * 525_960) / 60,
    });
    expect(lax.alpha).toBeCloseTo(0.01, 10);
    const p = 0.1;
    const q = Math.sin(Math.asin(Math.sqrt(p)) + 0.05) ** 2; // h = .1 = the floor
    const trials = 3000;
    let alarms = 0;
    for (let i = 0; i < trials; i++) {
      const side = (rate: number, rows: number): EventRate => {
        let events = 0;
        for (let row = 0; row < rows; row++) if (random.uniform() < rate) events++;
        return { events, rows };
      };
      const sides = { reference: side(p, 1000), live: side(q, 500) };
      if (evaluateRate({ ...sides, policy: lax }).outcome === "drifted") alarms++;
    }
    // One-sided there, so half of alpha is expected; the 99.9 % band of alpha is the promise.
    expect(alarms / trials).toBeLessThan(0.01 + 3.1 * Math.sqrt((0.01 * 0.99) / trials));
  });
});
