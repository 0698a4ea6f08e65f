/**
 * The past of one signal at a time, for references that move with it: it is read before the windows
 * of a signal are handed out, and then asked for while they are compared. Only that signal's past
 * is in memory.
 */
import type { Summary } from "../closed-window.js";
import type { SignalKey, SummaryHistory, TimeRange } from "../references/moving-reference.js";
import type { Reference } from "../references/reference.js";
import type { ObservedSignal } from "./observed-model.js";
import type { PastPane } from "./pane-history.js";
import { emptySummary, merged } from "./window-summary.js";

/** What the past is read with. */
export interface PastSources {
  /** A signal that is known already. */
  readonly find: (signal: SignalKey) => ObservedSignal | undefined;
  /** Hands out the windows of a signal that have ended, so that they are part of its past. */
  readonly handOut: (signal: ObservedSignal) => Promise<void>;
  /** What a signal had, as far as it is kept. */
  readonly read: (signal: ObservedSignal, range: TimeRange) => Promise<PastPane[]>;
}

/** Read by one signal after the other. */
export class PreparedPast implements SummaryHistory {
  private sources: PastSources | undefined;
  private of: ObservedSignal | undefined;
  private panes: PastPane[] = [];

  /** Says where the past comes from; before that there is none. */
  readFrom(sources: PastSources): void {
    this.sources = sources;
  }

  reference(signal: SignalKey): Reference | undefined {
    return this.sources?.find(signal)?.panes?.reference;
  }

  async prepare(key: SignalKey, ranges: readonly TimeRange[]): Promise<void> {
    const signal = this.sources?.find(key);
    this.of = undefined;
    if (this.sources === undefined || signal === undefined) return;
    await this.sources.handOut(signal);
    const panes: PastPane[] = [];
    for (const range of ranges) panes.push(...(await this.sources.read(signal, range)));
    this.panes = panes;
    this.of = signal;
  }

  sum(key: SignalKey, [fromMs, toMs]: TimeRange): Summary | undefined {
    const reference = this.of?.panes?.reference;
    if (reference === undefined || this.sources?.find(key) !== this.of) return undefined;
    const parts = this.panes.filter(({ startMs, endMs }) => startMs >= fromMs && endMs <= toMs);
    if (parts.length === 0) return undefined;
    return parts.reduce((sum, { summary }) => merged(sum, summary), emptySummary(reference));
  }
}
