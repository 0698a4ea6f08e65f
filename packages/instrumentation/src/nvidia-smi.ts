/**
 * Reads NVIDIA's GPUs through `nvidia-smi`, which comes with the driver. It may be absent, may know
 * of no GPU, may answer `[N/A]`, and may hang for as long as a driver does.
 * https://docs.nvidia.com/deploy/nvidia-smi/index.html
 */

/** One GPU as it is now; what it does not tell is undefined. */
export interface GpuReading {
  readonly index: string;
  readonly uuid: string;
  readonly model: string;
  /** 0 to 1. */
  readonly utilization: number | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly temperatureCelsius: number | undefined;
  readonly powerWatts: number | undefined;
}

/** What a reading has come to: GPUs, no such program, or a failure in a few words. */
export type GpuReadings =
  | { readonly gpus: readonly GpuReading[] }
  | { readonly absent: true }
  | { readonly problem: string };

const COMMAND = "nvidia-smi";
const FIELDS = [
  "index",
  "uuid",
  "name",
  "utilization.gpu",
  "memory.used",
  "memory.total",
  "temperature.gpu",
  "power.draw",
];
const ARGUMENTS = [`--query-gpu=${FIELDS.join(",")}`, "--format=csv,noheader,nounits"];
/** It takes some 30 ms, and a second where the driver has to wake up. */
const TIMEOUT_MS = 2000;
/** 1,000 GPUs. */
const OUTPUT_BYTES_MAX = 256 * 1024;
const BYTES_PER_MIB = 2 ** 20;
const PERCENT = 100;

/** Runs `nvidia-smi` once; never rejects, takes 2 s at most, and does not hold the process. */
export function readGpus(): Promise<GpuReadings> {
  return new Promise((resolve) => {
    const options = {
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: OUTPUT_BYTES_MAX,
      windowsHide: true,
    } as const;
    // Most apps never need it: an import would be part of every start.
    const { execFile } = process.getBuiltinModule("node:child_process");
    const child = execFile(COMMAND, ARGUMENTS, options, (error, stdout) => {
      if (error === null) resolve({ gpus: parseGpus(stdout) });
      else if (error.code === "ENOENT") resolve({ absent: true });
      else
        resolve({ problem: error.killed ? "it did not answer in 2 s" : firstLine(stdout, error) });
    });
    child.unref();
    for (const stream of [child.stdout, child.stderr]) {
      (stream as { unref?: () => void } | null)?.unref?.();
    }
  });
}

/** The lines of its output; one that cannot be understood is left out. */
export function parseGpus(csv: string): GpuReading[] {
  return csv.split("\n").flatMap((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    // A name may hold a comma; the numbers after it never do.
    const [index, uuid] = cells;
    const numbers = cells.slice(3 - FIELDS.length).map(numberIn);
    if (cells.length < FIELDS.length || !index || !uuid) return [];
    const [utilization, used, total, temperatureCelsius, powerWatts] = numbers;
    return {
      index,
      uuid,
      model: cells.slice(2, 3 - FIELDS.length).join(","),
      utilization: utilization === undefined ? undefined : utilization / PERCENT,
      memoryUsedBytes: used === undefined ? undefined : used * BYTES_PER_MIB,
      memoryTotalBytes: total === undefined ? undefined : total * BYTES_PER_MIB,
      temperatureCelsius,
      powerWatts,
    };
  });
}

/** A number; `[N/A]`, `[Not Supported]` and `[Unknown Error]` are none. */
function numberIn(cell: string): number | undefined {
  const value = cell === "" ? Number.NaN : Number(cell);
  return Number.isNaN(value) ? undefined : value;
}

/** It writes what is wrong to its output, such as that there is no driver. */
function firstLine(stdout: string, error: Error): string {
  return stdout.trim().split("\n", 1)[0] || error.message.split("\n", 1)[0] || "it failed";
}
