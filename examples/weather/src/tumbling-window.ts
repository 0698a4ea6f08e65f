/**
 * Windows, as the receiver cuts time: tumbling, aligned to the epoch, half-open. A phase of the
 * demo must lie in one window with nothing else in it: half a year beside whole ones is a drift.
 */

/** Seconds; the receiver's shortest sensible one first, and no longer than people wait. */
const WINDOWS_S: readonly number[] = [20, 40, 80];
const LONGEST_S = 160;
/** Other work on the machine may slow a phase down to a third of what was measured. */
const SHARE_MAX = 0.3;
/** How many times as long as expected a phase may take that begins within a window. */
const HASTE = 3;
/** The last spans are on their way to the receiver for up to a second, its export interval. */
const ARRIVAL_MS = 2000;
/** Timers may fire a little early. */
const GUARD_MS = 50;

/** [startMs, endMs), epoch milliseconds. */
export interface TumblingWindow {
  readonly startMs: number;
  readonly endMs: number;
}

/** The shortest window that has room for this, or the longest of all. */
export function chooseWindowMs(longestPhaseMs: number): number {
  const roomy = WINDOWS_S.find((seconds) => longestPhaseMs <= seconds * 1000 * SHARE_MAX);
  return (roomy ?? LONGEST_S) * 1000;
}

/** The window that holds this moment. */
export function windowAt(atMs: number, windowMs: number): TumblingWindow {
  const startMs = Math.floor(atMs / windowMs) * windowMs;
  return { startMs, endMs: startMs + windowMs };
}

/**
 * When a phase may begin: now, when the current window is empty so far and has room, else with the
 * next window.
 * @param busyUntilMs when the last span ended that is not of this phase
 */
export function phaseStartMs(
  nowMs: number,
  windowMs: number,
  busyUntilMs: number,
  expectedMs: number,
): number {
  const { startMs, endMs } = windowAt(nowMs, windowMs);
  const empty = busyUntilMs < startMs;
  if (empty && nowMs + expectedMs * HASTE + ARRIVAL_MS <= endMs) return nowMs;
  return endMs + GUARD_MS;
}
