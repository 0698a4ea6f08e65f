/**
 * What was pushed and is no more. A scrape notices by itself that a series has gone; whoever is
 * pushed to has to be told, by a last point without a value.
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#no-recorded-value
 */
import type { MetricData, ScopeMetrics } from "@opentelemetry/sdk-metrics";
import { DataPointType } from "@opentelemetry/sdk-metrics";
import type { PushedPoint } from "./metric-data.js";

const NO_RECORDED_VALUE = 1;

interface Series {
  readonly scope: ScopeMetrics["scope"];
  readonly metric: MetricData;
  readonly point: PushedPoint;
}

/** The series of one endpoint. */
export class StalePoints {
  private current = new Map<string, Series>();
  /** What has gone, until the endpoint knows. */
  private readonly gone = new Map<string, Series>();

  /** Takes note of what is pushed now. */
  see(scopes: readonly ScopeMetrics[]): void {
    const before = this.current;
    this.current = new Map(scopes.flatMap(seriesOf));
    for (const [key, series] of before) if (!this.current.has(key)) this.gone.set(key, series);
    for (const key of this.current.keys()) this.gone.delete(key);
  }

  /** What is to be pushed beside it: what has gone, as points of this moment. */
  points(endTime: PushedPoint["endTime"]): ScopeMetrics[] {
    return [...this.gone.values()].map(({ scope, metric, point }) => {
      const { startTime, attributes } = point;
      const value = emptied(metric, point);
      const stale = { startTime, endTime, attributes, value, flags: NO_RECORDED_VALUE };
      return { scope, metrics: [{ ...metric, dataPoints: [stale] } as MetricData] };
    });
  }

  /** The endpoint has been told. */
  told(): void {
    this.gone.clear();
  }
}

function seriesOf({ scope, metrics }: ScopeMetrics): [string, Series][] {
  return metrics.flatMap((metric) => {
    const named = { ...metric, dataPoints: [] } as MetricData;
    const name = [scope.name, metric.descriptor.name];
    return metric.dataPoints.map((point): [string, Series] => {
      const key = [...name, ...Object.entries(point.attributes).flat()].join("\u0000");
      return [key, { scope, metric: named, point }];
    });
  });
}

/** The buckets stay: Prometheus makes a series of each. */
function emptied({ dataPointType }: MetricData, { value }: PushedPoint): unknown {
  if (dataPointType === DataPointType.HISTOGRAM) {
    const { boundaries, counts } = (value as { buckets: Buckets }).buckets;
    return { buckets: { boundaries, counts: counts.map(() => 0) }, count: 0, sum: 0 };
  }
  if (dataPointType !== DataPointType.EXPONENTIAL_HISTOGRAM) return 0;
  const nothing = { offset: 0, bucketCounts: [] };
  const { scale } = value as { scale: number };
  return { count: 0, sum: 0, scale, zeroCount: 0, positive: nothing, negative: nothing };
}

interface Buckets {
  readonly boundaries: readonly number[];
  readonly counts: readonly number[];
}
