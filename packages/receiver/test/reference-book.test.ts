import {
  CategoryCounts,
  driftPolicy,
  evaluateNumeric,
  GridSummary,
  ReferenceGrid,
} from "@tidemark/stats";
import { describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import type {
  MovingRule,
  SignalKey,
  SummaryHistory,
  TimeRange,
} from "../src/references/moving-reference.ts";
import type { NumericReference, Reference } from "../src/references/reference.ts";
import { ReferenceBook } from "../src/references/reference-book.ts";
import type { ReferenceFile } from "../src/references/reference-file.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
const NOW = 100 * WEEK_MS;
const ROWS_AN_HOUR = 200;
const policy = driftPolicy({ evaluationMinutes: 60, windowLengths: 1 });

const random = seeded(3);
const normal = () => Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6);
const grid = ReferenceGrid.fromSample(Array.from({ length: 5000 }, normal));
const base: NumericReference = {
  kind: "numeric",
  name: "training",
  provisional: false,
  missing: 0,
  grid,
};
const wind: SignalKey = { model: "weather", version: "2", name: "feature.wind" };

function file(version: string, signals: Record<string, Reference>): ReferenceFile {
  const source = { files: ["training.csv"], rows: 5000, columns: new Map<string, string>() };
  const path = `weather-${version}.tidemark.json`;
  return {
    file: path,
    model: "weather",
    version,
    runId: "",
    source,
    signals: new Map(Object.entries(signals)),
  };
}

function windowOf(rows: number, mean: number): GridSummary {
  const summary = new GridSummary(grid);
  for (let i = 0; i < rows; i++) summary.add(normal() + mean);
  return summary;
}

/** Hours of some weeks whose mean follows the hour of the day, as traffic's does. */
class Hours implements SummaryHistory {
  readonly asked: [SignalKey, number, number][] = [];
  readonly prepared: TimeRange[] = [];
  readonly meanAt: (signal: SignalKey, ms: number) => number;
  readonly fromMs: number;

  constructor(fromMs: number, meanAt: (signal: SignalKey, ms: number) => number) {
    this.fromMs = fromMs;
    this.meanAt = meanAt;
  }

  reference(): Reference | undefined {
    return base;
  }

  async prepare(_: SignalKey, ranges: readonly TimeRange[]): Promise<void> {
    this.prepared.push(...ranges);
  }

  sum(signal: SignalKey, [fromMs, toMs]: TimeRange): GridSummary | undefined {
    this.asked.push([signal, fromMs, toMs]);
    const sum = new GridSummary(grid);
    for (let ms = Math.max(fromMs, this.fromMs); ms < toMs; ms += HOUR_MS) {
      sum.merge(windowOf(ROWS_AN_HOUR, this.meanAt(signal, ms)));
    }
    return sum.count === 0 ? undefined : sum;
  }
}

const byHour = (_: SignalKey, ms: number) => 2 * Math.sin((2 * Math.PI * ms) / DAY_MS);

function outcome(reference: Reference, live: GridSummary, startMs: number, endMs: number): string {
  const { grid: usual } = (reference.at?.(startMs, endMs) ?? reference) as NumericReference;
  return evaluateNumeric({ reference: usual, live, policy }).outcome;
}

function bookWith(
  rule: MovingRule,
  history: SummaryHistory,
  files = [file("", { "feature.wind": base })],
) {
  return new ReferenceBook(files, [rule], history);
}

