/**
 * `ExportMetricsServiceRequest` of what the SDK's reader has collected. The SDK's own serialiser
 * knows no exemplars, and no points without a value.
 * https://github.com/open-telemetry/opentelemetry-proto (metrics/v1)
 */
import type { Attributes, HrTime } from "@opentelemetry/api";
import type {
  ExponentialHistogram,
  Histogram,
  MetricData,
  ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { DataPointType } from "@opentelemetry/sdk-metrics";
import protobuf from "protobufjs";
import type { Exemplar } from "../exemplar.js";
import { exemplarNumber } from "../exemplar.js";
import type { PushedPoint } from "./metric-data.js";

const CUMULATIVE = 2;
const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;

const field = (type: string, id: number) => ({ type, id });
const list = (type: string, id: number) => ({ rule: "repeated", type, id });
const isMonotonic = field("bool", 3);
const dataOf = (point: string) => ({ dataPoints: list(point, 1), temporality: field("uint32", 2) });

const TIMES = { startTimeUnixNano: field("fixed64", 2), timeUnixNano: field("fixed64", 3) };
const HISTOGRAM = { ...TIMES, count: field("fixed64", 4), sum: field("double", 5) };

const MetricsRequest = protobuf.Root.fromJSON({
  nested: {
    KeyValue: { fields: { key: field("string", 1), value: field("AnyValue", 2) } },
    AnyValue: { fields: { stringValue: field("string", 1) } },
    Exemplar: {
      fields: {
        timeUnixNano: field("fixed64", 2),
        asDouble: field("double", 3),
        spanId: field("bytes", 4),
        traceId: field("bytes", 5),
      },
    },
    NumberPoint: {
      fields: {
        ...TIMES,
        asDouble: field("double", 4),
        exemplars: list("Exemplar", 5),
        attributes: list("KeyValue", 7),
        flags: field("uint32", 8),
      },
    },
    HistogramPoint: {
      fields: {
        ...HISTOGRAM,
        bucketCounts: list("fixed64", 6),
        explicitBounds: list("double", 7),
        exemplars: list("Exemplar", 8),
        attributes: list("KeyValue", 9),
        flags: field("uint32", 10),
      },
    },
    Buckets: { fields: { offset: field("sint32", 1), bucketCounts: list("uint64", 2) } },
    ExponentialPoint: {
      fields: {
        ...HISTOGRAM,
        attributes: list("KeyValue", 1),
        scale: field("sint32", 6),
        zeroCount: field("fixed64", 7),
        positive: field("Buckets", 8),
        flags: field("uint32", 10),
        exemplars: list("Exemplar", 11),
      },
    },
    Gauge: { fields: { dataPoints: list("NumberPoint", 1) } },
    Sum: { fields: { ...dataOf("NumberPoint"), isMonotonic } },
    Histogram: { fields: dataOf("HistogramPoint") },
    ExponentialHistogram: { fields: dataOf("ExponentialPoint") },
    Metric: {
      fields: {
        name: field("string", 1),
        description: field("string", 2),
        unit: field("string", 3),
        gauge: field("Gauge", 5),
        sum: field("Sum", 7),
        histogram: field("Histogram", 9),
        exponentialHistogram: field("ExponentialHistogram", 10),
      },
    },
    Scope: { fields: { name: field("string", 1) } },
    ScopeMetrics: { fields: { scope: field("Scope", 1), metrics: list("Metric", 2) } },
    Resource: { fields: { attributes: list("KeyValue", 1) } },
    ResourceMetrics: {
      fields: { resource: field("Resource", 1), scopeMetrics: list("ScopeMetrics", 2) },
    },
    Request: { fields: { resourceMetrics: list("ResourceMetrics", 1) } },
  },
}).lookupType("Request");

/** The request; attributes are strings, as all of ours are. */
export function encodeMetricsRequest({ resource, scopeMetrics }: ResourceMetrics): Uint8Array {
  const attributes = keyValues(resource.attributes);
  const scopes = scopeMetrics.map(({ scope, metrics }) => {
    return { scope: { name: scope.name }, metrics: metrics.map(metricOf) };
  });
  const resourceMetrics = [{ resource: { attributes }, scopeMetrics: scopes }];
  return MetricsRequest.encode({ resourceMetrics }).finish();
}

/** In which field a metric has its points, and what they say by kind. */
const KINDS: Readonly<Record<DataPointType, readonly [string, (value: unknown) => object]>> = {
  [DataPointType.GAUGE]: ["gauge", asDouble],
  [DataPointType.SUM]: ["sum", asDouble],
  [DataPointType.HISTOGRAM]: ["histogram", asHistogram],
  [DataPointType.EXPONENTIAL_HISTOGRAM]: ["exponentialHistogram", asExponential],
};

function metricOf({ descriptor, dataPointType, dataPoints }: MetricData): object {
  const { name, description, unit } = descriptor;
  const [kind, valueOf] = KINDS[dataPointType];
  const points = (dataPoints as readonly PushedPoint[]).map((point) => {
    return { ...common(point), ...valueOf(point.value) };
  });
  // What a kind does not have is not written.
  const data = { dataPoints: points, temporality: CUMULATIVE, isMonotonic: true };
  return { name, description, unit, [kind]: data };
}

function asDouble(value: unknown): object {
  return { asDouble: value };
}

function asHistogram(value: unknown): object {
  const { buckets, sum, count } = value as Histogram;
  return { count, sum, bucketCounts: buckets.counts, explicitBounds: buckets.boundaries };
}

function asExponential(value: unknown): object {
  const { count, sum, scale, zeroCount, positive } = value as ExponentialHistogram;
  return { count, sum, scale, zeroCount, positive };
}

function common({ startTime, endTime, attributes, exemplars, flags }: PushedPoint): object {
  return {
    startTimeUnixNano: nanoseconds(startTime),
    timeUnixNano: nanoseconds(endTime),
    attributes: keyValues(attributes),
    exemplars: exemplars?.map(exemplarOf) ?? [],
    flags: flags ?? 0,
  };
}

function exemplarOf(exemplar: Exemplar): object {
  const { traceId, spanId, timeMs } = exemplar;
  return {
    timeUnixNano: words(BigInt(Math.round(timeMs)) * NS_PER_MS),
    asDouble: exemplarNumber(exemplar),
    spanId: Buffer.from(spanId, "hex"),
    traceId: Buffer.from(traceId, "hex"),
  };
}

function keyValues(attributes: Attributes): object[] {
  return Object.entries(attributes).map(([key, value]) => {
    return { key, value: { stringValue: String(value) } };
  });
}

function nanoseconds([seconds, rest]: HrTime): object {
  return words(BigInt(seconds) * NS_PER_S + BigInt(rest));
}

/** 64 bits as protobufjs takes them: a double would not hold a time in nanoseconds. */
function words(value: bigint): object {
  return { low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) };
}
