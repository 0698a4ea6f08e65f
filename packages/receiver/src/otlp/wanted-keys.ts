/** Which attributes the receiver reads from spans, and what each of them is to it. */
import type { AttributeDefinition } from "@tidemark/semconv";
import { ATTRIBUTES } from "@tidemark/semconv";
import type { WantedKey } from "./key-table.js";

/** What a key is to the receiver; every key of the {@link KeyTable} has one of these roles. */
export const ROLE = {
  modelName: 0,
  modelVersion: 1,
  stage: 2,
  feature: 3,
  featureMissing: 4,
  predictionClass: 5,
  predictionValue: 6,
  predictionConfidence: 7,
  predictionScore: 8,
} as const;

/** The keys of the `ml.*` convention that become signals or say whose they are. */
export function wantedKeys(): WantedKey[] {
  return (Object.keys(ROLE) as (keyof typeof ROLE)[]).map((role) => {
    const { name, template }: AttributeDefinition = ATTRIBUTES[role];
    return { name, template, role: ROLE[role] };
  });
}
