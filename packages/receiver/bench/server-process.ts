/** The processes of a benchmark over HTTP: a server, the load on it, and what they take. */
import type { ChildProcess } from "node:child_process";
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LoadOrder, LoadResult } from "./load-generator.ts";

/** A server that listens. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly port: number;
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Starts one of receive-servers.ts by its name. */
export async function startServerProcess(
  name: string,
  sinkPort: number,
  directory: string,
): Promise<ServerProcess> {
  const child = fork(here("receive-servers.ts"), [name, String(sinkPort), directory]);
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

/** Starts a process that sends what it is told to. */
export function startLoadGenerator(): ChildProcess {
  return fork(here("load-generator.ts"));
}

/** Resolves when the load is over. */
export async function loaded(client: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  client.send(order);
  const [result] = (await once(client, "message")) as [LoadResult];
  return result;
}

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** User and system time of a process so far, in seconds. */
export function cpuSeconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A process's memory: `VmRSS` for now, `VmHWM` for the most that it has had. */
export function memoryMiB({ pid }: ChildProcess, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** The middle one, the upper of two. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}
