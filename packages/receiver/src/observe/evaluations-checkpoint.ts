/**
 * How calls and evaluations survive a restart. Calls only grow, so they lie in files beside the
 * store, of which each checkpoint writes what has come; the rest is one small item.
 */
import { parsePlain, stringifyPlain } from "../state/plain-json.js";
import type { StateChanges, StoredState } from "../state/state-store.js";
import { CALL_BYTES } from "./call-memory.js";
import type { Evaluations, EvaluationsItem } from "./evaluations.js";
import type { ObserverState } from "./observer-state.js";

const KIND = "observe.evaluations";

interface Item extends EvaluationsItem {
  /** How many calls of each generation's file belong to this checkpoint, oldest first. */
  readonly calls: readonly { readonly generation: number; readonly count: number }[];
}

/** Stores and restores the evaluations of one observer. */
export class EvaluationsCheckpoint {
  private readonly state: ObserverState;
  private readonly evaluations: Evaluations;
  /** Generations whose files exist, and those that the last save has removed. */
  private readonly files = new Set<number>();
  private removed: number[] = [];
  private saved = "";

  constructor(state: ObserverState, evaluations: Evaluations) {
    this.state = state;
    this.evaluations = evaluations;
  }

  /** Puts what has changed. */
  save(changes: StateChanges): void {
    const { parts, generations: calls } = this.evaluations.calls.unsaved();
    for (const { generation, from, bytes } of parts) {
      changes.write(fileOf(generation), from * CALL_BYTES, bytes);
      this.files.add(generation);
    }
    const kept = new Set(calls.map(({ generation }) => generation));
    this.removed = [...this.files].filter((generation) => !kept.has(generation));
    for (const generation of this.removed) {
      changes.remove(fileOf(generation));
      this.files.delete(generation);
    }
    const item = stringifyPlain({ ...this.evaluations.item(), calls } satisfies Item);
    if (item === this.saved) return;
    changes.put(KIND, "", item);
    this.saved = item;
  }

  /** After a transaction that has failed: the next one stores everything. */
  forgetSaved(): void {
    for (const generation of this.removed) this.files.add(generation);
    this.evaluations.calls.forgetSaved();
    this.saved = "";
  }

  /** Takes up what an earlier run has stored; after its models. */
  async restore(stored: StoredState): Promise<void> {
    const [item] = await stored.items(KIND);
    if (item === undefined) return;
    const { calls, ...rest } = parsePlain(String(item.body)) as Item;
    this.evaluations.restore(rest, this.state);
    const parts = [];
    for (const { generation, count } of calls) {
      this.files.add(generation);
      const bytes = (await stored.read(fileOf(generation))).slice(0, count * CALL_BYTES);
      // What a file has lost is calls whose evaluations will find none.
      const whole = bytes.slice(0, bytes.length - (bytes.length % CALL_BYTES));
      parts.push({ generation, from: 0, bytes: whole });
    }
    this.evaluations.calls.restore(parts);
  }
}

function fileOf(generation: number): string {
  return `calls-${generation}`;
}
