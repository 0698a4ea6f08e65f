/**
 * What a row costs in each summary, against DDSketch's `accept` (@datadog/sketches-js) and the
 * t-digest's `push` (npm tdigest) on the same rows, interleaved in one run; all figures are ratios
 * of medians. Run with `pnpm bench:stats`.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sketches from "@datadog/sketches-js";
import tdigest from "tdigest";
import {
  GridSummary,
  KllSketch,
  kolmogorovSmirnov,
  MomentSummary,
  ReferenceGrid,
} from "../dist/index.js";
import { draws, seededRandom } from "../test/seeded-random.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "21" },
    rows: { type: "string", default: "50000" },
    "heap-of": { type: "string" },
  },
});
const ROUNDS = Number(options.rounds);
const ROWS = Number(options.rows);
/** Grids and sketches that calls are measured on: not all of them are in the cache. */
const POOL = 16;
/** Calls a round: some hundred microseconds of each. */
const KS_CALLS = 400;
const MERGES = 64;
const K = 2048;
/** Two million rows an attempt; the first attempts see what compiling allocates. */
const HEAP_CHUNK = 10_000;
const HEAP_CHUNKS = 200;
const HEAP_ATTEMPTS = 8;
/** Of so many tries in a round the fastest counts: the others were interrupted, if they differ. */
const TRIES = 7;

const random = seededRandom(1);
const law = (): number => 100 + 15 * random.normal();
const rows = draws(ROWS, law);
const reference = ReferenceGrid.fromSample(draws(50_000, law));

if (options["heap-of"] !== undefined) {
  console.log(heapBytesAnAdd(options["heap-of"]));
  process.exit(0);
}

const ddsketch = new sketches.DDSketch();
const digest = new tdigest.TDigest();
const grid = new GridSummary(reference);
const gridOfMany = new GridSummary(reference);
const moments = new MomentSummary();
const kll = new KllSketch({ k: K });

/** Each takes all rows, in a loop of its own: a shared one would be slower for all of them. */
const adders: Record<string, () => void> = {
  ddsketch() {
    for (let i = 0; i < ROWS; i++) ddsketch.accept(rows[i] as number);
  },
  tdigest() {
    for (let i = 0; i < ROWS; i++) digest.push(rows[i] as number);
  },
  grid() {
    for (let i = 0; i < ROWS; i++) grid.add(rows[i] as number);
  },
  gridMany() {
    gridOfMany.addMany(rows);
  },
  moments() {
    for (let i = 0; i < ROWS; i++) moments.add(rows[i] as number);
  },
  kll() {
    for (let i = 0; i < ROWS; i++) kll.add(rows[i] as number);
  },
};

const grids = Array.from({ length: POOL }, () => {
  const summary = new GridSummary(reference);
  summary.addMany(draws(5_000, law));
  return summary;
});
const pairs = Array.from({ length: POOL }, (_, seed) => {
  const sketch = new KllSketch({ k: K, seed });
  sketch.addMany(draws(200_000, law));
  return sketch;
});

/** Nanoseconds of a call; what it needs is prepared outside of the clock. */
const calls: Record<string, () => number> = {
  ks: () => timed(KS_CALLS, (i) => kolmogorovSmirnov(reference, grids[i % POOL] as GridSummary)),
  merge() {
    const copies = mergeable();
    return timed(MERGES, (i) => copies[i]?.merge(pairs[i % POOL] as KllSketch));
  },
  mergeAndRead() {
    const copies = mergeable();
    return timed(MERGES, (i) => {
      copies[i]?.merge(pairs[i % POOL] as KllSketch);
      return copies[i]?.retained;
    });
  },
};

function mergeable(): KllSketch[] {
  return Array.from({ length: MERGES }, (_, i) => (pairs[(i + 1) % POOL] as KllSketch).clone());
}

/** Nanoseconds of one of `times` calls. */
function timed(times: number, call: (i: number) => unknown): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < times; i++) call(i);
  return Number(process.hrtime.bigint() - start) / times;
}

