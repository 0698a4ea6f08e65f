import { describe, expect, it } from "vitest";
import {
  type DriftOutcome,
  type DriftState,
  INITIAL_DRIFT_STATE,
  nextDriftState,
} from "../src/index.ts";

/** "-" after an outcome: below the floor. Windows are tumbling unless `overlap` says otherwise. */
function run(windows: string[], overlapMs = 0): { statuses: string[]; events: string[] } {
  let state: DriftState = INITIAL_DRIFT_STATE;
  const statuses: string[] = [];
  const events: string[] = [];
  for (const [i, text] of windows.entries()) {
    const outcome = text.replace("-", "") as DriftOutcome;
    const windowStartMs = i * 1000 - overlapMs;
    const windowEndMs = (i + 1) * 1000;
    const belowFloor = text.endsWith("-");
    const next = nextDriftState(state, { outcome, belowFloor, windowStartMs, windowEndMs });
    state = next.state;
    statuses.push(state.status);
    if (next.onset) events.push(`onset ${i}`);
    if (next.cleared) events.push(`cleared ${i}`);
  }
  return { statuses, events };
}

describe("nextDriftState", () => {
  it("alarms at once and clears after two disjoint windows below the floor", () => {
    const { statuses, events } = run(["stable-", "drifted", "stable-", "stable-", "stable-"]);
    expect(statuses).toEqual(["stable", "drifted", "drifted", "stable", "stable"]);
    expect(events).toEqual(["onset 1", "cleared 3"]);
  });

  it("does not count overlapping windows as two", () => {
    const { statuses } = run(["drifted", "stable-", "stable-", "stable-"], 1000);
    expect(statuses).toEqual(["drifted", "drifted", "drifted", "stable"]);
  });

  it("starts over when a window rises above the floor in between", () => {
    const { statuses } = run(["drifted", "stable-", "stable", "stable-", "stable-"]);
    expect(statuses).toEqual(["drifted", "drifted", "drifted", "drifted", "stable"]);
  });

  it("neither clears nor starts over on windows that cannot judge", () => {
    const windows = [
      "drifted",
      "insufficient-",
      "silent",
      "learning-",
      "stable-",
      "silent",
      "stable-",
    ];
    const { statuses, events } = run(windows);
    expect(statuses.slice(0, 6)).toEqual(Array(6).fill("drifted"));
    expect(events).toEqual(["onset 0", "cleared 6"]);
  });

  it("counts one onset however long the alarm lasts, and a new one after clearing", () => {
    const { events } = run(["drifted", "drifted", "drifted", "stable-", "stable-", "drifted"]);
    expect(events).toEqual(["onset 0", "cleared 4", "onset 5"]);
  });

  it("lets a warning grow into a drift but never softens a drift into a warning", () => {
    const { statuses, events } = run(["warning", "drifted", "warning", "stable-", "stable-"]);
    expect(statuses).toEqual(["warning", "drifted", "drifted", "drifted", "stable"]);
    expect(events).toEqual(["onset 1", "cleared 4"]);
  });

  it("clears a warning by the same rule", () => {
    expect(run(["warning", "stable-", "stable-"]).statuses).toEqual([
      "warning",
      "warning",
      "stable",
    ]);
  });

  it("shows quiet outcomes as they come and remembers since when", () => {
    const quiet = ["learning", "insufficient", "silent", "stable"];
    expect(run(quiet).statuses).toEqual(quiet);
    let state = INITIAL_DRIFT_STATE;
    for (const windowEndMs of [1000, 2000, 3000]) {
      const windowStartMs = windowEndMs - 1000;
      const seen = { outcome: "stable", belowFloor: true, windowStartMs, windowEndMs } as const;
      state = nextDriftState(state, seen).state;
    }
    expect(state).toMatchObject({ status: "stable", sinceMs: 1000 });
  });
});
