/** The test that a signal's kind asks for, of one window with its reference. */
import type {
  CategoricalEvaluation,
  CategoryCounts,
  DriftPolicy,
  EventRate,
  Inflation,
  NumericEvaluation,
  RateEvaluation,
} from "@tidemark/stats";
import {
  categoryRows,
  decileCounts,
  evaluateCategorical,
  evaluateNumeric,
  evaluateRate,
  GridSummary,
} from "@tidemark/stats";
import type { ClosedWindow } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import { RATE_EVENT } from "../references/reference.js";
import type { ExpectedCounts } from "./signal-record.js";

const DECILES = Array.from({ length: 9 }, (_, decile) => (decile + 1) / 10);

/** What one window shows. */
export type Evaluation = NumericEvaluation | CategoricalEvaluation | RateEvaluation;

/** What a comparison needs to know besides the window. */
export interface Circumstances {
  readonly policy: DriftPolicy;
  readonly inflation: Inflation;
  /** Whether the outcome is all that is asked for. */
  readonly brief: boolean;
}

/** Compares a window with what is usual at its time. */
export function compare(closed: ClosedWindow, circumstances: Circumstances): Evaluation {
  const { summary, signal } = closed;
  const reference = referenceOf(closed);
  const { policy, inflation, brief } = circumstances;
  const phi = { reference: inflation.phi, live: inflation.phi };
  const { learning } = inflation;
  const { name } = signal;
  if (reference.kind === "numeric") {
    if (!(summary instanceof GridSummary)) throw new TypeError(`${name}: no summary of numbers`);
    const sides = { reference: reference.grid, live: summary };
    return evaluateNumeric({ name, ...sides, policy, phi, learning, brief });
  }
  if (summary instanceof GridSummary) throw new TypeError(`${name}: no summary of categories`);
  if (reference.rate) {
    const sides = { reference: eventsOf(reference.categories), live: eventsOf(summary) };
    return evaluateRate({ name, ...sides, policy, phi, learning, brief });
  }
  const sides = { reference: reference.categories, live: summary };
  return evaluateCategorical({ name, ...sides, policy, phi, learning, brief });
}

/** What the variation of windows is learned from: the nine deciles, or commonest categories. */
export function variationCounts(closed: ClosedWindow): ExpectedCounts {
  const { summary } = closed;
  const reference = referenceOf(closed);
  if (reference.kind === "numeric" && summary instanceof GridSummary) {
    return { ...decileCounts(reference.grid, summary), expected: DECILES };
  }
  if (reference.kind === "categorical" && !(summary instanceof GridSummary)) {
    const { categories } = reference;
    const { counts } = categoryRows(categories, categories);
    const expected = counts.map((count) => count / categories.count);
    return { ...categoryRows(categories, summary), expected };
  }
  return { counts: [], rows: 0, expected: [] };
}

/** How many of the rows are what a rate is the rate of. */
function eventsOf(counts: CategoryCounts): EventRate {
  return { events: counts.get(RATE_EVENT), rows: counts.count };
}

/** What is usual in a window: it may depend on the hour of the week. */
export function referenceOf({ reference, startMs, endMs }: ClosedWindow): Reference {
  return reference.at?.(startMs, endMs) ?? reference;
}
