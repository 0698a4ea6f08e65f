import { dashboard, lines } from "./panels.ts";

/** GPUs: busy, full, or starved. */
export const gpu = dashboard(
  "gpu",
  "GPUs",
  "Whether GPUs are busy, full, or starved: idle while requests wait before them.",
  [],
  [
    {
      title: "GPUs",
      panels: [
        lines({
          title: "Utilisation",
          description: "Of our own gauges or of NVIDIA's dcgm-exporter.",
          unit: "percent",
          min: 0,
          max: 100,
          queries: [{ expr: "gpu:utilization:percent", legend: "{{instance}} GPU {{gpu_id}}" }],
        }),
        lines({
          title: "Requests that wait before the model",
          description:
            "For features and preprocessing. High beside an idle GPU: the GPU is starved.",
          min: 0,
          queries: [{ expr: "tidemark:requests_before_inference:mean5m", legend: "requests" }],
        }),
        lines({
          title: "Memory",
          description: "Share of the memory that is taken.",
          unit: "percentunit",
          min: 0,
          max: 1,
          queries: [{ expr: "gpu:memory_used:ratio", legend: "{{instance}} GPU {{gpu_id}}" }],
        }),
        lines({
          title: "Time before and in the model",
          description: "Seconds a second, by stage: where requests are.",
          queries: [
            {
              expr: "sum by (stage) (rate(ml_prediction_latency_seconds_sum[5m]))",
              legend: "{{stage}}",
            },
          ],
        }),
      ],
    },
  ],
);
