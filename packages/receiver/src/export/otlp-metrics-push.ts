/**
 * Pushes the metric families as OTLP metrics, through the OpenTelemetry SDK's periodic reader. The
 * families are handed over by a MetricProducer: they are kept once, here, and not a second time as
 * instruments. The SDK passes on what a producer gives as it is, so their points are made while the
 * exporter writes them. It sends by the client that also forwards, over HTTP or gRPC, with
 * exemplars, which the SDK's own exporters leave out. Nothing is sent again: all is cumulative, and
 * the next push says it as well.
 */
import { ExportResultCode } from "@opentelemetry/core";
import { emptyResource, resourceFromAttributes } from "@opentelemetry/resources";
import type {
  MetricData,
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
import { inTurns } from "../turns.js";
import { pushRequests } from "./otlp-metrics.js";
import { StalePoints } from "./stale-points.js";

const OUTCOMES = ["delivered", "refused", "failed"] as const;
type Outcome = (typeof OUTCOMES)[number];
const SCOPE = { name: "@tidemark/receiver" };

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
  private pushing: Promise<unknown> = Promise.resolve();
  private isWaiting = false;

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
      collect: async () => {
        const metrics = this.collect() as unknown as MetricData[];
        const scopeMetrics = [{ scope: SCOPE, metrics }];
        return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
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

  /**
   * Pushes when no other push is under way; one that comes while another one waits for that is left
   * out, as the points of that one are yet to be made.
   * @param done hears whether the endpoint has taken it
   */
  private async push(
    { scopeMetrics }: ResourceMetrics,
    done: (result: { code: ExportResultCode }) => void,
  ): Promise<void> {
    if (this.isWaiting) {
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    this.isWaiting = true;
    await this.pushing;
    this.isWaiting = false;
    const { name: exporter } = this.options;
    const families = scopeMetrics.flatMap(({ metrics }) => metrics as unknown as MetricFamily[]);
    const sent = this.send(families).catch((error: unknown): Outcome => {
      this.logger.error("metrics could not be pushed", { exporter, error });
      return "failed";
    });
    this.pushing = sent;
    const outcome = await sent;
    this.outcomes.add({ exporter, outcome });
    const isDelivered = outcome === "delivered";
    done({ code: isDelivered ? ExportResultCode.SUCCESS : ExportResultCode.FAILED });
  }

  /** What became of the requests: the worst, behind which none is sent when it has failed. */
  private async send(families: readonly MetricFamily[]): Promise<Outcome> {
    const { name: exporter, resource, histograms } = this.options;
    const times = { startMs: this.startMs, endMs: this.now() };
    const pushed = { families, resource, histograms, ...times };
    let worst: Outcome = "delivered";
    for await (const body of inTurns(pushRequests(pushed, this.stale))) {
      // What is not sent is made all the same: it is noted what there was.
      if (worst === "failed") continue;
      const result = await this.client.send(body, "application/x-protobuf", "");
      if (result.kind === "delivered") continue;
      worst = result.kind === "retry" ? "failed" : "refused";
      const fields = { exporter, reason: result.reason };
      this.logger.warn("metrics were not taken; the next push says the same", fields);
    }
    if (worst === "delivered") this.stale.told();
    return worst;
  }
}