describe("references that move with time", () => {
  it("know what is usual at this hour of the week", () => {
    const history = new Hours(NOW - 5 * WEEK_MS, byHour);
    const found = bookWith({ sameHour: 4 }, history).find(wind) as Reference;
    expect(found.name).toBe("same hour, 4w");
    for (const hour of [0, 6, 13, 18]) {
      const [startMs, endMs] = [NOW + hour * HOUR_MS, NOW + (hour + 1) * HOUR_MS];
      expect(outcome(found, windowOf(1000, byHour(wind, startMs)), startMs, endMs)).toBe("stable");
    }
    // What is usual at six in the morning is not so at noon, and the training data knows no hours.
    const noon = NOW + 12 * HOUR_MS;
    const morning = windowOf(1000, byHour(wind, NOW + 6 * HOUR_MS));
    expect(outcome(found, morning, noon, noon + HOUR_MS)).toBe("drifted");
    const sixMs = NOW + 6 * HOUR_MS;
    expect(outcome(base, morning, sixMs, sixMs + HOUR_MS)).toBe("drifted");
  });

  it("take the whole hours around a window that is shorter", () => {
    const history = new Hours(0, () => 0);
    bookWith({ sameHour: 2 }, history)
      .find(wind)
      ?.at?.(NOW + 5 * 60_000, NOW + 10 * 60_000);
    expect(history.asked.map(([, fromMs, toMs]) => [NOW - fromMs, toMs - fromMs])).toEqual([
      [WEEK_MS, HOUR_MS],
      [2 * WEEK_MS, HOUR_MS],
    ]);
  });

  it("follow a change that has come to stay, but not the newest day", () => {
    const changeMs = NOW - 10 * DAY_MS;
    const history = new Hours(NOW - 5 * WEEK_MS, (_, ms) => (ms < changeMs ? 0 : 1));
    const found = bookWith({ rolling: 7 * DAY_MS }, history).find(wind) as Reference;
    expect(found.name).toBe("rolling 7d");
    const now = windowOf(1000, 1);
    expect(outcome(found, now, NOW, NOW + HOUR_MS)).toBe("stable");
    expect(outcome(base, now, NOW, NOW + HOUR_MS)).toBe("drifted");
    expect(outcome(found, now, changeMs + 6 * HOUR_MS, changeMs + 7 * HOUR_MS)).toBe("drifted");
    history.asked.length = 0;
    found.at?.(NOW, NOW + HOUR_MS);
    expect(history.asked).toEqual([[wind, NOW - 8 * DAY_MS, NOW - DAY_MS]]);
    // Before windows of up to a day are compared, all that any of them needs is read.
    void found.prepare?.(NOW - DAY_MS, NOW + HOUR_MS);
    expect(history.prepared).toEqual([[NOW - 9 * DAY_MS, NOW + HOUR_MS - DAY_MS]]);
  });

  it("leave the signal's own reference in force where the past has too little to say", () => {
    const none = bookWith({ rolling: DAY_MS }, new Hours(NOW, () => 9)).find(wind);
    expect(none?.at?.(NOW, NOW + HOUR_MS)).toBeUndefined();
    const few = bookWith({ rolling: DAY_MS }, new Hours(NOW - DAY_MS - 2 * HOUR_MS, () => 9));
    expect(few.find(wind)?.at?.(NOW, NOW + HOUR_MS)).toBeUndefined();
  });

  it("are what the other version says at the same time", () => {
    const means: Record<string, number> = { 1: 3, 2: 3 };
    const history = new Hours(0, ({ version }) => means[version] as number);
    const book = bookWith({ against: { version: "1" }, version: "2" }, history, []);
    expect(book.find(wind)).toBeUndefined();
    const found = book.learned(wind, () => undefined) as Reference;
    expect(found.name).toBe("version 1");
    const together = windowOf(1000, 3);
    // Both have moved from the training data; the canary has not moved from the other.
    expect(outcome(found, together, NOW, NOW + 24 * HOUR_MS)).toBe("stable");
    expect(outcome(base, together, NOW, NOW + 24 * HOUR_MS)).toBe("drifted");
    expect(outcome(found, windowOf(1000, 4), NOW, NOW + 24 * HOUR_MS)).toBe("drifted");
    expect(history.asked[0]).toEqual([{ ...wind, version: "1", segment: "" }, NOW, NOW + DAY_MS]);
    expect(book.find({ ...wind, version: "1" })).toBeUndefined();
  });

  it("let a canary learn until the other version has learned, whatever it knows itself", () => {
    let other: Reference | undefined;
    const history = { reference: () => other, prepare: async () => {}, sum: () => undefined };
    const book = bookWith({ against: { segment: "flag=off" }, segment: "flag=on" }, history, []);
    const canary = { ...wind, segment: "flag=on" };
    const own = { ...base, name: "learned" };
    let asked = 0;
    const learn = () => {
      asked++;
      return own;
    };
    expect(book.find(canary)).toBeUndefined();
    expect(book.learned(canary, learn)).toBeUndefined();
    other = base;
    expect(book.learned(canary, learn)).toMatchObject({ name: "flag=off", grid: base.grid });
    expect(asked).toBe(0);
    expect(book.learned(wind, learn)).toBe(own);
  });

  it("are not those of a signal that holds something else, or was counted elsewhere", () => {
    const categories = new CategoryCounts();
    for (let i = 0; i < 1000; i++) categories.add("sun");
    const otherGrid = ReferenceGrid.fromSample(Array.from({ length: 999 }, (_, i) => i));
    const elsewhere = new GridSummary(otherGrid);
    for (let i = 0; i < 1000; i++) elsewhere.add(i);
    for (const sum of [categories, elsewhere]) {
      const book = bookWith(
        { rolling: DAY_MS },
        {
          reference: () => base,
          prepare: async () => {},
          sum: () => sum,
        },
      );
      expect(book.find(wind)?.at?.(NOW, NOW + HOUR_MS)).toBeUndefined();
    }
  });
});

describe("the reference book", () => {
  const history = new Hours(0, () => 0);
  const [any, second] = ["", "2"].map((version) =>
    file(version, { "feature.wind": { ...base, name: version } }),
  );
  const files = [any, second] as ReferenceFile[];

  it("prefers the file for this very version", () => {
    const book = new ReferenceBook(files, [], history);
    expect(book.find(wind)?.name).toBe("2");
    expect(book.find({ ...wind, version: "3" })?.name).toBe("");
    expect(book.find({ ...wind, name: "feature.rain" })).toBeUndefined();
    expect(book.find({ ...wind, model: "other" })).toBeUndefined();
  });

  it("takes the first rule that concerns a signal", () => {
    const rules = [
      { rolling: DAY_MS, model: "other" },
      { rolling: 2 * DAY_MS, signals: ["prediction.*", "feature.rain"] },
      { rolling: 3 * DAY_MS, version: "2" },
    ];
    const signals = { "feature.wind": base, "prediction.value": base };
    const book = new ReferenceBook([file("", signals)], rules, history);
    expect(book.find(wind)?.name).toBe("rolling 3d");
    expect(book.find({ ...wind, name: "prediction.value" })?.name).toBe("rolling 2d");
    expect(book.find({ ...wind, version: "1" })?.at).toBeUndefined();
  });

  it("says once which models nobody has seen", () => {
    const book = new ReferenceBook(files, [], history);
    expect(book.unseen(new Set(["other"]))).toHaveLength(2);
    expect(book.unseen(new Set(["other"]))).toEqual([]);
  });
});
