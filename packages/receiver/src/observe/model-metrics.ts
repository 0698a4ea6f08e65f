/** What is exported of models as their spans show them; segments have verdicts, and no metrics. */
import { isStage, METRICS } from "@tidemark/semconv";
import type { HistogramPoint, Labels, MetricFamily, NumberPoint } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { CallLatency } from "./call-latencies.js";
import type { ObservedModel, ObservedSignal } from "./observed-model.js";
import type { SignalPanes } from "./signal.js";
import { referencePoint } from "./value-totals.js";

/**
 * The families of all models.
 * @param startMs since when they count, over all runs
 */
export function modelMetrics(observed: readonly ObservedModel[], startMs: number): MetricFamily[] {
  return familiesOf(observed).map(({ definition, points }) => {
    const started = points.map((point) => ({ ...point, startMs }));
    return { definition, points: started } as MetricFamily;
  });
}

function familiesOf(observed: readonly ObservedModel[]): MetricFamily[] {
  const models = observed.filter(({ segment }) => segment === "");
  const stages = models.flatMap((model) =>
    [...model.latencies]
      .filter(([stage]) => isStage(stage))
      .map(([stage, latency]) => latency.point({ ...modelLabels(model), stage })),
  );
  const ofCalls = (of: CallLatency) =>
    models.flatMap((model) => model.callLatencies.points(of, modelLabels(model)));
  return [
    { definition: METRICS.predictionRequests, points: models.flatMap(requestPoints) },
    { definition: METRICS.predictionLatency, points: stages },
    { definition: METRICS.featureValue, points: numberPoints(models, featureLabels, live) },
    { definition: METRICS.featureReference, points: numberPoints(models, featureLabels, expected) },
    { definition: METRICS.predictionValue, points: numberPoints(models, predictionLabels, live) },
    {
      definition: METRICS.predictionReference,
      points: numberPoints(models, predictionLabels, expected),
    },
    { definition: METRICS.signalValue, points: numberPoints(models, otherLabels, live) },
    {
      definition: METRICS.predictionConfidence,
      points: models.flatMap((model) => model.confidences?.points(modelLabels(model)) ?? []),
    },
    { definition: METRICS.featureMissing, points: models.flatMap(missingPoints) },
    { definition: METRICS.qualityViolations, points: violationPoints(models) },
    {
      definition: METRICS.usageTokens,
      points: models.flatMap((model) => model.tokens.points(modelLabels(model), "token_type")),
    },
    {
      definition: METRICS.usageCost,
      points: models.flatMap((model) => model.costs.points(modelLabels(model), "currency")),
    },
    {
      definition: METRICS.usageCostUnknown,
      points: models.flatMap((model) => model.unpriced.points(modelLabels(model), "provider")),
    },
    {
      definition: METRICS.evaluationScore,
      points: models.flatMap((model) => model.evaluations.scores(modelLabels(model))),
    },
    {
      definition: METRICS.evaluationResults,
      points: models.flatMap((model) => model.evaluations.results(modelLabels(model))),
    },
    { definition: METRICS.callDuration, points: ofCalls("duration") },
    { definition: METRICS.timeToFirstToken, points: ofCalls("timeToFirstToken") },
    { definition: METRICS.timeBetweenTokens, points: ofCalls("timeBetweenTokens") },
  ];
}

function modelLabels(model: ObservedModel): Labels {
  return { model_name: model.model, model_version: model.version };
}

function requestPoints(model: ObservedModel): NumberPoint[] {
  const labels = modelLabels(model);
  return [
    { labels: { ...labels, status: "success" }, value: model.successes },
    { labels: { ...labels, status: "error" }, value: model.errors },
  ];
}

/** Versions of a model are not told apart: a label that few ask for, times every kind. */
function violationPoints(models: readonly ObservedModel[]): NumberPoint[] {
  const counts = new CounterSet();
  for (const { model, signals } of models) {
    for (const signal of signals) {
      if (signal?.violations === undefined) continue;
      for (const [kind, count] of Object.entries(signal.violations)) {
        counts.add({ model_name: model, signal: signal.identity.name, kind }, count);
      }
    }
  }
  return counts.snapshot();
}

type PointOf = (panes: SignalPanes, labels: Labels) => HistogramPoint | undefined;
const live: PointOf = (panes, labels) => panes.values(labels);
const expected: PointOf = ({ reference }, labels) =>
  reference.kind === "numeric" ? referencePoint(labels, reference.grid) : undefined;

/** Of calls these have metrics of their own: their usage, and how they went. */
const ELSEWHERE = /^(?:usage|response)\./;

type LabelsOf = (signal: ObservedSignal) => Labels | undefined;
const featureLabels: LabelsOf = (signal) => {
  const name = featureName(signal);
  return name === undefined ? undefined : { feature_name: name };
};
const predictionLabels: LabelsOf = ({ role }) => (role === ROLE.predictionValue ? {} : undefined);
const otherLabels: LabelsOf = ({ role, identity: { name } }) =>
  role === ROLE.declaredSignal || (role === ROLE.callSignal && !ELSEWHERE.test(name))
    ? { signal: name }
    : undefined;

/** Buckets follow from the reference, so a signal has none before it has a reference. */
function numberPoints(
  models: readonly ObservedModel[],
  labelsOf: LabelsOf,
  pointOf: PointOf,
): HistogramPoint[] {
  return models.flatMap((model) =>
    model.signals.flatMap((signal) => {
      const labels = signal && labelsOf(signal);
      if (labels === undefined || signal?.panes === undefined) return [];
      return pointOf(signal.panes, { ...modelLabels(model), ...labels }) ?? [];
    }),
  );
}

function featureName(signal: ObservedSignal | undefined): string | undefined {
  return signal?.role === ROLE.feature ? signal.identity.name.slice("feature.".length) : undefined;
}

function missingPoints(model: ObservedModel): NumberPoint[] {
  return model.signals.flatMap((signal) => {
    const name = featureName(signal);
    if (signal === undefined || name === undefined) return [];
    return [{ labels: { ...modelLabels(model), feature_name: name }, value: signal.missing }];
  });
}
