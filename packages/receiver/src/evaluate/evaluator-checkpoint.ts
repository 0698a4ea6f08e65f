/**
 * How verdicts, states and what was learned of windows survive a restart. Evidence never changes,
 * so that it is written down when its turn comes in a checkpoint.
 */
import type { SignalIdentity } from "../closed-window.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { WindowLength } from "../window-lengths.js";
import { evidenceBytes, readEvidence } from "./packed-evaluation.js";
import { SignalRecord } from "./signal-record.js";
import type { Evidence } from "./verdict.js";

/** Kinds of items in the store. */
const KIND = {
  signal: "evaluate.signal",
  numbers: "evaluate.numbers",
  evidence: "evaluate.evidence",
} as const;

interface SignalItem {
  readonly signal: SignalIdentity;
  readonly referenceId: string;
  /** The window lengths that its numbers are of, in this order. */
  readonly windowsMs: readonly number[];
}

/** Stores and restores the records of one evaluator. */
export class EvaluatorCheckpoint {
  private readonly records: Map<string, SignalRecord>;
  private readonly lengths: readonly WindowLength[];
  /** What is to be stored, by kind and key. */
  private pending = newPending();
  /** What the checkpoint under way stores, as it was then; numbers are of records that go on. */
  private saving = newPending();
  private changes: StateChanges | undefined;

  constructor(records: Map<string, SignalRecord>, lengths: readonly WindowLength[]) {
    this.records = records;
    this.lengths = lengths;
  }

  /** Takes note of a signal that is new, or has a new reference. */
  added(key: string, { signal, referenceId }: SignalRecord): void {
    const windowsMs = this.lengths.map(({ ms }) => ms);
    const item: SignalItem = { signal, referenceId, windowsMs };
    this.pending.signal.set(key, JSON.stringify(item));
  }

  /** Takes note of what a window has changed. */
  changed(key: string, record: SignalRecord, length: number): void {
    this.pending.numbers.set(key, record);
    const evidence = record.evidence[length];
    if (evidence === undefined) return;
    const known = this.pending.evidence.get(key);
    if (known) known[length] = evidence;
    else this.pending.evidence.set(key, newEvidence(length, evidence));
  }

  /** Belongs before every change of a record's numbers: a checkpoint is of one moment. */
  beforeChange(key: string): void {
    const { numbers } = this.saving;
    const record = numbers.get(key);
    if (record === undefined) return;
    numbers.delete(key);
    this.changes?.put(KIND.numbers, key, record.bytes);
  }

  /** Puts what has changed, as it is now, step by step. */
  save(changes: StateChanges): Rest {
    this.saving = this.pending;
    this.pending = newPending();
    this.changes = changes;
    return this.puts(changes);
  }

  saveFailed(): void {
    this.saving = newPending();
    for (const [key, record] of this.records) {
      this.added(key, record);
      for (const length of this.lengths.keys()) this.changed(key, record, length);
    }
  }

  private *puts(changes: StateChanges): Generator<void> {
    const { signal, numbers, evidence } = this.saving;
    for (const key of numbers.keys()) yield this.beforeChange(key);
    for (const [key, text] of signal) yield changes.put(KIND.signal, key, text);
    for (const [key, found] of evidence) {
      for (const [length, one] of found.entries()) {
        if (one === undefined) continue;
        const { ms } = this.lengths[length] as WindowLength;
        yield changes.put(KIND.evidence, `${key} ${ms}`, evidenceBytes(key, ms, one));
      }
    }
    this.saving = newPending();
    this.changes = undefined;
  }

  /** Takes up what an earlier run knew, but for window lengths that are no more. */
  async restore(stored: StoredState): Promise<void> {
    const windows = new Map<string, readonly number[]>();
    for (const { key, body } of await stored.items(KIND.signal)) {
      const { signal, referenceId, windowsMs } = JSON.parse(String(body)) as SignalItem;
      const record = new SignalRecord(signal, referenceId, this.lengths.length);
      this.records.set(key, record);
      windows.set(key, windowsMs);
      // The lengths may be others now.
      this.added(key, record);
    }
    for (const { key, body } of await stored.items(KIND.numbers)) {
      const record = this.records.get(key);
      if (record === undefined) continue;
      for (const [at, ms] of (windows.get(key) ?? []).entries()) {
        const length = this.lengths.findIndex((one) => one.ms === ms);
        if (length >= 0) record.restore(length, body as Uint8Array, at);
      }
      this.pending.numbers.set(key, record);
    }
    for (const { body } of await stored.items(KIND.evidence)) {
      const { key, ms, evidence } = readEvidence(body as Uint8Array);
      const record = this.records.get(key);
      const length = this.lengths.findIndex((one) => one.ms === ms);
      if (record && length >= 0) record.evidence[length] = evidence;
    }
  }
}

function newPending() {
  return {
    signal: new Map<string, string>(),
    numbers: new Map<string, SignalRecord>(),
    /** By window length. */
    evidence: new Map<string, (Evidence | undefined)[]>(),
  };
}

function newEvidence(length: number, evidence: Evidence): (Evidence | undefined)[] {
  const found: (Evidence | undefined)[] = [];
  found[length] = evidence;
  return found;
}
