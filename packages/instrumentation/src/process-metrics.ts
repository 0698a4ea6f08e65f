/** Metrics of the process and its machine, where the environment asks for metrics. */
import { createRequire } from "node:module";
import { metrics } from "@opentelemetry/api";
import { guarded } from "./complain.js";
import { observeGpus } from "./gpu-metrics.js";
import { SCOPE } from "./host-api.js";

const require = createRequire(import.meta.url);

/** Starts those that are chosen; `isChosen` knows them by their names. */
export function startProcessMetrics(isChosen: (name: string) => boolean): void {
  if (isChosen("gpu")) guarded("observing GPUs", () => observeGpus(metrics.getMeter(SCOPE)));
  if (!isChosen("runtime-node")) return;
  guarded("observing the runtime", () => {
    const name = "@opentelemetry/instrumentation-runtime-node";
    const { RuntimeNodeInstrumentation } = require(
      name,
    ) as typeof import("@opentelemetry/instrumentation-runtime-node");
    new RuntimeNodeInstrumentation().setMeterProvider(metrics.getMeterProvider());
  });
}
