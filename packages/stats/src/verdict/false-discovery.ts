// Benjamini-Hochberg adjusted p-values (1995). They order the list "also moved" inside an
// evaluation that has alarmed already; they never decide a page, because the threshold they imply
// rises with the number of true drifts and so breaks the alarm-rate promise.

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
