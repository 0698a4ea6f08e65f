/** Two mixes of categories as shares, the most changed first. */

import type { CategoryCounts } from "@tidemark/stats";
import type { CategoricalComparison, CategoryShare, Side } from "#ui/comparison.js";

const CATEGORIES_MAX = 40;
const CONFIDENCE_Z = 1.959964;
/** What categories beyond the bound are called. */
const OTHERS = "(others)";

/** One side of a comparison. */
export interface CategoricalSide {
  readonly side: Side;
  readonly counts: CategoryCounts;
}

/** Compares; both sides must have rows. */
export function compareCategories(
  reference: CategoricalSide,
  live: CategoricalSide,
): CategoricalComparison {
  const [n, m] = [reference.counts.count, live.counts.count];
  const names = new Set([...reference.counts.names(), ...live.counts.names()]);
  const shares = [...names]
    .map((name) => shareOf(name, reference.counts.get(name), live.counts.get(name)))
    .toSorted((a, b) => Math.abs(b.live - b.reference) - Math.abs(a.live - a.reference));
  const shown = shares.slice(0, CATEGORIES_MAX);
  const rest = (side: "reference" | "live") =>
    Math.max(0, 1 - shown.reduce((sum, share) => sum + share[side], 0));
  const pooled = reference.counts.other + live.counts.other > 0 || shares.length > shown.length;
  if (pooled) {
    const [others, othersNow] = [rest("reference") * n, rest("live") * m];
    shown.push(shareOf(OTHERS, others, othersNow));
  }
  return { kind: "categorical", reference: reference.side, live: live.side, categories: shown };

  function shareOf(name: string, before: number, after: number): CategoryShare {
    const { low, high } = wilsonInterval(after, m);
    return { name, reference: before / n, live: after / m, liveLow: low, liveHigh: high };
  }
}

/** The shares of named categories in a window, and last that of all others. */
export function sharesOf(counts: CategoryCounts, names: readonly string[]): number[] {
  const shares = names.map((name) => counts.get(name) / counts.count);
  return [...shares, Math.max(0, 1 - shares.reduce((sum, share) => sum + share, 0))];
}

/** The 95 % interval of a share: Wilson, J. Am. Stat. Assoc. 22 (1927). */
function wilsonInterval(events: number, rows: number): { low: number; high: number } {
  const share = events / rows;
  const z2 = CONFIDENCE_Z ** 2 / rows;
  const centre = (share + z2 / 2) / (1 + z2);
  const half = Math.sqrt(z2 * (share * (1 - share) + z2 / 4)) / (1 + z2);
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}
