/**
 * Pushes the metric families as OTLP metrics, through the OpenTelemetry SDK's periodic reader and
 * exporter. The families are handed over as a MetricProducer: they are kept once, here, and not a
 * second time as instruments.
 */
import type { HrTime } from "@opentelemetry/api";
import { ValueType } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { emptyResource, resourceFromAttributes } from "@opentelemetry/resources";
import type { CollectionResult, MetricData, MetricProducer } from "@opentelemetry/sdk-metrics";
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import type { MetricFamily } from "../metric-family.js";
import type { Stage } from "../stage.js";

const SCOPE = { name: "@tidemark/receiver" };

/** Where to push, and how often. */
export interface MetricsPushOptions {
  /** Full URL, ending in `/v1/metrics`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** One endpoint that gets the metrics. */
export class OtlpMetricsPush implements Stage {
  private readonly options: MetricsPushOptions;
  private readonly collect: () => MetricFamily[];
  private readonly startMs: number;
  private readonly now: () => number;
  private provider: MeterProvider | undefined;

  constructor(options: MetricsPushOptions, collect: () => MetricFamily[], now: () => number) {
    this.options = options;
    this.collect = collect;
    this.now = now;
    this.startMs = now();
  }

  async start(): Promise<void> {
    const { url, headers, intervalMs, timeoutMs } = this.options;
    const exporter = new OTLPMetricExporter({
      url,
      headers: { ...headers },
      timeoutMillis: timeoutMs,
    });
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
      metricProducers: [this.producer()],
    });
    this.provider = new MeterProvider({ resource: receiverResource(), readers: [reader] });
  }

  async shutdown(): Promise<void> {
    const { provider } = this;
    this.provider = undefined;
    // The reader pushes once more; an endpoint that is away must not keep the process alive.
    await provider?.shutdown({ timeoutMillis: this.options.timeoutMs }).catch(() => {});
  }

  metrics(): MetricFamily[] {
    return [];
  }

  private producer(): MetricProducer {
    return {
      collect: async (): Promise<CollectionResult> => {
        const range = { startTime: hrTime(this.startMs), endTime: hrTime(this.now()) };
        const metrics = this.collect().flatMap((family) => metricData(family, range));
        const resourceMetrics = {
          resource: emptyResource(),
          scopeMetrics: [{ scope: SCOPE, metrics }],
        };
        return { resourceMetrics, errors: [] };
      },
    };
  }
}

function receiverResource() {
  return resourceFromAttributes({
    "service.name": process.env["OTEL_SERVICE_NAME"] ?? "tidemark-receiver",
  });
}

function metricData(
  { definition, points }: MetricFamily,
  range: { startTime: HrTime; endTime: HrTime },
): MetricData[] {
  if (points.length === 0) return [];
  const descriptor = {
    name: definition.name,
    description: definition.brief,
    unit: definition.unit,
    valueType: ValueType.DOUBLE,
  };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  if (definition.kind === "histogram") {
    const dataPoints = points.map((point) => {
      if (!("bounds" in point))
        throw new TypeError(`${definition.name} has a point of no histogram`);
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
