// A test on shares of k cells with an effect floor: behind PSI, Jensen-Shannon, Hellinger and
// categories. T = 4 n_e sum (sqrt p_i - sqrt q_i)^2 is about noncentral chi-square(k - 1, n_e l)
// when the true squared distance is l in PSI units, and smaller below; hence the composite null "at
// most l".
//
// p and q are the shares of the two sides, each mixed with the same part of the uniform law, as
// much as one row a cell is on the smaller side. That keeps the level when a cell is empty, where
// Pearson's statistic and a clamped PSI do not; and mixing both alike only ever lessens a distance,
// where one row a cell on each side would add up to 4 to T when the sides differ in size.

import {
  noncentralChiSquareUpper,
  noncentralChiSquareUpperQuantile,
} from "../distributions/distribution-tails.js";

/** What a cell test found. T / n_e is in PSI units: 8 times a squared Hellinger distance. */
export interface CellTest {
  /** T / n_e = 4 sum (sqrt p_i - sqrt q_i)^2 of the mixed shares, about the PSI when small. */
  readonly distance: number;
  readonly pValue: number;
  /** k - 1. */
  readonly degreesOfFreedom: number;
  /** T / n_e less the (k - 1)/n_e that chance alone adds, at least 0. */
  readonly excess: number;
}

/**
 * Tests whether two count vectors differ by more than `floor`.
 *
 * @param reference counts per cell, length k >= 2
 * @param live counts per cell, the same length
 * @param nEffective n_e
 * @param floor l, in PSI units; 0 for the point null
 */
export function cellTest(
  reference: ArrayLike<number>,
  live: ArrayLike<number>,
  nEffective: number,
  floor: number,
): CellTest {
  const distance = smoothedDistance(reference, live);
  const degreesOfFreedom = reference.length - 1;
  const statistic = nEffective * distance;
  return {
    distance,
    pValue: noncentralChiSquareUpper(statistic, degreesOfFreedom, nEffective * floor),
    degreesOfFreedom,
    excess: Math.max(0, distance - degreesOfFreedom / nEffective),
  };
}

/** The distance (T / n_e) from which on `cellTest` rejects at level `alpha`. */
export function cellThreshold(
  alpha: number,
  degreesOfFreedom: number,
  nEffective: number,
  floor: number,
): number {
  const lambda = nEffective * floor;
  return noncentralChiSquareUpperQuantile(alpha, degreesOfFreedom, lambda) / nEffective;
}

/** l for a floor stated as a PSI. */
export function floorOfPopulationStability(floor: number): number {
  return floor;
}

/** l for a floor stated as a Jensen-Shannon distance (root of the divergence). */
export function floorOfJensenShannon(floor: number, base: 2 | "e" = 2): number {
  const squares = 8 * floor * floor;
  return base === 2 ? squares : squares / Math.LN2;
}

/** l for a floor stated as a Hellinger distance. */
export function floorOfHellinger(floor: number): number {
  return 8 * floor * floor;
}

/**
 * n_e at which a true distance of `target` is told from `floor` with 90 % power: the smallest at
 * which P(noncentral chi-square(k-1, n_e target) > its critical value under the floor) >= .9.
 *
 * @throws RangeError when target is not above floor
 */
export function requiredCellSize(
  alpha: number,
  degreesOfFreedom: number,
  target: number,
  floor: number,
): number {
  if (!(target > floor)) throw new RangeError(`target ${target} must exceed the floor ${floor}`);
  const key = `${alpha} ${degreesOfFreedom} ${target} ${floor}`;
  const known = requiredSizes.get(key);
  if (known !== undefined) return known;
  const power = (nEffective: number): number => {
    const threshold = cellThreshold(alpha, degreesOfFreedom, nEffective, floor);
    return noncentralChiSquareUpper(nEffective * threshold, degreesOfFreedom, nEffective * target);
  };
  let high = 16;
  while (power(high) < 0.9 && high < 1e12) high *= 2;
  let low = high / 2;
  while (high - low > 1e-3 * high) {
    const middle = (low + high) / 2;
    if (power(middle) < 0.9) low = middle;
    else high = middle;
  }
  if (requiredSizes.size >= REQUIRED_SIZES_MAX) requiredSizes.clear();
  requiredSizes.set(key, high);
  return high;
}

// The answer depends on four numbers that a whole installation shares; about 20 KB when full.
const REQUIRED_SIZES_MAX = 256;
const requiredSizes = new Map<string, number>();

function smoothedDistance(reference: ArrayLike<number>, live: ArrayLike<number>): number {
  const k = reference.length;
  let [n, m] = [0, 0];
  for (let i = 0; i < k; i++) {
    n += reference[i] as number;
    m += live[i] as number;
  }
  const smaller = Math.min(n, m);
  const own = smaller / (smaller + k);
  const uniform = 1 / (smaller + k);
  let sum = 0;
  for (let i = 0; i < k; i++) {
    const p = (own * (reference[i] as number)) / n + uniform;
    const q = (own * (live[i] as number)) / m + uniform;
    sum += (Math.sqrt(p) - Math.sqrt(q)) ** 2;
  }
  return 4 * sum;
}
