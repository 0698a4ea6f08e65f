/**
 * One monitored signal: what its model, version and name are, and its summaries of the panes and
 * windows that are still open. A window is the sum of its panes, so a value is added once, to its
 * pane, and closing a pane is a merge: memory and time do not depend on the traffic.
 */
import { GridSummary } from "@tidemark/stats";
import type { ClosedWindow, SignalIdentity, Summary } from "../closed-window.js";
import type { Exemplar } from "../exemplar.js";
import type { HistogramPoint, Labels } from "../metric-family.js";
import type { Reference } from "../references/reference.js";
import type { SpanPlace } from "./exemplar-slots.js";
import { ExemplarSlots, farness, UNUSUAL_WEIGHT } from "./exemplar-slots.js";
import type { Place } from "./places.js";
import { UsualNow } from "./usual-now.js";
import { ValueTotals } from "./value-totals.js";
import { WaitingWindows } from "./waiting-windows.js";
import type { WindowSchedule } from "./window-schedule.js";
import { emptySummary, letGo, merged, recounted, rowsOf, unpackSummary } from "./window-summary.js";

/** Numbers that are added to a pane at once: 512 bytes a signal while a batch is counted. */
const WAITING_MAX = 64;
/** Fewer than this are added one by one: what many have in common costs as much as some values. */
const FEW = 8;
/** Panes that are open at once; the oldest ones join the window that they belong to. */
const PANES_MAX = 2;
/** Where numbers wait, given back by `settle`: a signal without traffic needs none. */
const spareWaiting: Float64Array[] = [];
const NONE = new Float64Array(0);

/** Gets a window that has ended, [endMs - its length, endMs); the summary is lent to it. */
export type OnWindow = (window: number, endMs: number, summary: Summary) => void;

/** A pane by its number, which counts panes since the epoch. */
interface OpenPane {
  readonly number: number;
  readonly summary: Summary;
}

const NO_PANES: readonly OpenPane[] = [];

/** The open panes and windows of one signal that has a reference. */
export class SignalPanes {
  readonly identity: SignalIdentity;
  readonly reference: Reference;
  private readonly schedule: WindowSchedule;
  /** Hardly ever more than two or three. */
  private panes: readonly OpenPane[] = NO_PANES;
  private readonly usual: UsualNow;
  /** The pane that was asked for last, and the same when it holds numbers. */
  private latestNumber = Number.NaN;
  private latestPane: Summary | undefined;
  private latestGrid: GridSummary | undefined;
  /** Numbers of that pane that are not in its summary yet: many at once cost a third each. */
  private waiting: Float64Array = NONE;
  /** How many numbers wait for {@link settle}; none do between two batches. */
  waitingCount = 0;
  /** Every window that ends at or before this has been handed out; NaN before the first one. */
  closedUntilMs: number;
  /** What has closed of the shortest window that is open. */
  private shortest: Summary | undefined;
  /** The same of the longer ones. */
  private readonly longer: WaitingWindows;
  /** Values of a shortest window that has ended; they join what is still open around it. */
  private late: Summary | undefined;
  private lateStartMs = Number.NaN;
  /** What has closed of all windows that ever were; undefined of categories. */
  private readonly totals: ValueTotals | undefined;
  /** Values of the open windows that are worth a look. */
  private readonly slots = new ExemplarSlots();

  constructor(identity: SignalIdentity, reference: Reference, schedule: WindowSchedule) {
    this.identity = identity;
    this.reference = reference;
    this.schedule = schedule;
    this.closedUntilMs = schedule.closedUntilMs;
    this.longer = new WaitingWindows(reference, schedule.lengths);
    this.usual = new UsualNow(reference);
    if (reference.kind === "numeric") this.totals = new ValueTotals(reference.grid);
  }

  /**
   * Lets a number wait for {@link settle} if that is all there is to do: it is usual, belongs to
   * the pane that was asked for last, and others wait there already.
   * @returns false when it is to go through {@link addNumber}
   */
  joinWaiting(value: number, pane: number): boolean {
    const count = this.waitingCount;
    if (count === 0 || count === WAITING_MAX - 1 || pane !== this.latestNumber) return false;
    // The bounds are finite, so that no other value is between them.
    if (!(value >= this.usual.low && value <= this.usual.high)) return false;
    this.waiting[count] = value;
    this.waitingCount = count + 1;
    return true;
  }

  /**
   * Adds a number to its pane, where it may have to wait for {@link settle}.
   * @returns false when it is none, or the signal holds categories
   */
  addNumber(value: number, pane: number): boolean {
    const summary = this.pane(pane);
    if (!(summary instanceof GridSummary)) return false;
    const isFinite = Number.isFinite(value);
    if (!isFinite || summary !== this.latestGrid) {
      summary.add(value);
      return isFinite;
    }
    if (this.waitingCount === 0) this.waiting = spareWaiting.pop() ?? new Float64Array(WAITING_MAX);
    this.waiting[this.waitingCount++] = value;
    if (this.waitingCount === WAITING_MAX) this.settle();
    return true;
  }

