/**
 * How calls and evaluations survive a restart. Calls only grow, so they lie in files beside the
 * store, of which each checkpoint writes what has come; of the rest only what has changed is put.
 */
import { parsePlain, stringifyPlain } from "../state/plain-json.js";
import type { StateChanges, StoredState } from "../state/state-store.js";
import type { GroupItem } from "./call-groups.js";
import { CALL_BYTES } from "./call-memory.js";
import type { Evaluations, OutcomeItem, WaitingItem } from "./evaluations.js";
import type { ObserverState } from "./observer-state.js";

const KIND = "observe.evaluations";
/** Items of that kind. */
const PROGRESS = "progress";
const GROUPS = "groups";
const WAITING = "waiting";

interface Progress {
  /** How many calls of each generation's file belong to this checkpoint, oldest first. */
  readonly calls: readonly { readonly generation: number; readonly count: number }[];
  /** Calls of up to this minute may have been forgotten. */
  readonly forgottenMinute?: number;
  readonly outcomes: readonly OutcomeItem[];
}

/** Stores and restores the evaluations of one observer. */
export class EvaluationsCheckpoint {
  private readonly state: ObserverState;
  private readonly evaluations: Evaluations;
  /** Generations whose files exist, and those that the last save has removed. */
  private readonly files = new Set<number>();
  private removed: number[] = [];
  /** What was put last of each item, told by a number that changes with it. */
  private readonly saved = new Map<string, number>();

  constructor(state: ObserverState, evaluations: Evaluations) {
    this.state = state;
    this.evaluations = evaluations;
  }

  /** Puts what has changed. */
  save(changes: StateChanges): void {
    const { evaluations } = this;
    const { groups, waitingChanges } = evaluations;
    const calls = this.saveCalls(changes);
    const { forgottenMinute } = evaluations.calls;
    const outcomes = evaluations.outcomeItems();
    const progress: Progress = { calls, forgottenMinute, outcomes };
    changes.put(KIND, PROGRESS, stringifyPlain(progress));
    const put = (item: string, stamp: number, content: () => unknown) => {
      if (this.saved.get(item) === stamp) return;
      changes.put(KIND, item, stringifyPlain(content()));
      this.saved.set(item, stamp);
    };
    put(GROUPS, groups.count, () => groups.items());
    put(WAITING, waitingChanges, () => evaluations.waitingItems());
  }

  /** After a transaction that has failed: the next one stores everything. */
  forgetSaved(): void {
    for (const generation of this.removed) this.files.add(generation);
    this.evaluations.calls.forgetSaved();
    this.saved.clear();
  }

  /** Takes up what an earlier run has stored; after its models. */
  async restore(stored: StoredState): Promise<void> {
    const items = new Map(
      (await stored.items(KIND)).map(({ key, body }) => [key, parsePlain(String(body))]),
    );
    const progress = items.get(PROGRESS) as Progress | undefined;
    if (progress === undefined) return;
    const { evaluations, state } = this;
    evaluations.groups.restore((items.get(GROUPS) ?? []) as GroupItem[], state);
    const waiting = (items.get(WAITING) ?? []) as WaitingItem[];
    evaluations.restore(progress.outcomes, waiting, state);
    const parts = [];
    for (const { generation, count } of progress.calls) {
      this.files.add(generation);
      const bytes = (await stored.read(fileOf(generation))).slice(0, count * CALL_BYTES);
      // What a file has lost is calls whose evaluations will find none.
      const whole = bytes.slice(0, bytes.length - (bytes.length % CALL_BYTES));
      parts.push({ generation, from: 0, bytes: whole });
    }
    evaluations.calls.restore(parts, progress.forgottenMinute ?? Number.NEGATIVE_INFINITY);
  }

  /** Writes the calls that came since the last time behind those of their generation. */
  private saveCalls(changes: StateChanges): Progress["calls"] {
    const { parts, generations } = this.evaluations.calls.unsaved();
    for (const { generation, from, bytes } of parts) {
      changes.write(fileOf(generation), from * CALL_BYTES, bytes);
      this.files.add(generation);
    }
    const kept = new Set(generations.map(({ generation }) => generation));
    this.removed = [...this.files].filter((generation) => !kept.has(generation));
    for (const generation of this.removed) {
      changes.remove(fileOf(generation));
      this.files.delete(generation);
    }
    return generations;
  }
}

function fileOf(generation: number): string {
  return `recent-calls-${generation}`;
}
