/** Which attributes the receiver reads from spans, and what each of them is to it. */
import type { AttributeDefinition } from "@tidemark/semconv";
import { ATTRIBUTES, DIALECT_ATTRIBUTES, DIALECT_EVENTS, reservedNames } from "@tidemark/semconv";
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
  segment: 9,
  predictionRejected: 10,
  serviceName: 11,
  /** An attribute that only the configuration asks for. */
  configured: 12,
  /** Signals that are made of several attributes: of model calls, and of the configuration. */
  callSignal: 13,
  declaredSignal: 14,
  modelRunId: 15,
  /** From here on: the rows of DIALECT_ATTRIBUTES, and of DIALECT_EVENTS. */
  dialect: 1000,
  event: 2000,
} as const;

/** The attributes of the convention, by role. */
const CONVENTION = [
  "modelName",
  "modelVersion",
  "stage",
  "feature",
  "featureMissing",
  "predictionClass",
  "predictionValue",
  "predictionConfidence",
  "predictionScore",
  "segment",
  "predictionRejected",
  "serviceName",
  "modelRunId",
] as const;

/**
 * The keys that become signals or say whose they are.
 * @param configured attributes that the configuration asks for by name
 */
export function wantedKeys(configured: Iterable<string> = []): WantedKey[] {
  const convention = CONVENTION.map((role): WantedKey => {
    const { name, template }: AttributeDefinition = ATTRIBUTES[role];
    return { name, template, role: ROLE[role] };
  });
  const dialects = DIALECT_ATTRIBUTES.map(({ name, ending }, row): WantedKey => {
    const role = ROLE.dialect + row;
    return ending === undefined
      ? { name, template: false, role }
      : { name, template: true, ending, role };
  });
  const events = DIALECT_EVENTS.map(({ name }, row): WantedKey => {
    return { name, template: false, event: true, role: ROLE.event + row };
  });
  const derived = [ROLE.callSignal, ROLE.declaredSignal].map((role): WantedKey => {
    return { name: "", template: false, derived: true, role };
  });
  const keys = [...convention, ...dialects, ...events, ...derived];
  const known = new Set(keys.filter(({ template }) => !template).map(({ name }) => name));
  const further = [...new Set(configured)].filter((name) => !known.has(name));
  return [...keys, ...further.map((name) => ({ name, template: false, role: ROLE.configured }))];
}

/** Attributes below a template's prefix that mean something else, and nothing to the receiver. */
export function unwantedKeys(): string[] {
  const wanted = new Set(wantedKeys().map(({ name }) => name));
  return Object.values<AttributeDefinition>(ATTRIBUTES)
    .filter(({ name, template }) => template && wanted.has(name))
    .flatMap((template) => reservedNames(template).map((rest) => template.name + rest))
    .filter((name) => !wanted.has(name));
}
