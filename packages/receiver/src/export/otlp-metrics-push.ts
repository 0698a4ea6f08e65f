/**
 * Pushes the metric families as OTLP metrics, through the OpenTelemetry SDK's periodic reader. The
 * families are handed over as a MetricProducer: they are kept once, here, and not a second time as
 * instruments. What it has collected leaves by the client that also forwards, over HTTP or gRPC,
 * with exemplars, which the SDK's own exporters leave out. Nothing is sent again: all is
 * cumulative, and the next push says it as well.
 */
import { ExportResultCode } from "@opentelemetry/core";
import { emptyResource, resourceFromAttributes } from "@opentelemetry/resources";
import type {
  CollectionResult,
  MetricProducer,
  PushMetricExporter,
  ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { METRICS } from "@tidemark/semconv";
import type { Logger } from "../logger.js";
import type { Histograms, Labels, MetricFamily } from "../metric-family.js";
import { CounterSet } from "../metric-family.js";
import type { OtlpClient } from "../otlp-client.js";
import type { Stage } from "../stage.js";
import { hrTime, scopeMetrics } from "./metric-data.js";
import { encodeMetricsRequest } from "./otlp-metrics.js";
import { StalePoints } from "./stale-points.js";

const OUTCOMES = ["delivered", "refused", "failed"] as const;

/** Where to push, how often, and as whom. */
export interface MetricsPushOptions {
  /** The exporter's name in the configuration. */
  readonly name: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly histograms: Histograms;
  /** Attributes of the resource; Prometheus makes `job` and `instance` of them. */
  readonly resource: Labels;
}

/** One endpoint that gets the metrics. */
export class OtlpMetricsPush implements Stage {
  private readonly options: MetricsPushOptions;
  private readonly client: OtlpClient;
  private readonly collect: () => MetricFamily[];
  private readonly startMs: number;
  private readonly now: () => number;
  private readonly logger: Logger;
  private readonly stale = new StalePoints();
  private readonly outcomes: CounterSet;
  private provider: MeterProvider | undefined;

  constructor(
    options: MetricsPushOptions,
    client: OtlpClient,
    collect: () => MetricFamily[],
    now: () => number,
    logger: Logger,
  ) {
    this.options = options;
    this.client = client;
    this.collect = collect;
    this.now = now;
    this.logger = logger;
    this.startMs = now();
    this.outcomes = new CounterSet(
      OUTCOMES.map((outcome) => ({ exporter: options.name, outcome })),
    );
  }

  async start(): Promise<void> {
    const { intervalMs, timeoutMs, resource } = this.options;
    const reader = new PeriodicExportingMetricReader({
      exporter: this.exporter(),
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
      metricProducers: [this.producer()],
    });
    this.provider = new MeterProvider({
      resource: resourceFromAttributes({ ...resource }),
      readers: [reader],
    });
  }

  async shutdown(): Promise<void> {
    const { provider } = this;
    this.provider = undefined;
    // The reader pushes once more; an endpoint that is away must not keep the process alive.
    await provider?.shutdown({ timeoutMillis: this.options.timeoutMs }).catch(() => {});
    this.client.close();
  }

  metrics(): MetricFamily[] {
    return [{ definition: METRICS.receiverPushes, points: this.outcomes.snapshot() }];
  }

  private producer(): MetricProducer {
    return {
      collect: async (): Promise<CollectionResult> => {
        const times = { startMs: this.startMs, endMs: this.now() };
        const scopes = scopeMetrics(this.collect(), times, this.options.histograms);
        this.stale.see(scopes);
        const all = [...scopes, ...this.stale.points(hrTime(times.endMs))];
        const resourceMetrics = { resource: emptyResource(), scopeMetrics: all };
        return { resourceMetrics, errors: [] };
      },
    };
  }

  private exporter(): PushMetricExporter {
    return {
      export: (metrics, done) => void this.push(metrics, done),
      forceFlush: async () => {},
      shutdown: async () => {},
    };
  }

  /** @param done hears whether the endpoint has taken it */
  private async push(
    metrics: ResourceMetrics,
    done: (result: { code: ExportResultCode }) => void,
  ): Promise<void> {
    const { name } = this.options;
    const body = encodeMetricsRequest(metrics);
    const result = await this.client.send(body, "application/x-protobuf", "");
    const outcome = result.kind === "retry" ? "failed" : result.kind;
    this.outcomes.add({ exporter: name, outcome });
    if (result.kind === "delivered") {
      this.stale.told();
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    const { reason } = result;
    const fields = { exporter: name, reason };
    this.logger.warn("metrics were not taken; the next push says the same", fields);
    done({ code: ExportResultCode.FAILED });
  }
}
