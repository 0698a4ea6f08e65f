/** Whether a reference has enough values for a verdict at all. */
import type { DriftPolicy } from "@tidemark/stats";
import { CategoryCounts, evaluateCategorical, evaluateNumeric, GridSummary } from "@tidemark/stats";
import type { Reference } from "../references/reference.js";

/** False when no window under the policy could be compared, however many values it had. */
export function everComparable(reference: Reference, policy: DriftPolicy): boolean {
  if (reference.kind === "categorical") {
    const { categories } = reference;
    const live = CategoryCounts.liveFor(categories);
    return evaluateCategorical({ reference: categories, live, policy }).needed < Infinity;
  }
  const { grid } = reference;
  return (
    evaluateNumeric({ reference: grid, live: new GridSummary(grid), policy }).needed < Infinity
  );
}
