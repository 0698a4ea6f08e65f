/** A comparison of data as a file with pictures. */

import { GridSummary } from "@tidemark/stats";
import type { ComparedRow, Comparison, Side } from "#ui/comparison.js";
import type { SignalState } from "#ui/documents.js";
import { compareReport } from "#ui/report.js";
import type { ComparedSignal, ComparedState } from "../references/comparison.js";
import type { CurrentData } from "../references/current-data.js";
import type { ReferenceFile } from "../references/reference-file.js";
import { compareCategories } from "../views/categorical-comparison.js";
import { compareNumbers } from "../views/numeric-comparison.js";
import { finite } from "../views/view-sources.js";
import { reportStyle } from "./report-style.js";

/** What has been compared, and what was found. */
export interface ComparedData {
  readonly reference: ReferenceFile;
  readonly current: CurrentData;
  readonly currentPath: string;
  readonly compared: readonly ComparedSignal[];
  readonly verdict: "stable" | "drifted" | "insufficient";
  readonly headline: string;
}

/** States that only a comparison of data has, as pages show them. */
const PAGE_STATES: Partial<Record<ComparedState, SignalState>> = {
  absent: "silent",
  new: "unknown",
};

/** The whole document. */
export function compareHtml(data: ComparedData, nowMs: number): string {
  const { verdict, headline } = data;
  const signals = data.compared.map((one) => rowOf(one, data));
  return compareReport({ verdict, headline, nowMs, signals }, reportStyle());
}

function rowOf(one: ComparedSignal, data: ComparedData): ComparedRow {
  const { signal, of, method, sentence, referenceCount, currentCount } = one;
  return {
    signal,
    of,
    method,
    sentence,
    referenceCount,
    currentCount,
    state: PAGE_STATES[one.state] ?? (one.state as SignalState),
    statistic: finite(one.statistic),
    threshold: finite(one.threshold),
    ratio: finite(one.ratio),
    pValue: finite(one.pValue),
    psi: finite(one.psi),
    comparison: of === "values" ? comparisonOf(signal, data) : null,
  };
}

function comparisonOf(
  signal: string,
  { reference, current, currentPath }: ComparedData,
): Comparison | null {
  const before = reference.signals.get(signal);
  const live = current.signals.get(signal)?.summary;
  if (before === undefined || live === undefined || live.count === 0) return null;
  const side = sideOf(currentPath, live.count);
  if (before.kind === "numeric") {
    if (!(live instanceof GridSummary)) return null;
    const known = { side: sideOf(reference.file, before.grid.count), law: before.grid };
    return compareNumbers(known, { side, law: live });
  }
  if (live instanceof GridSummary) return null;
  const known = {
    side: sideOf(reference.file, before.categories.count),
    counts: before.categories,
  };
  return compareCategories(known, { side, counts: live });
}

function sideOf(label: string, count: number): Side {
  return { label, count, startMs: null, endMs: null };
}
