import { describe, expect, it } from "vitest";
import { Adwin, type AdwinOptions, PageHinkley, type PageHinkleyOptions } from "../src/index.ts";
import { golden } from "./golden.ts";

interface RiverOptions {
  min_instances?: number;
  delta?: number;
  threshold?: number;
  alpha?: number;
  mode?: "up" | "down" | "both";
  clock?: number;
  max_buckets?: number;
  min_window_length?: number;
  grace_period?: number;
}

interface RiverRun {
  options: RiverOptions;
  detections: number[];
  windows: [width: number, total: number, squares: number][];
}

interface Golden {
  streams: Record<string, number[]>;
  pageHinkley: Record<string, RiverRun[]>;
  adwin: Record<string, RiverRun[]>;
}

const { streams, pageHinkley, adwin } = golden("detectors.json") as Golden;

/** Runs by stream and options, for a table of tests. */
function cases(
  runs: Record<string, RiverRun[]>,
): [title: string, values: number[], run: RiverRun][] {
  return Object.entries(runs).flatMap(([name, list]) =>
    list.map((run): [string, number[], RiverRun] => [
      `${name} ${JSON.stringify(run.options)}`,
      streams[name] ?? [],
      run,
    ]),
  );
}

function detections(detector: { add(value: number): boolean }, values: number[]): number[] {
  return values.flatMap((value, i) => (detector.add(value) ? [i] : []));
}

/** Options that River was given, under our names. */
function renamed<T>(options: RiverOptions, names: Partial<Record<keyof RiverOptions, keyof T>>): T {
  const entries = Object.entries(options).map(([name, value]) => [
    names[name as keyof RiverOptions],
    value,
  ]);
  return Object.fromEntries(entries) as T;
}

describe("PageHinkley", () => {
  it("alarms where River's documentation says, at index 1006", () => {
    expect(detections(new PageHinkley(), streams["published"] ?? [])).toEqual([1006]);
  });

  it.each(cases(pageHinkley))("alarms where River does: %s", (_title, values, run) => {
    const options = renamed<PageHinkleyOptions>(run.options, {
      min_instances: "minRows",
      delta: "tolerance",
      threshold: "threshold",
      alpha: "fading",
      mode: "direction",
    });
    expect(detections(new PageHinkley(options), values)).toEqual(run.detections);
  });

  it("refuses options out of range and values that are no numbers", () => {
    expect(() => new PageHinkley({ threshold: 0 })).toThrow("threshold 0");
    expect(() => new PageHinkley({ fading: 1.1 })).toThrow("fading 1.1");
    expect(() => new PageHinkley().add(Number.NaN)).toThrow("value NaN");
  });
});

describe("Adwin", () => {
  it("alarms where River's documentation says, at index 1023", () => {
    expect(detections(new Adwin(), streams["published"] ?? [])).toEqual([1023]);
  });

  it.each(cases(adwin))(
    "keeps River's window and alarms where it does: %s",
    (_title, values, run) => {
      const options = renamed<AdwinOptions>(run.options, {
        delta: "delta",
        clock: "clock",
        max_buckets: "bucketsMax",
        min_window_length: "sideRowsMin",
        grace_period: "graceRows",
      });
      const detector = new Adwin(options);
      const found: number[] = [];
      for (const [i, value] of values.entries()) {
        if (detector.add(value)) found.push(i);
        if (i % 50 !== 49) continue;
        // What River calls variance is the sum of squared deviations.
        const [width, total, squares] = run.windows[(i - 49) / 50] ?? [];
        expect([i, detector.width]).toEqual([i, width]);
        expect(detector.total).toBeCloseTo(total ?? Number.NaN, 8);
        expect(detector.variance * detector.width).toBeCloseTo(squares ?? Number.NaN, 7);
      }
      expect(found).toEqual(run.detections);
    },
  );

  it("keeps a bounded window of a stationary stream", () => {
    const detector = new Adwin({ bucketsMax: 5 });
    for (let i = 0; i < 100_000; i++) detector.add(((i * 7919) % 101) / 101);
    expect(detector.width).toBe(100_000);
    expect(detector.mean).toBeCloseTo(0.495, 2);
  });

  it("refuses options out of range and values that are no numbers", () => {
    expect(() => new Adwin({ delta: 1 })).toThrow("delta 1");
    expect(() => new Adwin({ clock: 0 })).toThrow("clock 0");
    expect(() => new Adwin().add(Infinity)).toThrow("value Infinity");
  });
});
