// What PSI and Jensen-Shannon are when nothing has changed: both are, to first order, Pearson's
// chi-square between two samples in other units. So the customary thresholds .1 and .25 mean one
// thing at 100 rows and another at 100,000; these say which. Good where every cell expects at least
// five rows on either side. O(1).

import {
  chiSquareUpper,
  noncentralChiSquareUpperQuantile,
} from "../distributions/distribution-tails.js";

/** JS^2 (base 2) is about PSI over this. */
const STABILITY_PER_DIVERGENCE = 8 * Math.LN2;

/**
 * P(PSI or more | one law): PSI ~ (1/n + 1/m) chi-square(cells - 1).
 *
 * @param stability PSI
 * @param cells cells compared, at least 2
 * @param n rows, or rows' worth, of the reference
 * @param m the same of the live side
 */
export function populationStabilityUpper(
  stability: number,
  cells: number,
  n: number,
  m: number,
): number {
  return chiSquareUpper(stability / (1 / n + 1 / m), cells - 1);
}

/** PSI that is exceeded with probability `p` in (0, .5] when both sides have one law. */
export function populationStabilityQuantile(
  p: number,
  cells: number,
  n: number,
  m: number,
): number {
  return (1 / n + 1 / m) * noncentralChiSquareUpperQuantile(p, cells - 1, 0);
}

/**
 * P(Jensen-Shannon distance or more | one law): 8 ln 2 times its square is about PSI.
 *
 * @param distance the root of the divergence in base 2, as `jensenShannon` gives it
 */
export function jensenShannonUpper(distance: number, cells: number, n: number, m: number): number {
  return populationStabilityUpper(STABILITY_PER_DIVERGENCE * distance * distance, cells, n, m);
}

/** Jensen-Shannon distance (base 2) exceeded with probability `p` when both sides have one law. */
export function jensenShannonQuantile(p: number, cells: number, n: number, m: number): number {
  return Math.sqrt(populationStabilityQuantile(p, cells, n, m) / STABILITY_PER_DIVERGENCE);
}
