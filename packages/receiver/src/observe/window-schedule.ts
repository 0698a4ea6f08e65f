/**
 * When panes and windows end. Windows are tumbling, aligned to the epoch, half-open, and each
 * length is a multiple of the shortest.
 */
import type { WindowLength } from "../window-lengths.js";
import type { SignalPanes } from "./signal.js";

/** Says up to when windows have ended, as the watermark goes on. */
export class WindowSchedule {
  readonly paneMs: number;
  /** Shortest first. */
  readonly lengths: readonly WindowLength[];
  readonly shortestMs: number;
  /** The last end of a shortest window that the watermark has passed; NaN before the first one. */
  closedUntilMs = Number.NaN;

  /** Hands out at once what has ended of one signal; set by whoever hands windows out. */
  catchUp: (panes: SignalPanes) => void = () => {};

  constructor(paneMs: number, lengths: readonly WindowLength[]) {
    this.paneMs = paneMs;
    this.lengths = lengths;
    this.shortestMs = (lengths[0] as WindowLength).ms;
  }

  /** The number of the pane that holds `eventMs`. */
  paneNumber(eventMs: number): number {
    return Math.floor(eventMs / this.paneMs);
  }

  /** Whether the shortest window around `eventMs` has ended. */
  isLate(eventMs: number): boolean {
    return Math.floor(eventMs / this.shortestMs) * this.shortestMs < this.closedUntilMs;
  }

  /** Whether every window around `eventMs` has ended. */
  isTooLate(eventMs: number): boolean {
    const { lengths, closedUntilMs } = this;
    return lengths.every(({ ms }) => Math.floor(eventMs / ms) * ms + ms <= closedUntilMs);
  }

  /** Moves on to a watermark; whether any window ends by that. */
  advance(watermarkMs: number): boolean {
    if (!Number.isFinite(watermarkMs)) return false;
    const untilMs = Math.floor(watermarkMs / this.shortestMs) * this.shortestMs;
    const before = this.closedUntilMs;
    if (untilMs <= before) return false;
    this.closedUntilMs = untilMs;
    return true;
  }
}
