/**
 * For those who prefer code to the configuration file. Without an SDK every function here does
 * nothing but call what it was given.
 */
import type { Attributes } from "@opentelemetry/api";
import type { Stage } from "@tidemark/semconv";
import { ATTRIBUTES, GEN_AI, reservedNames } from "@tidemark/semconv";
import { complain, guarded } from "./complain.js";
import { DEFAULT_LIMITS } from "./default-config.js";
import { activeContext, activeSpan, startSpan } from "./host-api.js";
import { recordCall } from "./recorded-call.js";
import { requestScope, withRequestScope } from "./request-scope.js";

/** A value of a feature; null and NaN are missing. An array has one element per row. */
export type FeatureValue = number | string | boolean | null | undefined;

/** What a stage's span says; all of it may be left out. */
export interface StageOptions {
  readonly model?: string;
  readonly version?: string;
  /** What features are read from, for `feature_retrieval`. */
  readonly source?: string;
  /** Slices that are monitored separately, such as `{ region: "north" }`. */
  readonly segment?: Readonly<Record<string, string>>;
  readonly tenant?: string;
  /** What a late label is joined on. */
  readonly predictionId?: string;
}

/** What was predicted; arrays have one element per row. */
export interface Prediction {
  readonly class?: string | readonly string[];
  readonly value?: number | readonly number[];
  /** Probability of the predicted class, 0 to 1. */
  readonly confidence?: number | readonly number[];
  /** Probability of every class, 0 to 1. */
  readonly scores?: Readonly<Record<string, number | readonly number[]>>;
  /** What a late label is joined on. */
  readonly id?: string;
  /** Whether the model abstained. */
  readonly rejected?: boolean;
}

/** What people or judges say of an answer: a score, a label, or just that it happened. */
export interface Feedback {
  /** Such as `thumbs`, `copied`, `edited`, or the name of an evaluator. */
  readonly name: string;
  readonly score?: number;
  /** A category such as `up`, never text that somebody has written; `yes` without a score. */
  readonly label?: string;
}

/** Classes whose probabilities one span may state. */
const SCORES_MAX = 32;
const RESERVED = new Set(reservedNames(ATTRIBUTES.feature));

/**
 * Calls `work` as a stage of a prediction and returns what it returns, a promise or not; what it
 * throws, it throws. Stages within it are its children.
 *
 * @example const features = await stage("feature_retrieval", { source: "redis" }, () => read(id));
 */
export function stage<T>(name: Stage, work: () => T): T;
export function stage<T>(name: Stage, options: StageOptions, work: () => T): T;
export function stage<T>(name: Stage, given: StageOptions | (() => T), then?: () => T): T {
  const [options, work] = typeof given === "function" ? [{}, given] : [given, then as () => T];
  const { model, version, source } = options;
  return recordCall((outer) => {
    const outerScope = requestScope(outer);
    const scope = outerScope ?? { attributes: {} };
    Object.assign(scope.attributes, scopeAttributes(options));
    return {
      stage: name,
      model,
      ...(name === "feature_retrieval" && { subject: source, openSource: source === undefined }),
      attributes: {
        ...(version !== undefined && { [ATTRIBUTES.modelVersion.name]: version }),
        ...(source !== undefined && { [ATTRIBUTES.featureSource.name]: source }),
        ...scope.attributes,
      },
      within: (context) => (outerScope ? context : withRequestScope(context, scope)),
    };
  }, work) as T;
}

/**
 * States features on the stage that is under way: at most 64 of them. A string is recorded as it
 * is, so pass categories, never text that somebody has written.
 */
