// The exact law of the Mann-Whitney U without ties.

/**
 * P(U >= u | F = G, continuous) for n and m rows, by symmetry P(U <= n m - u): the coefficients of
 * the Gaussian binomial, prod (1 - q^(m+i)) / (1 - q^i), up to that power. O(k (n m - u)) time for
 * k the smaller side.
 *
 * @param u at least n m / 2, an integer
 */
export function mannWhitneyExact(u: number, n: number, m: number): number {
  const [few, many] = [Math.min(n, m), Math.max(n, m)];
  const top = n * m - u;
  if (top < 0) return 0;
  const coefficients = new Float64Array(top + 1);
  coefficients[0] = 1;
  let all = 1;
  for (let i = 1; i <= few; i++) {
    // Divided by 1 - q^i, then multiplied by 1 - q^(many + i).
    for (let q = i; q <= top; q++) {
      coefficients[q] = (coefficients[q] as number) + (coefficients[q - i] as number);
    }
    for (let q = top; q >= many + i; q--) {
      coefficients[q] = (coefficients[q] as number) - (coefficients[q - many - i] as number);
    }
    all *= (many + i) / i;
  }
  return coefficients.reduce((sum, count) => sum + count, 0) / all;
}
