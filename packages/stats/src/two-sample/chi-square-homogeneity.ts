// Chi-square test that two count vectors come from one distribution, both sides sampled: for point
// nulls and for people who migrate. The verdict uses cell-test.ts, which has an effect floor.

import { chiSquareUpper } from "../distributions/distribution-tails.js";
import { countTotal } from "./count-total.js";

export interface Homogeneity {
  /** Pearson's X^2. */
  readonly chiSquare: number;
  readonly pValue: number;
  readonly degreesOfFreedom: number;
  /** Likelihood-ratio statistic G and its p-value on the same degrees of freedom. */
  readonly g: number;
  readonly gPValue: number;
  /** Cramer's V of the two rows, in [0, 1]; descriptive. */
  readonly cramersV: number;
  /** Cramer's V with Bergsma's (2013) bias correction, in [0, 1]: 0 is expected under the null. */
  readonly cramersVCorrected: number;
}

export interface HomogeneityOptions {
  /** Cells that expect fewer rows than this on either side are pooled (default 5; 0: none). */
  readonly expectedMin?: number;
  /** Yates' continuity correction for two cells (default false). */
  readonly yates?: boolean;
}

/**
 * Tests homogeneity of two rows of counts over the same k cells.
 *
 * @returns p 1 on 0 degrees of freedom when pooling leaves a single cell
 * @throws RangeError when the lengths differ, a count is negative or a side is empty
 */
export function chiSquareHomogeneity(
  reference: ArrayLike<number>,
  live: ArrayLike<number>,
  options: HomogeneityOptions = {},
): Homogeneity {
  const [r, c] = pooled(reference, live, options.expectedMin ?? 5);
  const n = countTotal(r);
  const m = countTotal(c);
  const cells = r.length;
  const yates = options.yates === true && cells === 2;
  let chiSquare = 0;
  let g = 0;
  for (let i = 0; i < cells; i++) {
    const both = (r[i] as number) + (c[i] as number);
    for (const [observed, rows] of [
      [r[i] as number, n],
      [c[i] as number, m],
    ] as const) {
      const expected = (both * rows) / (n + m);
      const gap = Math.abs(observed - expected);
      chiSquare += (yates ? gap - Math.min(0.5, gap) : gap) ** 2 / expected;
      if (observed > 0) g += 2 * observed * Math.log(observed / expected);
    }
  }
  const degreesOfFreedom = cells - 1;
  if (degreesOfFreedom < 1) {
    const none = { chiSquare: 0, degreesOfFreedom: 0, g: 0, cramersV: 0, cramersVCorrected: 0 };
    return { ...none, pValue: 1, gPValue: 1 };
  }
  return {
    chiSquare,
    pValue: chiSquareUpper(chiSquare, degreesOfFreedom),
    degreesOfFreedom,
    g: Math.max(0, g),
    gPValue: chiSquareUpper(g, degreesOfFreedom),
    cramersV: Math.sqrt(chiSquare / (n + m)),
    cramersVCorrected: correctedV(chiSquare / (n + m), degreesOfFreedom, n + m),
  };
}

/** Bergsma's V of a table with 2 rows and freedom + 1 columns. */
function correctedV(meanSquare: number, freedom: number, rows: number): number {
  const excess = Math.max(0, meanSquare - freedom / (rows - 1));
  const smallerSide = Math.min(1, freedom - (freedom * freedom - 1) / (rows - 1));
  return Math.sqrt(excess / (smallerSide - 1 / (rows - 1)));
}

/** Drops cells that are empty on both sides and pools those that expect too few rows. */
function pooled(
  reference: ArrayLike<number>,
  live: ArrayLike<number>,
  expectedMin: number,
): [number[], number[]] {
  if (reference.length !== live.length) {
    throw new RangeError(`${reference.length} cells cannot be compared with ${live.length}`);
  }
  const n = countTotal(reference);
  const m = countTotal(live);
  if (!(n > 0 && m > 0)) throw new RangeError("a side has no rows");
  const smallerShare = Math.min(n, m) / (n + m);
  const r: number[] = [];
  const c: number[] = [];
  let [poolReference, poolLive] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    const [ri, ci] = [reference[i] as number, live[i] as number];
    if (ri + ci === 0) continue;
    if ((ri + ci) * smallerShare < expectedMin) {
      poolReference += ri;
      poolLive += ci;
    } else {
      r.push(ri);
      c.push(ci);
    }
  }
  if (poolReference + poolLive > 0) {
    r.push(poolReference);
    c.push(poolLive);
  }
  return [r, c];
}
