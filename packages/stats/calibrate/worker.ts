/** A thread that runs the parts it is told to, and answers each with its outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { experiments } from "./experiments.ts";

const all = experiments((workerData as { quick: boolean }).quick);

parentPort?.on("message", ({ experiment, part }: { experiment: number; part: number }) => {
  const outcome = all[experiment]?.run(part);
  parentPort?.postMessage({ experiment, part, outcome });
});
