/** The kinds of metric that are exported; they map one to one onto OTLP's data points. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** What one exported metric means. */
export interface MetricDefinition<K extends MetricKind = MetricKind> {
  /** The name in OTLP. */
  readonly name: string;
  /** The name in Prometheus, as OTLP translation and our own exposition both produce it. */
  readonly prometheus: string;
  readonly kind: K;
  /** UCUM unit; empty where a unit would only add a misleading suffix. */
  readonly unit: string;
  readonly brief: string;
}

function metric<K extends MetricKind>(
  name: string,
  kind: K,
  unit: string,
  brief: string,
): MetricDefinition<K> {
  return { name, prometheus: prometheusName(name, kind, unit), kind, unit, brief };
}

const UNIT_SUFFIX: Readonly<Record<string, string>> = {
  s: "_seconds",
  ms: "_milliseconds",
  By: "_bytes",
  "%": "_percent",
};

function prometheusName(name: string, kind: MetricKind, unit: string): string {
  const suffix = UNIT_SUFFIX[unit] ?? "";
  const total = kind === "counter" ? "_total" : "";
  return name.replaceAll(".", "_") + suffix + total;
}

/** Every metric that the receiver exports, by scrape and by OTLP alike. */
export const METRICS = {
  predictionRequests: metric("ml.prediction.requests", "counter", "", "Inference calls"),
  predictionLatency: metric("ml.prediction.latency", "histogram", "s", "Duration of a stage"),
  predictionConfidence: metric(
    "ml.prediction.confidence",
    "histogram",
    "",
    "Confidence of predictions, by predicted class",
  ),
  predictionValue: metric(
    "ml.prediction.value",
    "histogram",
    "",
    "Predicted numbers; buckets are the deciles of the reference",
  ),
  predictionReference: metric(
    "ml.prediction.reference",
    "histogram",
    "",
    "What the reference has in the buckets of predicted numbers",
  ),
  featureValue: metric(
    "ml.feature.value",
    "histogram",
    "",
    "Values of a feature; buckets are the deciles of its reference",
  ),
  featureReference: metric(
    "ml.feature.reference",
    "histogram",
    "",
    "What its reference has in the buckets of a feature's values",
  ),
  featureMissing: metric(
    "ml.feature.missing",
    "counter",
    "",
    "Features that were null, NaN or absent",
  ),
  signalValue: metric(
    "ml.signal.value",
    "histogram",
    "",
    "Scores of retrievals and evaluations, and numbers that the configuration declares",
  ),
  usageTokens: metric("gen_ai.usage.tokens", "counter", "", "Tokens of calls, by tenant and type"),
  usageCost: metric(
    "gen_ai.usage.cost",
    "counter",
    "",
    "What calls have cost, by tenant and currency",
  ),
  usageCostUnknown: metric(
    "gen_ai.usage.cost.unknown",
    "counter",
    "",
    "Calls whose model no price table has, by tenant and provider",
  ),
  callDuration: metric(
    "gen_ai.client.operation.duration",
    "histogram",
    "s",
    "Duration of a model call",
  ),
  timeToFirstToken: metric(
    "gen_ai.client.operation.time_to_first_chunk",
    "histogram",
    "s",
    "Time from a request to the first chunk of its stream",
  ),
  timeBetweenTokens: metric(
    "gen_ai.client.operation.time_per_output_chunk",
    "histogram",
    "s",
    "Time between two chunks of a stream",
  ),
  evaluationScore: metric(
    "gen_ai.evaluation.score",
    "histogram",
    "",
    "What evaluators gave answers, by prompt version and evaluation",
  ),
  evaluationResults: metric(
    "gen_ai.evaluation.results",
    "counter",
    "",
    "Evaluations and feedback by prompt version, evaluation and label",
  ),
  qualityViolations: metric(
    "ml.quality.violations",
    "counter",
    "",
    "Values and windows that are wrong by the schema of the reference, by kind",
  ),
  driftScore: metric(
    "ml.drift.score",
    "gauge",
    "",
    "Distance between the live window and the reference",
  ),
  driftPValue: metric(
    "ml.drift.p_value",
    "gauge",
    "",
    "Probability of such a distance when the true one is within the effect floor",
  ),
  driftThreshold: metric(
    "ml.drift.threshold",
    "gauge",
    "",
    "Distance above which the window counts as drifted",
  ),
  driftErrorBound: metric(
    "ml.drift.error_bound",
    "gauge",
    "",
    "How far the summaries' distance may be from the exact one",
  ),
  driftDetected: metric("ml.drift.detected", "gauge", "", "1 while the signal is in alarm, else 0"),
  outputDiversity: metric(
    "ml.output.diversity",
    "gauge",
    "",
    "How mixed outputs are, over how mixed they were in the reference",
  ),
  driftEvaluations: metric("ml.drift.evaluations", "counter", "", "Evaluated windows by outcome"),
  spanCalls: metric("traces.span.metrics.calls", "counter", "", "Spans by service and name"),
  spanDuration: metric(
    "traces.span.metrics.duration",
    "histogram",
    "ms",
    "Durations of spans by service and name",
  ),
  receiverSpans: metric("tidemark.receiver.spans", "counter", "", "Spans received, by outcome"),
  receiverBytes: metric(
    "tidemark.receiver.received",
    "counter",
    "By",
    "Bytes of accepted bodies, as they came over the wire",
  ),
  receiverRequests: metric(
    "tidemark.receiver.requests",
    "counter",
    "",
    "Requests by transport, and by HTTP status, or for gRPC the status that means the same",
  ),
  receiverObservations: metric(
    "tidemark.receiver.observations",
    "counter",
    "",
    "Attribute values by what became of them",
  ),
  receiverEvaluations: metric(
    "tidemark.receiver.evaluations",
    "counter",
    "",
    "Evaluations and feedback, by whether the call that they are of was found",
  ),
  evaluationsWaiting: metric(
    "tidemark.receiver.evaluations.waiting",
    "gauge",
    "",
    "Evaluations whose call has not come yet",
  ),
  receiverSignals: metric("tidemark.receiver.signals", "gauge", "", "Signals that are monitored"),
  logBytes: metric("tidemark.receiver.log.size", "gauge", "By", "Bytes of the log on disk"),
  logLag: metric(
    "tidemark.receiver.log.lag",
    "gauge",
    "",
    "Batches in the log that a consumer has not done with",
  ),
  logFailures: metric(
    "tidemark.receiver.log.failures",
    "counter",
    "",
    "Batches refused because the log could not keep them",
  ),
  logDamages: metric(
    "tidemark.receiver.log.damages",
    "counter",
    "",
    "Places where a file of the log could not be read",
  ),
  configReloads: metric(
    "tidemark.receiver.config.reloads",
    "counter",
    "",
    "Configurations that were read again, by outcome",
  ),
  configValid: metric(
    "tidemark.receiver.config.valid",
    "gauge",
    "",
    "1 while the configuration in force is the newest, 0 when a later one cannot be used",
  ),
  forwardRequests: metric(
    "tidemark.receiver.forward.requests",
    "counter",
    "",
    "Forwarded batches by outcome",
  ),
  receiverPushes: metric(
    "tidemark.receiver.metrics.pushes",
    "counter",
    "",
    "Pushes of metrics by exporter and outcome",
  ),
  receiverSeriesOverflow: metric(
    "tidemark.receiver.series.overflow",
    "gauge",
    "",
    "Series of a metric that are beyond its bound, and not shown one by one",
  ),
  receiverFindings: metric(
    "tidemark.receiver.findings",
    "counter",
    "",
    "Drifts and changes of verdicts that were told as spans and events, by outcome",
  ),
} as const satisfies Record<string, MetricDefinition>;

