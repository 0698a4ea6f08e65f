import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { cliFolder } from "./cli-runs.ts";

const { file, tidemark } = cliFolder();

interface Signal {
  signal: string;
  of: string;
  state: string;
  statistic: number;
  ratio: number;
  needed: number | null;
  currentCount: number;
}
interface Found {
  verdict: string;
  exitCode: number;
  alpha: number;
  signals: Signal[];
}

function compared(...args: string[]): Found & { status: number | null } {
  const { status, stdout, stderr } = tidemark("compare", ...args, "--json");
  expect(stderr).toBe("");
  return { status, ...(JSON.parse(stdout) as Found) };
}

const churn = fileURLToPath(new URL("../../../examples/churn/data/wa_churn.csv", import.meta.url));
const [header = "", ...customers] = readFileSync(churn, "utf8").trim().split("\n");
const withContract = (contract: string) => customers.filter((row) => row.includes(`"${contract}"`));
const csv = (name: string, rows: readonly string[]) => file(name, [header, ...rows].join("\n"));

describe("customers who leave", () => {
  const twoYear = csv("two-year.csv", withContract("Two year"));
  const monthly = csv("monthly.csv", withContract("Month-to-month"));
  beforeAll(() => {
    for (const [path, out] of [
      [twoYear, "two-year.tidemark.json"],
      [monthly, "monthly.tidemark.json"],
    ] as const) {
      tidemark("baseline", "build", path, "--model", "churn", "--ignore", "churn", "--out", out);
    }
  });

  it.each([
    ["a reference and data", ["two-year.tidemark.json", "monthly.csv"]],
    ["data and data", ["two-year.csv", "monthly.csv", "--ignore", "churn"]],
    ["two references", ["two-year.tidemark.json", "monthly.tidemark.json"]],
  ])("from two-year contracts to monthly ones are found in %s, the cause first", (_, args) => {
    const { status, verdict, exitCode, signals } = compared(...args);
    expect({ status, verdict, exitCode }).toEqual({ status: 1, verdict: "drifted", exitCode: 1 });
    const [first, second] = signals;
    expect(first).toMatchObject({ signal: "feature.contract", state: "drifted" });
    expect(second).toMatchObject({ signal: "feature.tenure", state: "drifted" });
    for (const name of ["feature.female", "feature.phone_service", "feature.senior_citizen"]) {
      expect(signals.find(({ signal }) => signal === name)).toMatchObject({ state: "stable" });
    }
    const ratios = signals.filter(({ state }) => state === "drifted").map(({ ratio }) => ratio);
    expect(ratios).toEqual(ratios.toSorted((a, b) => b - a));
  });

  it("are the same every other customer, which is not called a drift", () => {
    const even = csv(
      "even.csv",
      customers.filter((_, i) => i % 2 === 0),
    );
    const odd = csv(
      "odd.csv",
      customers.filter((_, i) => i % 2 === 1),
    );
    const { status, verdict, signals } = compared(even, odd, "--ignore", "churn");
    expect({ status, verdict }).toEqual({ status: 0, verdict: "stable" });
    const states = new Set(signals.map(({ state }) => state));
    expect(states).toEqual(new Set(["stable"]));
    // Eleven customers have no total yet: the rate of missing values is compared, not dropped.
    expect(signals).toContainEqual(
      expect.objectContaining({ signal: "feature.total_charges", of: "missing", state: "stable" }),
    );
  });

  it("are too few to tell in a small batch, which is not called stable", () => {
    const few = csv("few.csv", withContract("Two year").slice(0, 40));
    const { status, verdict, signals } = compared("two-year.tidemark.json", few);
    expect({ status, verdict }).toEqual({ status: 3, verdict: "insufficient" });
    const tenure = signals.find(({ signal }) => signal === "feature.tenure");
    expect(tenure).toMatchObject({ state: "insufficient", currentCount: 40 });
    expect(tenure?.needed).toBeGreaterThan(40);
  });

  it("are told in a table, and in Markdown for a summary", () => {
    const args = ["compare", "two-year.tidemark.json", "monthly.csv"];
    const { stdout, status } = tidemark(...args);
    expect(status).toBe(1);
    expect(stdout).toContain("(3,875 rows) beside");
    expect(stdout).toMatch(
      /15 of 19 signals drifted\n {2}signal .*\n {2}feature\.contract +drifted/,
    );
    expect(stdout).toContain(
      'feature.contract: 0 % of live values are "Two year" (expected 100 %)',
    );
    const markdown = tidemark(...args, "--markdown").stdout.split("\n");
    expect(markdown[2]).toBe("| signal | state | method | distance | threshold | ratio | psi |");
    expect(markdown[4]).toMatch(/^\| feature\.contract \| drifted \| hellinger \|/);
  });
});

