// Wasserstein-1 (earth mover's) distance of two raw samples: the area between their cumulative
// distributions. Exact, O(n log n). Descriptive: it has no p-value here.

/**
 * The mean distance by which mass must move, in the unit of the values.
 *
 * @param a finite values in any order, not empty
 * @param b the same
 * @param weights non-negative masses per value of either side; equal when absent
 * @throws RangeError when a side is empty or holds a value that is not finite, when weights are
 *   negative or sum to zero, or when their number is not that of the values
 */
export function wassersteinDistance(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  weights: { readonly a?: ArrayLike<number>; readonly b?: ArrayLike<number> } = {},
): number {
  const x = weightedSteps(a, weights.a);
  const y = weightedSteps(b, weights.b);
  let [i, j, below, otherBelow, area] = [0, 0, 0, 0, 0];
  let previous = Math.min(x.values[0] as number, y.values[0] as number);
  while (i < x.values.length || j < y.values.length) {
    const nextX = x.values[i] ?? Infinity;
    const nextY = y.values[j] ?? Infinity;
    const value = Math.min(nextX, nextY);
    area += Math.abs(below - otherBelow) * (value - previous);
    previous = value;
    if (nextX === value) below = x.shares[i++] as number;
    else otherBelow = y.shares[j++] as number;
  }
  return area;
}

/** Ascending values, and the share of mass at or below each. */
function weightedSteps(
  values: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
): { values: Float64Array; shares: Float64Array } {
  const length = values.length;
  if (length === 0) throw new RangeError("a sample is empty");
  if (weights && weights.length !== length) {
    throw new RangeError(`${weights.length} weights do not fit ${length} values`);
  }
  const order = Uint32Array.from({ length }, (_, i) => i);
  order.sort((p, q) => (values[p] as number) - (values[q] as number));
  const sorted = Float64Array.from(order, (i) => values[i] as number);
  const shares = new Float64Array(length);
  let total = 0;
  for (let i = 0; i < length; i++) {
    const weight = weights ? (weights[order[i] as number] as number) : 1;
    if (!Number.isFinite(sorted[i])) throw new RangeError(`value ${sorted[i]} is not finite`);
    if (!(weight >= 0 && weight < Infinity)) throw new RangeError(`weight ${weight} is negative`);
    total += weight;
    shares[i] = total;
  }
  if (total === 0) throw new RangeError("all weights are zero");
  return { values: sorted, shares: shares.map((share) => share / total) };
}
