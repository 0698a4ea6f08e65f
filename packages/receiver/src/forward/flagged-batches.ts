/** Which spans of which batches are to be annotated, until every endpoint has them. */
import type { SpanFlag } from "../otlp/annotate-spans.js";
import type { Persistent } from "../state/checkpoints.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";

const KIND = "forward.flags";
/** Batches with flags that may wait; about 100 MB when each has ten flagged spans. */
const BATCHES_MAX = 100_000;

/** Flags by the sequence of their batch; survives a restart with the checkpoint. */
export class FlaggedBatches implements Persistent {
  private readonly neededAfter: () => number;
  private readonly flags = new Map<number, readonly SpanFlag[]>();
  private readonly stored = new Set<number>();

  /** @param neededAfter says up to which sequence every endpoint has its batches */
  constructor(neededAfter: () => number) {
    this.neededAfter = neededAfter;
  }

  /** Beyond the bound the oldest batch goes on without its annotations. */
  add(sequence: number, flags: readonly SpanFlag[]): void {
    if (flags.length === 0) return;
    this.flags.set(sequence, flags);
    if (this.flags.size <= BATCHES_MAX) return;
    const [oldest] = this.flags.keys();
    this.flags.delete(oldest as number);
  }

  /** The flags of a batch, ascending by place; none for most. */
  of(sequence: number): readonly SpanFlag[] {
    return this.flags.get(sequence) ?? [];
  }

  save(changes: StateChanges): Rest[] {
    const done = this.neededAfter();
    for (const [sequence, flags] of this.flags) {
      if (sequence <= done) this.flags.delete(sequence);
      else if (!this.stored.has(sequence)) {
        changes.put(KIND, String(sequence), JSON.stringify(flags));
        this.stored.add(sequence);
      }
    }
    for (const sequence of this.stored) {
      if (this.flags.has(sequence)) continue;
      changes.delete(KIND, String(sequence));
      this.stored.delete(sequence);
    }
    return [];
  }

  saveFailed(): void {
    // What was stored before stays in `stored`: storing or deleting it again does no harm.
    for (const sequence of this.flags.keys()) this.stored.delete(sequence);
  }

  async restore(stored: StoredState): Promise<void> {
    for (const { key, body } of await stored.items(KIND)) {
      this.flags.set(Number(key), JSON.parse(String(body)) as SpanFlag[]);
      this.stored.add(Number(key));
    }
  }
}
