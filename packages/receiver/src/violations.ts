/** What can be wrong with the data of a signal, measured by the schema that its reference is. */

/** By value: of another type, no number at all, outside the range, a category nobody knows. */
export const VALUE_VIOLATIONS = ["type", "invalid", "range", "new_category"] as const;

/**
 * By window: more missing than usual, always the same value, no value while the model is at work,
 * many more categories than usual; and signals that only one of reference and traffic has.
 */
export const WINDOW_VIOLATIONS = ["missing", "stuck", "vanished", "cardinality", "schema"] as const;

/** Any of them, as the label `kind` says it. */
export type Violation = (typeof VALUE_VIOLATIONS)[number] | (typeof WINDOW_VIOLATIONS)[number];

/** How often each kind was seen; kinds that were not are left out. */
export type ViolationCounts = Partial<Record<Violation, number>>;
