// Distances between two discrete distributions given as counts (or shares) over the same cells.
// Each is O(k); none smooths unless it says so.

import { countTotal } from "./count-total.js";

/**
 * Population stability index, sum (q - p) ln(q / p), with 1/2 added to each count so that an empty
 * cell stays finite. For display; its p-value is that of `cellTest`.
 *
 * @param reference counts per cell
 * @param live counts per cell, the same length
 */
export function populationStabilityIndex(
  reference: ArrayLike<number>,
  live: ArrayLike<number>,
  addedToEachCount = 0.5,
): number {
  const [p, q] = shares(reference, live, addedToEachCount);
  return q.reduce((sum, qi, i) => {
    const pi = p[i] as number;
    return qi === pi ? sum : sum + (qi - pi) * Math.log(qi / pi);
  }, 0);
}

/** Kullback-Leibler divergence KL(p || q) in nats; Infinity when q lacks a cell that p has. */
export function kullbackLeibler(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [ps, qs] = shares(p, q, 0);
  return ps.reduce(
    (sum, pi, i) => (pi === 0 ? sum : sum + pi * Math.log(pi / (qs[i] as number))),
    0,
  );
}

/** Jensen-Shannon distance: the root of the divergence, in [0, 1] for base 2. */
export function jensenShannon(
  p: ArrayLike<number>,
  q: ArrayLike<number>,
  base: 2 | "e" = 2,
): number {
  const [ps, qs] = shares(p, q, 0);
  let sum = 0;
  for (let i = 0; i < ps.length; i++) {
    const pi = ps[i] as number;
    const qi = qs[i] as number;
    const middle = (pi + qi) / 2;
    if (pi > 0) sum += pi * Math.log(pi / middle);
    if (qi > 0) sum += qi * Math.log(qi / middle);
  }
  return Math.sqrt(Math.max(0, sum / 2) / (base === 2 ? Math.LN2 : 1));
}

/** Hellinger distance sqrt(sum (sqrt p - sqrt q)^2 / 2), in [0, 1]. */
export function hellinger(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [ps, qs] = shares(p, q, 0);
  let sum = 0;
  for (let i = 0; i < ps.length; i++) {
    sum += (Math.sqrt(ps[i] as number) - Math.sqrt(qs[i] as number)) ** 2;
  }
  return Math.sqrt(sum / 2);
}

/** Total variation distance, half the sum of |p - q|, in [0, 1]. */
export function totalVariation(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [ps, qs] = shares(p, q, 0);
  return ps.reduce((sum, pi, i) => sum + Math.abs(pi - (qs[i] as number)), 0) / 2;
}

/** Largest |p - q| of a cell, in [0, 1]. */
export function chebyshev(p: ArrayLike<number>, q: ArrayLike<number>): number {
  const [ps, qs] = shares(p, q, 0);
  return ps.reduce((largest, pi, i) => Math.max(largest, Math.abs(pi - (qs[i] as number))), 0);
}

function shares(
  reference: ArrayLike<number>,
  live: ArrayLike<number>,
  added: number,
): [number[], number[]] {
  if (reference.length !== live.length) {
    throw new RangeError(`${reference.length} cells cannot be compared with ${live.length}`);
  }
  return [normalised(reference, added), normalised(live, added)];
}

/** Not typed: above 64 bytes these have a buffer of their own, which takes longer than the sums. */
function normalised(counts: ArrayLike<number>, added: number): number[] {
  const total = countTotal(counts) + added * counts.length;
  if (!(total > 0)) throw new RangeError("all counts are zero");
  const normal: number[] = [];
  for (let i = 0; i < counts.length; i++) normal.push(((counts[i] as number) + added) / total);
  return normal;
}
