/**
 * The signals as they are at one moment, written down a few at a time while others are counted
 * (copy on write): whoever is about to change a signal whose turn has not come has it written
 * first. So a checkpoint is of one moment, however long it takes, and nobody waits for all of it.
 */
import type { SignalIdentity } from "../closed-window.js";
import type { Rest } from "../state/state-store.js";
import type { ObservedSignal } from "./observed-model.js";

/** One at a time; owned by the state whose signals they are. */
export class SignalSnapshot {
  /** By the object that names a signal, which its panes have too. */
  private readonly unwritten = new Map<SignalIdentity, ObservedSignal>();
  private write: (signal: ObservedSignal) => void = () => {};
  /** What went wrong where nobody could be told. */
  private failure: Error | undefined;

  /**
   * Takes one of these signals, in place of an earlier one. Signals that come later are no part.
   * @param write writes a signal as it is then; once for each
   * @returns steps that write those that are still to be written; throws what `write` has thrown
   */
  take(signals: Iterable<ObservedSignal>, write: (signal: ObservedSignal) => void): Rest {
    this.drop();
    this.write = write;
    for (const signal of signals) this.unwritten.set(signal.identity, signal);
    return this.rest();
  }

  /** Belongs before every change of a signal that is stored. */
  beforeChange(identity: SignalIdentity): void {
    if (this.unwritten.size === 0) return;
    const signal = this.unwritten.get(identity);
    if (signal === undefined) return;
    this.unwritten.delete(identity);
    try {
      this.write(signal);
    } catch (error) {
      // It is the checkpoint that fails, and not whoever comes along with a value.
      this.failure ??= error as Error;
    }
  }

  /** What is not written yet is not wanted any more. */
  drop(): void {
    this.unwritten.clear();
    this.failure = undefined;
  }

  private *rest(): Generator<void> {
    for (const identity of this.unwritten.keys()) {
      this.beforeChange(identity);
      yield;
    }
    if (this.failure) throw this.failure;
  }
}
