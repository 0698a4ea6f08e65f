// Laws of the Kolmogorov-Smirnov distance under the null: Kolmogorov's limit, the exact law of two
// samples (path counting) and the law of one sample of n rows (scipy's `kstwo`).
//
// One sample after Simard and L'Ecuyer (2011), doi:10.18637/jss.v039.i11: Durbin's matrix where it
// is small, Pelz and Good's (1976) expansion where it is not, and in the upper tail twice the exact
// one-sided law. Relative error below 1e-9 up to n = 140 or where the tail is below .01; elsewhere
// that of the expansion, below 1e-6 of the tail.

import gammaln from "@stdlib/math-base-special-gammaln";

/** z with P(sup of a Brownian bridge > z) = 1 %: turns a 99 % rank error into a standard error. */
export const KOLMOGOROV_99 = 1.6276236115189504;

const HALF_ROOT_PI = Math.sqrt(Math.PI / 2);
/**
 * n above which the one-sided law, O(n), is replaced by its expansion: there good to 5e-7 of the
 * tail down to a tail of 1e-14, better for larger tails and larger n.
 */
const ONE_SIDED_ROWS_MAX = 100_000;
/** n up to which the two-sided law is taken from Durbin's matrix whatever d. */
const MATRIX_ROWS_MAX = 140;
const RESCALE_ABOVE = 1e140;

/**
 * Kolmogorov's limit law, P(sup |B| > z) = 2 sum (-1)^(k-1) exp(-2 k^2 z^2); below z = 1 by the
 * dual theta series, which converges there.
 */
export function kolmogorovUpper(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z <= 0) return 1;
  if (z < 1) {
    const unit = -(Math.PI * Math.PI) / (8 * z * z);
    let sum = 0;
    for (let k = 1; k <= 9; k += 2) sum += Math.exp(unit * k * k);
    return 1 - (Math.sqrt(2 * Math.PI) / z) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 5; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * z * z);
  return sum;
}

/**
 * P(D_{n,m} >= d | F = G, continuous) exactly, by walking the lattice paths from (0,0) to (n,m):
 * u(i,j), the chance that a uniformly random path to (i,j) has touched |i/n - j/m| >= d, is 1 on
 * the boundary and the weighted mean of its two predecessors inside. Only positive terms are
 * added, so tiny p-values keep their relative accuracy, unlike 1 - P(inside).
 * O(n m) time at worst, O(m) memory.
 */
export function kolmogorovSmirnovExact(d: number, n: number, m: number): number {
  const gap = Math.round(d * n * m);
  if (gap <= 0) return 1;
  const touched = new Float64Array(m + 1).fill(1);
  for (let i = 0; i <= n; i++) {
    // Inside: |i m - j n| < gap.
    const first = Math.max(0, Math.floor((i * m - gap) / n) + 1);
    const last = Math.min(m, Math.ceil((i * m + gap) / n) - 1);
    let left = 1;
    if (first > 0) touched[first - 1] = 1;
    for (let j = first; j <= last; j++) {
      const steps = i + j;
      left = steps === 0 ? 0 : ((touched[j] as number) * i + left * j) / steps;
      touched[j] = left;
    }
  }
  // The end point itself is inside unless gap is 0.
  return Math.min(1, touched[m] as number);
}

/**
 * P(D_n >= d) for the distance of one sample of n independent rows from its own continuous law.
 *
 * @param d distance
 * @param n rows, a positive integer
 * @throws RangeError when n is not a positive integer
 */
export function kolmogorovOneSampleUpper(d: number, n: number): number {
  if (!(Number.isInteger(n) && n > 0)) throw new RangeError(`${n} rows are not a positive count`);
  if (Number.isNaN(d)) return Number.NaN;
  const nd = n * d;
  if (nd <= 0.5) return 1;
  if (d >= 1) return 0;
  // At half and above, both one-sided events cannot happen together; near 2.2 they hardly do.
  const scaled = nd * d;
  const tailFrom = n <= MATRIX_ROWS_MAX ? 4 : 2.2;
  if (d >= 0.5 || scaled >= tailFrom) return Math.min(1, 2 * oneSidedUpper(d, n));
  const small = n <= MATRIX_ROWS_MAX || (n <= 100_000 && nd * Math.sqrt(d) <= 1.4);
  const lower = small ? matrixLower(d, n) : pelzGoodLower(Math.sqrt(scaled), n);
  return Math.min(1, Math.max(0, 1 - lower));
}

/**
 * P(D+_n >= d) by Birnbaum and Tingey (1951):
 * d sum_j C(n,j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j), every term positive.
 */
function oneSidedUpper(d: number, n: number): number {
  if (n > ONE_SIDED_ROWS_MAX) return oneSidedExpansion(Math.sqrt(n) * d, n);
  let sum = 0;
  let logChoose = 0;
  const last = Math.floor(n * (1 - d));
  for (let j = 0; j <= last; j++) {
    const rest = Math.max(0, 1 - d - j / n);
    // At rest 0 the factor is 0, or 0^0 = 1 when j = n.
    const logRest = j === n ? 0 : (n - j) * Math.log(rest);
    sum += Math.exp(logChoose + (j - 1) * Math.log(d + j / n) + logRest);
    // Ratios drift after many steps: log-gamma sets the sum straight now and then.
    const next = j + 1;
    logChoose =
      next % 64 === 0
        ? gammaln(n + 1) - gammaln(next + 1) - gammaln(n - next + 1)
        : logChoose + Math.log((n - j) / next);
  }
  return d * sum;
}

