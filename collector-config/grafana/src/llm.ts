import { dashboard, lines, table } from "./panels.ts";

const ONE = 'model_name=~"$model"';

const p95 = (metric: string) =>
  `histogram_quantile(0.95, sum by (model_name, le) (rate(${metric}_bucket{${ONE}}[5m])))`;

const p95ByTenant = (metric: string) =>
  `histogram_quantile(0.95, sum by (tenant, le) (rate(${metric}_bucket{${ONE}}[5m])))`;

const EVALUATED = "model_name, prompt_version, evaluation_name";

/** Language models: how soon answers begin, how they flow, and who spends what. */
export const llm = dashboard(
  "llm",
  "language models",
  "How soon answers begin, how they flow, and who spends what.",
  [
    {
      name: "model",
      label: "Model",
      query: "label_values(gen_ai_client_operation_duration_seconds_count, model_name)",
      many: true,
    },
  ],
  [
    {
      title: "Answers",
      panels: [
        lines(
          {
            title: "Time to first token",
            description: "19 of 20 streams begin sooner.",
            unit: "s",
            min: 0,
            queries: [
              {
                expr: p95("gen_ai_client_operation_time_to_first_chunk_seconds"),
                legend: "{{model_name}}",
              },
            ],
          },
          true,
        ),
        lines({
          title: "Time between tokens",
          description: "19 of 20 tokens come sooner after the one before.",
          unit: "s",
          min: 0,
          queries: [
            {
              expr: p95("gen_ai_client_operation_time_per_output_chunk_seconds"),
              legend: "{{model_name}}",
            },
          ],
        }),
        lines({
          title: "Duration of calls",
          description: "19 of 20 calls are done sooner.",
          unit: "s",
          min: 0,
          queries: [
            { expr: p95("gen_ai_client_operation_duration_seconds"), legend: "{{model_name}}" },
          ],
        }),
        lines({
          title: "Time to first token, by tenant",
          description: "19 of 20 streams of a tenant begin sooner.",
          unit: "s",
          min: 0,
          queries: [
            {
              expr: p95ByTenant("gen_ai_client_operation_time_to_first_chunk_seconds"),
              legend: "{{tenant}}",
            },
          ],
        }),
        lines({
          title: "Time between tokens, by tenant",
          description: "19 of 20 tokens of a tenant come sooner after the one before.",
          unit: "s",
          min: 0,
          queries: [
            {
              expr: p95ByTenant("gen_ai_client_operation_time_per_output_chunk_seconds"),
              legend: "{{tenant}}",
            },
          ],
        }),
        lines({
          title: "Failing",
          description: "Share of calls that end in an error.",
          unit: "percentunit",
          min: 0,
          queries: [
            { expr: `model:ml_prediction_errors:ratio_rate5m{${ONE}}`, legend: "{{model_name}}" },
          ],
        }),
      ],
    },
    {
      title: "Tokens and money",
      panels: [
        lines({
          title: "Tokens a minute",
          description: "By type; cached tokens are part of the input.",
          queries: [
            {
              expr: `60 * sum by (model_name, token_type) (
rate(gen_ai_usage_tokens_total{${ONE}}[5m]))`,
              legend: "{{model_name}} {{token_type}}",
            },
          ],
        }),
        lines({
          title: "Cost an hour",
          description: "By tenant and currency.",
          queries: [
            {
              expr: `3600 * sum by (tenant, currency) (rate(gen_ai_usage_cost_total{${ONE}}[5m]))`,
              legend: "{{tenant}} {{currency}}",
            },
          ],
        }),
        table({
          title: "Tokens of a day, by tenant",
          description: "Compared with budgets.yml by the alert LlmTokenBudgetSpent.",
          queries: [{ expr: "tenant:gen_ai_usage_tokens:increase1d" }],
        }),
        table({
          title: "Cost of a day, by tenant",
          description: "Compared with budgets.yml by the alert LlmCostBudgetSpent.",
          queries: [{ expr: "tenant:gen_ai_usage_cost:increase1d" }],
        }),
      ],
    },
    {
      title: "Retrieval, evaluation and feedback",
      panels: [
        lines({
          title: "Scores",
          description:
            "Similarity of what is retrieved, what evaluators give, what people say: the mean.",
          queries: [
            {
              expr: `sum by (model_name, signal) (rate(ml_signal_value_sum[5m]))
/ sum by (model_name, signal) (rate(ml_signal_value_count[5m]))`,
              legend: "{{model_name}} {{signal}}",
            },
          ],
        }),
        lines({
          title: "Worst tenth of scores",
          description: "One of ten is lower: the mean hides the answers that helped nobody.",
          queries: [
            {
              expr: `histogram_quantile(0.1, sum by (model_name, signal, le) (
rate(ml_signal_value_bucket[5m])))`,
              legend: "{{model_name}} {{signal}}",
            },
          ],
        }),
        lines({
          title: "Feedback",
          description: "Share of each label among what was said, by prompt version.",
          unit: "percentunit",
          min: 0,
          max: 1,
          queries: [
            {
              expr: `sum by (${EVALUATED}, evaluation_label) (
rate(gen_ai_evaluation_results_total{${ONE}, evaluation_label!=""}[1h]))
/ on (${EVALUATED}) group_left ()
sum by (${EVALUATED}) (rate(gen_ai_evaluation_results_total{${ONE}, evaluation_label!=""}[1h]))`,
              legend: "{{model_name}} {{prompt_version}} {{evaluation_name}} {{evaluation_label}}",
            },
          ],
        }),
        lines({
          title: "Scores, by prompt version",
          description: "The mean of what evaluators gave, by prompt version.",
          queries: [
            {
              expr: `sum by (${EVALUATED}) (rate(gen_ai_evaluation_score_sum{${ONE}}[1h]))
/ sum by (${EVALUATED}) (rate(gen_ai_evaluation_score_count{${ONE}}[1h]))`,
              legend: "{{model_name}} {{prompt_version}} {{evaluation_name}}",
            },
          ],
        }),
        lines({
          title: "Drift of scores",
          description:
            "Similarity of what is retrieved, evaluations, feedback: distance over threshold.",
          width: 24,
          min: 0,
          queries: [
            {
              expr: `ml_drift_score{signal!~"feature.*|prediction.*", segment=""}
/ on (model_name, model_version, signal, window, reference, segment, method, instance, job)
ml_drift_threshold{signal!~"feature.*|prediction.*", segment=""}`,
              legend: "{{model_name}} {{signal}} {{window}}",
            },
          ],
        }),
      ],
    },
  ],
);
