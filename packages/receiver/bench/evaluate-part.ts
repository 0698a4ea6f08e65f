/** One part of the benchmark of windows, in a process of its own: see evaluate.ts. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { collectOften } from "../dist/garbage-collection.js";
import { StateStore } from "../dist/state/state-store.js";
import type { TrafficOptions } from "./signal-traffic.ts";
import { MINUTE_MS, NO_STORE, references, START_MS, startTraffic } from "./signal-traffic.ts";

/** What a part is asked for. */
export interface PartOrder {
  readonly part: "judge" | "midnight" | "memory" | "restart";
  readonly signals: number;
  /** Rounds, or for a restart the panes of each signal that are kept. */
  readonly rounds: number;
}

/** What it took. */
export interface PartResult {
  readonly signals: number;
  /** Of the process while windows were handed out, garbage collection and checkpoints included. */
  readonly cpuMs: number;
  /** CPU time of the longest turn of the event loop: others on the machine do not count. */
  readonly stopMs: number;
  /** Beside the references, when everything is collected. */
  readonly bytes: number;
  readonly rssBytes: number;
  readonly wallMs: number;
}

const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SHORTEST_MS = 5 * MINUTE_MS;
const USUAL = { windowsMs: [SHORTEST_MS, HOUR_MS, DAY_MS], ladder: 9 };
/** Signals that share a reference: segments of a feature. */
const SEGMENTS = 100;
/** What a summary at rest takes. */
const PANE_BYTES = 400;
const PANES_AT_ONCE = 100_000;
/** What a store works on at once. */
const SLICE_MS = 5;

const order = JSON.parse(process.argv[2] as string) as PartOrder;
const nothing = { signals: order.signals, cpuMs: 0, stopMs: 0, bytes: 0, rssBytes: 0, wallMs: 0 };
collectOften();
const parts = { judge, midnight, memory, restart };
const found = await parts[order.part]();
process.send?.({ ...nothing, ...found } satisfies PartResult, () => process.exit(0));

function traffic(
  options: Partial<TrafficOptions>,
  references_: Parameters<typeof startTraffic>[1],
) {
  const { signals } = order;
  const usual = { signals, rows: 100, ...USUAL, dependence: "learned" as const };
  return startTraffic({ ...usual, ...options }, references_);
}

/** Three lengths that end together, again and again, with a checkpoint after each round. */
async function judge(): Promise<Partial<PartResult>> {
  const three = { windowsMs: [1, 2, 4].map((times) => times * SHORTEST_MS), ladder: 1 };
  const one = traffic(three, references(order.signals));
  return withStore(async (store) => {
    await one.restore(store);
    await one.reach(START_MS);
    const cpu: number[] = [];
    let stopMs = 0;
    for (let window = 1; window <= 4 * (order.rounds + 1); window++) {
      const endMs = START_MS + window * SHORTEST_MS;
      one.deliver(endMs - MINUTE_MS);
      const measured = await measuring(() => one.reach(endMs), store, one);
      // The first round compiles.
      if (window % 4 !== 0 || window === 4) continue;
      cpu.push(measured.cpuMs);
      stopMs = Math.max(stopMs, measured.stopMs);
    }
    return { cpuMs: cpu.toSorted((a, b) => a - b)[cpu.length >> 1] as number, stopMs };
  });
}

/** A day of the whole ladder, and its last windows: eight of eleven lengths end at midnight. */
async function midnight(): Promise<Partial<PartResult>> {
  const one = traffic({}, references(order.signals));
  return withStore(async (store) => {
    await one.restore(store);
    await fillLadder(one, () => saveNowhere(one));
    const endMs = START_MS + DAY_MS;
    await one.reach(endMs - SHORTEST_MS);
    one.deliver(endMs - MINUTE_MS);
    return measuring(() => one.reach(endMs), store, one);
  });
}

/** All windows of the ladder and two panes open at once; checkpoints go to a store. */
async function memory(): Promise<Partial<PartResult>> {
  const before = await collected();
  const grids = references(Math.ceil(order.signals / SEGMENTS));
  const referenceBytes = (await collected()).bytes - before.bytes;
  const one = traffic({ rows: 10 }, grids);
  return withStore(async (store) => {
    await one.restore(store);
    await fillLadder(one, () => store.transaction((changes) => one.save(changes)));
    const { bytes } = await collected();
    return { bytes: bytes - before.bytes - referenceBytes, rssBytes: peakBytes() };
  });
}

