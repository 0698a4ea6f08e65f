/**
 * A bound on the series of one metric, as a bad label must not take a Prometheus down. Counters
 * that are beyond it become one series that says so, as OpenTelemetry has it; others are left out.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits
 */
import { METRICS } from "@tidemark/semconv";
import type { MetricFamily, NumberPoint } from "../metric-family.js";

/** Points of one metric: ten thousand signals with five windows each. */
export const POINTS_MAX = 50_000;
const OVERFLOW = { otel_metric_overflow: "true" };

/** The families within their bounds, and one that counts what is beyond. */
export function limitSeries(
  families: readonly MetricFamily[],
  pointsMax = POINTS_MAX,
): MetricFamily[] {
  const beyond: NumberPoint[] = [];
  const limited = families.map((family): MetricFamily => {
    const { definition, points } = family;
    if (points.length <= pointsMax) return family;
    const labels = { metric: definition.prometheus };
    beyond.push({ labels, value: points.length - pointsMax });
    const kept = points.slice(0, pointsMax) as NumberPoint[];
    if (definition.kind === "counter") {
      const rest = points.slice(pointsMax) as NumberPoint[];
      const value = rest.reduce((sum, point) => sum + point.value, 0);
      kept.push({ labels: OVERFLOW, value });
    }
    return { ...family, points: kept } as MetricFamily;
  });
  return [...limited, { definition: METRICS.receiverSeriesOverflow, points: beyond }];
}
