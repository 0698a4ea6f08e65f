import { dashboard, heatmap, lines, steps, table } from "./panels.ts";

const ONE = 'model_name="$model"';
const SIGNALS = `${ONE}, signal=~"$signal", segment=""`;

/** One model: what has moved, since when, and which requests show it. */
export const model = dashboard(
  "model",
  "model",
  "One model: what has moved, since when, by how much, and which requests show it.",
  [
    {
      name: "model",
      label: "Model",
      query: "label_values(ml_prediction_requests_total, model_name)",
    },
    {
      name: "signal",
      label: "Signal",
      query: `label_values(ml_drift_detected{${ONE}}, signal)`,
      many: true,
    },
    {
      name: "feature",
      label: "Feature",
      query: `label_values(ml_feature_value_bucket{${ONE}}, feature_name)`,
    },
  ],
  [
    {
      title: "Drift",
      panels: [
        steps({
          title: "Verdicts",
          description:
            "1 while the signal is in alarm: an effect above the floor, and not by chance.",
          width: 24,
          queries: [{ expr: `ml_drift_detected{${SIGNALS}}`, legend: "{{signal}} {{window}}" }],
        }),
        lines({
          title: "Distance over threshold",
          description:
            "How far each test is from, or beyond, what counts as a drift: above 1 it is one.",
          min: 0,
          queries: [
            {
              expr: `ml_drift_score{${SIGNALS}}
/ on (model_name, model_version, signal, window, reference, segment, method, instance, job)
ml_drift_threshold{${SIGNALS}}`,
              legend: "{{signal}} {{method}} {{window}}",
            },
          ],
        }),
        lines(
          {
            title: "Windows that drift",
            description: "A diamond leads to a prediction that shows it.",
            queries: [
              {
                expr: `sum by (signal) (increase(
ml_drift_evaluations_total{${SIGNALS}, outcome=~"drifted|warning"}[15m]))`,
                legend: "{{signal}}",
              },
            ],
          },
          true,
        ),
        table({
          title: "Numbers of the last windows",
          description: "The distance of each test.",
          width: 24,
          queries: [
            {
              expr: `max by (signal, window, method, reference) (ml_drift_score{${SIGNALS}})`,
            },
          ],
        }),
      ],
    },
    {
      title: "$feature, live against its reference",
      panels: [
        heatmap({
          title: "Values by decile of the reference",
          description: "Live values. While nothing drifts, the rows are as in the reference.",
          queries: [
            {
              expr: `sum by (le) (
increase(ml_feature_value_bucket{${ONE}, feature_name="$feature"}[5m]))`,
              legend: "{{le}}",
            },
          ],
        }),
        heatmap({
          title: "The reference in the same rows",
          description: "About a tenth each, unless one value has more.",
          queries: [
            {
              expr: `sum by (le) (ml_feature_reference_bucket{${ONE}, feature_name="$feature"})`,
              legend: "{{le}}",
            },
          ],
        }),
        lines({
          title: "Median and extremes",
          description: "Where the live values lie, by the same buckets.",
          width: 24,
          queries: [0.1, 0.5, 0.9].map((share) => ({
            expr: `histogram_quantile(${share}, sum by (le) (
rate(ml_feature_value_bucket{${ONE}, feature_name="$feature"}[5m])))`,
            legend: `${share * 100} %`,
          })),
        }),
      ],
    },
    {
      title: "Answers",
      panels: [
        lines({
          title: "Confidence by class",
          description: "The median: a model that guesses says so here before any label comes.",
          unit: "percentunit",
          min: 0,
          max: 1,
          queries: [
            {
              expr: `histogram_quantile(0.5, sum by (predicted_class, le) (
rate(ml_prediction_confidence_bucket{${ONE}}[5m])))`,
              legend: "{{predicted_class}}",
            },
          ],
        }),
        lines({
          title: "Mix of answers",
          description: "Predictions a second, by predicted class.",
          unit: "reqps",
          queries: [
            {
              expr: `sum by (predicted_class) (rate(ml_prediction_confidence_count{${ONE}}[5m]))`,
              legend: "{{predicted_class}}",
            },
          ],
        }),
        heatmap({
          title: "Predicted numbers, by decile of the reference",
          description: "As above, for what the model answers.",
          queries: [
            {
              expr: `sum by (le) (increase(ml_prediction_value_bucket{${ONE}}[5m]))`,
              legend: "{{le}}",
            },
          ],
        }),
        lines({
          title: "Quality of data",
          description: "Values that are wrong by the schema of the reference, a second, by kind.",
          queries: [
            {
              expr: `sum by (signal, kind) (rate(ml_quality_violations_total{${ONE}}[5m]))`,
              legend: "{{signal}} {{kind}}",
            },
            {
              expr: `sum by (feature_name) (rate(ml_feature_missing_total{${ONE}}[5m]))`,
              legend: "{{feature_name}} missing",
            },
          ],
        }),
      ],
    },
    {
      title: "Service",
      panels: [
        lines(
          {
            title: "Latency by stage",
            description: "95 % of the calls take less; a diamond leads to one of them in Jaeger.",
            unit: "s",
            min: 0,
            queries: [
              {
                expr: `histogram_quantile(0.95, sum by (stage, le) (
rate(ml_prediction_latency_seconds_bucket{${ONE}}[5m])))`,
                legend: "{{stage}}",
              },
            ],
          },
          true,
        ),
        lines({
          title: "Calls a second",
          description: "By how they ended.",
          unit: "reqps",
          queries: [
            {
              expr: `sum by (status) (rate(ml_prediction_requests_total{${ONE}}[5m]))`,
              legend: "{{status}}",
            },
          ],
        }),
      ],
    },
  ],
);
