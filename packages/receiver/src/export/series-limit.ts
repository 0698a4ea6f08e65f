/**
 * A bound on the series of one metric, as a bad label must not take a Prometheus down. Counters
 * that are beyond it become one series that says so, as OpenTelemetry has it; others are left out.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits
 */
import { METRICS } from "@tidemark/semconv";
import type { MetricFamily, NumberPoint } from "../metric-family.js";
import { lazily } from "../metric-family.js";

/** Points of one metric: ten thousand signals with five windows each. */
export const POINTS_MAX = 50_000;
const OVERFLOW = { otel_metric_overflow: "true" };

/** The families within their bounds, and one that counts what is beyond in those read so far. */
export function limitSeries(
  families: readonly MetricFamily[],
  pointsMax = POINTS_MAX,
): MetricFamily[] {
  const beyond = new Map<string, NumberPoint>();
  const limited = families.map(({ definition, points }): MetricFamily => {
    const within = lazily(function* () {
      let count = 0;
      let rest = 0;
      for (const point of points) {
        if (++count <= pointsMax) yield point;
        else if ("value" in point) rest += point.value;
      }
      if (count <= pointsMax) return;
      const { prometheus: metric } = definition;
      beyond.set(metric, { labels: { metric }, value: count - pointsMax });
      if (definition.kind === "counter") yield { labels: OVERFLOW, value: rest };
    });
    return { definition, points: within } as MetricFamily;
  });
  const points = lazily(() => beyond.values());
  return [...limited, { definition: METRICS.receiverSeriesOverflow, points }];
}
