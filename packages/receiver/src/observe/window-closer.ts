/**
 * Hands out the windows of all signals that have ended, some milliseconds at a time: with ten
 * thousand signals it takes a second, for which nobody's request may wait. A window that has ended
 * never changes, so it may be handed out later; meanwhile values go to the panes behind it.
 */
import type { ObservedSignal } from "./observed-model.js";
import type { ObserverState } from "./observer-state.js";
import type { SignalPanes } from "./signal.js";

/** Between two slices, requests are served. */
const SLICE_MS = 5;

/** Owned by the observer. */
export class WindowCloser {
  private readonly state: ObserverState;
  private readonly close: (panes: SignalPanes, untilMs: number) => void;
  /** Signals that are still to be visited; undefined when all windows have been handed out. */
  private visits: Iterator<ObservedSignal> | undefined;
  /** More windows have ended since the visits began. */
  private again = false;
  private scheduled: NodeJS.Immediate | undefined;

  constructor(state: ObserverState, close: (panes: SignalPanes, untilMs: number) => void) {
    this.state = state;
    this.close = close;
  }

  /** Whether windows that have ended have not been handed out yet. */
  get isBehind(): boolean {
    return this.visits !== undefined;
  }

  /** Windows have ended: the next `proceed` begins to hand them out. */
  begin(): void {
    if (this.isBehind) this.again = true;
    else this.visits = this.state.signals();
  }

  /** Works for a slice now, unless one is due anyway, and goes on by itself. */
  proceed(): void {
    if (this.scheduled === undefined && this.isBehind) this.slice();
  }

  stop(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
  }

  private slice(): void {
    this.scheduled = undefined;
    const overMs = performance.now() + SLICE_MS;
    while (this.visits !== undefined) {
      if (performance.now() > overMs) {
        this.scheduled = setImmediate(() => this.slice());
        return;
      }
      const { done, value } = this.visits.next();
      const { closedUntilMs } = this.state.schedule;
      if (!done) {
        const { panes } = value;
        // A new signal may not know yet when its windows end.
        if (panes && !(panes.closedUntilMs >= closedUntilMs)) this.close(panes, closedUntilMs);
      } else if (this.again) {
        this.again = false;
        this.visits = this.state.signals();
      } else this.visits = undefined;
    }
  }
}
