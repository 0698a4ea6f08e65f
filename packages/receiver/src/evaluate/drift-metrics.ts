/** Verdicts as metric families. */
import { METRICS } from "@tidemark/semconv";
import type { Labels, MetricFamily, NumberPoint } from "../metric-family.js";
import { lazily } from "../metric-family.js";
import type { WindowLength } from "../window-lengths.js";
import { numberIn, wordIn } from "./packed-evaluation.js";
import type { SignalRecord } from "./signal-record.js";
import { OUTCOMES } from "./signal-record.js";
import type { Evidence } from "./verdict.js";

/** The evidence of one signal in one window length. */
interface Shown {
  readonly record: SignalRecord;
  readonly length: number;
  readonly evidence: Evidence;
  readonly labels: Labels;
}

/** The families of all signals, of the window lengths that have a verdict to show. */
export function driftMetrics(
  records: () => Iterable<SignalRecord>,
  lengths: readonly WindowLength[],
): MetricFamily[] {
  const all = (pointsOf: (shown: Shown) => Iterable<NumberPoint>) =>
    lazily(function* () {
      for (const shown of shownOf(records(), lengths)) yield* pointsOf(shown);
    });
  return [
    { definition: METRICS.driftScore, points: all(numberPoints("statistic", "psi.value")) },
    { definition: METRICS.driftThreshold, points: all(numberPoints("threshold", "psi.threshold")) },
    { definition: METRICS.driftPValue, points: all(numberPoints("pValue", "psi.pValue")) },
    { definition: METRICS.driftErrorBound, points: all(errorBounds) },
    { definition: METRICS.driftDetected, points: all(detectedPoints) },
    { definition: METRICS.driftEvaluations, points: all(evaluationPoints) },
    { definition: METRICS.outputDiversity, points: all(diversityPoints) },
  ];
}

function* shownOf(
  records: Iterable<SignalRecord>,
  lengths: readonly WindowLength[],
): Generator<Shown> {
  for (const record of records) {
    const { model, version, name, segment } = record.signal;
    for (const [length, evidence] of record.evidence.entries()) {
      if (evidence === undefined) continue;
      const labels = {
        model_name: model,
        model_version: version,
        signal: name,
        window: (lengths[length] as WindowLength).name,
        reference: evidence.reference,
        segment,
      };
      yield { record, length, evidence, labels };
    }
  }
}

/** A number of the test that decides, and the same of the population stability index beside it. */
function numberPoints(path: string, psiPath: string) {
  return function* ({ evidence: { packed }, labels }: Shown): Generator<NumberPoint> {
    const value = numberIn(packed, path);
    if (Number.isFinite(value)) yield { labels: { ...labels, method: methodOf(packed) }, value };
    const psi = numberIn(packed, psiPath);
    if (Number.isFinite(psi)) yield { labels: { ...labels, method: "psi" }, value: psi };
  };
}

/** Of what is compared exactly it is 0. */
function* errorBounds({ evidence: { packed }, labels }: Shown): Generator<NumberPoint> {
  const method = methodOf(packed);
  const value = method === "ks" ? numberIn(packed, "errorBound") : 0;
  if (Number.isFinite(value)) yield { labels: { ...labels, method }, value };
  const hasPsi = Number.isFinite(numberIn(packed, "psi.value"));
  if (hasPsi) yield { labels: { ...labels, method: "psi" }, value: 0 };
}

function* detectedPoints({ record, length, labels }: Shown): Generator<NumberPoint> {
  yield { labels, value: record.state(length).alarm === "drifted" ? 1 : 0 };
}

function* evaluationPoints({ record, length, evidence, labels }: Shown): Generator<NumberPoint> {
  const [exemplar] = evidence.exemplars ?? [];
  const latest = wordIn(evidence.packed, "outcome");
  for (const outcome of OUTCOMES) {
    const value = record.noted(length, outcome);
    if (value === 0) continue;
    const point = { labels: { ...labels, outcome }, value };
    yield exemplar && outcome === latest ? { ...point, exemplar } : point;
  }
}

function* diversityPoints({ evidence: { diversity }, labels }: Shown): Generator<NumberPoint> {
  if (diversity) yield { labels, value: diversity.ratio };
}

function methodOf(packed: Evidence["packed"]): string {
  return wordIn(packed, "method") ?? "";
}
