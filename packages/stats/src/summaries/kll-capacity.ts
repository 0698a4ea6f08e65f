// How many items the levels of a KLL sketch hold: part of the serialised form, where the end of the
// last level is implied by k and the number of levels.

/** Smallest capacity of a level (m of the serialised form). */
export const KLL_LEVEL_CAPACITY_MIN = 8;

/** Items that level `level` of `levels` holds: k (2/3)^depth, rounded, at least 8. */
export function levelCapacity(k: number, levels: number, level: number): number {
  return Math.max(KLL_LEVEL_CAPACITY_MIN, scaledDown(k, levels - level - 1));
}

/** Items that all levels together hold. */
export function totalCapacity(k: number, levels: number): number {
  let total = 0;
  for (let level = 0; level < levels; level++) total += levelCapacity(k, levels, level);
  return total;
}

/** round(k (2/3)^depth) in integers; above a depth of 30 in two rounded halves, as others do. */
function scaledDown(k: number, depth: number): number {
  if (depth > 30) {
    const half = Math.floor(depth / 2);
    return scaledDown(scaledDown(k, half), depth - half);
  }
  // Numerator below 2^47 and denominator below 2^48: the quotient's floor is exact in doubles.
  return Math.floor((Math.floor((2 * k * 2 ** depth) / 3 ** depth) + 1) / 2);
}
