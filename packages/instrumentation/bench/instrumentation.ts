/**
 * What the instrumentation costs: CPU of a span beside OpenTelemetry's own span processor and
 * exporter, latency added to a run of a small model, start-up time, memory. Each is measured in
 * processes that take turns, in one run; figures are medians. Run with
 * `pnpm bench:instrumentation`.
 */
import type { ChildProcess } from "node:child_process";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { regressor, writeModel } from "../test/onnx-models.ts";
import type { RunLoadOrder, RunLoadReport } from "./run-load.ts";
import type { SpanLoadOrder, SpanLoadReport } from "./span-load.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    spans: { type: "string", default: "30000" },
    runs: { type: "string", default: "5000" },
    soak: { type: "string", default: "1000000" },
  },
});
const ROUNDS = Number(options.rounds);
const SPANS = Number(options.spans);
const RUNS = Number(options.runs);
const SOAK = Number(options.soak);

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const REGISTER = at("../dist/register.cjs");
const children: ChildProcess[] = [];

const sink = createServer((request, response) => {
  request.resume().on("end", () => response.end());
}).listen(0, "127.0.0.1");
await once(sink, "listening");
const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-"));
const model = writeModel(join(folder, "weather.onnx"), regressor());

try {
  const spans = await spanCost();
  const runs = await runCost();
  const started = await startupCost();
  const memoryMb = await memoryGrowth();
  const figures = {
    cpu_per_span: figure(spans.own, "us", "<= 3", spans.own <= 3),
    cpu_per_span_to_stock: figure(spans.ratio, "x", "<= 0.45", spans.ratio <= 0.45),
    cpu_per_sdk_span_to_stock: figure(spans.directRatio, "x"),
    run_added_p50: figure(runs.p50Us, "us", "<= 10", runs.p50Us <= 10),
    run_added_p99: figure(runs.p99Us, "us"),
    start_up_added: figure(started.elapsedMs, "ms", "<= 150", started.elapsedMs <= 150),
    start_up_added_cpu: figure(started.cpuMs, "ms"),
    memory_growth: figure(memoryMb, "MB", "<= 2", memoryMb <= 2),
  };
  const { node } = process.versions;
  console.log(JSON.stringify({ bench: "instrumentation", node, figures }));
} finally {
  for (const child of children) child.kill();
  sink.close();
  rmSync(folder, { recursive: true });
}

/** A figure without a goal is only reported. */
function figure(value: number, unit: string, goal?: string, holds?: boolean) {
  return { value: Number(value.toFixed(2)), unit, ...(goal && { goal, holds }) };
}

async function spanCost() {
  const kinds = ["stock", "direct", "own"] as const;
  const loads = await Promise.all(kinds.map((kind) => start("span-load.ts", [kind, url])));
  const costs = kinds.map((): number[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [index, load] of loads.entries()) {
      const order: SpanLoadOrder = { spans: SPANS };
      const { cpuUs } = await ask<SpanLoadReport>(load, order);
      if (round >= 0) costs[index]?.push(cpuUs);
    }
  }
  for (const load of loads) load.kill();
  const [stock = 0, direct = 0, own = 0] = costs.map(median);
  const against = (index: number) =>
    median((costs[index] as number[]).map((cost, round) => cost / (costs[0]?.[round] as number)));
  console.log(
    `CPU of a span of 15 attributes: stock ${stock.toFixed(2)} us, its spans sent directly ` +
      `${direct.toFixed(2)} us, our spans ${own.toFixed(2)} us`,
  );
  return { own, ratio: against(2), directRatio: against(1) };
}

async function runCost() {
  const flags = [[], ["--require", REGISTER]];
  const loads = await Promise.all(flags.map((execArgv) => start("run-load.ts", [model], execArgv)));
  const reports = flags.map((): RunLoadReport[] => []);
  for (let round = -2; round < ROUNDS; round++) {
    for (const [index, load] of loads.entries()) {
      const order: RunLoadOrder = { runs: RUNS };
      const report = await ask<RunLoadReport>(load, order);
      if (round >= 0) reports[index]?.push(report);
    }
  }
  for (const load of loads) load.kill();
  const of = (index: number, key: keyof RunLoadReport) =>
    median((reports[index] as RunLoadReport[]).map((report) => report[key]));
  console.log(
    `InferenceSession.run: p50 ${of(0, "p50Us").toFixed(1)} us, with its span ` +
      `${of(1, "p50Us").toFixed(1)} us; p99 ${of(0, "p99Us").toFixed(1)} and ` +
      `${of(1, "p99Us").toFixed(1)} us`,
  );
  return {
    p50Us: of(1, "p50Us") - of(0, "p50Us"),
    p99Us: of(1, "p99Us") - of(0, "p99Us"),
  };
}

/** What a program that does nothing costs, until it has ended. */
async function startupCost() {
  const flags = [[], ["--require", REGISTER]];
  const costs = flags.map((): StartupCost[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, given] of flags.entries()) {
      const cost = await startAndEnd(given);
      if (round >= 0) costs[index]?.push(cost);
    }
  }
  const added = (key: keyof StartupCost) => {
    const [plain = 0, flagged = 0] = costs.map((of) => median(of.map((cost) => cost[key])));
    console.log(`start-up, ${key}: ${plain.toFixed(0)}, with us ${flagged.toFixed(0)}`);
    return flagged - plain;
  };
  return { elapsedMs: added("elapsedMs"), cpuMs: added("cpuMs") };
}

interface StartupCost {
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

async function startAndEnd(flags: readonly string[]): Promise<StartupCost> {
  const program = "process.on('exit', () => console.log(JSON.stringify(process.cpuUsage())))";
  const started = performance.now();
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: url };
  const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
  const child = spawn(process.execPath, [...flags, "-e", program], { env, stdio });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  if (code !== 0) throw new Error(`the program ended with ${code}`);
  const { user, system } = JSON.parse(output) as NodeJS.CpuUsage;
  return { elapsedMs: performance.now() - started, cpuMs: (user + system) / 1000 };
}

/** How much more memory is in use after the second half of many spans than after the first. */
async function memoryGrowth(): Promise<number> {
  const load = await start("span-load.ts", ["own", url], ["--expose-gc"]);
  const order: SpanLoadOrder = { spans: SOAK / 2 };
  const half = await ask<SpanLoadReport>(load, order);
  const whole = await ask<SpanLoadReport>(load, order);
  load.kill();
  console.log(
    `memory after ${SOAK / 2} spans ${half.heapMb.toFixed(1)} MB, ` +
      `after ${SOAK} spans ${whole.heapMb.toFixed(1)} MB`,
  );
  return whole.heapMb - half.heapMb;
}

async function start(file: string, args: string[], execArgv: string[] = []) {
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: url };
  const child = fork(at(file), args, { execArgv, env });
  children.push(child);
  await once(child, "message");
  return child;
}

async function ask<Report>(child: ChildProcess, order: object): Promise<Report> {
  const answer = once(child, "message");
  child.send(order);
  const [report] = (await answer) as [Report];
  return report;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}
