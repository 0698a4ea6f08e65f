/**
 * Which window lengths are evaluated: those that are shown, and a ladder that doubles, so that
 * whatever the size of a drift, some window is about as long as it takes to see it.
 *
 * All lengths are multiples of the shortest, tumble, and are aligned to the epoch. Each is the sum
 * of windows of the longest shorter length that divides it, so that a value is added once.
 */
import { formatDuration } from "./config/quantities.js";

/** What old panes are rolled up into. */
export const HOUR_MS = 3_600_000;

/** One window length. */
export interface WindowLength {
  readonly ms: number;
  /** As it is written, such as `5m`. */
  readonly name: string;
  /** Whether its verdicts are always shown; the others are shown once they have alarmed. */
  readonly shown: boolean;
  /** False for hours that are only kept. */
  readonly evaluated: boolean;
  /** Index of the length whose windows are summed up; -1 for the shortest. */
  readonly source: number;
  /** Indexes of the lengths that are sums of this one's windows. */
  readonly feeds: readonly number[];
}

/**
 * All lengths, shortest first.
 *
 * @param shownMs ascending, each a multiple of the first
 * @param ladder how many lengths of `shownMs[0]` 2^k there are, the shortest included
 */
export function windowLengths(shownMs: readonly number[], ladder: number): WindowLength[] {
  const [base = 0] = shownMs;
  const doubling = Array.from({ length: ladder }, (_, level) => base * 2 ** level);
  const evaluated = new Set([...shownMs, ...doubling]);
  // Hours are kept, evaluated or not.
  const kept = HOUR_MS > base && HOUR_MS % base === 0 ? [HOUR_MS] : [];
  const all = [...new Set([...evaluated, ...kept])].toSorted((a, b) => a - b);
  const sources = all.map((ms, index) =>
    all.findLastIndex((shorter, at) => at < index && ms % shorter === 0),
  );
  return all.map((ms, index) => ({
    ms,
    name: formatDuration(ms),
    shown: shownMs.includes(ms),
    evaluated: evaluated.has(ms),
    source: sources[index] as number,
    feeds: sources.flatMap((source, at) => (source === index ? [at] : [])),
  }));
}
