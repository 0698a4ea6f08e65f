// Which signals moved most, once one of them has alarmed: those that moved at all by the false
// discovery rate (Benjamini and Hochberg 1995), in the order of an effect that all kinds of signals
// share. It orders a list for people, and decides no page.

import { normalUpperQuantile } from "../distributions/distribution-tails.js";
import type { CategoricalEvaluation } from "./evaluate-categorical.js";
import type { NumericEvaluation } from "./evaluate-numeric.js";
import type { RateEvaluation } from "./evaluate-rate.js";
import { adjustedPValues } from "./false-discovery.js";

/** Share of wrong ones among the signals that are said to have moved. */
const DISCOVERY_RATE_DEFAULT = 0.05;

export interface EvaluatedSignal {
  readonly name: string;
  readonly evaluation: NumericEvaluation | CategoricalEvaluation | RateEvaluation;
}

export interface RankedSignal {
  readonly name: string;
  /** The shift of a normal distribution that is as far away, in standard deviations. */
  readonly shift: number;
  /** Adjusted for all signals given. */
  readonly pValue: number;
  readonly moved: boolean;
}

/** All signals with values, those that moved first, each by the size of its effect. */
export function rankSignals(
  signals: readonly EvaluatedSignal[],
  discoveryRate = DISCOVERY_RATE_DEFAULT,
): RankedSignal[] {
  const seen = signals.filter(({ evaluation }) => Number.isFinite(evaluation.pValue));
  const adjusted = adjustedPValues(seen.map(({ evaluation }) => evaluation.pValue));
  return seen
    .map(({ name, evaluation }, index) => {
      const pValue = adjusted[index] as number;
      return { name, shift: shiftOf(evaluation), pValue, moved: pValue <= discoveryRate };
    })
    .toSorted((a, b) => Number(b.moved) - Number(a.moved) || b.shift - a.shift);
}

/**
 * KS of a shift d is 2 Phi(d / 2) - 1, the square of Hellinger's distance 1 - exp(-d^2 / 8), and h,
 * the distance of two rates, is a shift already: the arcsine gives rates the variance 1 / n.
 */
function shiftOf(evaluation: EvaluatedSignal["evaluation"]): number {
  const { method, statistic } = evaluation;
  if (method === "ks") {
    const tail = (1 - Math.min(statistic, 1)) / 2;
    return tail === 0 ? Number.POSITIVE_INFINITY : 2 * normalUpperQuantile(tail);
  }
  if (method !== "hellinger") return statistic;
  const overlap = 1 - Math.min(statistic, 1) ** 2;
  return Math.sqrt(-8 * Math.log(overlap));
}
