import { GridSummary, ReferenceGrid } from "@tidemark/stats";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packPlace } from "../src/observe/places.ts";
import { SignalPanes } from "../src/observe/signal.ts";
import { WaitingWindows } from "../src/observe/waiting-windows.ts";
import { WindowSchedule } from "../src/observe/window-schedule.ts";
import { rowsOf } from "../src/observe/window-summary.ts";
import type { Reference } from "../src/references/reference.ts";
import { windowLengths } from "../src/window-lengths.ts";

const MINUTE_MS = 60_000;
const rows = Array.from({ length: 500 }, (_, row) => row / 5);
const grid = ReferenceGrid.fromSample(rows);
const reference: Reference = { name: "r", provisional: false, missing: 0, kind: "numeric", grid };
const identity = { model: "m", version: "1", name: "feature.x", segment: "" };

/** 5, 10, 15, 20, 40, 60 and 80 minutes. */
const LENGTHS = windowLengths(
  [5, 15, 60].map((minutes) => minutes * MINUTE_MS),
  5,
);

function newPanes() {
  const schedule = new WindowSchedule(MINUTE_MS, LENGTHS);
  return { schedule, panes: new SignalPanes(identity, reference, schedule) };
}

describe("windowLengths", () => {
  it("makes each length of the longest shorter one that divides it", () => {
    const made = LENGTHS.map(({ name, source }) => [name, LENGTHS[source]?.name]);
    expect(made).toEqual([
      ["5m", undefined],
      ["10m", "5m"],
      ["15m", "5m"],
      ["20m", "10m"],
      ["40m", "20m"],
      ["1h", "20m"],
      ["80m", "40m"],
    ]);
    expect(LENGTHS.filter(({ shown }) => shown).map(({ name }) => name)).toEqual([
      "5m",
      "15m",
      "1h",
    ]);
  });

  it("has nine doublings of five minutes, the hour and the day, unless told otherwise", () => {
    const names = windowLengths([300_000, 3_600_000, 86_400_000], 9).map(({ name }) => name);
    const doublings = ["5m", "10m", "20m", "40m", "80m", "160m", "320m", "640m", "1280m"];
    expect(names).toEqual([...doublings.slice(0, 4), "1h", ...doublings.slice(4), "1d"]);
  });
});

