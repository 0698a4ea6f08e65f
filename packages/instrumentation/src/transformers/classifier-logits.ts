/** The prediction of a transformers.js classifier that is called without a pipeline. */
import type { Attributes } from "@opentelemetry/api";
import { predictionAttributes } from "../onnx/predictions.js";
import { asTensor, sampleRows } from "../tensor-rows.js";
import type { TransformersModel } from "./loaded-models.js";

const LOGITS = "logits";
/** As many rows as a span states of any batch. */
const ROWS_MAX = 100;
const MULTI_LABEL = "multi_label_classification";

/** Class and probability of each row, if the model's config names as many classes as there are. */
export function logitsAttributes({ config }: TransformersModel, result: unknown): Attributes {
  if (typeof result !== "object" || result === null) return {};
  const tensor = asTensor((result as Record<string, unknown>)[LOGITS]);
  const names = classNames(config?.id2label);
  const { dims } = tensor ?? { dims: [] };
  if (!tensor || dims.length !== 2 || dims[1] !== names?.length) return {};
  if (config?.problem_type === MULTI_LABEL) return {};
  const size = dims[0] as number;
  const sampled = sampleRows(size, ROWS_MAX);
  const roles = { scores: LOGITS, scoresAreLogits: true };
  return predictionAttributes(new Map([[LOGITS, tensor]]), roles, names, { size, sampled });
}

function classNames(id2label: unknown): string[] | undefined {
  if (typeof id2label !== "object" || id2label === null) return undefined;
  return Object.values(id2label).map(String);
}
