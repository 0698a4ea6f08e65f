/**
 * `npm run fuzz:decode -- --runs 10000000`: mutated bodies through the selective reader, as it is
 * built, and protobufjs. Ends with 1 when they disagree, when a body takes a second, when nothing
 * is heard of it for a minute, or when memory has grown; prints the body and the seed then.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seeded } from "../../bench/trace-bodies.ts";
import * as reader from "../../dist/index.js";
import { TraceRequest } from "../../dist/otlp/schema.js";
import { exactNames } from "../arbitrary-request.ts";
import { BodyMutator } from "./body-mutator.ts";
import { Differential, STRICTER } from "./differential.ts";
import { fuzzBodies } from "./fuzz-bodies.ts";
import { lenientSchema } from "./lenient-schema.ts";

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: process.env["TIDEMARK_FUZZ_RUNS"] ?? "1000000" },
    seed: { type: "string", default: "1" },
  },
});
const RUNS = Number(options.runs);
const SEED = Number(options.seed);
/** As many runs see the same bodies. */
const BATCH = 20_000;
/** Ten thousand times what a body takes, and more than any pause of the machine. */
const BODY_MS_MAX = 1000;
const SILENCE_MS_MAX = 60_000;
/** Caches and compiled code come and go by 8 MiB; two bytes a body would be 19 in ten million. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
const PROGRESS_EVERY = 25;

if (process.send) fuzz();
else watch();

/** The other process may hang; this one says so. */
function watch(): void {
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2));
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      console.error(`nothing has been heard for ${SILENCE_MS_MAX / 1000} s`);
      child.kill("SIGKILL");
    }, SILENCE_MS_MAX);
  };
  wait();
  child.on("message", wait);
  child.on("exit", (code) => {
    clearTimeout(timer);
    process.exitCode = code ?? 1;
  });
  process.on("SIGTERM", () => child.kill());
}

function fuzz(): void {
  const differential = new Differential({ ...reader, TraceRequest: lenientSchema(TraceRequest) });
  const outcomes: Record<string, number> = {};
  const started = performance.now();
  let heapBytes = 0;
  let slowestMs = 0;
  for (let run = 0, batch = 0; run < RUNS; run += BATCH, batch++) {
    slowestMs = Math.max(slowestMs, runBatch(differential, outcomes, SEED + batch, RUNS - run));
    // By then everything is compiled and every cache filled.
    if (batch === 2) heapBytes = usedHeapBytes();
    process.send?.(batch);
    if (batch % PROGRESS_EVERY === 0) progress(Math.min(RUNS, run + BATCH), started);
  }
  const growthBytes = heapBytes === 0 ? 0 : usedHeapBytes() - heapBytes;
  report(outcomes, slowestMs, growthBytes, started);
  if (growthBytes > GROWTH_BYTES_MAX) throw new Error(`memory has grown by ${growthBytes} bytes`);
  process.disconnect();
}

/** @returns the milliseconds of the slowest body */
function runBatch(
  differential: Differential,
  outcomes: Record<string, number>,
  seed: number,
  runsLeft: number,
): number {
  const random = seeded(seed);
  const mutator = new BodyMutator(random);
  const keys = exactNames(reader.wantedKeys());
  const bodies = fuzzBodies(keys, seed, random);
  let slowestMs = 0;
  for (let run = Math.min(BATCH, runsLeft); run > 0; run--) {
    const body = mutator.next(bodies);
    const timed = () => {
      const from = performance.now();
      const outcome = differential.run(body);
      return { outcome, tookMs: performance.now() - from };
    };
    try {
      let { outcome, tookMs } = timed();
      // The process may have had to wait for its turn: a slow body is slow again.
      for (let again = 0; again < 3 && tookMs > BODY_MS_MAX; again++) ({ tookMs } = timed());
      if (tookMs > BODY_MS_MAX) throw new Error(`a body took ${tookMs} ms`);
      slowestMs = Math.max(slowestMs, tookMs);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    } catch (error) {
      console.error(`seed ${seed}, body ${body.toString("hex")}`);
      throw error;
    }
  }
  return slowestMs;
}

function usedHeapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What buffers hold outside of the heap is let go of by the collection after theirs.
  for (let times = 0; times < 3; times++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function progress(done: number, started: number): void {
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round(done / seconds);
  console.log(`${done} of ${RUNS} bodies, ${rate} a second, ${seconds.toFixed(0)} s`);
}

function report(
  outcomes: Record<string, number>,
  slowestMs: number,
  growthBytes: number,
  started: number,
): void {
  for (const [outcome, count] of Object.entries(outcomes).toSorted(([, a], [, b]) => b - a)) {
    const [, violation = ""] = outcome.split("refused: ");
    const why = STRICTER[violation as keyof typeof STRICTER];
    console.log(
      `${String(count).padStart(10)} ${outcome}${why ? ` (some by us alone: ${why})` : ""}`,
    );
  }
  const figure = (value: number, unit: string, goal: number) => ({
    value: Number(value.toFixed(2)),
    unit,
    goal: `<= ${goal}`,
    holds: value <= goal,
  });
  const figures = {
    disagreements: figure(0, "bodies", 0),
    slowest_body: figure(slowestMs, "ms", BODY_MS_MAX),
    heap_growth: figure(growthBytes / 2 ** 20, "MiB", GROWTH_BYTES_MAX / 2 ** 20),
    seconds: figure((performance.now() - started) / 1000, "s", 3600),
  };
  const { node } = process.versions;
  console.log(JSON.stringify({ bench: "fuzz:decode", runs: RUNS, seed: SEED, node, figures }));
}
