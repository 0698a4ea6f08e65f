// Fisher's exact test of a 2 x 2 table, two-sided: the probability of all tables with the same
// margins that are at most as likely as the one seen. Weights are walked outwards from the mode as
// ratios, so no logarithm of a factorial is needed and tiny p-values keep their accuracy.
// O(number of tables with the margins): at most the smaller margin.

// Tables within this relative distance count as equally likely (R's and scipy's allowance).
const TIE_ALLOWANCE = 1e-7;

/**
 * @param events events of the first side, an integer in [0, rows]
 * @param rows rows of the first side
 * @param otherEvents events of the second side
 * @param otherRows rows of the second side
 * @throws RangeError when a count is not an integer in its range
 */
export function fisherExact(
  events: number,
  rows: number,
  otherEvents: number,
  otherRows: number,
): number {
  for (const [x, n] of [
    [events, rows],
    [otherEvents, otherRows],
  ] as const) {
    if (Number.isInteger(x) && Number.isInteger(n) && x >= 0 && x <= n) continue;
    throw new RangeError(`${x} events of ${n} rows are not counts`);
  }
  const allEvents = events + otherEvents;
  const low = Math.max(0, allEvents - otherRows);
  const high = Math.min(rows, allEvents);
  const all = rows + otherRows;
  const mode = Math.floor(((rows + 1) * (allEvents + 1)) / (all + 2));
  const start = Math.min(high, Math.max(low, mode));
  /** weight(x + 1) / weight(x) of the hypergeometric law of the first side's events. */
  const ratio = (x: number): number =>
    ((rows - x) / (x + 1)) * ((allEvents - x) / (otherRows - allEvents + x + 1));
  const seen = weightAt(events, start, ratio);
  const limit = seen * (1 + TIE_ALLOWANCE);
  let asLikely = 0;
  let sum = 0;
  let weight = 1;
  for (let x = start; x <= high; x++) {
    sum += weight;
    if (weight <= limit) asLikely += weight;
    weight *= ratio(x);
  }
  weight = 1;
  for (let x = start; x > low; ) {
    weight /= ratio(--x);
    sum += weight;
    if (weight <= limit) asLikely += weight;
  }
  return Math.min(1, asLikely / sum);
}

function weightAt(x: number, start: number, ratio: (x: number) => number): number {
  let weight = 1;
  for (let i = start; i < x; i++) weight *= ratio(i);
  for (let i = start; i > x; i--) weight /= ratio(i - 1);
  return weight;
}
