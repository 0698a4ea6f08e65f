/**
 * A process that runs a small model again and again, and reports how long each run took, when it is
 * told to. Whether it is instrumented is decided by how it is started.
 */
import { createRequire } from "node:module";

/** How many runs to time. */
export interface RunLoadOrder {
  readonly runs: number;
}

/** Microseconds of a run. */
export interface RunLoadReport {
  readonly p50Us: number;
  readonly p99Us: number;
}

// CommonJS, as the hooks of a plain --require see it on every Node.
const { InferenceSession, Tensor } = createRequire(import.meta.url)(
  "onnxruntime-node",
) as typeof import("onnxruntime-node");
const session = await InferenceSession.create(process.argv[2] as string);
const NS_PER_US = 1e3;

process.on("message", (order: RunLoadOrder) => void work(order));
process.send?.("ready");

async function work({ runs }: RunLoadOrder): Promise<void> {
  const elapsedUs = new Float64Array(runs);
  for (let run = 0; run < runs; run++) {
    const features = new Tensor("float32", [run % 7, run % 5, run % 3, run % 4], [1, 4]);
    const startNs = process.hrtime.bigint();
    await session.run({ features });
    elapsedUs[run] = Number(process.hrtime.bigint() - startNs) / NS_PER_US;
  }
  elapsedUs.sort();
  const at = (quantile: number) => elapsedUs[Math.floor(quantile * runs)] as number;
  const report: RunLoadReport = { p50Us: at(0.5), p99Us: at(0.99) };
  process.send?.(report);
}
