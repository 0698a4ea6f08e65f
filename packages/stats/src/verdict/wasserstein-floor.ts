// Wasserstein-1 with an effect floor: is the mean distance that mass has moved above d reference
// standard deviations?
//
// Both sides are snapped to the reference's bin means mu_j, so that a law on them is a vector of
// shares and no tail is unbounded. With D_j = mu_{j+1} - mu_j, W = sum |F_j - G_j| D_j,
// J = sum D_j sqrt(phi_ref F_j (1 - F_j)/n + phi_live G_j (1 - G_j)/m) and s^2 the summed variances
// of the two snapped means (each with the larger of the two sides' variance per row: a sample that
// missed the tail's rare rows understates its own), W exceeds its true value by sqrt(2/pi) J in the
// mean at most (the mean of |N(0, v)|) and concentrates around that with variance at most s^2 (a
// Gaussian law's 1-Lipschitz functions do); hence
// p = exp(-max(0, W - d sigma_ref - sqrt(2/pi) J)^2 / (2 s^2)).
// The floor itself is estimated: d^2 times the variance of sigma_ref, (mu_4 / sigma^4 - 1) / 4 of
// sigma^2 / n, is part of s^2, which matters where tails are heavy. O(bins) time.

import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";
import { rankVariance } from "./effective-size.js";

/** All lengths are in standard deviations of the reference. */
export interface WassersteinFloorTest {
  /** W / sigma_ref of the snapped laws. */
  readonly statistic: number;
  readonly pValue: number;
  /** The test rejects when `statistic` exceeds this. */
  readonly threshold: number;
  /** d. */
  readonly floor: number;
}

export interface WassersteinFloorOptions {
  /** d, in reference standard deviations, not negative. */
  readonly floor: number;
  /** Level of `threshold`, in (0, 1). */
  readonly alpha: number;
  readonly phi: { readonly reference: number; readonly live: number };
}

/** E|N(0, 1)|. */
const MEAN_ABSOLUTE_NORMAL = Math.sqrt(2 / Math.PI);

/**
 * Tests whether a live window has moved by more than the floor.
 *
 * @param live on `reference`'s grid, which the caller has checked
 * @returns undefined when the live side is empty or the reference does not vary
 */
export function wassersteinFloorTest(
  reference: ReferenceGrid,
  live: GridSummary,
  options: WassersteinFloorOptions,
): WassersteinFloorTest | undefined {
  const sigma = Math.sqrt(reference.variance);
  if (live.count === 0 || !(sigma > 0 && sigma < Infinity)) return undefined;
  const { phi, floor, alpha } = options;
  const moved = snappedMove(reference, live, {
    reference: phi.reference / reference.count + rankVariance(reference.epsilon),
    live: phi.live / live.count,
  });
  const chance = (MEAN_ABSOLUTE_NORMAL * moved.spread) / sigma;
  const ofFloor = (floor * floor * moved.sigmaVariance) / reference.variance;
  const deviation = Math.sqrt(moved.variance / reference.variance + ofFloor);
  const statistic = moved.distance / sigma;
  const excess = Math.max(0, statistic - floor - chance);
  return {
    statistic,
    pValue: excess > 0 ? Math.exp(-((excess / deviation) ** 2) / 2) : 1,
    threshold: floor + chance + deviation * Math.sqrt(-2 * Math.log(alpha)),
    floor,
  };
}

/** W, J, the two means' s^2, and the variance of sigma_ref, in the unit of the values. */
interface SnappedMove {
  readonly distance: number;
  readonly spread: number;
  readonly variance: number;
  readonly sigmaVariance: number;
}

/** `perRow`: the variance of a share over that of one row, 1/n for independent rows. */
function snappedMove(
  reference: ReferenceGrid,
  live: GridSummary,
  perRow: { readonly reference: number; readonly live: number },
): SnappedMove {
  const { counts, binMeans } = reference;
  const { reference: a, live: b } = perRow;
  const [perReference, perLive] = [1 / reference.count, 1 / live.count];
  let [distance, spread] = [0, 0];
  let [below, liveBelow] = [0, 0];
  // Var X = 2 sum_{i <= j} D_i D_j F_i (1 - F_j): `lower` is the sum of D_i F_i so far.
  let [lower, liveLower, variance, liveVariance] = [0, 0, 0, 0];
  for (let bin = 0; bin + 1 < counts.length; bin++) {
    below += counts[bin] as number;
    liveBelow += live.counts[bin] as number;
    const width = (binMeans[bin + 1] as number) - (binMeans[bin] as number);
    if (width === 0) continue;
    const f = below * perReference;
    const g = liveBelow * perLive;
    distance += Math.abs(f - g) * width;
    spread += Math.sqrt(a * f * (1 - f) + b * g * (1 - g)) * width;
    variance += (2 * lower + width * f) * width * (1 - f);
    liveVariance += (2 * liveLower + width * g) * width * (1 - g);
    lower += width * f;
    liveLower += width * g;
  }
  const sigmaVariance = a * varianceOfSigma(reference);
  const perRowVariance = Math.max(variance, liveVariance);
  return { distance, spread, variance: (a + b) * perRowVariance, sigmaVariance };
}

/** n times the variance of a sample's standard deviation: (mu_4 - sigma^4) / (4 sigma^2). */
function varianceOfSigma({ counts, binMeans, count, mean, variance }: ReferenceGrid): number {
  let fourth = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const deviation = (binMeans[bin] as number) - mean;
    const square = deviation * deviation;
    fourth += (counts[bin] as number) * square * square;
  }
  return Math.max(0, fourth / count - variance * variance) / (4 * variance);
}
