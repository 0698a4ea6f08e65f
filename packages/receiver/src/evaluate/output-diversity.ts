/**
 * Whether a model's outputs have become alike: models that learn from what they have caused, and
 * those that fail, tend to say fewer different things, often so slowly and so evenly around the
 * middle that no distance between distributions shows it.
 *
 * Diversity is the standard deviation of numbers, and of categories the number of equally common
 * ones that would be as mixed: exp(entropy), Hill's number of order 1 (Hill 1973, "Diversity and
 * evenness"). Its logarithm is compared with the reference's: a window has collapsed when it has
 * certainly lost more than a fifth, at the level of its length. The deviation of the logarithm is
 * sqrt((k - 1)/4) for a standard deviation of kurtosis k, and that of ln p for an entropy, over the
 * root of as many independent rows as both sides are worth. An entropy of few rows is too low by
 * (categories - 1)/(2 rows) (Miller 1955), which is added.
 */
import type { CategoryCounts, ReferenceGrid } from "@tidemark/stats";
import { effectiveSize, GridSummary, normalUpperQuantile } from "@tidemark/stats";
import type { Summary } from "../closed-window.js";
import type { Reference } from "../references/reference.js";

/** The part of its diversity that an output may lose before anybody wants to be told. */
const FLOOR = 0.2;
const NORMAL_KURTOSIS = 3;
/** Independent rows below which the logarithm is no normal variable, and nothing is said. */
const ROWS_MIN = 100;

/** Plain data. */
export interface Diversity {
  /** Of the window, over that of the reference. */
  readonly ratio: number;
  /** With the confidence of the window's level the true ratio is below this. */
  readonly upperBound: number;
  /** `upperBound` is below 0.8. */
  readonly collapsed: boolean;
}

/**
 * Compares the diversity of a window with the reference's.
 *
 * @param phi of both sides, >= 1
 * @param alpha the level
 * @returns undefined when the window is worth fewer than 100 rows, or the reference does not vary
 */
export function outputDiversity(
  reference: Reference,
  live: Summary,
  { phi, alpha }: { readonly phi: number; readonly alpha: number },
): Diversity | undefined {
  if (live.count / phi < ROWS_MIN) return undefined;
  const found =
    reference.kind === "numeric"
      ? live instanceof GridSummary && spreadRatio(reference.grid, live)
      : !(live instanceof GridSummary) && mixRatio(reference.categories, live, phi);
  if (!found || !Number.isFinite(found.deviation) || Number.isNaN(found.logarithm)) {
    return undefined;
  }
  const n = reference.kind === "numeric" ? reference.grid.count : reference.categories.count;
  const rows = effectiveSize({ count: n, inflation: phi }, { count: live.count, inflation: phi });
  const margin = (normalUpperQuantile(alpha) * found.deviation) / Math.sqrt(rows);
  const upperBound = Math.exp(found.logarithm + margin);
  return { ratio: Math.exp(found.logarithm), upperBound, collapsed: upperBound < 1 - FLOOR };
}

interface LogRatio {
  readonly logarithm: number;
  /** Standard deviation of the logarithm, times the root of the rows. */
  readonly deviation: number;
}

function spreadRatio(reference: ReferenceGrid, live: GridSummary): LogRatio | undefined {
  if (!(reference.variance > 0)) return undefined;
  const { counts, binMeans, count, mean, variance } = reference;
  let fourth = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    fourth += (counts[bin] as number) * ((binMeans[bin] as number) - mean) ** 4;
  }
  const kurtosis = Math.max(NORMAL_KURTOSIS, fourth / count / variance ** 2);
  return {
    logarithm: Math.log(live.variance / variance) / 2,
    deviation: Math.sqrt((kurtosis - 1) / 4),
  };
}

function mixRatio(
  reference: CategoryCounts,
  live: CategoryCounts,
  phi: number,
): LogRatio | undefined {
  const before = entropy(reference, phi);
  if (!(before.entropy > 0)) return undefined;
  return { logarithm: entropy(live, phi).entropy - before.entropy, deviation: before.deviation };
}

/** In nats, and the deviation of ln p; names without a place count as one. */
function entropy(counts: CategoryCounts, phi: number): { entropy: number; deviation: number } {
  const shares = [...counts.entries()].map(([, count]) => count / counts.count);
  if (counts.other > 0) shares.push(counts.other / counts.count);
  let [sum, squares, names] = [0, 0, 0];
  for (const share of shares) {
    if (share === 0) continue;
    names++;
    sum -= share * Math.log(share);
    squares += share * Math.log(share) ** 2;
  }
  const bias = (phi * (names - 1)) / (2 * counts.count);
  return { entropy: sum + bias, deviation: Math.sqrt(Math.max(0, squares - sum * sum)) };
}
