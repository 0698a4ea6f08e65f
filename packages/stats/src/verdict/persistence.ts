// Persistence: an alarm only when at least k of the last n judged windows reject.
//
// Guarantee, whatever the dependence between windows: if each window rejects falsely with
// probability at most k alpha, false onsets come at most alpha a window in the mean, because every
// onset uses up k rejections that no other onset may use. (Multiplying levels to alpha^k would
// need independent windows; drifting or autocorrelated ones are not.)

import type { DriftOutcome } from "./drift-outcome.js";

/** k of n. */
export interface Persistence {
  /** k, rejections that make an alarm, 1 to `windows`. */
  readonly rejections: number;
  /** n, judged windows that are looked back on, at most 30. */
  readonly windows: number;
}

/** What is remembered of a signal and window length. Plain, serialisable. */
export interface PersistenceState {
  /** One bit a judged window, the newest lowest: whether it rejected and is unused. */
  readonly recent: number;
}

/** Bits of a non-negative small integer. */
const WINDOWS_MAX = 30;
const LEVEL_MAX = 0.05;

/** Where every signal begins. */
export const INITIAL_PERSISTENCE: PersistenceState = Object.freeze({ recent: 0 });

/**
 * The level of a single window under k of n: k alpha, at most 5 %.
 *
 * @throws RangeError when k of n is not possible
 */
export function persistenceLevel(alpha: number, persistence: Persistence): number {
  assertPersistence(persistence);
  return Math.min(LEVEL_MAX, persistence.rejections * alpha);
}

/**
 * Lets a drift through only when it persists; until then it shows as a warning. Windows that
 * cannot judge (insufficient, silent, learning) are not looked back on.
 *
 * @returns the state after the window, and the outcome to hand to `nextDriftState`
 */
export function persistentOutcome(
  state: PersistenceState,
  outcome: DriftOutcome,
  persistence: Persistence,
): { readonly state: PersistenceState; readonly outcome: DriftOutcome } {
  assertPersistence(persistence);
  const judged = outcome === "drifted" || outcome === "warning" || outcome === "stable";
  if (!judged) return { state, outcome };
  const rejected = outcome === "drifted" ? 1 : 0;
  const recent = ((state.recent << 1) | rejected) & (2 ** persistence.windows - 1);
  if (!rejected) return { state: { recent }, outcome };
  if (bitCount(recent) < persistence.rejections) return { state: { recent }, outcome: "warning" };
  return { state: INITIAL_PERSISTENCE, outcome: "drifted" };
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}

function assertPersistence({ rejections: k, windows: n }: Persistence): void {
  if (Number.isInteger(k) && Number.isInteger(n) && k >= 1 && k <= n && n <= WINDOWS_MAX) return;
  throw new RangeError(`${k} of ${n} windows is not possible (at most of ${WINDOWS_MAX})`);
}