/** What a checkpoint of all signals, and so many panes of each, take to be read again. */
async function restart(): Promise<Partial<PartResult>> {
  const grids = references(order.signals);
  return withStore(async (store) => {
    const one = traffic({}, grids);
    await one.restore(store);
    await fillLadder(one, () => store.transaction((changes) => one.save(changes)));
    await keepPanes(store);
    const again = traffic({}, grids);
    const from = performance.now();
    const before = process.cpuUsage();
    await again.restore(store);
    const { user, system } = process.cpuUsage(before);
    return { wallMs: performance.now() - from, cpuMs: (user + system) / 1000 };
  });
}

/** Values in such windows that a left half waits in each length, and in two panes after them. */
async function fillLadder(
  one: ReturnType<typeof startTraffic>,
  save: () => Promise<void>,
): Promise<void> {
  await one.reach(START_MS);
  for (const index of [0, 128, 192, 224, 240, 248, 252, 254]) {
    const startMs = START_MS + index * SHORTEST_MS;
    await one.reach(startMs);
    one.deliver(startMs + MINUTE_MS);
    await one.reach(startMs + SHORTEST_MS);
    await save();
  }
  const lastMs = START_MS + 255 * SHORTEST_MS;
  for (const minute of [1, 2]) one.deliver(lastMs + minute * MINUTE_MS);
  await save();
}

/** In slices, as a store takes a checkpoint: between them garbage is collected. */
async function saveNowhere(one: ReturnType<typeof startTraffic>): Promise<void> {
  let overMs = performance.now() + SLICE_MS;
  for (const rest of one.save(NO_STORE)) {
    for (const _ of rest) {
      if (performance.now() < overMs) continue;
      await nextTurn();
      overMs = performance.now() + SLICE_MS;
    }
  }
}

async function keepPanes(store: StateStore): Promise<void> {
  const body = new Uint8Array(PANE_BYTES).fill(7);
  const names = Array.from({ length: order.signals }, (_, at) =>
    JSON.stringify([String(Math.floor(at / SEGMENTS)), "", `feature.f${at % SEGMENTS}`, ""]),
  );
  const all = order.rounds * order.signals;
  for (let from = 0; from < all; from += PANES_AT_ONCE) {
    await store.transaction((changes) => {
      for (let at = from; at < Math.min(from + PANES_AT_ONCE, all); at++) {
        const time = START_MS + Math.floor(at / order.signals) * SHORTEST_MS;
        const key = `${String(time).padStart(15, "0")} ${names[at % order.signals]}`;
        changes.put("history.pane", key, body);
      }
      return [];
    });
  }
}

/** CPU time and the longest stop of windows being handed out, and of the checkpoint after them. */
async function measuring(
  work: () => Promise<void>,
  store: StateStore,
  one: ReturnType<typeof startTraffic>,
): Promise<{ cpuMs: number; stopMs: number }> {
  // What came before it is no part of it.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const turns = watchTurns();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  await store.transaction((changes) => one.save(changes));
  return { cpuMs: (user + system) / 1000, stopMs: turns.stop() };
}

/** CPU time of this thread in the longest turn of the event loop, in milliseconds. */
function watchTurns(): { stop: () => number } {
  const now = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  };
  let longest = 0;
  let last = now();
  const turn = () => {
    const at = now();
    longest = Math.max(longest, at - last);
    last = at;
    next = setImmediate(turn);
  };
  let next = setImmediate(turn);
  return {
    stop: () => {
      clearImmediate(next);
      return Math.max(longest, now() - last);
    },
  };
}

async function withStore<T>(work: (store: StateStore) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "tidemark-evaluate-"));
  const store = new StateStore(join(folder, "state.sqlite"));
  await store.start();
  try {
    return await work(store);
  } finally {
    await store.shutdown();
    rmSync(folder, { recursive: true });
  }
}

async function collected(): Promise<{ bytes: number }> {
  // What is outside of the heap is freed a moment after the objects that stand for it.
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { bytes: heapUsed + arrayBuffers };
}

function peakBytes(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
}
