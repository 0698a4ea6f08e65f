// Ascending runs of doubles: joining, halving and searching them.

import { takeRun } from "./run-pool.js";

/** Runs as short are inserted by binary search, such as the item that an odd run leaves. */
const SMALL_RUN = 2;

/** One ascending run of all values of two, in memory of its own. */
export function joinRuns(a: Float64Array, b: Float64Array): Float64Array {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const out = takeRun(short.length + long.length);
  if (short.length <= SMALL_RUN) insertInto(out, short, long);
  else interleaveInto(out, short, long);
  return out;
}

/** Every second value from `first` on: `length` of them. */
export function everySecond(run: Float64Array, first: number, length: number): Float64Array {
  const out = takeRun(length);
  for (let i = 0; i < length; i++) out[i] = run[first + 2 * i] as number;
  return out;
}

/** How many values of an ascending run are at most `x`. */
export function atOrBelow(run: Float64Array, x: number): number {
  let [low, high] = [0, run.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((run[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first value of an ascending run that is at least `x`; its length when none is. */
export function firstAtLeast(run: Float64Array, x: number): number {
  let [low, high] = [0, run.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((run[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Values ascending and how many rows each stands for. */
export interface WeightedRun {
  readonly values: Float64Array;
  readonly weights: Float64Array;
}

/** Joins `run`, each of whose values stands for `weight` rows, into a weighted run. */
export function joinWeighted(into: WeightedRun, run: Float64Array, weight: number): WeightedRun {
  if (run.length === 0) return into;
  const length = into.values.length + run.length;
  const values = new Float64Array(length);
  const weights = new Float64Array(length);
  let [i, j] = [0, 0];
  for (let at = 0; at < length; at++) {
    const rest = j >= run.length;
    if (rest || (into.values[i] as number) <= (run[j] as number)) {
      values[at] = into.values[i] as number;
      weights[at] = into.weights[i++] as number;
    } else {
      values[at] = run[j++] as number;
      weights[at] = weight;
    }
  }
  return { values, weights };
}

function insertInto(out: Float64Array, short: Float64Array, long: Float64Array): void {
  let from = 0;
  for (let i = 0; i < short.length; i++) {
    const value = short[i] as number;
    const to = atOrBelow(long, value);
    out.set(long.subarray(from, to), from + i);
    out[to + i] = value;
    from = to;
  }
  out.set(long.subarray(from), from + short.length);
}

function interleaveInto(out: Float64Array, a: Float64Array, b: Float64Array): void {
  let [i, j, at] = [0, 0, 0];
  let x = a[0] as number;
  let y = b[0] as number;
  for (;;) {
    if (x <= y) {
      out[at++] = x;
      if (++i === a.length) break;
      x = a[i] as number;
    } else {
      out[at++] = y;
      if (++j === b.length) break;
      y = b[j] as number;
    }
  }
  if (i < a.length) out.set(a.subarray(i), at);
  else out.set(b.subarray(j), at);
}