describe("SignalPanes", () => {
  it("has every number in its pane once it is settled, as if each had been added alone", () => {
    const number = fc.oneof(
      fc.double({ min: -10, max: 110, noNaN: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0),
    );
    // Panes 0 to 4 have ended: what comes for them is late. Runs are longer than what may wait.
    const run = fc.tuple(
      fc.constantFrom(2, 5, 6, 7, 10),
      fc.array(number, { maxLength: 200, size: "max" }),
    );
    fc.assert(
      fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
        const { schedule } = newPanes();
        schedule.advance(5 * MINUTE_MS);
        const panes = new SignalPanes(identity, reference, schedule);
        const expected = { late: new GridSummary(grid), open: new GridSummary(grid) };
        for (const [pane, values] of runs) {
          for (const value of values) {
            expected[pane < 5 ? "late" : "open"].add(value);
            const joined = panes.joinWaiting(value, pane);
            const added = joined || panes.addNumber(value, pane);
            expect(added).toBe(Number.isFinite(value));
          }
        }
        panes.settle();
        const found = { late: new GridSummary(grid), open: new GridSummary(grid) };
        for (const [place, summary] of panes.places()) {
          if (!(summary instanceof GridSummary)) continue;
          found[place.startsWith("late") ? "late" : "open"].merge(summary);
        }
        for (const kind of ["late", "open"] as const) {
          const { deviationSum, deviationSquares } = found[kind];
          expect(found[kind]).toMatchObject({
            counts: expected[kind].counts,
            count: expected[kind].count,
            invalid: expected[kind].invalid,
            min: expected[kind].min,
            max: expected[kind].max,
          });
          expect(deviationSum).toBeCloseTo(expected[kind].deviationSum, 6);
          expect(deviationSquares).toBeCloseTo(expected[kind].deviationSquares, 3);
        }
      }),
    );
  });

  it("hands out every window of every length once, with the values of its time, late ones too", () => {
    // Minutes since the last step, by how many the value is late, and the value.
    const step = fc.tuple(
      fc.integer({ min: 0, max: 30 }),
      fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 60 })),
      fc.integer({ min: 0, max: 99 }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const { schedule, panes } = newPanes();
        const windows = new Map<string, number>();
        const closed: string[] = [];
        const expected = new Map<string, number>();
        let nowMs = Date.UTC(2026, 0, 5);
        const close = () => {
          schedule.advance(nowMs);
          panes.closeUntil(schedule.closedUntilMs, (length, endMs, summary) => {
            const name = `${LENGTHS[length]?.name} ${endMs}`;
            closed.push(name);
            if (summary.count > 0) windows.set(name, summary.count);
          });
        };
        for (const [minutes, lateBy, value] of steps) {
          nowMs += minutes * MINUTE_MS;
          close();
          const atMs = nowMs - lateBy * MINUTE_MS;
          panes.addNumber(value, schedule.paneNumber(atMs));
          for (const { ms, name } of LENGTHS) {
            const endMs = Math.floor(atMs / ms) * ms + ms;
            if (endMs <= schedule.closedUntilMs) continue;
            expected.set(`${name} ${endMs}`, (expected.get(`${name} ${endMs}`) ?? 0) + 1);
          }
        }
        panes.settle();
        nowMs += 200 * MINUTE_MS;
        close();
        expect(windows).toEqual(expected);
        expect(new Set(closed).size).toBe(closed.length);
      }),
    );
  });

  it("comes to the same windows however late they are handed out", () => {
    const step = fc.tuple(
      fc.integer({ min: 0, max: 12 }),
      fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 60 })),
      fc.boolean(),
    );
    const run = (steps: readonly (readonly [number, number, boolean])[], isEager: boolean) => {
      const { schedule, panes } = newPanes();
      const windows: string[] = [];
      const close = (one: SignalPanes) =>
        one.closeUntil(schedule.closedUntilMs, (length, endMs, { count }) =>
          windows.push([LENGTHS[length]?.name, endMs, count].join(" ")),
        );
      schedule.catchUp = close;
      let nowMs = Date.UTC(2026, 0, 5);
      schedule.advance(nowMs);
      close(panes);
      for (const [minutes, lateBy, isDue] of steps) {
        nowMs += minutes * MINUTE_MS;
        schedule.advance(nowMs);
        if (isEager || isDue) close(panes);
        panes.addNumber(1, schedule.paneNumber(nowMs - lateBy * MINUTE_MS));
        panes.settle();
      }
      schedule.advance(nowMs + 200 * MINUTE_MS);
      close(panes);
      // Whoever is late sees silence as one, not window by window.
      return windows.filter((window) => !window.endsWith(" 0"));
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        expect(run(steps, false)).toEqual(run(steps, true));
      }),
    );
  });

  it("goes on in another process where it was, whatever was open", () => {
    const { schedule, panes } = newPanes();
    const startMs = Date.UTC(2026, 0, 5);
    schedule.advance(startMs);
    panes.closeUntil(startMs, () => {});
    for (let minute = 0; minute < 27; minute++) {
      schedule.advance(startMs + minute * MINUTE_MS);
      panes.closeUntil(schedule.closedUntilMs, () => {});
      panes.addNumber(minute, schedule.paneNumber(startMs + minute * MINUTE_MS));
      panes.settle();
    }
    const restored = new SignalPanes(identity, reference, schedule);
    for (const [place, summary] of panes.places()) restored.restore(place, packPlace(summary));
    const ends = (one: SignalPanes) => {
      const seen: [number, number, Uint8Array][] = [];
      one.closeUntil(startMs + 80 * MINUTE_MS, (length, endMs, summary) =>
        seen.push([length, endMs, summary.serialise()]),
      );
      return seen;
    };
    const before = ends(panes);
    expect(before.length).toBeGreaterThan(10);
    expect(ends(restored)).toEqual(before);
  });

  it("says once for each length that nothing has come, however long that was", () => {
    const { schedule, panes } = newPanes();
    const startMs = Date.UTC(2026, 0, 5);
    schedule.advance(startMs);
    panes.closeUntil(startMs, () => {});
    const silent: string[] = [];
    panes.closeUntil(startMs + 3 * 365 * 86_400_000, (length, _, summary) => {
      expect(rowsOf(summary)).toBe(0);
      silent.push(LENGTHS[length]?.name as string);
    });
    expect(silent).toEqual(LENGTHS.map(({ name }) => name));
  });
});

describe("WaitingWindows", () => {
  it("refuses windows of another reference, and leaves out lengths that are no more", () => {
    const windows = new WaitingWindows(reference, LENGTHS);
    const summary = new GridSummary(grid);
    summary.addMany(Float64Array.from(rows));
    windows.set([undefined, summary, summary]);
    const [ten, fewer] = [LENGTHS[1], LENGTHS.filter(({ name }) => name !== "15m")];
    const again = new WaitingWindows(reference, fewer);
    again.restore(windows.serialise());
    const found = again.get(fewer.indexOf(ten as (typeof fewer)[0])) as GridSummary;
    expect(found.serialise()).toEqual(summary.serialise());
    expect(fewer.map((_, length) => again.get(length)?.count ?? 0)).toEqual([0, 500, 0, 0, 0, 0]);
    const other = { ...reference, grid: ReferenceGrid.fromSample([1, 2, 3]) };
    expect(() => new WaitingWindows(other, LENGTHS).restore(windows.serialise())).toThrow(/grid/);
  });
});
