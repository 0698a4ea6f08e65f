// Kolmogorov-Smirnov with an effect floor: is the largest distance between two laws above delta0?
//
// Null: D <= delta0. With t = max(0, D - delta0), p = min(1, 2.2 exp(-2 n_e t^2 - 4/9 n_q t^4)),
// ties included: by the triangle inequality D exceeds delta0 by t only when the two empirical laws
// stray from their own by t together. The constant, 2 for one sample (Massart 1990), is 2.17 for
// two (Wei and Dudley 2012); the term in t^4 sharpens Hoeffding's rate by Krafft's bound (see
// `quarticSize`), which matters in windows of tens of rows. Never below an exact p-value of .05 or
// less; below a larger one only for samples of up to five rows.

/** Constant before the exponential: keeps the level at every n_e, with ties. */
const TAIL_FACTOR = 2.2;
const QUARTIC = 4 / 9;

/** Sizes of a comparison, see `effectiveSize` and `quarticSize`. */
export interface ComparedSizes {
  /** n_e. */
  readonly nEffective: number;
  /** n_q, at most n_e; 0 leaves Hoeffding's rate alone. */
  readonly nQuartic: number;
}

/** c = sqrt(ln(2.2/alpha)/2): c/sqrt(n_e) is the margin of D in large samples. */
export function ksCriticalValue(alpha: number): number {
  return Math.sqrt(Math.log(TAIL_FACTOR / alpha) / 2);
}

/** p of the composite null for D - delta0 = `excess` >= 0. */
export function ksFloorPValue(excess: number, sizes: ComparedSizes): number {
  const square = excess * excess;
  const rate = 2 * sizes.nEffective * square + QUARTIC * sizes.nQuartic * square * square;
  return Math.min(1, TAIL_FACTOR * Math.exp(-rate));
}

/** The excess whose p is `alpha`: D - margin is above delta0 exactly when p < alpha. */
export function ksMargin(alpha: number, { nEffective, nQuartic }: ComparedSizes): number {
  const rate = Math.log(TAIL_FACTOR / alpha);
  return Math.sqrt(rate / (nEffective + Math.sqrt(nEffective ** 2 + QUARTIC * nQuartic * rate)));
}
