/** All that a watermark has seen; -Infinity before the first event. */
export interface WatermarkState {
  readonly latestEventMs: number;
  readonly latestArrivalMs: number;
  readonly valueMs: number;
}

/** How far event time has certainly come: panes before the watermark are closed for good. */
export class Watermark {
  private readonly latenessMs: number;
  private readonly idleMs: number;
  private latestEventMs = Number.NEGATIVE_INFINITY;
  private latestArrivalMs = Number.NEGATIVE_INFINITY;
  private valueMs = Number.NEGATIVE_INFINITY;

  /**
   * @param latenessMs how much later than the newest event another one may still come
   * @param idleMs after how long without any event the clock takes over
   */
  constructor(latenessMs: number, idleMs: number) {
    this.latenessMs = latenessMs;
    this.idleMs = idleMs;
  }

  /** Tells of an event at `eventMs` that arrived at `nowMs`; events of the future count as now. */
  observe(eventMs: number, nowMs: number): void {
    this.latestArrivalMs = nowMs;
    this.latestEventMs = Math.max(this.latestEventMs, Math.min(eventMs, nowMs));
  }

  /** What must survive a restart. */
  get state(): WatermarkState {
    const { latestEventMs, latestArrivalMs, valueMs } = this;
    return { latestEventMs, latestArrivalMs, valueMs };
  }

  set state(state: WatermarkState) {
    Object.assign(this, state);
  }

  /** The watermark in milliseconds since the epoch; it never goes back. -Infinity before events. */
  advance(nowMs: number): number {
    if (this.latestArrivalMs === Number.NEGATIVE_INFINITY) return this.valueMs;
    const idle = nowMs - this.latestArrivalMs > this.idleMs;
    const newestMs = idle ? nowMs : this.latestEventMs;
    this.valueMs = Math.max(this.valueMs, newestMs - this.latenessMs);
    return this.valueMs;
  }
}
