/** References that move with time, in a receiver that counts, keeps hours and is restarted. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { seeded } from "../bench/trace-bodies.ts";
import { cli, cliFolder } from "./cli-runs.ts";
import { START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A whole hour, so that hours are full ones. */
const FROM_MS = Math.ceil(START_MS / HOUR_MS) * HOUR_MS;
const ROWS = 1000;
const random = seeded(23);
const normal = (mean: number) =>
  Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6) + mean;

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
const running: Receiver[] = [];
afterEach(async () => {
  for (const receiver of running.splice(0)) await receiver.shutdown();
});

async function started(
  references: string,
  storage?: string,
  nowMs = FROM_MS,
  observe = "",
): Promise<Receiver> {
  const yaml =
    "processors:\n  observe: " +
    `{ idleTimeout: 1s, allowedLateness: 0s, hourRetention: 15d${observe} }\n` +
    `  learn: { samples: 400, span: 0s }\n  references: [${references}]\n` +
    "  evaluate: { windows: [5m], ladder: 1, dependence: none }\n";
  const receiver = await startReceiver(yaml, storage, nowMs);
  running.push(receiver);
  return receiver;
}

interface Traffic {
  readonly version: string;
  readonly mean: number;
  readonly variant?: string;
}

/** Sends five minutes of every version, and lets their window end. */
async function fiveMinutes(receiver: Receiver, fromMs: number, traffic: readonly Traffic[]) {
  receiver.clock.nowMs = fromMs + 5 * MINUTE_MS - 1;
  const spans = traffic.flatMap(({ version, mean, variant }) =>
    Array.from({ length: ROWS }, (_, i) => ({
      atMs: fromMs + i * 200,
      attributes: {
        "ml.model.name": "weather",
        "ml.model.version": version,
        "ml.stage": "inference",
        "ml.feature.wind": normal(mean),
        ...(variant && { "feature_flag.result.variant": variant }),
      },
    })),
  );
  expect((await receiver.send(spans)).status).toBe(200);
}

interface Judged {
  version: string;
  segment: string;
  signal: string;
  state: string;
  reference: string;
  liveCount: number;
  windowStartMs: number;
}

/** The verdicts on the five minutes that began at `fromMs`. */
async function judged(receiver: Receiver, fromMs: number): Promise<Record<string, Judged>> {
  receiver.clock.nowMs = fromMs + 6 * MINUTE_MS;
  const found = async () => (await receiver.verdicts()) as unknown as Judged[];
  const isThere = async () => (await found()).some(({ windowStartMs }) => windowStartMs === fromMs);
  await expect.poll(isThere, { timeout: 10_000 }).toBe(true);
  return Object.fromEntries((await found()).map((verdict) => [verdict.version, verdict]));
}

async function hours(
  receiver: Receiver,
  [first, last]: readonly [number, number],
  traffic: readonly Traffic[],
) {
  for (let ms = FROM_MS + first * HOUR_MS; ms < FROM_MS + last * HOUR_MS; ms += 5 * MINUTE_MS) {
    await fiveMinutes(receiver, ms, traffic);
  }
}

describe("a rolling reference", () => {
  it("follows what has come to stay, across a restart, where a learned one stays behind", async () => {
    const storage = storageFolder();
    const rolling = "{ rolling: 2h, excluding: 0s, version: rolling }";
    const both = (mean: number) => ["rolling", "learned"].map((version) => ({ version, mean }));
    try {
      const before = await started(rolling, storage);
      await hours(before, [0, 1], both(0));
      await hours(before, [1, 4], both(2));
      await running.pop()?.shutdown();
      const at = FROM_MS + 4 * HOUR_MS;
      const receiver = await started(rolling, storage, at);
      await fiveMinutes(receiver, at, both(2));
      const stayed = await judged(receiver, at);
      expect(stayed["rolling"]).toMatchObject({ reference: "rolling 2h" });
      expect(stayed["learned"]).toMatchObject({ reference: "learned", state: "drifted" });
      const next = at + 5 * MINUTE_MS;
      await fiveMinutes(receiver, next, both(2));
      const cleared = await judged(receiver, next);
      expect(cleared["rolling"]).toMatchObject({ state: "stable", liveCount: ROWS });
      expect(cleared["learned"]).toMatchObject({ state: "drifted" });
      const last = next + 5 * MINUTE_MS;
      await fiveMinutes(receiver, last, both(0));
      expect((await judged(receiver, last))["rolling"]).toMatchObject({ state: "drifted" });
    } finally {
      for (const receiver of running.splice(0)) await receiver.shutdown();
      await rm(storage, { recursive: true, force: true });
    }
  }, 60_000);
});

describe("the same hour of last week", () => {
  it("is what a signal with a daily cycle is compared with, where a learned one cries", async () => {
    const receiver = await started("{ sameHour: 1, version: hourly }");
    const both = (mean: number) => ["hourly", "learned"].map((version) => ({ version, mean }));
    const week = 168;
    await hours(receiver, [0, 1], both(0));
    await hours(receiver, [6, 7], both(2));
    await hours(receiver, [week, week + 1], both(0));
    const noonMs = FROM_MS + (week + 6) * HOUR_MS;
    await fiveMinutes(receiver, noonMs, both(2));
    const usual = await judged(receiver, noonMs);
    expect(usual["hourly"]).toMatchObject({ reference: "same hour, 1w", state: "stable" });
    expect(usual["learned"]).toMatchObject({ reference: "learned", state: "drifted" });
    const nextMs = noonMs + 5 * MINUTE_MS;
    await fiveMinutes(receiver, nextMs, both(0));
    const odd = await judged(receiver, nextMs);
    expect(odd["hourly"]).toMatchObject({ state: "drifted" });
  }, 60_000);
});

