/**
 * The receiver end to end, over HTTP on loopback, against servers that do less or do it otherwise:
 * spans per CPU second of the server process, interleaved in one run; the figures are ratios of
 * medians. The load comes from a process of its own. Run with `pnpm bench:receive`.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { LoadOrder } from "./load-generator.ts";
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
    seconds: { type: "string", default: "2" },
    spans: { type: "string", default: "748" },
  },
});
const ROUNDS = Number(options.rounds);
const SECONDS = Number(options.seconds);
const SPANS = Number(options.spans);
const CONNECTIONS = 8;

const folder = mkdtempSync(join(tmpdir(), "tidemark-bench-"));

interface RunningServer {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
  readonly gzip: boolean;
  /** Spans per CPU second, by round. */
  readonly rates: number[];
  peakMiB: number;
}

/** One comparison: ours against what it is measured by. */
interface Comparison {
  readonly figure: string;
  readonly ours: string;
  readonly against: string;
  readonly goal: number;
}

const COMPARISONS: readonly Comparison[] = [
  { figure: "ratio_protobufjs", ours: "summaries", against: "protobufjs", goal: 10 },
  { figure: "share_of_draining", ours: "summaries", against: "drain", goal: 0.25 },
  { figure: "share_of_forwarding", ours: "whole", against: "forward", goal: 0.5 },
  { figure: "share_of_inflating", ours: "summaries-gzip", against: "inflate", goal: 0.65 },
];

async function startServer(name: string, sinkPort: number): Promise<RunningServer> {
  const { child, port } = await startServerProcess(name, sinkPort, join(folder, name));
  const gzip = name === "inflate" || name === "summaries-gzip";
  return { name, child, port, gzip, rates: [], peakMiB: 0 };
}

async function measure(server: RunningServer, client: ChildProcess, warm: boolean) {
  const order: LoadOrder = {
    port: server.port,
    durationMs: SECONDS * 1000,
    connections: CONNECTIONS,
    kind: "mixed",
    spans: SPANS,
    gzip: server.gzip,
  };
  const before = cpuSeconds(server.child);
  const result = await loaded(client, order);
  if (result.refused > 0) {
    throw new Error(`${server.name} refused ${result.refused} of ${result.requests} requests`);
  }
  if (warm) server.rates.push(result.spans / (cpuSeconds(server.child) - before));
  server.peakMiB = memoryMiB(server.child, "VmHWM");
}

const sink = await startServer("drain", 0);
const names = [...new Set(COMPARISONS.flatMap(({ ours, against }) => [against, ours]))];
const servers: RunningServer[] = [];
for (const name of names) servers.push(await startServer(name, sink.port));
const client = startLoadGenerator();
try {
  for (let round = -1; round < ROUNDS; round++) {
    for (const server of servers) {
      process.stderr.write(`\rround ${round + 1} of ${ROUNDS}: ${server.name.padEnd(20)}`);
      await measure(server, client, round >= 0);
    }
  }
  process.stderr.write("\r".padEnd(50) + "\r");
  console.log(
    `spans per CPU second, requests of ${SPANS} mixed spans, ${CONNECTIONS} connections, ` +
      `medians of ${ROUNDS} interleaved rounds of ${SECONDS} s`,
  );
  for (const { name, rates, peakMiB: peak } of servers) {
    const rate = (median(rates) / 1e6).toFixed(2).padStart(7);
    console.log(`${name.padEnd(16)} ${rate} M spans/s   peak ${peak.toFixed(0).padStart(5)} MiB`);
  }
  const rateOf = (name: string) => median(servers.find((one) => one.name === name)?.rates ?? []);
  const figures = Object.fromEntries(
    COMPARISONS.map(({ figure, ours, against, goal }) => {
      const value = rateOf(ours) / rateOf(against);
      const rounded = Number(value.toFixed(2));
      return [figure, { value: rounded, unit: "x", goal: `>= ${goal}`, holds: value >= goal }];
    }),
  );
  console.log(JSON.stringify({ bench: "receive", node: process.versions.node, figures }));
} finally {
  for (const { child } of [...servers, sink]) child.kill();
  client.kill();
  rmSync(folder, { recursive: true, force: true });
}
