/**
 * The whole receiver, with log and forwarding, under a part of the most that it can take, for as
 * long as one likes: its memory must be flat. `npm run soak:receive -- --minutes 10 --load .8`
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { LoadOrder } from "./load-generator.ts";
import { loaded, memoryMiB, startLoadGenerator, startServerProcess } from "./server-process.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    load: { type: "string", default: ".8" },
    spans: { type: "string", default: "512" },
  },
});
const MINUTES = Number(options.minutes);
const LOAD = Number(options.load);
/** Long enough that everything is compiled, and that the collector has been round. */
const MAXIMUM_MS = 10_000;
const SAMPLE_MS = 1000;
const SAMPLES_PER_LINE = 10;
/** Eleven bytes a request at 6,000 a second; the collector's own ups and downs are below it. */
const SLOPE_MIB_MAX = 4;

interface Sample {
  readonly minutes: number;
  readonly mib: number;
}

const folder = mkdtempSync(join(tmpdir(), "tidemark-soak-"));
const sink = await startServerProcess("drain", 0, "");
const server = await startServerProcess("whole", sink.port, folder);
const client = startLoadGenerator();
try {
  const order: LoadOrder = {
    port: server.port,
    durationMs: MAXIMUM_MS,
    connections: 8,
    kind: "mixed",
    spans: Number(options.spans),
    gzip: false,
  };
  await loaded(client, { ...order, durationMs: MAXIMUM_MS / 5 });
  const maximum = ((await loaded(client, order)).requests / MAXIMUM_MS) * 1000;
  const requestsPerSecond = maximum * LOAD;
  console.log(
    `at most ${maximum.toFixed(0)} requests/s of ${order.spans} mixed spans; ` +
      `now ${requestsPerSecond.toFixed(0)} for ${MINUTES} min`,
  );
  const state = { over: false };
  const load = { ...order, durationMs: MINUTES * 60_000, requestsPerSecond };
  const running = loaded(client, load).finally(() => {
    state.over = true;
  });
  const samples = await watch(state);
  report(samples, await running, requestsPerSecond);
} finally {
  for (const child of [server.child, sink.child, client]) child.kill();
  rmSync(folder, { recursive: true, force: true });
}

/** Looks at the memory every second, and says it now and then. */
async function watch(state: { readonly over: boolean }): Promise<Sample[]> {
  const samples: Sample[] = [];
  const started = performance.now();
  while (!state.over) {
    await sleep(SAMPLE_MS);
    const sample = {
      minutes: (performance.now() - started) / 60_000,
      mib: memoryMiB(server.child, "VmRSS"),
    };
    samples.push(sample);
    if (samples.length % SAMPLES_PER_LINE !== 0) continue;
    console.log(`${sample.minutes.toFixed(1).padStart(6)} min ${sample.mib.toFixed(0)} MiB`);
  }
  return samples;
}

/** The slope of a straight line through the samples, by least squares, in MiB a minute. */
function slope(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [minutes, mib] = [mean((sample) => sample.minutes), mean((sample) => sample.mib)];
  const both = mean((sample) => (sample.minutes - minutes) * (sample.mib - mib));
  return both / mean((sample) => (sample.minutes - minutes) ** 2);
}

function report(
  samples: readonly Sample[],
  result: { readonly requests: number; readonly refused: number; readonly p99Ms: number },
  requestsPerSecond: number,
): void {
  const later = samples.slice(Math.floor(samples.length / 3));
  const served = (result.requests - result.refused) / (MINUTES * 60);
  const figure = (value: number, unit: string, goal: string, holds: boolean) => ({
    value: Number(value.toFixed(2)),
    unit,
    goal,
    holds,
  });
  const grown = slope(later);
  const figures = {
    memory_slope: figure(grown, "MiB/min", `<= ${SLOPE_MIB_MAX}`, grown <= SLOPE_MIB_MAX),
    refused: figure(result.refused, "requests", "0", result.refused === 0),
    served_of_offered: figure(
      served / requestsPerSecond,
      "x",
      ">= 0.98",
      served / requestsPerSecond >= 0.98,
    ),
  };
  const peak = memoryMiB(server.child, "VmHWM").toFixed(0);
  console.log(`peak ${peak} MiB, 99 % of answers within ${result.p99Ms.toFixed(1)} ms`);
  const { node } = process.versions;
  console.log(JSON.stringify({ bench: "soak:receive", minutes: MINUTES, node, figures }));
}
