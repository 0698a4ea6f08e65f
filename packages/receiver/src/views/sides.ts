/** The two sides of a comparison: a window or a range, beside a reference, a range or a version. */

import type { GridSummary, ReferenceGrid } from "@tidemark/stats";
import { CategoryCounts } from "@tidemark/stats";
import type { Comparison } from "#ui/comparison.js";
import type { Verdict } from "../evaluate/verdict.js";
import type { ObservedModel, ObservedSignal } from "../observe/observed-model.js";
import type { PastPane } from "../observe/pane-history.js";
import type { Reference } from "../references/reference.js";
import { compareCategories } from "./categorical-comparison.js";
import { compareNumbers } from "./numeric-comparison.js";
import { mergeAll } from "./slices.js";
import type { ModelPart, ViewRange, ViewSources } from "./view-sources.js";
import { isPart, signalsOf } from "./view-sources.js";

/** What the live values are compared with. */
export type Against =
  | { readonly kind: "reference" }
  | { readonly kind: "range"; readonly fromMs: number; readonly toMs: number }
  | { readonly kind: "version"; readonly version: string };

/** Which signal, when, and beside what. */
export interface SignalQuery extends ModelPart, ViewRange {
  readonly signal: string;
  /** The last window that was judged, or all of the range. */
  readonly live: "window" | "range";
  readonly against: Against;
}

/** Values of one side, as a reference or a window has them. */
interface Values {
  readonly label: string;
  readonly startMs: number | null;
  readonly endMs: number | null;
  readonly law: ReferenceGrid | GridSummary | CategoryCounts;
  /** Rows without a value. */
  readonly missing: number;
}

/** What is known of the signal that is compared. */
export interface KnownSides {
  readonly signal: ObservedSignal;
  readonly panes: readonly PastPane[];
  readonly verdict: Verdict | undefined;
  /** Whether rows without a value are compared, in place of values. */
  readonly isMissing: boolean;
}

/** Compares; null while there is nothing to compare. */
export async function compareSides(
  sources: ViewSources,
  query: SignalQuery,
  { signal, panes, verdict, isMissing }: KnownSides,
): Promise<Comparison | null> {
  const reference = signal.panes?.reference;
  const live = liveValues(query, panes, verdict);
  if (reference === undefined || live === undefined) return null;
  const before = await valuesBefore(sources, query, signal, reference);
  if (before === undefined) return null;
  return isMissing
    ? compareValues(missingOf(before), missingOf(live))
    : compareValues(before, live);
}

async function valuesBefore(
  sources: ViewSources,
  query: SignalQuery,
  { identity }: ObservedSignal,
  reference: Reference,
): Promise<Values | undefined> {
  const { against } = query;
  if (against.kind === "reference") return referenceValues(reference);
  if (against.kind === "range") {
    const before = await sources.past.panes(identity, against.fromMs, against.toMs);
    return rangeValues("earlier", before);
  }
  const other = { ...identity, version: against.version };
  const past = await sources.past.panes(other, query.fromMs, query.toMs);
  return rangeValues(`version ${against.version || "without a name"}`, past);
}

/** Rows with and without a value as two categories. */
function missingOf(values: Values): Values {
  const counts = new CategoryCounts();
  counts.add("missing", values.missing);
  counts.add("present", values.law.count);
  return { ...values, law: counts };
}

function compareValues(before: Values, live: Values): Comparison | null {
  if (before.law.count === 0 || live.law.count === 0) return null;
  const sideOf = ({ label, startMs, endMs, law }: Values) => {
    return { label, startMs, endMs, count: law.count };
  };
  const [reference, now] = [sideOf(before), sideOf(live)];
  if (before.law instanceof CategoryCounts) {
    if (!(live.law instanceof CategoryCounts)) return null;
    const counts = { side: now, counts: live.law };
    return compareCategories({ side: reference, counts: before.law }, counts);
  }
  if (live.law instanceof CategoryCounts) return null;
  return compareNumbers({ side: reference, law: before.law }, { side: now, law: live.law });
}

function referenceValues(reference: Reference): Values {
  const law = reference.kind === "numeric" ? reference.grid : reference.categories;
  const { name, missing } = reference;
  return { label: `reference ${name}`, startMs: null, endMs: null, law, missing };
}

/** The window of the verdict as far as its panes are kept, or the whole range. */
function liveValues(
  { live, window }: SignalQuery,
  panes: readonly PastPane[],
  verdict: Verdict | undefined,
): Values | undefined {
  if (live === "range" || verdict === undefined) return rangeValues("this range", panes);
  const { startMs, endMs } = verdict;
  const inWindow = panes.filter((pane) => pane.startMs >= startMs && pane.endMs <= endMs);
  if (inWindow.length === 0) return rangeValues("this range", panes);
  return rangeValues(`last ${window}`, inWindow);
}

function rangeValues(label: string, panes: readonly PastPane[]): Values | undefined {
  const merged = mergeAll(panes);
  if (merged === undefined) return undefined;
  const { startMs, endMs, summary } = merged;
  return { label, startMs, endMs, law: summary, missing: summary.missing };
}

/** The signal of that name. */
export function findSignal(
  all: readonly ObservedModel[],
  part: ModelPart,
  name: string,
): ObservedSignal | undefined {
  const model = all.find((one) => isPart(one, part));
  return model && signalsOf(model).find(({ identity }) => identity.name === name);
}
