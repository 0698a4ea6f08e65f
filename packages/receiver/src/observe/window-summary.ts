/** Summaries of either kind, numbers or categories, as the reference asks for. */
import { CategoryCounts, GridSummary } from "@tidemark/stats";
import type { Summary } from "../closed-window.js";
import type { Reference } from "../references/reference.js";

/** Anything that counts rows. */
export interface Counted {
  readonly count: number;
  readonly missing: number;
  readonly invalid?: number;
}

/** Rows of any kind: with a value, without one, and with one that cannot be. */
export function rowsOf(summary: Counted): number {
  return summary.count + summary.missing + (summary.invalid ?? 0);
}

/** Nothing yet, of the kind that the reference asks for. */
export function emptySummary(reference: Reference): Summary {
  return reference.kind === "numeric"
    ? new GridSummary(reference.grid)
    : CategoryCounts.liveFor(reference.categories);
}

/** `target` with `source` added to it, or `source` itself. */
export function merged(target: Summary | undefined, source: Summary): Summary {
  if (target === undefined) return source;
  if (target instanceof GridSummary && source instanceof GridSummary) target.merge(source);
  else if (target instanceof CategoryCounts && source instanceof CategoryCounts) {
    target.merge(source);
  } else throw new TypeError("summaries of one signal must be of one kind");
  return target;
}

/** What `serialise` has written. @throws SummaryFormatError when it was on another reference */
export function readSummary(reference: Reference, bytes: Uint8Array): Summary {
  if (reference.kind === "numeric") return GridSummary.deserialise(reference.grid, bytes);
  return CategoryCounts.deserialise(bytes);
}
