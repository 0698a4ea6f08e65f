// Whether two rates (missing, error, rejection) differ: the z-test of two proportions, and Fisher's
// exact test where a cell expects few rows. O(1); Fisher at most the smaller margin.

import { normalUpper } from "../distributions/distribution-tails.js";
import { fisherExact } from "./fisher-exact.js";

/** Cells that expect fewer rows than this make the normal law a bad one. */
const EXPECTED_MIN = 5;

export interface TwoProportions {
  /** z with the pooled variance, positive when the reference's rate is higher. */
  readonly statistic: number;
  /** Two-sided. */
  readonly pValue: number;
  readonly method: "z" | "fisher";
  /** Reference rate less live rate. */
  readonly difference: number;
}

/**
 * @param events events of the reference, an integer in [0, rows]
 * @param rows rows of the reference, positive
 * @param liveEvents events of the live side
 * @param liveRows rows of the live side, positive
 * @param method which p-value (default: z where each cell expects at least 5 rows, else Fisher)
 * @throws RangeError when a count is not an integer in its range
 */
export function twoProportions(
  events: number,
  rows: number,
  liveEvents: number,
  liveRows: number,
  method?: "z" | "fisher",
): TwoProportions {
  for (const [x, n] of [
    [events, rows],
    [liveEvents, liveRows],
  ] as const) {
    if (Number.isInteger(x) && Number.isInteger(n) && x >= 0 && x <= n && n > 0) continue;
    throw new RangeError(`${x} events of ${n} rows are not counts`);
  }
  const difference = events / rows - liveEvents / liveRows;
  const rate = (events + liveEvents) / (rows + liveRows);
  const variance = rate * (1 - rate) * (1 / rows + 1 / liveRows);
  const statistic = difference === 0 ? 0 : difference / Math.sqrt(variance);
  const leastExpected = Math.min(rate, 1 - rate) * Math.min(rows, liveRows);
  const chosen = method ?? (leastExpected < EXPECTED_MIN ? "fisher" : "z");
  const pValue =
    chosen === "z"
      ? Math.min(1, 2 * normalUpper(Math.abs(statistic)))
      : fisherExact(events, rows, liveEvents, liveRows);
  return { statistic, pValue, method: chosen, difference };
}
