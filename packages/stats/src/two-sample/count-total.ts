/**
 * The sum of counts.
 *
 * @throws RangeError when one is negative or not finite
 */
export function countTotal(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    if (!(count >= 0 && count < Infinity)) throw new RangeError(`count ${count} is negative`);
    sum += count;
  }
  return sum;
}