/** The same by Smirnov's (1944) expansion in 1 / sqrt n, z = sqrt(n) d. */
function oneSidedExpansion(z: number, n: number): number {
  const z2 = z * z;
  const second = ((2 * z2) / (3 * n)) * (1 - (2 * z2) / 3);
  const third = ((4 * z) / (9 * n * Math.sqrt(n))) * (0.2 - (19 * z2) / 15 + (2 * z2 * z2) / 3);
  return Math.exp(-2 * z2) * Math.max(0, 1 - (2 * z) / (3 * Math.sqrt(n)) + second + third);
}

/**
 * P(D_n < d) = n!/n^n times the middle entry of H^n (Durbin 1973), with H of order 2 ceil(nd) - 1.
 * O(k^3 log n) time for k = ceil(nd).
 */
function matrixLower(d: number, n: number): number {
  const k = Math.floor(n * d) + 1;
  const order = 2 * k - 1;
  const excess = k - n * d;
  const step = durbinMatrix(order, excess);
  let { matrix, log } = power({ matrix: step, log: 0 }, order, n);
  let middle = matrix[(k - 1) * order + k - 1] as number;
  for (let i = 1; i <= n; i++) {
    middle *= i / n;
    if (middle < 1 / RESCALE_ABOVE) {
      middle *= RESCALE_ABOVE;
      log -= Math.log(RESCALE_ABOVE);
    }
  }
  return middle * Math.exp(log);
}

/** Entries 1/(i-j+1)! on and below the superdiagonal, less what the borders cut off. */
function durbinMatrix(order: number, excess: number): Float64Array {
  const matrix = new Float64Array(order * order);
  const factorials = [1];
  for (let i = 1; i <= order + 1; i++) factorials.push((factorials[i - 1] as number) * i);
  const inverse = (i: number): number => 1 / (factorials[i] as number);
  for (let i = 0; i < order; i++) {
    for (let j = 0; j < order && j <= i + 1; j++) matrix[i * order + j] = inverse(i - j + 1);
  }
  for (let i = 0; i < order; i++) {
    const cut = excess ** (i + 1) * inverse(i + 1);
    matrix[i * order] = (matrix[i * order] as number) - cut;
    const mirrored = (order - 1) * order + (order - 1 - i);
    matrix[mirrored] = (matrix[mirrored] as number) - cut;
  }
  if (2 * excess > 1) {
    const corner = (order - 1) * order;
    matrix[corner] = (matrix[corner] as number) + (2 * excess - 1) ** order * inverse(order);
  }
  return matrix;
}

/** `matrix` times exp(`log`). */
interface Scaled {
  readonly matrix: Float64Array;
  readonly log: number;
}

function power(base: Scaled, order: number, exponent: number): Scaled {
  if (exponent === 1) return base;
  const half = power(base, order, Math.floor(exponent / 2));
  const square = product(half, half, order);
  return exponent % 2 === 0 ? square : product(square, base, order);
}

function product(a: Scaled, b: Scaled, order: number): Scaled {
  const matrix = new Float64Array(order * order);
  for (let i = 0; i < order; i++) {
    for (let k = 0; k < order; k++) {
      const factor = a.matrix[i * order + k] as number;
      if (factor === 0) continue;
      for (let j = 0; j < order; j++) {
        const at = i * order + j;
        matrix[at] = (matrix[at] as number) + factor * (b.matrix[k * order + j] as number);
      }
    }
  }
  const centre = matrix[(order * order - 1) / 2] as number;
  if (centre < RESCALE_ABOVE) return { matrix, log: a.log + b.log };
  const scaled = matrix.map((entry) => entry / RESCALE_ABOVE);
  return { matrix: scaled, log: a.log + b.log + Math.log(RESCALE_ABOVE) };
}

/** P(D_n < z / sqrt n) as the limit law and its three corrections in 1 / sqrt n. */
function pelzGoodLower(z: number, n: number): number {
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  let [k0, k1, k2, k3] = [0, 0, 0, 0];
  for (let k = 0; k < TERMS_MAX; k++) {
    const odd = (Math.PI * (k + 0.5)) ** 2;
    const oddWeight = 2 * Math.exp(-odd / (2 * z2));
    k0 += oddWeight;
    k1 += (odd - z2) * oddWeight;
    k2 += (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * odd + (1 - 2 * z2) * odd * odd) * oddWeight;
    k3 +=
      ((5 - 30 * z2) * odd ** 3 +
        (212 * z4 - 60 * z2) * odd * odd +
        (135 * z4 - 96 * z6) * odd -
        30 * z6 -
        90 * z4 * z4) *
      oddWeight;
    const even = (Math.PI * k) ** 2;
    const evenWeight = 2 * Math.exp(-even / (2 * z2));
    k2 -= 2 * z4 * even * evenWeight;
    k3 += 30 * z4 * (3 * even * z2 - even * even) * evenWeight;
    if (evenWeight < 1e-18 * k0) break;
  }
  const root = Math.sqrt(n);
  return (
    HALF_ROOT_PI *
    (k0 / z + k1 / (6 * z4 * root) + k2 / (72 * z6 * z * n) + k3 / (6480 * z6 * z4 * n * root))
  );
}

const TERMS_MAX = 30;
