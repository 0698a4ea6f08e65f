// What a reference grid is made from: rows, or what a sketch has kept of them.

import type { WeightedSample } from "./grid-edges.js";

/** What a grid is made from; also what a sorted view of a sketch offers. */
export interface GridSource extends WeightedSample {
  /** 99 % rank error of the source, 0 for raw rows. */
  readonly epsilon: number;
}

/** A sketch that a grid can be made from, with what is known exactly beside it. */
export interface GridSketch {
  sortedView(): GridSource;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  /** Population variance (divisor n). */
  readonly variance?: number;
}

/**
 * A sketch's view with the extremes that its compactions may have dropped: each takes one row from
 * the item next to it, which moves no rank by more than that row.
 */
export function withExtremes(view: GridSource, min?: number, max?: number): GridSource {
  const { values, weights, epsilon } = view;
  const last = values.length - 1;
  if (weights === undefined || last < 1) return view;
  const items = Array.from(values, (value, i) => ({ value, weight: weights[i] as number }));
  if (min !== undefined && min < (values[0] as number)) {
    (items[0] as { weight: number }).weight--;
    items.unshift({ value: min, weight: 1 });
  }
  if (max !== undefined && max > (values[last] as number)) {
    (items.at(-1) as { weight: number }).weight--;
    items.push({ value: max, weight: 1 });
  }
  const kept = items.filter(({ weight }) => weight > 0);
  return {
    values: Float64Array.from(kept, ({ value }) => value),
    weights: Float64Array.from(kept, ({ weight }) => weight),
    epsilon,
  };
}

/** Count, mean and population variance, in one pass. */
export function weightedMoments(
  values: Float64Array,
  weights: Float64Array | undefined,
): { count: number; mean: number; variance: number } {
  let count = 0;
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const weight = weights?.[i] ?? 1;
    count += weight;
    const deviation = (values[i] as number) - mean;
    mean += (deviation * weight) / count;
    squares += weight * deviation * ((values[i] as number) - mean);
  }
  return { count, mean, variance: squares / count };
}