describe("the variants of a feature flag", () => {
  it("are compared with each other at the same time", async () => {
    const flag = "feature_flag.result.variant";
    const receiver = await started(
      `{ against: { segment: "${flag}=off" }, segment: "${flag}=on" }`,
      undefined,
      FROM_MS,
      `, segments: [${flag}]`,
    );
    const variants = (off: number, on: number) => [
      { version: "", variant: "off", mean: off },
      { version: "", variant: "on", mean: on },
    ];
    await hours(receiver, [0, 1], variants(0, 0));
    const stateOf = async (fromMs: number, variant: string) => {
      await judged(receiver, fromMs);
      const found = (await receiver.verdicts()) as unknown as Judged[];
      return found.find(
        ({ signal, segment }) => signal === "feature.wind" && segment === `${flag}=${variant}`,
      );
    };
    const at = FROM_MS + HOUR_MS;
    await fiveMinutes(receiver, at, variants(2, 2));
    expect(await stateOf(at, "off")).toMatchObject({ reference: "learned", state: "drifted" });
    expect(await stateOf(at, "on")).toMatchObject({
      reference: `${flag}=off`,
      state: "stable",
    });
    await fiveMinutes(receiver, at + 5 * MINUTE_MS, variants(2, 3.5));
    expect(await stateOf(at + 5 * MINUTE_MS, "on")).toMatchObject({ state: "drifted" });
  }, 60_000);
});

describe("a canary", () => {
  it("is compared with the other version at the same time, both of which may have moved", async () => {
    const receiver = await started('{ against: { version: "1" }, version: "2" }');
    const versions = (one: number, two: number) => [
      { version: "1", mean: one },
      { version: "2", mean: two },
    ];
    await hours(receiver, [0, 1], versions(0, 0));
    const moved = FROM_MS + HOUR_MS;
    await fiveMinutes(receiver, moved, versions(2, 2));
    await fiveMinutes(receiver, moved + 5 * MINUTE_MS, versions(2, 2));
    const together = await judged(receiver, moved + 5 * MINUTE_MS);
    expect(together["1"]).toMatchObject({ reference: "learned", state: "drifted" });
    expect(together["2"]).toMatchObject({ reference: "version 1", state: "stable" });
    const apart = moved + 10 * MINUTE_MS;
    await fiveMinutes(receiver, apart, versions(2, 3.5));
    expect((await judged(receiver, apart))["2"]).toMatchObject({
      reference: "version 1",
      state: "drifted",
    });
  }, 60_000);
});

describe("what a receiver has had", () => {
  it("can be compared with a file, and becomes one", async () => {
    const receiver = await started("");
    const traffic = [{ version: "1", mean: 0 }];
    await hours(receiver, [0, 2], traffic);
    await judged(receiver, FROM_MS + 2 * HOUR_MS - 5 * MINUTE_MS);
    const { folder, file, tidemark } = cliFolder();
    const address = `${receiver.admin}/api/v1/reference?model=weather`;
    const answer = await fetch(`${address}&hours=3`);
    expect(answer.status).toBe(200);
    file("live.tidemark.json", await answer.text());
    const shown = JSON.parse(
      tidemark("baseline", "show", "live.tidemark.json", "--json").stdout,
    ) as {
      signals: Record<string, { count: number; mean: number }>;
    };
    // The first values were learned from, and are not of the past that is kept.
    expect(shown.signals["feature.wind"]?.count).toBe(24 * ROWS - 400);
    expect(Math.abs(shown.signals["feature.wind"]?.mean ?? 9)).toBeLessThan(0.05);
    const rows = (mean: number) => ["wind", ...Array.from({ length: 3000 }, () => normal(mean))];
    for (const [mean, code] of [
      [0, 0],
      [1, 1],
    ] as const) {
      const data = file(`mean-${mean}.csv`, rows(mean).join("\n"));
      const args = ["--model", "weather", "-o", "trained.tidemark.json"];
      tidemark("baseline", "build", data, ...args);
      // While it waits for the command, this process serves nobody: the receiver is in it.
      const found = await compareWith("trained.tidemark.json", receiver.admin);
      expect(found).toMatchObject({ exitCode: code });
    }
    for (const [query, status, complaint] of [
      ["", 400, "say which model"],
      ["?model=other", 404, 'no span has named the model \\"other\\"; seen so far: weather'],
      ["?model=weather&version=9", 404, "has nothing of that version or segment"],
      ["?model=weather&hours=x", 400, "hours must be a number"],
    ] as const) {
      const refused = await fetch(`${receiver.admin}/api/v1/reference${query}`);
      expect([refused.status, await refused.text()]).toEqual([
        status,
        expect.stringContaining(complaint),
      ]);
    }
    const unknown = await said("trained.tidemark.json", `${receiver.admin}/?model=other`);
    expect(unknown).toBe(
      `tidemark: ${receiver.admin}/?model=other: no span has named the model "other"; ` +
        "seen so far: weather\n",
    );

    async function compareWith(reference: string, url: string): Promise<unknown> {
      return JSON.parse(await said(reference, url));
    }

    async function said(reference: string, url: string): Promise<string> {
      const child = spawn(process.execPath, [cli, "compare", reference, url, "--json"], {
        cwd: folder,
      });
      let out = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
      await once(child, "close");
      return out;
    }
  }, 60_000);
});
