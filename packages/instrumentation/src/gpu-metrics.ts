/** Metrics of GPUs, read when metrics are collected and at no other time. */
import type { BatchObservableResult, Meter, ObservableGauge } from "@opentelemetry/api";
import { GPU_LABELS, GPU_METRICS } from "@tidemark/semconv";
import { complain } from "./complain.js";
import type { GpuReading } from "./nvidia-smi.js";
import { readGpus } from "./nvidia-smi.js";

/** Several readers may collect at once; they share a reading of this age. */
const FRESH_MS = 1000;
/** A machine may be given a driver; where there was none, that is looked for this seldom. */
const ABSENT_AGAIN_MS = 600_000;
const PERCENT = 100;

type Gauges = Readonly<Record<keyof typeof GPU_METRICS, ObservableGauge>>;

/** Adds the GPUs of this machine to a meter; returns what takes them away again. */
export function observeGpus(meter: Meter): () => void {
  const gauges = Object.fromEntries(
    Object.entries(GPU_METRICS).map(([key, { name, unit, brief }]) => [
      key,
      meter.createObservableGauge(name, { unit, description: brief }),
    ]),
  ) as Gauges;
  const reader = new GpuReader();
  const observe = async (result: BatchObservableResult) => {
    for (const gpu of await reader.read()) observeGpu(result, gauges, gpu);
  };
  const all = Object.values(gauges);
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

function observeGpu(result: BatchObservableResult, gauges: Gauges, gpu: GpuReading): void {
  const { index, uuid, model, utilization, memoryUsedBytes, memoryTotalBytes } = gpu;
  const hw = { [GPU_LABELS.id]: uuid, [GPU_LABELS.model]: model, [GPU_LABELS.type]: "gpu" };
  const ml = { [GPU_LABELS.index]: index };
  const put = (key: keyof Gauges, value: number | undefined, labels: Record<string, string>) => {
    if (value !== undefined) result.observe(gauges[key], value, labels);
  };
  put("hwUtilization", utilization, hw);
  put("hwMemoryUsage", memoryUsedBytes, hw);
  put("hwMemoryLimit", memoryTotalBytes, hw);
  put("hwTemperature", gpu.temperatureCelsius, hw);
  put("hwPower", gpu.powerWatts, hw);
  put("utilization", utilization === undefined ? undefined : utilization * PERCENT, ml);
  put("memoryUsed", memoryUsedBytes, ml);
  put("memoryTotal", memoryTotalBytes, ml);
}

/** One reading at a time, and none where there is no program to read with. */
class GpuReader {
  private reading: Promise<readonly GpuReading[]> | undefined;
  private nextMs = Number.NEGATIVE_INFINITY;

  read(): Promise<readonly GpuReading[]> {
    if (this.reading && performance.now() < this.nextMs) return this.reading;
    this.nextMs = Number.POSITIVE_INFINITY;
    this.reading = this.readNow();
    return this.reading;
  }

  private async readNow(): Promise<readonly GpuReading[]> {
    const readings = await readGpus();
    const absent = "absent" in readings;
    this.nextMs = performance.now() + (absent ? ABSENT_AGAIN_MS : FRESH_MS);
    if ("problem" in readings) complain(`nvidia-smi cannot be read: ${readings.problem}`);
    return "gpus" in readings ? readings.gpus : [];
  }
}