  /** Adds what waits to its pane; belongs at the end of a batch. */
  settle(): void {
    const { waiting, waitingCount: count, latestGrid: grid } = this;
    if (count === 0) return;
    this.waitingCount = 0;
    if (count >= FEW) grid?.addMany(waiting, 0, count);
    else for (let at = 0; at < count; at++) grid?.add(waiting[at]);
    this.waiting = NONE;
    spareWaiting.push(waiting);
  }

  /** Adds a category to its pane; false when the signal holds numbers. */
  addCategory(name: string, pane: number, times = 1): boolean {
    const summary = this.pane(pane);
    if (summary instanceof GridSummary) return false;
    summary.add(name, times);
    return true;
  }

  /** Offers a value that has been added as one that is worth a look. */
  offerExemplar(value: number | string, place: SpanPlace): void {
    // Late ones are not of the window whose exemplars these will be.
    if (place.timeMs < this.closedUntilMs) return;
    const isNumber = typeof value === "number";
    const isUnusual = isNumber ? this.isUnusualNumber(value) : this.isUnusualName(value);
    this.slots.offer(value, isUnusual ? UNUSUAL_WEIGHT : farness(value, this.reference), place);
  }

  /** Values behind the windows that end now. */
  exemplars(): Exemplar[] {
    return this.slots.before(this.closedUntilMs);
  }

  /** Whether a number lies outside what is usual. */
  isUnusualNumber(value: number): boolean {
    return value < this.usual.low || value > this.usual.high;
  }

  /** Whether a category is none of the usual ones. */
  isUnusualName(name: string): boolean {
    return !this.usual.names.has(name);
  }

  /** A window has been judged: while the signal drifts, less is usual. */
  judge(closed: ClosedWindow, drifted: boolean): void {
    this.usual.judge(closed, drifted);
  }

  /** Everything that holds something, by the name of its place. */
  *places(): Generator<[string, Place]> {
    for (const { number, summary } of this.panes) yield [`pane ${number}`, summary];
    if (this.shortest) yield ["shortest", this.shortest];
    if (this.late) yield [`late ${this.lateStartMs}`, this.late];
    if (!this.longer.isEmpty) yield ["longer", this.longer];
    if (this.totals) yield ["totals", this.totals];
  }

  /**
   * Takes up what `packPlace` has made of a place in an earlier run.
   * @throws SummaryFormatError when it was counted on another reference
   */
  restore(place: string, bytes: Uint8Array): void {
    const [kind, at] = place.split(" ");
    if (kind === "longer") return this.longer.restore(bytes);
    if (kind === "totals") return this.totals?.restore(bytes);
    const saved = unpackSummary(this.reference, bytes);
    if (kind === "pane") this.panes = this.panes.concat({ number: Number(at), summary: saved });
    else if (kind === "late") [this.late, this.lateStartMs] = [saved, Number(at)];
    else if (kind === "shortest") this.shortest = saved;
  }

  /** The same windows on another reference, with what they have counted so far. */
  onReference(reference: Reference): SignalPanes {
    this.settle();
    const panes = new SignalPanes(this.identity, reference, this.schedule);
    panes.closedUntilMs = this.closedUntilMs;
    panes.panes = this.panes.map(({ number, summary }) => {
      return { number, summary: recounted(summary, reference) };
    });
    panes.shortest = this.shortest && recounted(this.shortest, reference);
    panes.late = this.late && recounted(this.late, reference);
    panes.lateStartMs = this.lateStartMs;
    panes.longer.takeFrom(this.longer);
    return panes;
  }

  /** The summary that takes the values of a pane. */
  pane(number: number): Summary {
    const { schedule } = this;
    // Which windows a late value still joins must not depend on how far they are handed out.
    // A signal that has handed out nothing yet may be behind as well as any other.
    if (!(this.closedUntilMs >= schedule.closedUntilMs)) {
      if (number * schedule.paneMs < schedule.closedUntilMs) schedule.catchUp(this);
    }
    if (number === this.latestNumber) return this.latestPane as Summary;
    this.settle();
    const { paneMs } = this.schedule;
    const isLate = number * paneMs < this.closedUntilMs;
    const pane = isLate ? this.latePane(number * paneMs) : this.openPane(number);
    this.latestNumber = number;
    this.latestPane = pane;
    this.latestGrid = pane instanceof GridSummary ? pane : undefined;
    return pane;
  }

  private openPane(number: number): Summary {
    const open = this.panes.find((pane) => pane.number === number);
    if (open !== undefined) return open.summary;
    if (this.panes.length >= PANES_MAX) {
      this.fold(this.closedUntilMs + this.schedule.shortestMs);
    }
    const summary = emptySummary(this.reference);
    // Not by spreading, which would leave room for sixteen more.
    this.panes = this.panes.concat({ number, summary });
    return summary;
  }

