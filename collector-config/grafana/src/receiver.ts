import { dashboard, lines, number } from "./panels.ts";

/** Tidemark itself: while it is not well, the absence of an alert says nothing. */
export const receiver = dashboard(
  "receiver",
  "receiver",
  "Tidemark itself. While it is not well, the absence of an alert says nothing.",
  [],
  [
    {
      title: "Now",
      panels: [
        number({
          title: "Up",
          description: "Receivers that answer Prometheus.",
          queries: [{ expr: 'sum(up{job="tidemark"})' }],
        }),
        number({
          title: "Spans a second",
          description: "Accepted.",
          queries: [{ expr: 'sum(rate(tidemark_receiver_spans_total{outcome="accepted"}[5m]))' }],
        }),
        number({
          title: "Signals",
          description: "That are compared with a reference, or learn one.",
          queries: [{ expr: "sum(tidemark_receiver_signals)" }],
        }),
        number({
          title: "Log",
          description: "Bytes on disk.",
          unit: "bytes",
          queries: [{ expr: "sum(tidemark_receiver_log_size_bytes)" }],
        }),
      ],
    },
    {
      title: "In and out",
      panels: [
        lines({
          title: "Spans",
          description: "By what became of them.",
          queries: [
            {
              expr: "sum by (outcome) (rate(tidemark_receiver_spans_total[5m]))",
              legend: "{{outcome}}",
            },
          ],
        }),
        lines({
          title: "Requests",
          description: "By transport and status. 429 and 503 ask the sender to come back.",
          queries: [
            {
              expr: "sum by (transport, code) (rate(tidemark_receiver_requests_total[5m]))",
              legend: "{{transport}} {{code}}",
            },
          ],
        }),
        lines({
          title: "Values",
          description: "By what became of them; beyond a bound they are counted and not judged.",
          queries: [
            {
              expr: "sum by (outcome) (rate(tidemark_receiver_observations_total[5m]))",
              legend: "{{outcome}}",
            },
          ],
        }),
        lines({
          title: "Behind",
          description: "Batches in the log that a consumer has not done with.",
          queries: [
            {
              expr: "sum by (consumer) (tidemark_receiver_log_lag)",
              legend: "{{consumer}}",
            },
          ],
        }),
        lines({
          title: "Forwarded",
          description: "Batches by endpoint and outcome.",
          queries: [
            {
              expr: `sum by (exporter, outcome) (
rate(tidemark_receiver_forward_requests_total[5m]))`,
              legend: "{{exporter}} {{outcome}}",
            },
          ],
        }),
        lines({
          title: "Windows judged",
          description: "By outcome.",
          queries: [
            {
              expr: "sum by (outcome) (rate(ml_drift_evaluations_total[15m]))",
              legend: "{{outcome}}",
            },
          ],
        }),
        lines({
          title: "Findings told",
          description: "Drifts and changes of verdicts, as traces and log records.",
          queries: [
            {
              expr: "sum by (outcome) (rate(tidemark_receiver_findings_total[15m]))",
              legend: "{{outcome}}",
            },
          ],
        }),
        lines({
          title: "Calls of services",
          description: "As Jaeger's Monitor tab counts them.",
          unit: "reqps",
          queries: [
            {
              expr: "sum by (service_name) (rate(traces_span_metrics_calls_total[5m]))",
              legend: "{{service_name}}",
            },
          ],
        }),
      ],
    },
  ],
);
