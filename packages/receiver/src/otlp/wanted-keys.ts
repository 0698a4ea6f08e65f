/** Which attributes the receiver reads from spans, and what each of them is to it. */
import type { AttributeDefinition } from "@tidemark/semconv";
import { ATTRIBUTES, reservedNames } from "@tidemark/semconv";
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

/** Attributes below a template's prefix that mean something else, and nothing to the receiver. */
export function unwantedKeys(): string[] {
  const wanted = new Set(wantedKeys().map(({ name }) => name));
  return Object.values<AttributeDefinition>(ATTRIBUTES)
    .filter(({ name, template }) => template && wanted.has(name))
    .flatMap((template) => reservedNames(template).map((rest) => template.name + rest))
    .filter((name) => !wanted.has(name));
}