/** Bytes by which the heap grows a row, once compiled; run with --expose-gc. */
function heapBytesAnAdd(name: string): number {
  const summary = name === "moments" ? new MomentSummary() : new GridSummary(reference);
  const add = () => {
    for (let i = 0; i < HEAP_CHUNK; i++) summary.add(rows[i % ROWS] as number);
  };
  const collect = (globalThis as { gc?: () => void }).gc;
  if (!collect) throw new Error("needs --expose-gc");
  let least = Infinity;
  for (let attempt = 0; attempt < HEAP_ATTEMPTS; attempt++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let chunk = 0; chunk < HEAP_CHUNKS; chunk++) add();
    const grown = process.memoryUsage().heapUsed - before;
    least = Math.min(least, grown / (HEAP_CHUNK * HEAP_CHUNKS));
  }
  return least;
}

function heapOf(name: string): number {
  const file = fileURLToPath(import.meta.url);
  const args = ["--expose-gc", file, "--heap-of", name, "--rows", "1000"];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

/** Medians in nanoseconds, a row or a call, over rounds in which each has its turn. */
function measure(): Record<string, number> {
  const timings = new Map<string, number[]>();
  const turns: [name: string, turn: () => number][] = [
    ...Object.entries(adders).map(
      ([name, add]) => [name, () => timed(1, add) / ROWS] as [string, () => number],
    ),
    ...Object.entries(calls),
  ];
  for (let round = -2; round < ROUNDS; round++) {
    for (const [name, turn] of turns) {
      const fastest = Math.min(...Array.from({ length: TRIES }, turn));
      if (round >= 0) timings.set(name, [...(timings.get(name) ?? []), fastest]);
    }
  }
  return Object.fromEntries([...timings].map(([name, all]) => [name, median(all)]));
}

interface Figure {
  value: number;
  unit: string;
  goal?: string;
  holds?: boolean;
}

const rounded = (value: number) => Number(value.toPrecision(3));
const atMost = (value: number, unit: string, goal: number): Figure => ({
  value: rounded(value),
  unit,
  goal: `<= ${goal}`,
  holds: value <= goal,
});
const atLeast = (value: number, unit: string, goal: number): Figure => ({
  value: rounded(value),
  unit,
  goal: `>= ${goal}`,
  holds: value >= goal,
});

console.log(`${ROWS} rows a turn, medians of ${ROUNDS} interleaved rounds`);
const ns = measure();
for (const name of Object.keys(adders)) {
  console.log(`${name.padEnd(13)} ${(ns[name] ?? NaN).toFixed(1).padStart(9)} ns a row`);
}
for (const name of Object.keys(calls)) {
  console.log(`${name.padEnd(13)} ${(ns[name] ?? NaN).toFixed(0).padStart(9)} ns a call`);
}
const time = (name: string) => ns[name] ?? Number.NaN;
// Of windows of 5,000 rows, and of all that the rounds have added.
const stateBytes = Math.max(...[...grids, grid].map((summary) => summary.serialise().length));
const figures: Record<string, Figure> = {
  grid_add: atMost(time("grid") / time("ddsketch"), "x DDSketch accept", 1),
  grid_add_many: atMost(time("gridMany") / time("grid"), "x grid add", 0.5),
  grid_ks: atMost(time("ks") / 1000, "us", 20),
  grid_ks_in_adds: atMost(time("ks") / (1000 * time("grid")), "x 1,000 grid adds", 1),
  grid_state: atMost(stateBytes, "B", 2048),
  grid_heap: atMost(heapOf("grid"), "B an add", 0.01),
  moments_add: atMost(time("moments") / time("ddsketch"), "x DDSketch accept", 0.25),
  moments_heap: atMost(heapOf("moments"), "B an add", 0.01),
  kll_add: atMost(time("kll") / time("ddsketch"), "x DDSketch accept", 3.2),
  kll_add_to_tdigest: atLeast(time("tdigest") / time("kll"), "x faster than tdigest push", 6),
  kll_merge: atMost(time("merge") / time("kll"), "KLL adds", 200),
  // With what a merge leaves to be halved by the next to read or write; stated, not promised.
  kll_merge_and_read: { value: rounded(time("mergeAndRead") / time("kll")), unit: "KLL adds" },
};
console.log(JSON.stringify({ bench: "stats", node: process.versions.node, figures }));
