/** Two distributions of numbers as curves on the same points, with what is not known of them. */

import { GridSummary, normalCdf, ReferenceGrid } from "@tidemark/stats";
import type { Atom, Curve, NumericComparison, Side } from "#ui/comparison.js";

/** Numbers counted between edges. */
export type NumericLaw = ReferenceGrid | GridSummary;

const POINTS = 129;
/** A value that so many rows of either side share is drawn as what it is: one value. */
const ATOM_SHARE_MIN = 0.1;
/** Signals of no more values than these are all drawn so. */
const ATOMS_FEW = 12;
/** What lies beyond these quantiles of both sides is left out of the picture, and said. */
const TAIL = 0.005;
/** The bandwidth is no narrower than so many points, or curves would show single bins. */
const BANDWIDTH_POINTS_MIN = 1.2;
const CONFIDENCE_Z = 1.959964;
/** Half the width of the Dvoretzky-Kiefer-Wolfowitz band at 95 %, times the root of the rows. */
const DKW = Math.sqrt(Math.log(2 / 0.05) / 2);
/** The integral of the squared normal density. */
const KERNEL_ROUGHNESS = 1 / (2 * Math.sqrt(Math.PI));

/** One side of a comparison. */
export interface NumericSide {
  readonly side: Side;
  readonly law: NumericLaw;
}

/** Where curves are drawn, and how smooth. */
interface Canvas {
  readonly x: readonly number[];
  readonly bandwidth: number;
  readonly atoms: ReadonlySet<number>;
}

/** Compares; both sides must have values. */
export function compareNumbers(reference: NumericSide, live: NumericSide): NumericComparison {
  const atoms = sharedAtoms(reference.law, live.law);
  const canvas = canvasOf(reference.law, live.law, new Set(atoms.map(({ value }) => value)));
  const { x } = canvas;
  const low = x[0] as number;
  const high = x.at(-1) as number;
  const outside = (law: NumericLaw) => Math.max(0, 1 - law.rank(high) + rankBelow(law, low));
  return {
    kind: "numeric",
    reference: reference.side,
    live: live.side,
    x,
    referenceCurve: curveOf(reference.law, canvas),
    liveCurve: curveOf(live.law, canvas),
    ...largestDifference(reference.law, live.law),
    medians: { reference: reference.law.quantile(0.5), live: live.law.quantile(0.5) },
    atoms,
    outside: { reference: outside(reference.law), live: outside(live.law) },
  };
}

/**
 * The density at points that are given, without the values of `atoms`: each bin's mass is spread
 * evenly over the bin and smoothed by a normal kernel.
 */
export function densityAt(law: NumericLaw, comparison: NumericComparison): number[] {
  const { x, atoms } = comparison;
  const values = new Set(atoms.map(({ value }) => value));
  return density(law, { x, bandwidth: bandwidthOf(law, x), atoms: values });
}

/** The shares of rows that have the values of `atoms`, which the density leaves out. */
export function atomShares(law: NumericLaw, { atoms }: NumericComparison): number[] {
  return atoms.map(({ value }) => shareAt(law, value));
}

function canvasOf(reference: NumericLaw, live: NumericLaw, atoms: ReadonlySet<number>): Canvas {
  let low = Math.min(reference.quantile(TAIL), live.quantile(TAIL), ...atoms);
  let high = Math.max(reference.quantile(1 - TAIL), live.quantile(1 - TAIL), ...atoms);
  if (!(high > low))
    [low, high] = [low - Math.max(1, Math.abs(low)) / 2, low + Math.max(1, Math.abs(low)) / 2];
  const margin = (high - low) * 0.04;
  const [from, to] = [low - margin, high + margin];
  const x = Array.from({ length: POINTS }, (_, i) => from + ((to - from) * i) / (POINTS - 1));
  // One bandwidth for both sides: what differs is then not the smoothing.
  const bandwidth = Math.max(bandwidthOf(reference, x), bandwidthOf(live, x));
  return { x, bandwidth, atoms };
}

/** Silverman's rule: Density Estimation for Statistics and Data Analysis (1986), 3.31. */
function bandwidthOf(law: NumericLaw, x: readonly number[]): number {
  const deviation = Math.sqrt(law.variance);
  const quartiles = (law.quantile(0.75) - law.quantile(0.25)) / 1.34;
  const spread = quartiles > 0 ? Math.min(deviation, quartiles) : deviation;
  const step = (x[1] as number) - (x[0] as number);
  return Math.max(0.9 * spread * law.count ** -0.2, BANDWIDTH_POINTS_MIN * step);
}

