/**
 * How recent calls survive a restart, so that a call counts once of which one report came before
 * it and another one after: an item for each trace that has changed.
 */
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { ObserverState } from "./observer-state.js";
import type { CountedCall, KnownReport, RecentCalls } from "./recent-calls.js";

const KIND = "observe.trace";

type CallItem = readonly [model: string, version: string, key: string, signals: readonly string[]];

interface ReportItem extends Omit<KnownReport, "model" | "counted"> {
  readonly model: string;
  readonly version: string;
  /** Which of the calls it is of. */
  readonly call: number;
}

/** One trace as it is stored; ids are strings of their bytes. */
interface TraceItem {
  readonly trace: string;
  readonly calls: readonly CallItem[];
  readonly reports: readonly ReportItem[];
}

/** Stores and restores the recent calls of one observer. */
export class RecentCallsCheckpoint {
  private readonly state: ObserverState;
  private readonly recent: RecentCalls;
  /** Traces that lie in the store, and those that the last save has deleted. */
  private readonly stored = new Set<string>();
  private deleted: string[] = [];

  constructor(state: ObserverState, recent: RecentCalls) {
    this.state = state;
    this.recent = recent;
  }

  /** Puts what has changed, as it is now, step by step. */
  save(changes: StateChanges): Rest {
    const { recent, stored } = this;
    this.deleted = [...stored].filter((trace) => recent.reportsOf(trace) === undefined);
    for (const trace of this.deleted) {
      changes.delete(KIND, keyOf(trace));
      stored.delete(trace);
    }
    const items = Array.from(recent.changed, (trace) => {
      stored.add(trace);
      return itemOf(trace, recent.reportsOf(trace) ?? []);
    });
    recent.changed.clear();
    return putsOf(items, changes);
  }

  /** After a transaction that has failed: the next one stores everything. */
  forgetSaved(): void {
    for (const trace of this.deleted) this.stored.add(trace);
    this.recent.forgetSaved();
  }

  /** Takes up what an earlier run has stored; after its models. */
  async restore(stored: StoredState): Promise<void> {
    const items = (await stored.items(KIND)).map(({ body }) => JSON.parse(String(body)));
    // The first to be forgotten is the one that was heard of first, and that is the oldest one.
    const traces = (items as TraceItem[]).toSorted((a, b) => startOf(a) - startOf(b));
    for (const { trace, calls, reports } of traces) {
      this.stored.add(trace);
      const counted = calls.map((call) => this.countedOf(call));
      const known = reports.flatMap(({ model: name, version, call, ...report }) => {
        const model = this.state.modelNamed(name, version);
        const of = counted[call];
        return model && of ? [{ ...report, model, counted: of }] : [];
      });
      this.recent.restore(trace, known);
    }
  }

  private countedOf([name, version, key, signals]: CallItem): CountedCall | undefined {
    const model = this.state.modelNamed(name, version);
    return model && { model, key, keys: new Set(signals) };
  }
}

function* putsOf(items: readonly TraceItem[], changes: StateChanges): Generator<void> {
  for (const item of items) yield changes.put(KIND, keyOf(item.trace), JSON.stringify(item));
}

function itemOf(trace: string, known: readonly KnownReport[]): TraceItem {
  const counted = [...new Set(known.map((report) => report.counted))];
  const calls = counted.map(({ model, key, keys }): CallItem => {
    return [model.model, model.version, key, [...keys]];
  });
  const reports = known.map(({ model: { model, version }, counted: of, ...report }) => {
    return { ...report, model, version, call: counted.indexOf(of) };
  });
  return { trace, calls, reports };
}

function startOf({ reports }: TraceItem): number {
  return reports[0]?.startMs ?? 0;
}

function keyOf(trace: string): string {
  return Buffer.from(trace, "latin1").toString("hex");
}
