/** Where a drift comes from, on customers of a telephone company (examples/churn/NOTICE). */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import type { TestSpan } from "./running-receiver.ts";
import { START_MS, startReceiver } from "./running-receiver.ts";

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
type Customer = Readonly<Record<string, string>>;

interface Drift {
  readonly window: string;
  readonly signals: { name: string; shift: number | null; moved: boolean }[];
  readonly origins: {
    signal: string;
    before: number;
    after: number;
    rankings: {
      attribute: string;
      segments: { name: string; contribution: number; mix: number; within: number }[];
    }[];
  }[];
}

const MINUTES_5 = 300_000;
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

function customers(): Customer[] {
  const file = new URL("../../../examples/churn/data/wa_churn.csv", import.meta.url);
  const [head = "", ...lines] = readFileSync(file, "utf8").trim().split("\n");
  const cells = (line: string) => line.split(",").map((cell) => cell.replaceAll('"', ""));
  const names = cells(head);
  return lines.map((line) => Object.fromEntries(cells(line).map((cell, at) => [names[at], cell])));
}

/** One prediction for each of so many customers, drawn again and again. */
function predictions(from: readonly Customer[], fromMs: number, count: number): TestSpan[] {
  const random = seeded(fromMs);
  return Array.from({ length: count }, (_, index): TestSpan => {
    const one = from[Math.floor(random() * from.length)] as Customer;
    return {
      atMs: fromMs + (index / count) * (MINUTES_5 - 1000),
      attributes: {
        "ml.model.name": "churn",
        "ml.feature.tenure": Number(one["tenure"]),
        "ml.feature.monthly_charges": Number(one["monthly_charges"]),
        "ml.feature.female": Number(one["female"]),
        "ml.feature.contract": String(one["contract"]),
        "ml.segment.contract": String(one["contract"]),
        "ml.segment.internet": String(one["internet_service"]),
      },
    };
  });
}

async function getJson<T>(receiver: Receiver, name: string): Promise<T> {
  return (await (await fetch(`${receiver.admin}/api/v1/${name}?model=churn`)).json()) as T;
}

/** A receiver that has learned from one kind of customers, and then got others. */
async function drifts(before: readonly Customer[], after: readonly Customer[]): Promise<Drift[]> {
  const receiver = await startReceiver(
    "processors:\n  learn: { samples: 500, span: 0s }\n  evaluate: { windows: [5m], ladder: 1, dependence: none }\n",
  );
  running.push(receiver);
  const traffic = [before, before, after, after];
  for (const [index, from] of traffic.entries()) {
    const fromMs = START_MS + index * MINUTES_5;
    receiver.clock.nowMs = fromMs + MINUTES_5;
    expect((await receiver.send(predictions(from, fromMs, 3000))).status).toBe(200);
  }
  await receiver.settled();
  return (await getJson<{ drifts: Drift[] }>(receiver, "drifts")).drifts;
}

describe("/api/v1/drifts", () => {
  it("names contract and tenure first when two-year customers become monthly ones", async () => {
    const all = customers();
    const two = all.filter(({ contract }) => contract === "Two year");
    const monthly = all.filter(({ contract }) => contract === "Month-to-month");
    const [drift] = await drifts(two, monthly);
    const moved = drift?.signals.filter((signal) => signal.moved).map(({ name }) => name) ?? [];
    expect(new Set(moved.slice(0, 3))).toEqual(
      new Set(["feature.contract", "segment.contract", "feature.tenure"]),
    );
    expect(moved).not.toContain("feature.female");
    const tenure = drift?.origins.find(({ signal }) => signal === "feature.tenure");
    const ranking = tenure?.rankings.find(({ attribute }) => attribute === "internet");
    const total = ranking?.segments.reduce((sum, one) => sum + one.contribution, 0) ?? 0;
    expect(total).toBeCloseTo((tenure?.after ?? 0) - (tenure?.before ?? 0), 1);
    // Whatever line they have, monthly customers are newer: the segments themselves have changed.
    const within = ranking?.segments.reduce((sum, one) => sum + one.within, 0) ?? 0;
    expect(within / total).toBeGreaterThan(0.9);
  });

  it("says that it is the mix when the share of monthly customers grows, and nothing else", async () => {
    const all = customers();
    const two = all.filter(({ contract }) => contract === "Two year");
    const monthly = all.filter(({ contract }) => contract === "Month-to-month");
    const mixed = (share: number) => [
      ...monthly.slice(0, 1000 * share),
      ...two.slice(0, 1000 * (1 - share)),
    ];
    const [drift] = await drifts(mixed(0.25), mixed(0.75));
    const tenure = drift?.origins.find(({ signal }) => signal === "feature.tenure");
    const ranking = tenure?.rankings.find(({ attribute }) => attribute === "contract");
    expect(ranking?.segments.map(({ name }) => name).toSorted()).toEqual([
      "Month-to-month",
      "Two year",
    ]);
    const parts = { mix: 0, within: 0 };
    for (const { mix, within } of ranking?.segments ?? []) {
      parts.mix += mix;
      parts.within += within;
    }
    expect(parts.mix).toBeGreaterThan(0.25);
    expect(Math.abs(parts.within)).toBeLessThan(0.05);
  });

  it("has nothing to say while nothing drifts", async () => {
    const all = customers();
    expect(await drifts(all, all)).toEqual([]);
  });
});
