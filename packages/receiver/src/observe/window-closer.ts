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

/** What the closer does with a signal whose windows have ended. */
export interface DueWindows {
  /** Reads what they are to be compared with, where that takes time. */
  readonly prepare: (panes: SignalPanes, untilMs: number) => Promise<void>;
  readonly close: (panes: SignalPanes, untilMs: number) => void;
}

/** Owned by the observer. */
export class WindowCloser {
  private readonly state: ObserverState;
  private readonly due: DueWindows;
  /** Signals that are still to be visited; undefined when all windows have been handed out. */
  private visits: Iterator<ObservedSignal> | undefined;
  /** More windows have ended since the visits began. */
  private again = false;
  private scheduled: NodeJS.Immediate | undefined;
  /** Of two that are compared with each other, each would wait for the other one. */
  private readonly underWay = new Set<SignalPanes>();
  /** Something is being read for the signal that is visited. */
  private waiting = false;
  private stopped = false;

  constructor(state: ObserverState, due: DueWindows) {
    this.state = state;
    this.due = due;
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
    if (this.scheduled === undefined && !this.waiting && this.isBehind) this.slice();
  }

  stop(): void {
    clearImmediate(this.scheduled);
    this.scheduled = undefined;
    this.stopped = true;
  }

  /** Hands out what has ended of one signal, whoever's turn it is. */
  async handOut(signal: ObservedSignal): Promise<void> {
    const { panes } = signal;
    if (panes === undefined || !this.isDue(panes) || this.underWay.has(panes)) return;
    const { closedUntilMs } = this.state.schedule;
    this.underWay.add(panes);
    await this.due.prepare(panes, closedUntilMs);
    this.underWay.delete(panes);
    // Its reference may have been changed, and the receiver stopped, while it was waited for.
    if (!this.stopped && signal.panes === panes) this.due.close(panes, closedUntilMs);
  }

  private isDue(panes: SignalPanes): boolean {
    // A new signal may not know yet when its windows end.
    return !(panes.closedUntilMs >= this.state.schedule.closedUntilMs);
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
      if (!done) {
        if (this.visit(value)) return;
      } else if (this.again) {
        this.again = false;
        this.visits = this.state.signals();
      } else this.visits = undefined;
    }
  }

  /** Visits a signal; true when it takes longer, and the slice goes on afterwards. */
  private visit(signal: ObservedSignal): boolean {
    const { panes } = signal;
    if (panes === undefined || !this.isDue(panes)) return false;
    if (panes.reference.prepare === undefined) {
      this.due.close(panes, this.state.schedule.closedUntilMs);
      return false;
    }
    this.waiting = true;
    void this.handOut(signal).finally(() => {
      this.waiting = false;
      if (!this.stopped) this.scheduled = setImmediate(() => this.slice());
    });
    return true;
  }
}
