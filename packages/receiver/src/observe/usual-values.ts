/**
 * Which values of a signal are usual: those that the reference knows, and while the signal drifts,
 * only those on the side from which the values have moved away. Others are worth a look in Jaeger.
 */
import { CategoryCounts, GridSummary, type ReferenceGrid } from "@tidemark/stats";
import type { ClosedWindow } from "../closed-window.js";
import type { Reference } from "../references/reference.js";

/** A range of numbers, both ends included; or names. */
export type UsualValues = UsualRange | ReadonlySet<string>;

/** Numbers from `low` to `high`. */
export interface UsualRange {
  readonly low: number;
  readonly high: number;
}

/** Many signals may share one reference. */
const namesOf = new WeakMap<CategoryCounts, ReadonlySet<string>>();

/** What the reference knows. */
export function usualValues(reference: Reference): UsualValues {
  if (reference.kind === "categorical") {
    const { categories } = reference;
    const names = namesOf.get(categories) ?? new Set(categories.names());
    namesOf.set(categories, names);
    return names;
  }
  const { min: low, max: high } = reference.grid;
  return { low, high };
}

/** Whether a number lies beyond all that the reference has. */
export function isOutOfRange(reference: Reference, value: number): boolean {
  if (reference.kind !== "numeric") return false;
  const { min, max, float32 } = reference.grid;
  const rounded = float32 ? Math.fround(value) : value;
  return rounded < min || rounded > max;
}

/** Whether the reference knows all its categories, and this is none of them. */
export function isNewCategory(reference: Reference, name: string): boolean {
  if (reference.kind !== "categorical" || reference.rate) return false;
  return reference.categories.other === 0 && reference.categories.get(name) === 0;
}

/** What is usual while a signal drifts as it did in this window. */
export function usualInDrift({ reference, summary }: ClosedWindow): UsualValues {
  if (reference.kind === "numeric" && summary instanceof GridSummary) {
    return usualRangeInDrift(reference.grid, summary);
  }
  if (reference.kind === "categorical" && summary instanceof CategoryCounts) {
    return usualNamesInDrift(reference.categories, summary);
  }
  return usualValues(reference);
}

/** Up to, or from, the edge where the shares below differ most. */
function usualRangeInDrift(grid: ReferenceGrid, live: GridSummary): UsualRange {
  let expected = 0;
  let found = 0;
  let widest = 0;
  let edge = 0;
  for (let bin = 0; bin < grid.edges.length; bin++) {
    expected += grid.counts[bin] as number;
    found += live.counts[bin] as number;
    const gap = found / live.count - expected / grid.count;
    if (Math.abs(gap) > Math.abs(widest)) {
      widest = gap;
      edge = grid.edges[bin] as number;
    }
  }
  const { min: low, max: high } = grid;
  // Fewer below the edge than expected: the values have moved above it.
  return widest < 0 ? { low, high: edge } : { low: edge, high };
}

/** All names but the one whose share has grown most. */
function usualNamesInDrift(reference: CategoryCounts, live: CategoryCounts): Set<string> {
  const usual = new Set(reference.names());
  let most = 0;
  let grown = "";
  for (const name of usual) {
    const growth = live.get(name) / live.count - reference.get(name) / reference.count;
    if (growth > most) [most, grown] = [growth, name];
  }
  usual.delete(grown);
  return usual;
}
