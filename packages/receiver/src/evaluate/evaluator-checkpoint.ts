/**
 * How verdicts, states and what was learned of windows survive a restart. A checkpoint is of one
 * moment, and written a few records at a time: who changes a record before its turn has it written
 * first.
 */
import type { SignalIdentity } from "../closed-window.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { WindowLength } from "../window-lengths.js";
import { evidenceBytes, readEvidence } from "./packed-evaluation.js";
import { SignalRecord } from "./signal-record.js";

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
  /** What the checkpoint under way has still to store, of records that go on. */
  private saving = newPending();
  private changes: StateChanges | undefined;

  constructor(records: Map<string, SignalRecord>, lengths: readonly WindowLength[]) {
    this.records = records;
    this.lengths = lengths;
  }

  /**
   * Takes note of a signal that is new, or has a new reference: what was stored of it is about
   * another one.
   */
  added(key: string, record: SignalRecord): void {
    this.putSignal(key, record);
    this.pending.records.set(key, record);
    record.replaces = true;
  }

  /** Takes note of what a window has changed. */
  changed(key: string, record: SignalRecord, length: number): void {
    this.pending.records.set(key, record);
    if (record.evidence[length]) record.unstored |= 1 << length;
  }

  /** Belongs before every change of a record: a checkpoint is of one moment. */
  beforeChange(key: string): void {
    const { records } = this.saving;
    const record = records.get(key);
    if (record === undefined) return;
    records.delete(key);
    const { changes } = this;
    changes?.put(KIND.numbers, key, record.bytes);
    for (const [length, { ms }] of this.lengths.entries()) {
      const evidence = record.evidence[length];
      if (evidence === undefined) {
        if (record.replaces) changes?.delete(KIND.evidence, `${key} ${ms}`);
      } else if ((record.unstored & (1 << length)) !== 0) {
        changes?.put(KIND.evidence, `${key} ${ms}`, evidenceBytes(key, ms, evidence));
      }
    }
    record.unstored = 0;
    record.replaces = false;
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

  private putSignal(key: string, { signal, referenceId }: SignalRecord): void {
    const windowsMs = this.lengths.map(({ ms }) => ms);
    const item: SignalItem = { signal, referenceId, windowsMs };
    this.pending.signal.set(key, JSON.stringify(item));
  }

  private *puts(changes: StateChanges): Generator<void> {
    const { signal, records } = this.saving;
    for (const key of records.keys()) yield this.beforeChange(key);
    for (const [key, text] of signal) yield changes.put(KIND.signal, key, text);
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
      this.putSignal(key, record);
    }
    for (const { key, body } of await stored.items(KIND.numbers)) {
      const record = this.records.get(key);
      if (record === undefined) continue;
      for (const [at, ms] of (windows.get(key) ?? []).entries()) {
        const length = this.lengths.findIndex((one) => one.ms === ms);
        if (length >= 0) record.restore(length, body as Uint8Array, at);
      }
      this.pending.records.set(key, record);
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
  return { signal: new Map<string, string>(), records: new Map<string, SignalRecord>() };
}
