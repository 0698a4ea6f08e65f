/** The configuration file's schema: what `tidemark.instrumentation.yaml` may say. */
import { STAGES } from "@tidemark/semconv";
import { z } from "zod";
import { DEFAULT_LIMITS } from "./default-config.js";
import type { ValuePath } from "./value-path.js";
import { parseValuePath } from "./value-path.js";

const text = z.string("must be text").min(1, "must not be empty");

const valuePath = text.transform((path, context): ValuePath => {
  const parsed = parseValuePath(path);
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: "custom",
    message: `"${path}" is no path; write for example args[0].region or result.id`,
  });
  return z.NEVER;
});

const stageKind = z.enum(STAGES, `must be one of: ${STAGES.join(", ")}`);

/** One function of the app, and what its span says. */
export const stageSchema = z.strictObject({
  module: text.regex(/^\.{0,2}[/\\]|^[A-Za-z]:[/\\]/, {
    message: "must be a path that starts with ./, ../ or /; it is relative to this file",
  }),
  export: text
    .regex(/^[\w$]+(?:\.[\w$]+)*$/, {
      message: 'must be a name, "default", or a path such as Model.prototype.predict',
    })
    .default("default"),
  stage: stageKind,
  source: text.optional(),
  model: text.optional(),
  segment: z.record(text, valuePath).default({}),
  tenant: valuePath.optional(),
  predictionId: valuePath.optional(),
  retrieval: z
    .strictObject({
      documents: valuePath.default({ root: "result", steps: [] }),
      score: text.default("score"),
      text: text.default("text"),
    })
    .optional(),
});

const INPUT_KINDS = ["features", "category", "hash", "ignore"] as const;
const OUTPUT_KINDS = ["value", "class", "probabilities", "logits", "ignore"] as const;

const inputSchema = z.strictObject({
  as: z.enum(INPUT_KINDS, `must be one of: ${INPUT_KINDS.join(", ")}`).default("features"),
  columns: z.array(text).optional(),
});

const outputSchema = z.strictObject({
  as: z.enum(OUTPUT_KINDS, `must be one of: ${OUTPUT_KINDS.join(", ")}`),
  classes: z.array(text).optional(),
  scores: z.boolean("must be true or false").optional(),
});

const TASKS = ["classification", "regression", "embedding", "generation", "ranking"] as const;

/** What a model's tensors mean, where the model itself does not say it. */
export const modelSchema = z.strictObject({
  name: text,
  version: text.optional(),
  task: z.enum(TASKS, `must be one of: ${TASKS.join(", ")}`).optional(),
  inputs: z.record(text, inputSchema).default({}),
  outputs: z.record(text, outputSchema).default({}),
  sensitive: z.array(text).default([]),
});

const count = (max: number, fallback: number) =>
  z
    .int("must be a whole number")
    .min(1, "must be at least 1")
    .max(max, `must be at most ${max}`)
    .default(fallback);

/** Bounds of one span. */
export const limitsSchema = z.strictObject({
  rows: count(10_000, DEFAULT_LIMITS.rows),
  features: count(100, DEFAULT_LIMITS.features),
});

const flag = z.boolean("must be true or false").default(false);

/** What is recorded of calls of language models; nothing of it is content. */
export const llmSchema = z.strictObject({
  tenant: valuePath.optional(),
  promptVersion: valuePath.optional(),
  streamUsage: flag,
  estimateTokens: flag,
  prices: text.optional(),
  text: z
    .strictObject({
      vocabulary: text.optional(),
      refusals: z.array(text).default([]),
    })
    .optional(),
  embeddings: z
    .strictObject({ projections: count(64, 16), seed: count(2 ** 31 - 1, 1) })
    .optional(),
});

/** The top level; the entries of its lists are checked one by one, so that good ones are used. */
export const fileSchema = z.strictObject({
  stages: z.array(z.unknown(), "must be a list").default([]),
  models: z.array(z.unknown(), "must be a list").default([]),
  limits: z.unknown().optional(),
  llm: z.unknown().optional(),
  errorMessages: z.boolean("must be true or false").default(false),
});

/** A function of the app that is a stage of a prediction. */
export type StageConfig = z.output<typeof stageSchema>;

/** What a model's inputs and outputs mean. */
export type ModelConfig = z.output<typeof modelSchema>;

/** Bounds of one span. */
export type Limits = z.output<typeof limitsSchema>;

/** What is recorded of calls of language models. */
export type LlmConfig = z.output<typeof llmSchema>;

/** A valid configuration; entries that were not valid are already left out. */
export interface InstrumentationConfig {
  readonly stages: readonly StageConfig[];
  readonly models: readonly ModelConfig[];
  readonly limits: Limits;
  readonly llm: LlmConfig;
  /** Whether spans of failed stages carry the error's message, which may quote user data. */
  readonly errorMessages: boolean;
}
