/**
 * What has been: the summaries of every signal, by shortest window for `paneMs`, and by hour for
 * `hourMs`. They go into the store with the checkpoint that says their windows have ended, so that
 * each is there once, whenever the process ends.
 *
 * A summary takes about 400 bytes: with the defaults a signal of numbers takes up to 115 KB for its
 * day of five minutes, and 145 KB for its fifteen days of hours.
 */
import { SummaryFormatError } from "@tidemark/stats";
import type { SignalIdentity, Summary } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import { lastingBytes } from "../slabs.js";
import type { Rest, StateChanges, StoredState } from "../state/state-store.js";
import type { WindowLength } from "../window-lengths.js";
import { HOUR_MS } from "../window-lengths.js";
import { readSummary } from "./window-summary.js";

/** How long what is kept. */
export interface RetentionOptions {
  /** Of the shortest windows. */
  readonly paneMs: number;
  /** Of hours. */
  readonly hourMs: number;
}

/** One stretch of time, [startMs, endMs), that had values. */
export interface PastPane {
  readonly startMs: number;
  readonly endMs: number;
  readonly summary: Summary;
}

/** What is kept of one length. */
interface Shelf {
  readonly kind: string;
  readonly ms: number;
  readonly retentionMs: number;
  /** What the next checkpoint puts there. */
  pending: Map<string, Uint8Array>;
  /** What the last one has put: it is pending again if that has failed. */
  saved: Map<string, Uint8Array>;
}

/** Panes that are read at once: two months of hours. */
const READ_MAX = 1500;
/** Digits of a time in milliseconds, so that keys are in the order of time. */
const TIME_DIGITS = 15;

/** Keeps and reads the past. */
export class PaneHistory {
  /** By window length. */
  private readonly shelves: readonly (Shelf | undefined)[];
  private readonly stored: StoredState;

  constructor(lengths: readonly WindowLength[], retention: RetentionOptions, stored: StoredState) {
    this.stored = stored;
    this.shelves = lengths.map(({ ms }, length) => {
      const nothing = { ms, pending: new Map(), saved: new Map() };
      if (length === 0) {
        return { kind: "history.pane", retentionMs: retention.paneMs, ...nothing };
      }
      if (ms !== HOUR_MS) return undefined;
      return { kind: "history.hour", retentionMs: retention.hourMs, ...nothing };
    });
  }

  /** Keeps a window if it is of a length that is kept. */
  add(identity: SignalIdentity, length: number, startMs: number, summary: Summary): void {
    const shelf = this.shelves[length];
    if (shelf === undefined || shelf.retentionMs === 0) return;
    shelf.pending.set(keyOf(startMs, identity), lastingBytes(summary.serialise()));
  }

  /** Deletes what is too old at `nowMs`, and puts, step by step, what has come by now. */
  save(changes: StateChanges, nowMs: number): Rest {
    for (const shelf of this.kept()) {
      shelf.saved = shelf.pending;
      shelf.pending = new Map();
      const oldestMs = nowMs - shelf.retentionMs;
      if (oldestMs > 0) changes.deleteBefore(shelf.kind, timeKey(oldestMs));
    }
    return this.puts(changes);
  }

  /** The last `save` is not in the store. */
  saveFailed(): void {
    for (const shelf of this.kept()) shelf.pending = new Map([...shelf.saved, ...shelf.pending]);
  }

  /**
   * What a signal had in [fromMs, toMs), the newest 1,500 stretches of it: shortest windows where
   * they are still kept, and hours before. Counts on a reference that is no more are left out.
   */
  async read(
    identity: SignalIdentity,
    reference: Reference,
    fromMs: number,
    toMs: number,
  ): Promise<PastPane[]> {
    const fine = await this.readShelf(this.shelves[0], identity, reference, fromMs, toMs);
    const coarseToMs = Math.min(toMs, fine[0]?.startMs ?? toMs);
    const hours = this.shelves.find((shelf) => shelf?.kind === "history.hour");
    const coarse = await this.readShelf(hours, identity, reference, fromMs, coarseToMs);
    return [...coarse, ...fine].slice(-READ_MAX);
  }

  private async readShelf(
    shelf: Shelf | undefined,
    identity: SignalIdentity,
    reference: Reference,
    fromMs: number,
    toMs: number,
  ): Promise<PastPane[]> {
    if (shelf === undefined) return [];
    const { ms, kind } = shelf;
    const keys = new Map<string, number>();
    for (let at = Math.floor(toMs / ms) * ms - ms; at >= fromMs && keys.size < READ_MAX; at -= ms) {
      keys.set(keyOf(at, identity), at);
    }
    const items = await this.stored.itemsOf(kind, [...keys.keys()]);
    const bodies = new Map(items.map(({ key, body }) => [key, body as Uint8Array]));
    for (const key of keys.keys()) {
      const unsaved = shelf.pending.get(key) ?? shelf.saved.get(key);
      if (unsaved) bodies.set(key, unsaved);
    }
    return [...bodies]
      .flatMap(([key, body]): PastPane[] => {
        const startMs = keys.get(key) as number;
        const summary = summaryOf(reference, body);
        return summary ? [{ startMs, endMs: startMs + ms, summary }] : [];
      })
      .toSorted((a, b) => a.startMs - b.startMs);
  }

  private *puts(changes: StateChanges): Generator<void> {
    for (const { kind, saved } of this.kept()) {
      for (const [key, bytes] of saved) yield changes.put(kind, key, bytes);
    }
  }

  private kept(): Shelf[] {
    return this.shelves.filter((shelf) => shelf !== undefined);
  }
}

function keyOf(startMs: number, identity: SignalIdentity): string {
  return `${timeKey(startMs)} ${JSON.stringify(Object.values(identity))}`;
}

function timeKey(ms: number): string {
  return String(ms).padStart(TIME_DIGITS, "0");
}

function summaryOf(reference: Reference, body: Uint8Array): Summary | undefined {
  try {
    return readSummary(reference, body);
  } catch (error) {
    if (!(error instanceof SummaryFormatError)) throw error;
    return undefined;
  }
}
