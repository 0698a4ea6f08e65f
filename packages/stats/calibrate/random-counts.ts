/**
 * Random gammas, binomials, multinomials and order statistics on top of the tests' seeded uniforms
 * and normals: what it takes to draw the counts of a window without drawing its rows.
 */
import type { SeededRandom } from "../test/seeded-random.ts";

/** Gamma of shape >= 1 and scale 1 (Marsaglia and Tsang 2000). */
export function gamma(random: SeededRandom, shape: number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const root = 1 + c * x;
    if (root <= 0) continue;
    const v = root * root * root;
    const square = x * x;
    const u = random.uniform();
    if (u < 1 - 0.0331 * square * square) return d * v;
    if (Math.log(u) < square * 0.5 + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** Successes in `n` trials of chance `p`, exactly. */
export function binomial(random: SeededRandom, n: number, p: number): number {
  if (n === 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  return n * p < 10 ? binomialByInversion(random, n, p) : binomialByRejection(random, n, p);
}

function binomialByInversion(random: SeededRandom, n: number, p: number): number {
  const odds = p / (1 - p);
  let chance = Math.exp(n * Math.log1p(-p));
  let u = random.uniform();
  let k = 0;
  while (u > chance && k < n) {
    u -= chance;
    k++;
    chance *= ((n - k + 1) / k) * odds;
  }
  return k;
}

/** Hormann 1993, "The generation of binomial random variates", algorithm BTRS. */
function binomialByRejection(random: SeededRandom, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const centre = n * p + 0.5;
  const accepted = 0.92 - 4.2 / b;
  const scale = (2.83 + 5.1 / b) * spread;
  const odds = p / (1 - p);
  const mode = Math.floor((n + 1) * p);
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = random.uniform();
    const fromEdge = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / fromEdge + b) * u + centre);
    if (k < 0 || k > n) continue;
    if (fromEdge >= 0.07 && v <= accepted) return k;
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (n - mode + 1))) +
      (n + 1) * Math.log((n - mode + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) +
      (stirlingTail(mode) + stirlingTail(n - mode) - stirlingTail(k) - stirlingTail(n - k));
    if (Math.log((v * scale) / (a / (fromEdge * fromEdge) + b)) <= bound) return k;
  }
}

/** ln k! less (k + 1/2) ln(k + 1) - (k + 1) + ln(2 pi)/2: Stirling's series at k + 1. */
function stirlingTail(k: number): number {
  const x = k + 1;
  const square = x * x;
  return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / x;
}

/** Rows in each of `shares.length` cells; `shares` sums to 1. Written into `into`. */
export function multinomial(
  random: SeededRandom,
  rows: number,
  shares: ArrayLike<number>,
  into: Uint32Array | Float64Array,
): void {
  let [left, mass] = [rows, 1];
  for (let cell = 0; cell < shares.length; cell++) {
    const share = shares[cell] as number;
    const last = cell + 1 === shares.length;
    const taken = last ? left : binomial(random, left, Math.min(1, share / mass));
    into[cell] = taken;
    left -= taken;
    mass -= share;
  }
}

/**
 * Uniform order statistics of `n` rows at the given ranks, without drawing the rows: their spacings
 * are gammas of integer shape over their sum.
 *
 * @param ranks ascending, 1 to n
 */
export function orderStatistics(
  random: SeededRandom,
  n: number,
  ranks: ArrayLike<number>,
  into: Float64Array,
): void {
  let sum = 0;
  let before = 0;
  for (let i = 0; i < ranks.length; i++) {
    const rank = ranks[i] as number;
    if (rank > before) sum += gamma(random, rank - before);
    into[i] = sum;
    before = rank;
  }
  const total = sum + gamma(random, n + 1 - before);
  for (let i = 0; i < ranks.length; i++) into[i] = (into[i] as number) / total;
}

/** `n` uniform order statistics, ascending: partial sums of exponentials. */
export function sortedUniforms(random: SeededRandom, n: number): Float64Array {
  const sorted = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum -= Math.log(random.uniform());
    sorted[i] = sum;
  }
  const total = sum - Math.log(random.uniform());
  for (let i = 0; i < n; i++) sorted[i] = (sorted[i] as number) / total;
  return sorted;
}
