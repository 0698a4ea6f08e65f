/** Metrics requests in binary form, as the published generated code writes and reads them. */
import otlp from "otlp-transformer-protobufjs/build/src/generated/root.js";

interface GeneratedRoot {
  opentelemetry: {
    proto: {
      collector: {
        metrics: {
          v1: {
            ExportMetricsServiceRequest: {
              encode(message: object): { finish(): Uint8Array };
              decode(bytes: Uint8Array): object;
              toObject(message: object, options: object): object;
            };
          };
        };
      };
    };
  };
}

const { ExportMetricsServiceRequest } = (otlp as unknown as GeneratedRoot).opentelemetry.proto
  .collector.metrics.v1;

const attributes = [
  { key: "text", value: { stringValue: "s" } },
  { key: "flag", value: { boolValue: true } },
  { key: "list", value: { arrayValue: { values: [{ intValue: 1 }, { doubleValue: 0.5 }] } } },
  { key: "map", value: { kvlistValue: { values: [{ key: "k", value: { bytesValue: [1, 2] } }] } } },
];
const times = { startTimeUnixNano: 1, timeUnixNano: 2 };
const exemplars = [
  { filteredAttributes: attributes, timeUnixNano: 2, asInt: 3, spanId: [1], traceId: [2] },
  { timeUnixNano: 2, asDouble: 0.5 },
];
const point = { ...times, attributes, exemplars, flags: 1 };
const population = { count: 3, sum: 1.5, min: 0.25, max: 1 };
const buckets = { offset: -2, bucketCounts: [1, 300, 2] };

/** One metric of every kind, with every field. */
const EVERY_KIND = [
  { gauge: { dataPoints: [{ ...point, asInt: -1 }] } },
  {
    sum: {
      dataPoints: [{ ...point, asDouble: 2.5 }],
      aggregationTemporality: 2,
      isMonotonic: true,
    },
  },
  {
    histogram: {
      dataPoints: [{ ...point, ...population, bucketCounts: [1, 2], explicitBounds: [0.5] }],
      aggregationTemporality: 1,
    },
  },
  {
    exponentialHistogram: {
      dataPoints: [
        {
          ...point,
          ...population,
          scale: -3,
          zeroCount: 1,
          positive: buckets,
          negative: buckets,
          zeroThreshold: 1e-9,
        },
      ],
      aggregationTemporality: 2,
    },
  },
  {
    summary: {
      dataPoints: [{ ...point, ...population, quantileValues: [{ quantile: 0.5, value: 1 }] }],
    },
  },
];

/** A request with a metric of every kind; `name` tells requests apart. */
export function everyMetric(name = "requests"): Buffer {
  const metrics = EVERY_KIND.map((data) => ({
    name,
    description: "d",
    unit: "1",
    metadata: attributes,
    ...data,
  }));
  const scope = { name: "s", version: "1", attributes, droppedAttributesCount: 1 };
  const scopeMetrics = [{ scope, metrics, schemaUrl: "u" }];
  const resource = { attributes, droppedAttributesCount: 2 };
  const request = { resourceMetrics: [{ resource, scopeMetrics, schemaUrl: "u" }] };
  return Buffer.from(ExportMetricsServiceRequest.encode(request).finish());
}

/** What of a metric a test looks at; numbers of 64 bits are text, bytes are base64. */
export interface ReadMetric {
  readonly name: string;
  readonly gauge?: object;
  readonly sum?: object;
  readonly histogram?: object;
  readonly exponentialHistogram?: object;
}

/** The metrics of a request, by the name of their scope. */
export function readMetrics(body: Uint8Array): Map<string, readonly ReadMetric[]> {
  const options = { longs: String, bytes: String };
  const request = ExportMetricsServiceRequest.toObject(
    ExportMetricsServiceRequest.decode(body),
    options,
  ) as {
    resourceMetrics: {
      scopeMetrics: { scope: { name: string }; metrics: ReadMetric[] }[];
    }[];
  };
  const scopes = request.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics);
  return new Map(scopes.map(({ scope, metrics }) => [scope.name, metrics]));
}
