import { dashboard, lines, number, steps, table } from "./panels.ts";

/** All models on one page: which of them needs a look? */
export const overview = dashboard(
  "overview",
  "all models",
  "Which model needs a look: what drifts, what fails, what is slow.",
  [],
  [
    {
      title: "Now",
      panels: [
        number({
          title: "Models",
          description: "Versions of models that are asked.",
          queries: [{ expr: "count(model:ml_prediction_requests:rate5m > 0)" }],
        }),
        number({
          title: "Drifting signals",
          description: "Signals in alarm, in any window.",
          queries: [
            { expr: "count(max by (model_name, signal) (ml_drift_detected) == 1) or vector(0)" },
          ],
        }),
        number({
          title: "Signals",
          description: "Signals that are compared with a reference.",
          queries: [{ expr: "sum(tidemark_receiver_signals)" }],
        }),
        number({
          title: "Predictions a second",
          description: "Of all models.",
          unit: "reqps",
          queries: [{ expr: "sum(model:ml_prediction_requests:rate5m)" }],
        }),
        number({
          title: "Failing",
          description: "Share of calls that end in an error.",
          unit: "percentunit",
          queries: [
            {
              expr: `sum(rate(ml_prediction_requests_total{status="error"}[5m]))
/ sum(rate(ml_prediction_requests_total[5m]))`,
            },
          ],
        }),
        number({
          title: "Alerts",
          description: "Alerts that fire.",
          queries: [{ expr: 'count(ALERTS{alertstate="firing"}) or vector(0)' }],
        }),
      ],
    },
    {
      title: "Models",
      panels: [
        table({
          title: "Signals in alarm",
          description: "Follow a model to its own dashboard.",
          width: 24,
          queries: [
            { expr: "max by (model_name, model_version, signal, window) (ml_drift_detected)" },
          ],
        }),
        steps({
          title: "Drifting",
          description: "1 while any signal of the model is in alarm.",
          queries: [{ expr: "max by (model_name) (ml_drift_detected)", legend: "{{model_name}}" }],
        }),
        lines({
          title: "Predictions a second",
          description: "By model and version: a version that takes over shows here.",
          unit: "reqps",
          queries: [
            {
              expr: "model:ml_prediction_requests:rate5m",
              legend: "{{model_name}} {{model_version}}",
            },
          ],
        }),
        lines({
          title: "Failing",
          description: "Share of calls that end in an error.",
          unit: "percentunit",
          min: 0,
          queries: [{ expr: "model:ml_prediction_errors:ratio_rate5m", legend: "{{model_name}}" }],
        }),
        lines({
          title: "Slowest twentieth",
          description: "95 % of the calls of a stage take less.",
          unit: "s",
          min: 0,
          queries: [
            {
              expr: "model_stage:ml_prediction_latency_seconds:p95_5m",
              legend: "{{model_name}} {{stage}}",
            },
          ],
        }),
      ],
    },
  ],
);
