/** Verdicts as metric families. */
import { METRICS } from "@tidemark/semconv";
import type { SignalIdentity } from "../closed-window.js";
import type { Labels, MetricFamily, NumberPoint } from "../metric-family.js";
import type { WindowLength } from "../window-lengths.js";
import type { SignalRecord } from "./signal-record.js";
import { OUTCOMES } from "./signal-record.js";
import type { Verdict } from "./verdict.js";

/** The families of all signals, of the window lengths that have a verdict to show. */
export function driftMetrics(
  records: Iterable<SignalRecord>,
  lengths: readonly WindowLength[],
): MetricFamily[] {
  const points: Record<"score" | "threshold" | "pValue" | "errorBound", NumberPoint[]> = {
    score: [],
    threshold: [],
    pValue: [],
    errorBound: [],
  };
  const detected: NumberPoint[] = [];
  const evaluations: NumberPoint[] = [];
  const diversity: NumberPoint[] = [];
  for (const record of records) {
    for (const [length, verdict] of record.verdicts(lengths)) {
      const labels = verdictLabels(record.signal, verdict);
      for (const { method, ...numbers } of methodPoints(verdict)) {
        for (const [name, value] of Object.entries(numbers) as [keyof typeof points, number][]) {
          if (Number.isFinite(value)) points[name].push({ labels: { ...labels, method }, value });
        }
      }
      detected.push({ labels, value: verdict.drift.alarm === "drifted" ? 1 : 0 });
      if (verdict.diversity) diversity.push({ labels, value: verdict.diversity.ratio });
      evaluations.push(...evaluationPoints(record, length, labels, verdict));
    }
  }
  return [
    { definition: METRICS.driftScore, points: points.score },
    { definition: METRICS.driftThreshold, points: points.threshold },
    { definition: METRICS.driftPValue, points: points.pValue },
    { definition: METRICS.driftErrorBound, points: points.errorBound },
    { definition: METRICS.driftDetected, points: detected },
    { definition: METRICS.driftEvaluations, points: evaluations },
    { definition: METRICS.outputDiversity, points: diversity },
  ];
}

function evaluationPoints(
  record: SignalRecord,
  length: number,
  labels: Labels,
  { evaluation, exemplars }: Verdict,
): NumberPoint[] {
  const [exemplar] = exemplars ?? [];
  return OUTCOMES.flatMap((outcome): NumberPoint[] => {
    const value = record.noted(length, outcome);
    if (value === 0) return [];
    const point = { labels: { ...labels, outcome }, value };
    return [exemplar && outcome === evaluation.outcome ? { ...point, exemplar } : point];
  });
}

/** One row of numbers of a verdict: the test that decides, and those that are shown. */
interface MethodPoint {
  readonly method: string;
  readonly score: number;
  readonly threshold: number;
  readonly pValue: number;
  readonly errorBound: number;
}

function methodPoints({ evaluation }: Verdict): MethodPoint[] {
  const { method, statistic, threshold, pValue } = evaluation;
  if (evaluation.method !== "ks") {
    return [{ method, score: statistic, threshold, pValue, errorBound: 0 }];
  }
  const { psi, errorBound } = evaluation;
  const points: MethodPoint[] = [{ method, score: statistic, threshold, pValue, errorBound }];
  if (psi) {
    const { value: score, threshold: psiThreshold, pValue: psiPValue } = psi;
    const numbers = { score, threshold: psiThreshold, pValue: psiPValue, errorBound: 0 };
    points.push({ method: "psi", ...numbers });
  }
  return points;
}

function verdictLabels(
  { model, version, name, segment }: SignalIdentity,
  { window, reference }: Verdict,
): Labels {
  return {
    model_name: model,
    model_version: version,
    signal: name,
    window,
    reference,
    segment,
  };
}
