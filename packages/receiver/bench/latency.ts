/**
 * How long a client waits for its acknowledgement, log and fsync included, at half the most that
 * the receiver can take; against a server that only drains, under the same requests a second, and
 * one fsync of as many bytes. Interleaved in one run, medians of rounds. `npm run bench:latency`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { LoadOrder } from "./load-generator.ts";
import { loaded, median, startLoadGenerator, startServerProcess } from "./server-process.ts";
import { traceBody } from "./trace-bodies.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    spans: { type: "string", default: "512" },
  },
});
const ROUNDS = Number(options.rounds);
const SECONDS = Number(options.seconds);
const SPANS = Number(options.spans);
const LOAD = 0.5;
const FSYNCS = 200;
/** How many times the draining server's wait ours may be, beside the fsync. */
const TIMES_MAX = 3;

const folder = mkdtempSync(join(tmpdir(), "tidemark-latency-"));
const sink = await startServerProcess("drain", 0, "");
const drain = await startServerProcess("drain", 0, "");
const whole = await startServerProcess("whole", sink.port, join(folder, "whole"));
const client = startLoadGenerator();
try {
  const order = (port: number, requestsPerSecond?: number): LoadOrder => ({
    port,
    durationMs: SECONDS * 1000,
    connections: 8,
    kind: "mixed",
    spans: SPANS,
    gzip: false,
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
  });
  await loaded(client, order(whole.port));
  const rate = ((await loaded(client, order(whole.port))).requests / SECONDS) * LOAD;
  const waits = { drain: [] as number[], whole: [] as number[], fsync: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    waits.drain.push((await loaded(client, order(drain.port, rate))).p99Ms);
    waits.whole.push((await loaded(client, order(whole.port, rate))).p99Ms);
    waits.fsync.push(await fsyncP99Ms());
  }
  report(rate, median(waits.drain), median(waits.whole), median(waits.fsync));
} finally {
  for (const child of [whole.child, drain.child, sink.child, client]) child.kill();
  rmSync(folder, { recursive: true, force: true });
}

/** What it takes to append one such body to a file and to see it on the disk. */
async function fsyncP99Ms(): Promise<number> {
  const body = traceBody("mixed", SPANS, 1);
  const file = await open(join(folder, "fsync"), "a");
  const waits: number[] = [];
  for (let i = 0; i < FSYNCS; i++) {
    const from = performance.now();
    await file.write(body);
    await file.datasync();
    waits.push(performance.now() - from);
  }
  await file.close();
  return waits.toSorted((a, b) => a - b)[Math.floor(FSYNCS * 0.99)] as number;
}

function report(rate: number, drainMs: number, wholeMs: number, fsyncMs: number): void {
  const ms = (value: number) => value.toFixed(2).padStart(8);
  console.log(
    `99 % are acknowledged within, at ${rate.toFixed(0)} requests/s of ${SPANS} mixed spans, ` +
      `medians of ${ROUNDS} interleaved rounds of ${SECONDS} s`,
  );
  console.log(`draining ${ms(drainMs)} ms`);
  console.log(`fsync    ${ms(fsyncMs)} ms, appended and synced alone`);
  console.log(`receiver ${ms(wholeMs)} ms`);
  const goalMs = TIMES_MAX * drainMs + fsyncMs;
  const goal = `<= ${goalMs.toFixed(2)} (${TIMES_MAX} x draining + fsync)`;
  const value = Number(wholeMs.toFixed(2));
  const figures = { p99: { value, unit: "ms", goal, holds: wholeMs <= goalMs } };
  console.log(JSON.stringify({ bench: "latency", node: process.versions.node, figures }));
}