  private latePane(startMs: number): Summary {
    const { shortestMs } = this.schedule;
    const windowStartMs = Math.floor(startMs / shortestMs) * shortestMs;
    if (this.late === undefined || windowStartMs !== this.lateStartMs) {
      this.foldLate();
      this.late = emptySummary(this.reference);
      this.lateStartMs = windowStartMs;
    }
    return this.late;
  }

  /** Adds the panes that end by `endMs` to the shortest window. */
  private fold(endMs: number): void {
    const { paneMs } = this.schedule;
    const rest = this.panes.filter(({ number, summary }) => {
      if (!((number + 1) * paneMs <= endMs)) return true;
      this.totals?.add(summary);
      this.shortest = merged(this.shortest, summary);
      if (this.shortest !== summary) letGo(summary);
      return false;
    });
    this.panes = rest.length > 0 ? rest : NO_PANES;
    this.latestNumber = Number.NaN;
  }

  /**
   * Adds late values to every open window around them that will not get them from a shorter one.
   * What no window covers any more is gone; the span counter has said so.
   */
  private foldLate(): void {
    const { late, lateStartMs, closedUntilMs } = this;
    if (late === undefined) return;
    this.totals?.add(late);
    const { lengths } = this.schedule;
    const isOpen = (length: number) => {
      const { ms } = lengths[length] as { ms: number };
      return Math.floor(lateStartMs / ms) * ms + ms > closedUntilMs;
    };
    this.longer.set(
      lengths.map(({ source }, length) => {
        if (source < 0 || !isOpen(length) || isOpen(source)) return undefined;
        return merged(this.longer.get(length), late);
      }),
    );
    letGo(late);
    this.late = undefined;
    this.latestNumber = Number.NaN;
  }

  /** All values since the reference was there, as a histogram; undefined for categories. */
  values(labels: Labels): HistogramPoint | undefined {
    return this.totals?.point(labels, [...this.panes.map(({ summary }) => summary), this.late]);
  }

  /** Ends every window up to `endMs`, in order; there is nothing in a window without values. */
  closeUntil(endMs: number, onWindow: OnWindow): void {
    this.settle();
    this.latestNumber = Number.NaN;
    this.foldLate();
    const { shortestMs } = this.schedule;
    if (Number.isNaN(this.closedUntilMs)) this.closedUntilMs = Math.min(this.firstMs(), endMs);
    while (this.closedUntilMs < endMs) {
      if (
        this.shortest === undefined &&
        this.longer.isEmpty &&
        this.firstMs() > this.closedUntilMs
      ) {
        this.skipUntil(Math.min(this.firstMs(), endMs), onWindow);
      } else this.close(this.closedUntilMs + shortestMs, onWindow);
    }
  }

  /** Start of the first shortest window that an open pane belongs to; Infinity without any. */
  private firstMs(): number {
    const { paneMs, shortestMs } = this.schedule;
    const first = Math.min(...this.panes.map(({ number }) => number));
    return Math.floor((first * paneMs) / shortestMs) * shortestMs;
  }

  /** Nothing has come up to `endMs`: one empty window of each length says so. */
  private skipUntil(endMs: number, onWindow: OnWindow): void {
    const { lengths } = this.schedule;
    const nothing = emptySummary(this.reference);
    for (const [length, { ms }] of lengths.entries()) {
      const lastEndMs = Math.floor(endMs / ms) * ms;
      if (lastEndMs > this.closedUntilMs) onWindow(length, lastEndMs, nothing);
    }
    this.closedUntilMs = endMs;
  }

  /** Ends the windows of all lengths that end at `endMs`, shorter ones first. */
  private close(endMs: number, onWindow: OnWindow): void {
    const { lengths } = this.schedule;
    this.fold(endMs);
    this.closedUntilMs = endMs;
    const open: (Summary | null | undefined)[] = [this.shortest ?? null];
    this.shortest = undefined;
    const held: Summary[] = [];
    let nothing: Summary | undefined;
    for (const [length, { ms, feeds }] of lengths.entries()) {
      if (endMs % ms !== 0) continue;
      const closed = open[length] === undefined ? this.longer.get(length) : open[length];
      const summary = closed ?? (nothing ??= emptySummary(this.reference));
      open[length] = null;
      onWindow(length, endMs, summary);
      held.push(summary);
      if (rowsOf(summary) === 0) continue;
      // Whoever got the summary is done with it: the last of the longer windows takes it over.
      for (const [at, feed] of feeds.entries()) {
        const taken = at === feeds.length - 1 ? summary : summary.clone();
        this.longer.addTo(taken, feed);
        open[feed] = taken;
      }
    }
    this.longer.set(open);
    for (const summary of open.concat(held)) letGo(summary);
    this.slots.clearBefore(endMs);
  }
}
