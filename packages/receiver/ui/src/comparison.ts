/** Live beside reference, as plain JSON: what the pictures of a comparison are drawn from. */
import type { SignalState } from "./documents.js";

/** Which values are on which side of a picture. */
export interface Side {
  /** Such as `reference weather`, `last 5m`, `version 2`. */
  readonly label: string;
  readonly count: number;
  readonly startMs: number | null;
  readonly endMs: number | null;
}

/** Live beside reference. */
export type Comparison = NumericComparison | CategoricalComparison;

interface ComparisonSides {
  readonly reference: Side;
  readonly live: Side;
}

/** Two distributions of numbers on the same points. */
export interface NumericComparison extends ComparisonSides {
  readonly kind: "numeric";
  /** Points of the horizontal axis, ascending. */
  readonly x: readonly number[];
  readonly referenceCurve: Curve;
  readonly liveCurve: Curve;
  /** Largest difference of the cumulative curves, and where. */
  readonly distance: number;
  readonly distanceAt: number;
  readonly medians: { readonly reference: number; readonly live: number };
  /** Values that many rows share; they have no density. */
  readonly atoms: readonly Atom[];
  /** Share of either side that lies outside the picture. */
  readonly outside: { readonly reference: number; readonly live: number };
}

/**
 * One distribution with its 95 % band: that of the cumulative curve holds at all points at once
 * (Dvoretzky, Kiefer and Wolfowitz, and the error of its summary), that of the density at each.
 */
export interface Curve {
  readonly density: readonly number[];
  readonly densityLow: readonly number[];
  readonly densityHigh: readonly number[];
  readonly cumulative: readonly number[];
  readonly cumulativeLow: readonly number[];
  readonly cumulativeHigh: readonly number[];
}

/** One value that many rows have. */
export interface Atom {
  readonly value: number;
  readonly reference: number;
  readonly live: number;
}

/** Two mixes of categories. */
export interface CategoricalComparison extends ComparisonSides {
  readonly kind: "categorical";
  /** By how much their shares differ; the most first. */
  readonly categories: readonly CategoryShare[];
}

/** The share of one category, with the 95 % interval of the live one. */
export interface CategoryShare {
  readonly name: string;
  readonly reference: number;
  readonly live: number;
  readonly liveLow: number;
  readonly liveHigh: number;
}

/** What `tidemark compare --html` shows. */
export interface CompareDocument {
  readonly verdict: "stable" | "drifted" | "insufficient";
  readonly headline: string;
  readonly nowMs: number;
  /** The most telling first. */
  readonly signals: readonly ComparedRow[];
}

/** One test of one signal. */
export interface ComparedRow {
  readonly signal: string;
  /** What is compared: `values`, or the share of rows `missing`, or their `type`. */
  readonly of: string;
  readonly state: SignalState;
  readonly method: string;
  readonly statistic: number | null;
  readonly threshold: number | null;
  readonly ratio: number | null;
  readonly pValue: number | null;
  readonly psi: number | null;
  readonly referenceCount: number;
  readonly currentCount: number;
  readonly sentence: string;
  readonly comparison: Comparison | null;
}
