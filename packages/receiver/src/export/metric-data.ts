/** Metric families as the OpenTelemetry SDK hands them to its exporters. */
import type { HrTime } from "@opentelemetry/api";
import { ValueType } from "@opentelemetry/api";
import type { DataPoint, MetricData, ScopeMetrics } from "@opentelemetry/sdk-metrics";
import { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";
import type { MetricDefinition } from "@tidemark/semconv";
import type { Exemplar } from "../exemplar.js";
import type { HistogramPoint, Histograms, MetricFamily, NumberPoint } from "../metric-family.js";

/** A point with what the SDK's own has no place for; its metric's kind says of what type. */
export interface PushedPoint<T = unknown> extends DataPoint<T> {
  readonly exemplars?: readonly Exemplar[];
  /** https://opentelemetry.io/docs/specs/otel/metrics/data-model/#data-point-flags */
  readonly flags?: number;
}

const SCOPE = { name: "@tidemark/receiver" };
/** A metric is of one kind in its scope, so what has both kinds of histogram is in two. */
const NATIVE_SCOPE = { name: "@tidemark/receiver/native" };

/** When points are shown, and since when they count where they do not say; ms since the epoch. */
export interface PointTimes {
  readonly startMs: number;
  readonly endMs: number;
}

/** The families as metric data; those without points are left out. */
export function scopeMetrics(
  families: readonly MetricFamily[],
  times: PointTimes,
  histograms: Histograms,
): ScopeMetrics[] {
  const isNative = ({ native }: HistogramPoint) => native !== undefined && histograms !== "classic";
  const isClassic = (point: HistogramPoint) => histograms !== "native" || !isNative(point);
  const metrics: MetricData[] = [];
  const native: MetricData[] = [];
  for (const { definition, points: made } of families) {
    const points = [...made];
    if (points.length === 0) continue;
    if (definition.kind !== "histogram") {
      metrics.push(numberData(definition, points as NumberPoint[], times));
      continue;
    }
    const all = points as HistogramPoint[];
    const [asClassic, asNative] = [all.filter(isClassic), all.filter(isNative)];
    if (asClassic.length > 0) metrics.push(histogramData(definition, asClassic, times));
    if (asNative.length > 0) native.push(nativeData(definition, asNative, times));
  }
  const ofNative = native.length > 0 ? [{ scope: NATIVE_SCOPE, metrics: native }] : [];
  return [{ scope: SCOPE, metrics }, ...ofNative];
}

function numberData(
  definition: MetricDefinition,
  points: readonly NumberPoint[],
  times: PointTimes,
): MetricData {
  const dataPoints = points.map((point): PushedPoint<number> => {
    const { exemplar, value } = point;
    return { ...common(point, times), value, exemplars: exemplar ? [exemplar] : [] };
  });
  const named = cumulative(definition);
  return definition.kind === "gauge"
    ? { ...named, dataPointType: DataPointType.GAUGE, dataPoints }
    : { ...named, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
}

function histogramData(
  definition: MetricDefinition,
  points: readonly HistogramPoint[],
  times: PointTimes,
): MetricData {
  const dataPoints = points.map((point) => {
    const { bounds, counts, sum, count } = point;
    const buckets = { boundaries: [...bounds], counts: Array.from(counts) };
    const exemplars = exemplarsOf(point);
    return { ...common(point, times), value: { buckets, sum, count }, exemplars };
  });
  return { ...cumulative(definition), dataPointType: DataPointType.HISTOGRAM, dataPoints };
}

/** Our bucket i is OTLP's, too. */
function nativeData(
  definition: MetricDefinition,
  points: readonly HistogramPoint[],
  times: PointTimes,
): MetricData {
  const dataPoints = points.flatMap((point) => {
    const { sum, count, native } = point;
    if (native === undefined) return [];
    const { schema: scale, zeroCount, first: offset, counts } = native;
    const positive = { offset, bucketCounts: Array.from(counts) };
    const negative = { offset: 0, bucketCounts: [] };
    const value = { count, sum, scale, zeroCount, positive, negative };
    return [{ ...common(point, times), value, exemplars: exemplarsOf(point) }];
  });
  const dataPointType = DataPointType.EXPONENTIAL_HISTOGRAM;
  return { ...cumulative(definition), dataPointType, dataPoints };
}

function exemplarsOf({ exemplars = [] }: HistogramPoint): Exemplar[] {
  return exemplars.filter((exemplar) => exemplar !== undefined);
}

function cumulative({ name, brief: description, unit }: MetricDefinition) {
  const descriptor = { name, description, unit, valueType: ValueType.DOUBLE };
  return { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
}

function common(point: NumberPoint | HistogramPoint, { startMs, endMs }: PointTimes) {
  const startTime = hrTime(point.startMs ?? startMs);
  return { startTime, endTime: hrTime(endMs), attributes: { ...point.labels } };
}

/** A moment as the SDK has it. */
export function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
