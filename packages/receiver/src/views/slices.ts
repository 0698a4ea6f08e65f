/** A range of time in slices that a picture has room for. */

import { CategoryCounts, GridSummary, gridDistance, hellinger } from "@tidemark/stats";
import type { Comparison } from "#ui/comparison.js";
import type { Slice } from "#ui/documents.js";
import { QUANTILE_SHARES } from "#ui/documents.js";
import type { Summary } from "../closed-window.js";
import type { PastPane } from "../observe/pane-history.js";
import type { Reference } from "../references/reference.js";
import { sharesOf } from "./categorical-comparison.js";
import { atomShares, densityAt } from "./numeric-comparison.js";

const SLICES_MAX = 120;
/** Slices with a density of their own: a ridge each. */
const RIDGES_MAX = 14;
/** Categories that are shown over time; the rest is one. */
export const CATEGORIES_OVER_TIME = 6;

/** Panes of one length or several, merged so that at most 120 are left. */
export function mergePanes(panes: readonly PastPane[], fromMs: number, toMs: number): PastPane[] {
  const [first] = panes;
  if (first === undefined) return [];
  const shortestMs = Math.min(...panes.map(({ startMs, endMs }) => endMs - startMs));
  const sliceMs = Math.ceil((toMs - fromMs) / SLICES_MAX / shortestMs) * shortestMs;
  const slices = new Map<number, PastPane>();
  for (const pane of panes) {
    const number = Math.floor(pane.startMs / sliceMs);
    const known = slices.get(number);
    if (known === undefined) slices.set(number, { ...pane, summary: pane.summary.clone() });
    else {
      mergeInto(known.summary, pane.summary);
      slices.set(number, { ...known, endMs: pane.endMs });
    }
  }
  return [...slices.values()];
}

/** All panes as one; undefined without any. */
export function mergeAll(panes: readonly PastPane[]): PastPane | undefined {
  const [first] = panes;
  if (first === undefined) return undefined;
  const summary = first.summary.clone();
  for (const { summary: more } of panes.slice(1)) mergeInto(summary, more);
  return { startMs: first.startMs, endMs: panes.at(-1)?.endMs ?? first.endMs, summary };
}

/** What each slice shows. */
export function slicesOf(
  panes: readonly PastPane[],
  reference: Reference,
  comparison: Comparison | null,
): Slice[] {
  const ridgeEvery = Math.ceil(panes.length / RIDGES_MAX);
  return panes.map((pane, index) =>
    // Counted from the end: the newest slice always has a ridge.
    sliceOf(pane, reference, (panes.length - 1 - index) % ridgeEvery === 0 ? comparison : null),
  );
}

function sliceOf(
  { startMs, endMs, summary }: PastPane,
  reference: Reference,
  comparison: Comparison | null,
): Slice {
  const { count, missing } = summary;
  const slice = { startMs, endMs, count, missing };
  const nothing = { distance: null, quantiles: null, density: null, atoms: null, shares: null };
  if (count === 0) return { ...slice, ...nothing };
  if (summary instanceof GridSummary) {
    if (reference.kind !== "numeric") return { ...slice, ...nothing };
    const drawn = comparison?.kind === "numeric" ? comparison : undefined;
    const density = drawn ? densityAt(summary, drawn) : null;
    const atoms = drawn ? atomShares(summary, drawn) : null;
    const quantiles = QUANTILE_SHARES.map((share) => summary.quantile(share));
    const { distance } = gridDistance(reference.grid, summary);
    return { ...slice, ...nothing, distance, quantiles, density, atoms };
  }
  if (reference.kind === "numeric") return { ...slice, ...nothing };
  const distance = distanceOf(reference.categories, summary);
  return { ...slice, ...nothing, distance };
}

/** Slices of categories, with the shares of the comparison's first ones. */
export function withShares(
  slices: readonly Slice[],
  panes: readonly PastPane[],
  comparison: Comparison | null,
): Slice[] {
  if (comparison?.kind !== "categorical") return [...slices];
  const names = comparison.categories.slice(0, CATEGORIES_OVER_TIME).map(({ name }) => name);
  return slices.map((slice, index) => {
    const summary = panes[index]?.summary;
    const isCounted = summary instanceof CategoryCounts && summary.count > 0;
    return isCounted ? { ...slice, shares: sharesOf(summary, names) } : slice;
  });
}

/** Of the shares as they are: a small window is far from anything by chance. */
function distanceOf(reference: CategoryCounts, live: CategoryCounts): number {
  const names = [...new Set([...reference.names(), ...live.names()])];
  const of = (counts: CategoryCounts) => [...names.map((name) => counts.get(name)), counts.other];
  return hellinger(of(reference), of(live));
}

function mergeInto(target: Summary, source: Summary): void {
  if (target instanceof GridSummary && source instanceof GridSummary) target.merge(source);
  else if (target instanceof CategoryCounts && source instanceof CategoryCounts) {
    target.merge(source);
  }
}