function curveOf(law: NumericLaw, canvas: Canvas): Curve {
  const { x, bandwidth } = canvas;
  const dense = density(law, canvas);
  const spread = (value: number) =>
    CONFIDENCE_Z * Math.sqrt((value * KERNEL_ROUGHNESS) / (law.count * bandwidth));
  const cumulative = x.map((at) => law.rank(at));
  const half = DKW / Math.sqrt(law.count) + summaryError(law);
  return {
    density: dense,
    densityLow: dense.map((value) => Math.max(0, value - spread(value))),
    densityHigh: dense.map((value) => value + spread(value)),
    cumulative,
    cumulativeLow: cumulative.map((value) => Math.max(0, value - half)),
    cumulativeHigh: cumulative.map((value) => Math.min(1, value + half)),
  };
}

/** How far a rank between two edges can be off. */
function summaryError(law: NumericLaw): number {
  return law instanceof ReferenceGrid ? law.epsilon + law.resolution : law.grid.resolution;
}

function density(law: NumericLaw, { x, bandwidth, atoms }: Canvas): number[] {
  const { counts, count, min, max } = law;
  const { edges } = gridOf(law);
  const values = new Float64Array(x.length);
  for (let bin = 0; bin < counts.length; bin++) {
    const inBin = counts[bin] as number;
    if (inBin === 0 || (isAtom(law, bin) && atoms.has(edges[bin] as number))) continue;
    const low = bin === 0 ? min : Math.max(min, edges[bin - 1] as number);
    const high = bin === edges.length ? max : Math.min(max, edges[bin] as number);
    addBin(values, x, { low, high, share: inBin / count, bandwidth });
  }
  return Array.from(values);
}

interface SpreadBin {
  readonly low: number;
  readonly high: number;
  readonly share: number;
  readonly bandwidth: number;
}

function addBin(values: Float64Array, x: readonly number[], bin: SpreadBin): void {
  const { low, high, share, bandwidth } = bin;
  const width = high - low;
  const reach = 5 * bandwidth;
  for (let i = 0; i < values.length; i++) {
    const at = x[i] as number;
    if (at < low - reach || at > high + reach) continue;
    const height =
      width > bandwidth * 1e-3
        ? (normalCdf((at - low) / bandwidth) - normalCdf((at - high) / bandwidth)) / width
        : Math.exp(-0.5 * ((at - high) / bandwidth) ** 2) / (bandwidth * Math.sqrt(2 * Math.PI));
    values[i] = (values[i] as number) + share * height;
  }
}

function sharedAtoms(reference: NumericLaw, live: NumericLaw): Atom[] {
  const values = new Set([...atomValues(reference), ...atomValues(live)]);
  const all = [...values]
    .map((value) => ({ value, reference: shareAt(reference, value), live: shareAt(live, value) }))
    .filter((atom) => atom.reference + atom.live > 0)
    .toSorted((a, b) => a.value - b.value);
  const sum = all.reduce((total, atom) => total + atom.reference, 0);
  if (all.length <= ATOMS_FEW && sum > 0.99) return all;
  // Rounded measurements are all of them values that rows share: only what stands out is one.
  return all.filter((atom) => Math.max(atom.reference, atom.live) >= ATOM_SHARE_MIN);
}

function atomValues(law: NumericLaw): number[] {
  const { edges } = gridOf(law);
  return Array.from(edges).filter((_, bin) => isAtom(law, bin));
}

/** The share of rows that have a value, as far as the edges tell it apart. */
function shareAt(law: NumericLaw, value: number): number {
  const { edges } = gridOf(law);
  const bin = edges.indexOf(value);
  return bin < 0 || !isAtom(law, bin) ? 0 : (law.counts[bin] as number) / law.count;
}

function isAtom(law: NumericLaw, bin: number): boolean {
  return gridOf(law).isAtom(bin);
}

function gridOf(law: NumericLaw): ReferenceGrid {
  return law instanceof ReferenceGrid ? law : law.grid;
}

function rankBelow(law: NumericLaw, x: number): number {
  return x <= law.min ? 0 : law.rank(x);
}

/** Kolmogorov-Smirnov over the edges of both sides. */
function largestDifference(
  reference: NumericLaw,
  live: NumericLaw,
): { distance: number; distanceAt: number } {
  let distance = 0;
  let distanceAt = reference.min;
  for (const edge of new Set([...gridOf(reference).edges, ...gridOf(live).edges])) {
    const difference = Math.abs(live.rank(edge) - reference.rank(edge));
    if (difference > distance) [distance, distanceAt] = [difference, edge];
  }
  return { distance, distanceAt };
}
