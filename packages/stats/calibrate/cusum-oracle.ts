/**
 * The best any detector can do: Page's CUSUM that knows both laws, N(0,1) before the change and
 * N(shift,1) after it. Average run lengths by Brook and Evans (1972): the statistic on a grid of
 * states is a Markov chain.
 */
import { normalCdf } from "../dist/index.js";

const STATES = 150;

/** Mean samples to an alarm, from 0, when samples are N(mean,1) and the drift per step is `k`. */
export function averageRunLength(threshold: number, k: number, mean: number): number {
  const width = threshold / (STATES - 0.5);
  const matrix = Array.from({ length: STATES }, (_, i) => {
    const row = new Float64Array(STATES + 1).fill(0);
    for (let j = 0; j < STATES; j++) {
      const upper = normalCdf((j - i + 0.5) * width + k - mean);
      const lower = j === 0 ? 0 : normalCdf((j - i - 0.5) * width + k - mean);
      row[j] = (i === j ? 1 : 0) - (upper - lower);
    }
    row[STATES] = 1;
    return row;
  });
  return firstSolution(matrix);
}

/** The threshold at which a CUSUM with reference value `k` alarms every `runLength` samples. */
export function thresholdFor(runLength: number, k: number, mean: number): number {
  let [low, high] = [0.5, 1];
  while (averageRunLength(high, k, mean) < runLength) high *= 2;
  for (let step = 0; step < 24; step++) {
    const middle = (low + high) / 2;
    if (averageRunLength(middle, k, mean) < runLength) low = middle;
    else high = middle;
  }
  return high;
}

/** Mean delay of the CUSUM for N(from,1) -> N(to,1) whose run length without a change is given. */
export function oracleDelay(runLength: number, from: number, to: number): number {
  const k = (from + to) / 2;
  return averageRunLength(thresholdFor(runLength, k, from), k, to);
}

/** First unknown of a linear system given as rows with the right-hand side last. */
function firstSolution(rows: Float64Array[]): number {
  const size = rows.length;
  // Backwards, so that the first unknown is left over.
  for (let column = size - 1; column > 0; column--) {
    const pivot = rows[column] as Float64Array;
    for (let i = 0; i < column; i++) {
      const row = rows[i] as Float64Array;
      const factor = (row[column] as number) / (pivot[column] as number);
      if (factor === 0) continue;
      for (let j = 0; j < column; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
      row[size] = (row[size] as number) - factor * (pivot[size] as number);
    }
  }
  const first = rows[0] as Float64Array;
  return (first[size] as number) / (first[0] as number);
}
