// Upper tails, accurate in relative terms far below 1e-9: never 1 - cdf.
//
// Incomplete gamma and beta, erfc and log-gamma come from @stdlib. Its regularised incomplete gamma
// is good to 2e-14 up to a shape of 500 and off by up to 2 % from 1,000 on (measured against
// mpmath), so larger shapes are reached from a small one by the recurrence
// Q(a+1,y) = Q(a,y) + y^a e^-y/a!, all of whose terms are positive.

import betainc from "@stdlib/math-base-special-betainc";
import erfc from "@stdlib/math-base-special-erfc";
import erfcinv from "@stdlib/math-base-special-erfcinv";
import gammainc from "@stdlib/math-base-special-gammainc";
import gammaln from "@stdlib/math-base-special-gammaln";

const SHAPE_MAX = 200;
const NEGLIGIBLE = 1e-18;
const RESCALE_ABOVE = 1e150;
const SECANT_STEPS_MAX = 20;

/** P(Z > z) of the standard normal. */
export function normalUpper(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** P(Z <= z) of the standard normal. */
export function normalCdf(z: number): number {
  return erfc(-z / Math.SQRT2) / 2;
}

/** z with P(Z > z) = p, p in (0, 1). */
export function normalUpperQuantile(p: number): number {
  return Math.SQRT2 * erfcinv(2 * p);
}

/**
 * P(|T| > |t|) of Student's t with `df` > 0 degrees of freedom, to 1e-10 relative.
 *
 * The upper incomplete beta of t^2/(df + t^2): its complement df/(df + t^2) rounds to 1 when df is
 * large.
 */
export function studentTwoSided(t: number, df: number): number {
  if (Number.isNaN(t) || !(df > 0)) return Number.NaN;
  if (!Number.isFinite(t)) return 0;
  if (df === Infinity) return 2 * normalUpper(Math.abs(t));
  // Written so that a huge t does not overflow: 1 - x is df / (df + t^2).
  const ratio = Math.abs(t) / Math.sqrt(df);
  return ratio > 1
    ? betainc(1 / (1 + ratio * ratio), df / 2, 0.5)
    : betainc((ratio * ratio) / (1 + ratio * ratio), 0.5, df / 2, true, true);
}

/** P(X > x) of the chi-square with `df` > 0 degrees of freedom. */
export function chiSquareUpper(x: number, df: number): number {
  if (Number.isNaN(x) || !(df > 0)) return Number.NaN;
  if (x <= 0) return 1;
  return x === Infinity ? 0 : gammaUpper(df / 2, x / 2);
}

/**
 * P(X > x) of the noncentral chi-square with `df` degrees of freedom and noncentrality `lambda`.
 *
 * The Poisson mixture sum_j Pois(j; lambda/2) Q(df/2 + j, x/2), summed by parts:
 * Q(df/2, y) + sum_i g_i S_i with g_i = y^(a+i) e^-y / Gamma(a+i+1) and S_i = P(Pois > i). Every
 * term is positive; they are walked from above the largest down, as ratios, so nothing over- or
 * underflows. Relative error below 1e-10 for lambda up to 1e6; O(sqrt(lambda + x)) time.
 */
export function noncentralChiSquareUpper(x: number, df: number, lambda: number): number {
  if (Number.isNaN(x) || !(df > 0) || !(lambda >= 0)) return Number.NaN;
  if (x <= 0) return 1;
  if (lambda * x < 1e-60) return chiSquareUpper(x, df);
  // More than 10 standard deviations below the mean, P(X <= x) < exp(-50).
  if (df + lambda - x > 10 * Math.sqrt(2 * df + 4 * lambda)) return 1;
  const a = df / 2;
  const y = x / 2;
  const mu = lambda / 2;
  // The ratio of neighbouring terms passes 1 near here: mu y = i (i + a).
  const saddle = (Math.sqrt(a * a + 4 * mu * y) - a) / 2;
  const peak = Math.max(0, Math.min(saddle, y));
  const top = Math.ceil(peak + 10 * Math.sqrt(peak + 1) + 30);
  let logScale =
    (a + top) * Math.log(y) - y - gammaln(a + top + 1) + top * Math.log(mu) - mu - gammaln(top + 1);
  // ratio = S_i / Pois(i), by series at the top and by recurrence below it.
  let ratio = poissonTailRatio(top, mu);
  let product = 1; // g_i Pois(i), relative to its value at the top
  let sum = 0;
  for (let i = top; i >= 0; i--) {
    const term = product * ratio;
    sum += term;
    if (i < peak && term < NEGLIGIBLE * sum) break;
    if (sum > RESCALE_ABOVE) {
      product /= RESCALE_ABOVE;
      sum /= RESCALE_ABOVE;
      logScale += Math.log(RESCALE_ABOVE);
    }
    product *= ((a + i) * i) / (y * mu);
    ratio = ((ratio + 1) * mu) / i;
  }
  return Math.min(1, Math.exp(logScale + Math.log(sum)) + gammaUpper(a, y));
}

/**
 * x with P(X > x) = p of the noncentral chi-square, to 1e-8 relative; p in (0, .5].
 *
 * sqrt(-2 ln P(X > s^2)) is nearly a straight line in s, so the secant rule needs about four tails.
 */
export function noncentralChiSquareUpperQuantile(p: number, df: number, lambda: number): number {
  const target = Math.sqrt(-2 * Math.log(p));
  const excess = (s: number): number =>
    Math.sqrt(-2 * Math.log(noncentralChiSquareUpper(s * s, df, lambda))) - target;
  // The root of X is nearly normal, with variance (df + 2 lambda) / (2 (df + lambda)).
  const mean = df + lambda;
  const spread = Math.sqrt((df + 2 * lambda) / (2 * mean));
  let s = Math.sqrt(mean) + normalUpperQuantile(p) * spread;
  let value = excess(s);
  let slope = 1 / spread;
  for (let i = 0; i < SECANT_STEPS_MAX && Math.abs(value) > 1e-9 * target; i++) {
    const next = Math.max(s / 2, s - value / slope);
    const nextValue = excess(next);
    if (next !== s) slope = (nextValue - value) / (next - s);
    [s, value] = [next, nextValue];
  }
  return s * s;
}

/** Regularised upper incomplete gamma Q(a, y). */
function gammaUpper(a: number, y: number): number {
  if (a <= SHAPE_MAX) return gammainc(y, a, true, true);
  const steps = Math.ceil(a - SHAPE_MAX);
  const start = a - steps;
  let sum = 0;
  let logTerm = Number.NaN;
  // Downwards from the largest exponent; the terms rise until the exponent passes y.
  const top = Math.min(steps - 1, Math.ceil(y + 12 * Math.sqrt(y) + 40 - start));
  logTerm = (start + top) * Math.log(y) - y - gammaln(start + top + 1);
  let term = 1;
  for (let j = top; j >= 0; j--) {
    sum += term;
    if (start + j < y && term < NEGLIGIBLE * sum) break;
    term *= (start + j) / y;
  }
  return Math.min(1, Math.exp(logTerm + Math.log(sum)) + gammainc(y, start, true, true));
}

/** P(Pois(mu) > i) / P(Pois(mu) = i) as the series mu/(i+1) + mu^2/((i+1)(i+2)) + … */
function poissonTailRatio(i: number, mu: number): number {
  let sum = 0;
  let term = 1;
  for (let k = i + 1; ; k++) {
    term *= mu / k;
    sum += term;
    if (k > mu && term < NEGLIGIBLE * sum) return sum;
  }
}
