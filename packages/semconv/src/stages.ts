/** The stages of one prediction, as the attribute `ml.stage` names them. */
export const STAGES = [
  "prediction",
  "feature_retrieval",
  "preprocessing",
  "inference",
  "postprocessing",
] as const;

/** One of {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** Tells whether a string is a value that `ml.stage` may have. */
export function isStage(value: string): value is Stage {
  return (STAGES as readonly string[]).includes(value);
}

/**
 * The name of a stage's span: the stage, and what it works on (the source for feature
 * retrieval, the model for the others) where that is known.
 */
export function stageSpanName(stage: Stage, subject?: string): string {
  return subject ? `${stage} ${subject}` : stage;
}
