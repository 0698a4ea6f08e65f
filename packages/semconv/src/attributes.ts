/** The type of an attribute's value on the wire; `value[]` is one element per row of a batch. */
export type AttributeType =
  | "string"
  | "int"
  | "double"
  | "bool"
  | "string[]"
  | "string|string[]"
  | "double|double[]"
  | "scalar|scalar[]";

/** What one attribute means: a row of the table that all names come from. */
export interface AttributeDefinition {
  /** The full name, or, when `template` is true, the prefix before the user's own name. */
  readonly name: string;
  readonly type: AttributeType;
  /** True when the user's own name (of a feature, class or segment) follows the prefix. */
  readonly template: boolean;
  readonly brief: string;
}

function attribute(name: string, type: AttributeType, brief: string): AttributeDefinition {
  return { name, type, template: name.endsWith("."), brief };
}

/** Every attribute of a prediction's spans; the wire contract of emitters and the receiver. */
export const ATTRIBUTES = {
  modelName: attribute("ml.model.name", "string", "the model"),
  modelVersion: attribute("ml.model.version", "string", "the model's version"),
  modelFramework: attribute("ml.model.framework", "string", "the runtime, such as onnxruntime"),
  modelRunId: attribute("ml.model.run_id", "string", "the training run, such as an MLflow run"),
  task: attribute(
    "ml.task",
    "string",
    "classification, regression, embedding, generation or ranking",
  ),
  stage: attribute("ml.stage", "string", "which stage of the prediction the span covers"),
  batchSize: attribute("ml.batch.size", "int", "rows in this call"),
  feature: attribute("ml.feature.", "scalar|scalar[]", "a feature's value, or one element per row"),
  featureMissing: attribute(
    "ml.feature.missing",
    "string[]",
    "features that were null, NaN or absent",
  ),
  featureSource: attribute("ml.feature.source", "string", "what the features were read from"),
  inputShape: attribute("ml.input.shape.", "string", "an input tensor's shape, such as 32x4"),
  outputShape: attribute("ml.output.shape.", "string", "an output tensor's shape"),
  queueDuration: attribute(
    "ml.inference.queue.duration",
    "double|double[]",
    "seconds the call waited for the event loop before the model ran",
  ),
  predictionId: attribute("ml.prediction.id", "string", "what a late label is joined on"),
  predictionClass: attribute("ml.prediction.class", "string|string[]", "predicted class"),
  predictionValue: attribute("ml.prediction.value", "double|double[]", "predicted number"),
  predictionConfidence: attribute(
    "ml.prediction.confidence",
    "double|double[]",
    "probability of the predicted class, 0 to 1",
  ),
  predictionScore: attribute(
    "ml.prediction.scores.",
    "double|double[]",
    "probability of a class, 0 to 1",
  ),
  predictionRejected: attribute("ml.prediction.rejected", "bool", "the model abstained"),
  feedbackLabel: attribute("ml.feedback.label", "string", "what the class turned out to be"),
  feedbackValue: attribute("ml.feedback.value", "double", "what the number turned out to be"),
  segment: attribute("ml.segment.", "string", "a slice that is monitored separately"),
  tenant: attribute("ml.tenant", "string", "who pays"),
  serviceName: attribute("service.name", "string", "the service, in its resource"),
  errorType: attribute("error.type", "string", "what kind of error the call failed with"),
  genAiInputTokens: attribute("gen_ai.usage.input_tokens", "int", "tokens of the prompt"),
  genAiOutputTokens: attribute("gen_ai.usage.output_tokens", "int", "tokens that were generated"),
  genAiTimeToFirstChunk: attribute(
    "gen_ai.response.time_to_first_chunk",
    "double",
    "seconds until the first token",
  ),
  genAiTimePerOutputChunk: attribute(
    "gen_ai.client.operation.time_per_output_chunk",
    "double",
    "seconds from one token to the next, the mean of one call",
  ),
  driftOutlier: attribute(
    "ml.drift.outlier",
    "string[]",
    "set in flight by the receiver: signals outside the reference",
  ),
  driftSignal: attribute("ml.drift.signal", "string", "the signal that was judged"),
  driftSegment: attribute("ml.drift.segment", "string", "the slice of the traffic, if it is one"),
  driftStatus: attribute("ml.drift.status", "string", "the verdict: drifted, warning, stable, …"),
  driftStatusBefore: attribute("ml.drift.status.before", "string", "the verdict before it"),
  driftWindow: attribute("ml.drift.window", "string", "length of the window, such as 5m"),
  driftWindowStart: attribute("ml.drift.window.start", "string", "its start, ISO 8601"),
  driftWindowEnd: attribute("ml.drift.window.end", "string", "its end, ISO 8601, excluded"),
  driftReference: attribute("ml.drift.reference", "string", "what it was compared with"),
  driftMethod: attribute("ml.drift.method", "string", "the test that decides"),
  driftScore: attribute("ml.drift.score", "double", "distance from the reference"),
  driftThreshold: attribute("ml.drift.threshold", "double", "distance that counts as a drift"),
  driftPValue: attribute("ml.drift.p_value", "double", "how likely such a distance is by chance"),
  driftLiveCount: attribute("ml.drift.live.count", "int", "values in the window"),
  driftReferenceCount: attribute("ml.drift.reference.count", "int", "values in the reference"),
  driftExemplarValue: attribute("ml.drift.exemplar.value", "double", "the linked span's value"),
} as const satisfies Record<string, AttributeDefinition>;

/** The spans and events in which the receiver tells of what it has found. */
export const DRIFT_SPAN = "drift.evaluation";
export const DRIFT_EVENT = "ml.drift.changed";

/**
 * The names that a template cannot take, because the attribute of that name has a meaning of its
 * own: `missing` and `source` below `ml.feature.`.
 */
export function reservedNames({ name: prefix }: AttributeDefinition): string[] {
  return Object.values(ATTRIBUTES)
    .filter(({ name, template }) => !template && name.startsWith(prefix))
    .map(({ name }) => name.slice(prefix.length));
}
