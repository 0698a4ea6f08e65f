/**
 * What is wrong with the values of one window as such, whatever their distribution: judged by what
 * the reference would make of it, so that a signal that hardly ever varies may stay as it is.
 */
import { CategoryCounts, GridSummary, type ReferenceGrid } from "@tidemark/stats";
import type { ClosedWindow } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import { RATE_EVENT, RATE_OTHER } from "../references/reference.js";
import type { Violation } from "../violations.js";

/** A run of equal values that the reference would show more seldom than this is no accident. */
const STUCK_PROBABILITY = 1e-9;
/** Twice the categories of the reference, and some for small ones. */
const CATEGORIES_FACTOR = 2;
const CATEGORIES_MORE = 10;

/** The violations of a window that has values. */
export function windowViolations({ reference, summary }: ClosedWindow): Violation[] {
  if (summary.count === 0) return [];
  const found: Violation[] = [];
  if (isStuck(reference, summary)) found.push("stuck");
  if (hasExploded(reference, summary)) found.push("cardinality");
  return found;
}

/**
 * The same window as a rate of missing values, named `NAME.missing`; undefined when neither the
 * reference nor the window misses any.
 */
export function missingWindow(closed: ClosedWindow): ClosedWindow | undefined {
  const { signal, reference, summary } = closed;
  if (reference.missing === 0 && summary.missing === 0) return undefined;
  const { name, provisional, missing } = reference;
  const categories = rateOf(missing, referenceCount(reference));
  return {
    ...closed,
    signal: { ...signal, name: `${signal.name}.missing` },
    reference: { name, provisional, missing: 0, kind: "categorical", categories, rate: true },
    summary: rateOf(summary.missing, summary.count),
  };
}

/** The rows of a reference that have a value. */
export function referenceCount(reference: Reference): number {
  return reference.kind === "numeric" ? reference.grid.count : reference.categories.count;
}

function rateOf(events: number, others: number): CategoryCounts {
  const counts = new CategoryCounts();
  counts.add(RATE_EVENT, events);
  counts.add(RATE_OTHER, others);
  return counts;
}

function isStuck(reference: Reference, summary: ClosedWindow["summary"]): boolean {
  if (reference.kind === "numeric") {
    if (!(summary instanceof GridSummary) || summary.min !== summary.max) return false;
    return isNoAccident(shareOf(reference.grid, summary), summary.count);
  }
  if (summary instanceof GridSummary || summary.other > 0) return false;
  const names = [...summary.entries()].filter(([, count]) => count > 0);
  const [only] = names;
  if (names.length !== 1 || only === undefined) return false;
  const share = reference.categories.get(only[0]) / reference.categories.count;
  return isNoAccident(share, summary.count);
}

/** The reference's share of the bin that all values of the window are in. */
function shareOf(grid: ReferenceGrid, { counts }: GridSummary): number {
  const bin = counts.findIndex((count) => count > 0);
  return (grid.counts[bin] as number) / grid.count;
}

/** A value that the reference does not know is an accident twice, and none three times. */
function isNoAccident(share: number, count: number): boolean {
  return Math.max(share, 1e-3) ** count < STUCK_PROBABILITY;
}

function hasExploded(reference: Reference, summary: ClosedWindow["summary"]): boolean {
  if (reference.kind === "numeric" || summary instanceof GridSummary) return false;
  const { categories } = reference;
  // A reference with too many categories to name expects as many.
  if (categories.other > 0) return false;
  return summary.size > CATEGORIES_FACTOR * categories.size + CATEGORIES_MORE;
}
