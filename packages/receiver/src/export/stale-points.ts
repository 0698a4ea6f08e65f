/**
 * What was pushed and is no more. A scrape notices by itself that a series has gone; whoever is
 * pushed to has to be told, by a last point without a value.
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#no-recorded-value
 */
import type { MetricDefinition } from "@tidemark/semconv";
import protobuf from "protobufjs";
import type { HistogramPoint, Labels, MetricFamily, NumberPoint } from "../metric-family.js";

const NO_RECORDED_VALUE = 1;
const CUMULATIVE = 2;

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });
const data = { fields: { dataPoints: list("NumberPoint", 1), temporality: field("uint32", 2) } };

const MetricsRequest = protobuf.Root.fromJSON({
  nested: {
    KeyValue: { fields: { key: field("string", 1), value: field("AnyValue", 2) } },
    AnyValue: { fields: { stringValue: field("string", 1) } },
    NumberPoint: {
      fields: {
        timeUnixNano: field("fixed64", 3),
        attributes: list("KeyValue", 7),
        flags: field("uint32", 8),
      },
    },
    HistogramPoint: {
      fields: {
        timeUnixNano: field("fixed64", 3),
        bucketCounts: list("fixed64", 6),
        explicitBounds: list("double", 7),
        attributes: list("KeyValue", 9),
        flags: field("uint32", 10),
      },
    },
    Gauge: data,
    Sum: { fields: { ...data.fields, isMonotonic: field("bool", 3) } },
    Histogram: { fields: { ...data.fields, dataPoints: list("HistogramPoint", 1) } },
    Metric: {
      fields: {
        name: field("string", 1),
        unit: field("string", 3),
        gauge: field("Gauge", 5),
        sum: field("Sum", 7),
        histogram: field("Histogram", 9),
      },
    },
    ScopeMetrics: { fields: { metrics: list("Metric", 2) } },
    Resource: { fields: { attributes: list("KeyValue", 1) } },
    ResourceMetrics: {
      fields: { resource: field("Resource", 1), scopeMetrics: list("ScopeMetrics", 2) },
    },
    Request: { fields: { resourceMetrics: list("ResourceMetrics", 1) } },
  },
}).lookupType("Request");

type Point = NumberPoint | HistogramPoint;

interface Series {
  readonly definition: MetricDefinition;
  readonly point: Point;
}

/** The series of one endpoint. */
export class StalePoints {
  private current = new Map<string, Series>();
  /** What has gone, until the endpoint knows. */
  private readonly gone = new Map<string, Series>();

  /** Takes note of what is pushed now. */
  see(families: readonly MetricFamily[]): void {
    const before = this.current;
    this.current = new Map(
      families.flatMap(({ definition, points }) =>
        points.map((point) => [seriesKey(definition.name, point.labels), { definition, point }]),
      ),
    );
    for (const [key, series] of before) if (!this.current.has(key)) this.gone.set(key, series);
    for (const key of this.current.keys()) this.gone.delete(key);
  }

  /**
   * A request that says what has gone, to be appended to the one that says what is: a repeated
   * field goes on in the bytes behind. Empty when there is nothing to say.
   */
  request(resource: Labels, timeMs: number): Uint8Array {
    if (this.gone.size === 0) return new Uint8Array(0);
    const timeUnixNano = String(BigInt(Math.round(timeMs)) * 1_000_000n);
    const metrics = [...this.gone.values()].map((series) => staleMetric(series, timeUnixNano));
    const resourceMetrics = [
      { resource: { attributes: keyValues(resource) }, scopeMetrics: [{ metrics }] },
    ];
    return MetricsRequest.encode(MetricsRequest.fromObject({ resourceMetrics })).finish();
  }

  /** The endpoint has been told. */
  told(): void {
    this.gone.clear();
  }
}

function staleMetric({ definition, point }: Series, timeUnixNano: string): object {
  const { name, unit, kind } = definition;
  const stale = {
    timeUnixNano,
    attributes: keyValues(point.labels),
    flags: NO_RECORDED_VALUE,
    ...("bounds" in point
      ? { explicitBounds: [...point.bounds], bucketCounts: Array.from(point.counts, () => 0) }
      : {}),
  };
  const dataPoints = [stale];
  if (kind === "gauge") return { name, unit, gauge: { dataPoints } };
  const cumulative = { dataPoints, temporality: CUMULATIVE };
  if (kind === "histogram") return { name, unit, histogram: cumulative };
  return { name, unit, sum: { ...cumulative, isMonotonic: true } };
}

function keyValues(labels: Labels): object[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

function seriesKey(name: string, labels: Labels): string {
  return [name, ...Object.entries(labels).flat()].join("\u0000");
}
