/** What is exported of models as their spans show them; segments have verdicts, and no metrics. */
import { isStage, METRICS } from "@tidemark/semconv";
import type { HistogramPoint, Labels, MetricFamily, NumberPoint } from "../metric-family.js";
import { CounterSet, lazily } from "../metric-family.js";
import { ROLE } from "../otlp/wanted-keys.js";
import type { CallLatency } from "./call-latencies.js";
import type { ObservedModel, ObservedSignal } from "./observed-model.js";
import type { SignalPanes } from "./signal.js";
import { referencePoint } from "./value-totals.js";

type PointsOf<P> = (model: ObservedModel) => Iterable<P>;

/**
 * The families of all models.
 * @param startMs since when they count, over all runs
 */
export function modelMetrics(observed: readonly ObservedModel[], startMs: number): MetricFamily[] {
  const models = observed.filter(({ segment }) => segment === "");
  const all = <P extends NumberPoint | HistogramPoint>(pointsOf: PointsOf<P>) =>
    lazily(function* () {
      for (const model of models) {
        for (const point of pointsOf(model)) yield { ...point, startMs };
      }
    });
  const calls = (of: CallLatency) =>
    all((model) => model.callLatencies.points(of, modelLabels(model)));
  const numbers = (labelsOf: LabelsOf, pointOf: PointOf) =>
    all((model) => numberPoints(model, labelsOf, pointOf));
  const violations = lazily(function* () {
    for (const point of violationPoints(models)) yield { ...point, startMs };
  });
  return [
    { definition: METRICS.predictionRequests, points: all(requestPoints) },
    { definition: METRICS.predictionLatency, points: all(stagePoints) },
    { definition: METRICS.featureValue, points: numbers(featureLabels, live) },
    { definition: METRICS.featureReference, points: numbers(featureLabels, expected) },
    { definition: METRICS.predictionValue, points: numbers(predictionLabels, live) },
    { definition: METRICS.predictionReference, points: numbers(predictionLabels, expected) },
    { definition: METRICS.signalValue, points: numbers(otherLabels, live) },
    {
      definition: METRICS.predictionConfidence,
      points: all((model) => model.confidences?.points(modelLabels(model)) ?? []),
    },
    { definition: METRICS.featureMissing, points: all(missingPoints) },
    { definition: METRICS.qualityViolations, points: violations },
    {
      definition: METRICS.usageTokens,
      points: all((model) => model.tokens.points(modelLabels(model), "token_type")),
    },
    {
      definition: METRICS.usageCost,
      points: all((model) => model.costs.points(modelLabels(model), "currency")),
    },
    {
      definition: METRICS.usageCostUnknown,
      points: all((model) => model.unpriced.points(modelLabels(model), "provider")),
    },
    {
      definition: METRICS.evaluationScore,
      points: all((model) => model.evaluations.scores(modelLabels(model))),
    },
    {
      definition: METRICS.evaluationResults,
      points: all((model) => model.evaluations.results(modelLabels(model))),
    },
    { definition: METRICS.callDuration, points: calls("duration") },
    { definition: METRICS.timeToFirstToken, points: calls("timeToFirstToken") },
    { definition: METRICS.timeBetweenTokens, points: calls("timeBetweenTokens") },
  ];
}

function* stagePoints(model: ObservedModel): Generator<HistogramPoint> {
  for (const [stage, latency] of model.latencies) {
    if (isStage(stage)) yield latency.point({ ...modelLabels(model), stage });
  }
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
function* numberPoints(
  model: ObservedModel,
  labelsOf: LabelsOf,
  pointOf: PointOf,
): Generator<HistogramPoint> {
  for (const signal of model.signals) {
    const labels = signal && labelsOf(signal);
    if (labels === undefined || signal?.panes === undefined) continue;
    const point = pointOf(signal.panes, { ...modelLabels(model), ...labels });
    if (point) yield point;
  }
}

function featureName(signal: ObservedSignal | undefined): string | undefined {
  return signal?.role === ROLE.feature ? signal.identity.name.slice("feature.".length) : undefined;
}

function* missingPoints(model: ObservedModel): Generator<NumberPoint> {
  for (const signal of model.signals) {
    const name = featureName(signal);
    if (signal === undefined || name === undefined) continue;
    yield { labels: { ...modelLabels(model), feature_name: name }, value: signal.missing };
  }
}
