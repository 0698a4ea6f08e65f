// False discovery rates: Benjamini-Hochberg (1995) and Benjamini-Yekutieli (2001) for p-values,
// e-BH (Wang and Ramdas 2022) for e-values. They order the list "also moved" inside an evaluation
// that has alarmed already; they never decide a page, because the threshold they imply rises with
// the number of true drifts and so breaks the alarm-rate promise.

/**
 * Adjusted p-values in the order given: calling those at most q "moved" keeps the expected share
 * of wrong ones at most q, for independent or positively dependent tests.
 *
 * @param pValues in [0, 1]
 * @param dependence "any" multiplies by 1 + 1/2 + … + 1/n (Benjamini-Yekutieli 2001)
 * @throws RangeError naming a p-value outside [0, 1]
 */
export function adjustedPValues(
  pValues: readonly number[],
  dependence: "positive" | "any" = "positive",
): number[] {
  const total = pValues.length;
  let factor = total;
  if (dependence === "any") for (let i = 2; i <= total; i++) factor += total / i;
  const order = pValues.map((p, index) => ({ p, index })).toSorted((a, b) => b.p - a.p);
  const adjusted = Array<number>(total).fill(1);
  let least = 1;
  for (const [fromLargest, { p, index }] of order.entries()) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`p-value ${p} is not in [0, 1]`);
    least = Math.min(least, (p * factor) / (total - fromLargest));
    adjusted[index] = least;
  }
  return adjusted;
}

/**
 * e-BH in the same form: calling those at most q "moved" keeps the expected share of wrong ones at
 * most q whatever the dependence, without a logarithmic factor. It rejects the k largest with the
 * largest k for which e_(k) >= n / (q k), which is Benjamini-Hochberg on 1/e.
 *
 * @param eValues not negative, each of mean at most 1 under its null; Infinity is allowed
 * @throws RangeError naming an e-value that is negative or NaN
 */
export function adjustedEValues(eValues: readonly number[]): number[] {
  const inverses = eValues.map((e) => {
    if (!(e >= 0)) throw new RangeError(`e-value ${e} is negative`);
    return Math.min(1, 1 / e);
  });
  return adjustedPValues(inverses);
}

/**
 * The e-value kappa p^(kappa - 1) of a p-value (Vovk and Wang 2021): its mean is 1 for uniform p
 * and at most 1 for conservative ones.
 *
 * @param kappa in (0, 1) (default 1/2)
 */
export function eValueOfPValue(p: number, kappa = 0.5): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p-value ${p} is not in [0, 1]`);
  if (!(kappa > 0 && kappa < 1)) throw new RangeError(`kappa ${kappa} is not in (0, 1)`);
  return kappa * p ** (kappa - 1);
}
