/** Metric families as the OpenTelemetry SDK hands them to its exporters. */
import type { HrTime } from "@opentelemetry/api";
import { ValueType } from "@opentelemetry/api";
import type { MetricData } from "@opentelemetry/sdk-metrics";
import { AggregationTemporality, DataPointType } from "@opentelemetry/sdk-metrics";
import type { MetricFamily } from "../metric-family.js";

/** From when to when points count, in milliseconds since the epoch. */
export interface PointTimes {
  readonly startMs: number;
  readonly endMs: number;
}

/** One family as metric data; none when it has no points. */
export function metricData({ definition, points }: MetricFamily, times: PointTimes): MetricData[] {
  if (points.length === 0) return [];
  const range = { startTime: hrTime(times.startMs), endTime: hrTime(times.endMs) };
  const descriptor = {
    name: definition.name,
    description: definition.brief,
    unit: definition.unit,
    valueType: ValueType.DOUBLE,
  };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  if (definition.kind === "histogram") {
    const dataPoints = points.map((point) => {
      if (!("bounds" in point)) {
        throw new TypeError(`${definition.name} has a point of no histogram`);
      }
      const { labels, bounds, counts, sum, count } = point;
      const buckets = { boundaries: [...bounds], counts: Array.from(counts) };
      return { ...range, attributes: { ...labels }, value: { buckets, sum, count } };
    });
    return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
  }
  const dataPoints = points.map((point) => {
    if (!("value" in point)) throw new TypeError(`${definition.name} has a point of a histogram`);
    return { ...range, attributes: { ...point.labels }, value: point.value };
  });
  if (definition.kind === "gauge") {
    return [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints }];
  }
  return [{ ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }];
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)];
}