export function recordFeatures(
  features: Readonly<Record<string, FeatureValue | readonly FeatureValue[]>>,
): void {
  guarded("recording features", () => {
    const span = activeSpan();
    if (!span?.isRecording()) return;
    const attributes: Attributes = {};
    const missing: string[] = [];
    for (const [name, value] of Object.entries(features).slice(0, DEFAULT_LIMITS.features)) {
      if (RESERVED.has(name)) {
        complain(`a feature cannot be called "${name}": the attribute of that name is another`);
        continue;
      }
      const rows = (Array.isArray(value) ? value : [value]) as readonly FeatureValue[];
      const known = rows.filter((row) => !isMissing(row)).slice(0, DEFAULT_LIMITS.rows);
      for (const row of rows) if (isMissing(row)) missing.push(name);
      if (known.length > 0) {
        const stated = Array.isArray(value) ? known : known[0];
        attributes[ATTRIBUTES.feature.name + name] = stated;
      }
    }
    if (missing.length > 0) attributes[ATTRIBUTES.featureMissing.name] = missing;
    span.setAttributes(attributes);
  });
}

/** States a prediction on the stage that is under way; its id on all later stages as well. */
export function recordPrediction(prediction: Prediction): void {
  guarded("recording a prediction", () => {
    const span = activeSpan();
    if (!span?.isRecording()) return;
    const { scores = {}, id } = prediction;
    const attributes: Attributes = {};
    const put = (name: string, value: unknown) => {
      if (value !== undefined) attributes[name] = value;
    };
    put(ATTRIBUTES.predictionClass.name, prediction.class);
    put(ATTRIBUTES.predictionValue.name, prediction.value);
    put(ATTRIBUTES.predictionConfidence.name, prediction.confidence);
    put(ATTRIBUTES.predictionRejected.name, prediction.rejected);
    for (const [name, score] of Object.entries(scores).slice(0, SCORES_MAX)) {
      put(ATTRIBUTES.predictionScore.name + name, score);
    }
    const scope = requestScope(activeContext());
    if (id !== undefined && scope) scope.attributes[ATTRIBUTES.predictionId.name] = id;
    put(ATTRIBUTES.predictionId.name, id);
    span.setAttributes(attributes);
  });
}

/**
 * States what became of an earlier prediction: what the truth turned out to be, a class or a
 * number, which the receiver does not use yet; or, under a name, what was said of an answer. `id`
 * is what the prediction was given as its id, or the id of the provider's response, or the trace's.
 *
 * @example recordFeedback(completion.id, { name: "thumbs", label: "up" });
 */
export function recordFeedback(
  id: string,
  feedback: string | number | boolean | Feedback,
  model?: string,
): void {
  guarded("recording feedback", () => {
    const isTruth = typeof feedback !== "object";
    const attributes = {
      [ATTRIBUTES.predictionId.name]: id,
      ...(isTruth && truthAttributes(feedback)),
      ...(model !== undefined && { [ATTRIBUTES.modelName.name]: model }),
    };
    const title = model === undefined ? "feedback" : `feedback ${model}`;
    const span = startSpan(title, { attributes }, activeContext());
    if (!isTruth) span?.addEvent(GEN_AI.evaluationEvent, evaluationAttributes(feedback));
    span?.end();
  });
}

function truthAttributes(truth: string | number | boolean): Attributes {
  const isNumber = typeof truth === "number";
  const name = isNumber ? ATTRIBUTES.feedbackValue.name : ATTRIBUTES.feedbackLabel.name;
  return { [name]: isNumber ? truth : String(truth) };
}

function evaluationAttributes({ name, score, label }: Feedback): Attributes {
  const said = label ?? (score === undefined ? "yes" : undefined);
  return {
    [GEN_AI.evaluationName]: name,
    ...(score !== undefined && { [GEN_AI.evaluationScore]: score }),
    ...(said !== undefined && { [GEN_AI.evaluationLabel]: said }),
  };
}

function isMissing(value: FeatureValue): boolean {
  return value === null || value === undefined || Number.isNaN(value);
}

function scopeAttributes({ segment = {}, tenant, predictionId }: StageOptions): Attributes {
  const attributes: Attributes = {};
  for (const [name, value] of Object.entries(segment)) {
    attributes[ATTRIBUTES.segment.name + name] = value;
  }
  if (tenant !== undefined) attributes[ATTRIBUTES.tenant.name] = tenant;
  if (predictionId !== undefined) attributes[ATTRIBUTES.predictionId.name] = predictionId;
  return attributes;
}
