/**
 * The receiver, with its log, summaries and one endpoint, beside the OpenTelemetry Collector with
 * its otlp receiver, span_metrics connector and otlp_http exporter: the same bytes to the same
 * sink, spans per CPU second until the last one is handed on, and peak memory. Interleaved in one
 * run, medians of rounds. The Collector may use one core; it keeps in memory what we have on disk
 * before we acknowledge. `test/peers/install.sh` builds it. Run with `npm run bench:collector`;
 * with `-- --gzip` bodies come and go compressed, as between two Collectors.
 */
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freePorts } from "../../../test/free-ports.ts";
import { peerPath } from "../../../test/peers/peer-programs.ts";
import {
  cpuSeconds,
  loaded,
  median,
  memoryMiB,
  startLoadGenerator,
  startServerProcess,
} from "./server-process.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    spans: { type: "string", default: "748" },
    gzip: { type: "boolean", default: false },
  },
});
const ROUNDS = Number(options.rounds);
const SECONDS = Number(options.seconds);
const SPANS = Number(options.spans);
const RATIO_MIN = 10;
/** Less CPU than this in this time: it has nothing left to do. */
const IDLE = { seconds: 0.02, afterMs: 400 };

interface Side {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
  /** Spans per CPU second, by round. */
  readonly rates: number[];
}

const folder = mkdtempSync(join(tmpdir(), "tidemark-collector-"));
const sink = await startServerProcess("drain", 0, "");
const ours = await startServerProcess("whole", sink.port, join(folder, "whole"));
const sides: readonly [Side, Side] = [
  { name: "Tidemark", ...ours, rates: [] },
  { name: "Collector", ...(await startCollector(sink.port)), rates: [] },
];
const client = startLoadGenerator();
try {
  for (let round = -1; round < ROUNDS; round++) {
    for (const side of sides) await measure(side, round >= 0);
  }
  report();
} finally {
  for (const child of [...sides.map((side) => side.child), sink.child, client]) child.kill();
  rmSync(folder, { recursive: true, force: true });
}

async function startCollector(sinkPort: number): Promise<{ child: ChildProcess; port: number }> {
  const [port = 0, health = 0, metrics = 0] = await freePorts(3);
  const file = join(folder, "collector.yaml");
  writeFileSync(file, configuration(port, health, metrics, sinkPort));
  const child = spawn(peerPath("collector"), ["--config", file], {
    env: { ...process.env, GOMAXPROCS: "1" },
    stdio: "ignore",
  });
  for (let tries = 0; !(await answers(`http://127.0.0.1:${health}/`)); tries++) {
    if (tries > 100 || child.exitCode !== null) throw new Error("the Collector does not start");
    await sleep(100);
  }
  return { child, port };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

function configuration(port: number, health: number, metrics: number, sinkPort: number): string {
  const compression = options.gzip ? "gzip" : "none";
  return `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
connectors: { span_metrics: { histogram: { unit: ms } } }
exporters:
  otlp_http:
    endpoint: "http://127.0.0.1:${sinkPort}"
    compression: ${compression}
  prometheus: { endpoint: "127.0.0.1:${metrics}" }
extensions: { health_check: { endpoint: "127.0.0.1:${health}" } }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none }, logs: { level: error } }
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp_http, span_metrics] }
    metrics: { receivers: [span_metrics], exporters: [prometheus] }
`;
}

async function measure(side: Side, warm: boolean): Promise<void> {
  process.stderr.write(`\r${side.name.padEnd(20)}`);
  const before = cpuSeconds(side.child);
  const { spans, refused, requests } = await loaded(client, {
    port: side.port,
    durationMs: SECONDS * 1000,
    connections: 8,
    kind: "mixed",
    spans: SPANS,
    gzip: options.gzip,
  });
  if (refused > 0) throw new Error(`${side.name} refused ${refused} of ${requests} requests`);
  const used = (await idleCpuSeconds(side.child)) - before;
  if (warm) side.rates.push(spans / used);
}

/** What a process has used once it has nothing left to do. */
async function idleCpuSeconds(child: ChildProcess): Promise<number> {
  for (let used = cpuSeconds(child); ; ) {
    await sleep(IDLE.afterMs);
    const now = cpuSeconds(child);
    if (now - used < IDLE.seconds) return now;
    used = now;
  }
}

function report(): void {
  process.stderr.write("\r".padEnd(30) + "\r");
  console.log(
    `spans per CPU second, requests of ${SPANS} mixed spans, medians of ${ROUNDS} interleaved ` +
      `rounds of ${SECONDS} s`,
  );
  const [tidemark, collector] = sides.map(({ name, child, rates }) => {
    const side = { rate: median(rates), peakMiB: memoryMiB(child, "VmHWM") };
    const rate = (side.rate / 1e6).toFixed(2).padStart(7);
    console.log(`${name.padEnd(10)} ${rate} M spans/s   peak ${side.peakMiB.toFixed(0)} MiB`);
    return side;
  }) as [{ rate: number; peakMiB: number }, { rate: number; peakMiB: number }];
  const ratio = tidemark.rate / collector.rate;
  const memory = tidemark.peakMiB / collector.peakMiB;
  const figures = {
    ratio_collector: {
      value: Number(ratio.toFixed(2)),
      unit: "x",
      goal: `>= ${RATIO_MIN}`,
      holds: ratio >= RATIO_MIN,
    },
    peak_memory: {
      value: Number(memory.toFixed(2)),
      unit: "x the Collector's",
      goal: "<= 1",
      holds: memory <= 1,
    },
  };
  console.log(JSON.stringify({ bench: "collector", node: process.versions.node, figures }));
}