/** What an app says of its GPUs: OpenTelemetry's names, and those that ML's alert rules use. */
export const GPU_METRICS = {
  hwUtilization: metric("hw.gpu.utilization", "gauge", "1", "Share of time the GPU was busy"),
  hwMemoryUsage: metric("hw.gpu.memory.usage", "gauge", "By", "GPU memory in use"),
  hwMemoryLimit: metric("hw.gpu.memory.limit", "gauge", "By", "GPU memory there is"),
  hwTemperature: metric("hw.temperature", "gauge", "Cel", "Temperature of the GPU"),
  hwPower: metric("hw.power", "gauge", "W", "Power that the GPU draws"),
  utilization: metric("ml.gpu.utilization", "gauge", "%", "Share of time the GPU was busy"),
  memoryUsed: metric("ml.gpu.memory.used", "gauge", "By", "GPU memory in use"),
  memoryTotal: metric("ml.gpu.memory.total", "gauge", "By", "GPU memory there is"),
} as const;

/**
 * How right a model is, by whoever has the labels; alerts ask for it under these names, with
 * `estimated="true"` where it is an estimate. The receiver passes them on and computes none.
 */
export const PERFORMANCE_METRICS = {
  accuracy: metric("ml.performance.accuracy", "gauge", "", "Share of predictions that were right"),
  ece: metric("ml.performance.ece", "gauge", "", "Expected calibration error, from 0 to 1"),
} as const;

/** What tells GPUs apart in these metrics; `gpu_id` in those whose names begin with `ml`. */
export const GPU_LABELS = {
  id: "hw.id",
  model: "hw.model",
  type: "hw.type",
  index: "gpu_id",
} as const;
