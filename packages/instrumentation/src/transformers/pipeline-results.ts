/**
 * What the result of a transformers.js pipeline says as a prediction: classes and their
 * probabilities. Words, answers and generated texts are content and are not looked at.
 * https://huggingface.co/docs/transformers.js/api/pipelines
 */
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";
import { asTensor, sampleRows, shapeOf } from "../tensor-rows.js";

/** Our word for what a pipeline does; a task that is not here is none of ours. */
const TASKS: Readonly<Record<string, string>> = {
  "text-classification": "classification",
  "sentiment-analysis": "classification",
  "token-classification": "classification",
  "zero-shot-classification": "classification",
  "fill-mask": "classification",
  "image-classification": "classification",
  "zero-shot-image-classification": "classification",
  "audio-classification": "classification",
  "zero-shot-audio-classification": "classification",
  "object-detection": "classification",
  "zero-shot-object-detection": "classification",
  "feature-extraction": "embedding",
  "image-feature-extraction": "embedding",
  "text-generation": "generation",
  "text2text-generation": "generation",
  summarization: "generation",
  translation: "generation",
  "automatic-speech-recognition": "generation",
  "text-to-audio": "generation",
  "text-to-speech": "generation",
  "image-to-text": "generation",
  "document-question-answering": "generation",
  "depth-estimation": "regression",
};

/** Tasks whose result for one input is a list: the best class first. */
const BEST_FIRST = new Set([
  "text-classification",
  "sentiment-analysis",
  "image-classification",
  "zero-shot-image-classification",
  "audio-classification",
  "zero-shot-audio-classification",
  "fill-mask",
]);
const OUTPUT_NAME = "embedding";

/** A class or its probability, as far as an item of a result has them. */
interface Scored {
  readonly label: string | undefined;
  readonly score: number | undefined;
}

/** The convention's name of a pipeline's task. */
export function taskOf(pipelineTask: unknown): string | undefined {
  return typeof pipelineTask === "string" ? TASKS[pipelineTask] : undefined;
}

/** How many inputs a pipeline was given. */
export function batchSizeOf(input: unknown): number {
  return Array.isArray(input) ? input.length : 1;
}

/** Attributes of a result; `rowsMax` bounds the recorded rows, a uniform sample of them all. */
export function resultAttributes(
  task: unknown,
  input: unknown,
  result: unknown,
  rowsMax: number,
): Attributes {
  const tensor = asTensor(result);
  if (tensor) return { [ATTRIBUTES.outputShape.name + OUTPUT_NAME]: shapeOf(tensor) };
  const single = !Array.isArray(input) && BEST_FIRST.has(String(task));
  const items: readonly unknown[] = single || !Array.isArray(result) ? [result] : result;
  const scored = sampleRows(items.length, rowsMax).map((row) => best(items[row]));
  const attributes: Attributes = {};
  const put = (key: string, values: (string | number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    if (known.length > 0) attributes[key] = items.length === 1 ? known[0] : known;
  };
  put(
    ATTRIBUTES.predictionClass.name,
    scored.map(({ label }) => label),
  );
  put(
    ATTRIBUTES.predictionConfidence.name,
    scored.map(({ score }) => score),
  );
  return attributes;
}

/** The best class of one input: of one item, of a list with the best first, of parallel lists. */
function best(item: unknown): Scored {
  const first: unknown = Array.isArray(item) ? item[0] : item;
  if (typeof first !== "object" || first === null) return { label: undefined, score: undefined };
  const { label, score, entity, labels, scores } = first as Record<string, unknown>;
  return {
    label: textOf(label) ?? textOf(entity) ?? textOf(firstOf(labels)),
    score: probabilityOf(score) ?? probabilityOf(firstOf(scores)),
  };
}

function firstOf(list: unknown): unknown {
  return Array.isArray(list) ? list[0] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function probabilityOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value <= 1 ? value : undefined;
}