describe("comparing", () => {
  const random = seeded(11);
  const rows = (count: number, shift = 0) =>
    Array.from({ length: count }, () => ({
      a: Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6) + shift,
      b: random() < 0.5 ? "x" : "y",
    }));
  const json = (name: string, of: readonly object[]) =>
    file(name, of.map((row) => JSON.stringify(row)).join("\n"));
  const before = json("before.jsonl", rows(5000));

  it("says what has another type, what has gone and what is new", () => {
    const now = json(
      "typed.jsonl",
      rows(3000).map(({ a, b }) => ({ a: `${a} m`, c: b })),
    );
    const { status, signals } = compared(before, now);
    expect(status).toBe(1);
    expect(signals).toEqual([
      expect.objectContaining({ signal: "feature.a", of: "type", state: "drifted" }),
      expect.objectContaining({ signal: "feature.b", state: "absent" }),
    ]);
    const without = json(
      "without.jsonl",
      rows(3000).map(({ a }) => ({ a })),
    );
    expect(compared(before, without)).toMatchObject({ status: 3, verdict: "insufficient" });
  });

  it("finds in flags that are text what it finds in true booleans", () => {
    const flags = rows(3000).map(({ a }, i) => ({ a, flag: i % 3 === 0 }));
    const typed = json("flags.jsonl", flags);
    const text = ["a,flag", ...flags.map(({ a, flag }) => `${a},${flag ? "True" : "False"}`)];
    const written = file("flags.csv", text.join("\n"));
    for (const [reference, current] of [
      [written, written],
      [typed, written],
      [written, typed],
    ] as const) {
      expect(compared(reference, current)).toMatchObject({ status: 0, verdict: "stable" });
    }
  });

  it("finds that more rows have no value", () => {
    const gaps = rows(3000).map(({ a, b }, i) => ({ a: i % 4 ? a : null, b }));
    const { status, signals } = compared(before, json("gaps.jsonl", gaps));
    expect(status).toBe(1);
    expect(signals[0]).toMatchObject({ signal: "feature.a", of: "missing", state: "drifted" });
    expect(signals[1]).toMatchObject({ state: "stable" });
  });

  it("keeps its promise for how often it is run, and its floor for what somebody cares about", () => {
    const same = json("same.jsonl", rows(3000));
    // r s / (L K 525,960): .01 false alarms a feature-year, two tests a feature.
    expect(compared(before, same).alpha).toBeCloseTo((0.01 * 1440) / 2 / 525_960, 12);
    expect(compared(before, same, "--every", "1h").alpha).toBeCloseTo(
      (0.01 * 60) / 2 / 525_960,
      12,
    );
    const moved = json("moved.jsonl", rows(5000, 0.6));
    expect(compared(before, moved).status).toBe(1);
    expect(compared(before, moved, "--shift", "1").status).toBe(0);
  });

  it("fails with 2, which no schedule takes for a drift", () => {
    for (const [args, complaint] of [
      [[before, "nowhere.csv"], "nowhere.csv: cannot be read (ENOENT); check the path"],
      [["nowhere.tidemark.json", before], "nowhere.tidemark.json: cannot be read (ENOENT)"],
      [[before], "compare needs a reference, and what to compare with it"],
      [[before, before, "--every", "1x"], "--every 1x: write a minute or more, such as 1d or 6h"],
      [[before, before, "--shift", "9"], "--shift 9: write standard deviations from 0.01 to 2"],
      [[before, before, "--json", "--markdown"], "choose one of --json, --markdown and --html"],
      [[before, before, "--prediction", "z"], 'there is no column "z"'],
    ] as const) {
      const { status, stderr } = tidemark("compare", ...args);
      expect(stderr).toContain(complaint);
      expect(status).toBe(2);
    }
  });
});
