/**
 * When panes and windows end. Windows are tumbling, aligned to the epoch, half-open, and each
 * length is a multiple of the next shorter one, so that a longer window is a sum of shorter ones.
 */

/** A boundary at which at least the shortest window ends. */
export interface WindowBoundary {
  readonly endMs: number;
  /** Indexes of the window lengths that end here, shortest first. */
  readonly windows: readonly number[];
}

/** Hands out the boundaries that the watermark has passed, once each and in order. */
export class WindowSchedule {
  readonly paneMs: number;
  readonly windowsMs: readonly number[];
  /** The last boundary that was handed out; NaN before the first watermark. */
  closedUntilMs = Number.NaN;

  constructor(paneMs: number, windowsMs: readonly number[]) {
    this.paneMs = paneMs;
    this.windowsMs = windowsMs;
  }

  /** The number of the pane that holds `eventMs`. */
  paneNumber(eventMs: number): number {
    return Math.floor(eventMs / this.paneMs);
  }

  /** The first pane that still takes values; -Infinity before the first call of `passed`. */
  get firstOpenPane(): number {
    return Number.isNaN(this.closedUntilMs)
      ? Number.NEGATIVE_INFINITY
      : this.closedUntilMs / this.paneMs;
  }

  /**
   * The boundaries in (last watermark, watermark]. After a gap longer than two of the longest
   * windows the empty middle is left out: there is nothing to evaluate in it.
   */
  passed(watermarkMs: number): WindowBoundary[] {
    if (!Number.isFinite(watermarkMs)) return [];
    const shortest = this.windowsMs[0] as number;
    const longest = this.windowsMs.at(-1) as number;
    const untilMs = Math.floor(watermarkMs / shortest) * shortest;
    // The watermark starts at the first event less the lateness; windows before it are empty.
    if (Number.isNaN(this.closedUntilMs)) this.closedUntilMs = untilMs;
    const boundaries: WindowBoundary[] = [];
    let endMs = this.closedUntilMs + shortest;
    while (endMs <= untilMs) {
      const at = endMs;
      const windows = this.windowsMs.flatMap((length, index) => (at % length === 0 ? [index] : []));
      boundaries.push({ endMs, windows });
      endMs += shortest;
      const flushed = endMs > this.closedUntilMs + longest + shortest;
      if (flushed && untilMs - endMs > longest) endMs = untilMs - longest + shortest;
    }
    this.closedUntilMs = Math.max(this.closedUntilMs, untilMs);
    return boundaries;
  }
}
