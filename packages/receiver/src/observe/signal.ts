/**
 * One monitored signal: what its model, version and name are, and its summaries of the panes and
 * windows that are still open. A window is the sum of its panes, so a value is added once, to its
 * pane, and closing a pane is a merge: memory and time do not depend on the traffic.
 */
import { CategoryCounts, GridSummary } from "@tidemark/stats";
import type { ClosedWindow, SignalIdentity, Summary } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import type { UsualValues } from "./usual-values.js";
import { usualInDrift, usualValues } from "./usual-values.js";

/** Numbers that are added to a pane at once: 512 bytes a signal. */
const WAITING_MAX = 64;
/** Fewer than this are added one by one: what many have in common costs as much as some values. */
const FEW = 8;

/** The open panes and windows of one signal that has a reference. */
export class SignalPanes {
  readonly identity: SignalIdentity;
  readonly reference: Reference;
  /** Open panes by their number; hardly ever more than two or three. */
  private readonly panes = new Map<number, Summary>();
  /** What is usual now: see usual-values.ts. */
  private usualLow = Number.NEGATIVE_INFINITY;
  private usualHigh = Number.POSITIVE_INFINITY;
  private usualNames: ReadonlySet<string> = new Set();
  /** What is usual in each window length in which the signal drifts. */
  private readonly drifts = new Map<number, UsualValues>();
  /** The pane that was asked for last, and the same when it holds numbers. */
  private latestNumber = Number.NaN;
  private latestPane: Summary;
  private latestGrid: GridSummary | undefined;
  /** Numbers of that pane that are not in its summary yet: many at once cost a third each. */
  private readonly waiting: Float64Array;
  /** How many numbers wait for {@link settle}; none do between two batches. */
  waitingCount = 0;
  /** Values that came after their pane had closed; they join the next longer window. */
  private late: Summary;
  /** What each window length has so far, shortest first. */
  private readonly windows: Summary[];

  constructor(identity: SignalIdentity, reference: Reference, windowCount: number) {
    this.identity = identity;
    this.reference = reference;
    this.takeUsual(usualValues(reference));
    this.windows = Array.from({ length: windowCount }, () => emptySummary(reference));
    this.late = emptySummary(reference);
    this.latestPane = this.late;
    this.waiting = new Float64Array(reference.kind === "numeric" ? WAITING_MAX : 0);
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
    if (!(value >= this.usualLow && value <= this.usualHigh)) return false;
    this.waiting[count] = value;
    this.waitingCount = count + 1;
    return true;
  }

  /**
   * Adds a number to its pane, where it may have to wait for {@link settle}.
   * @returns false when it is none, or the signal holds categories
   */
  addNumber(value: number, pane: number, firstOpenPane: number): boolean {
    const grid = this.grid(pane, firstOpenPane);
    if (grid === undefined) return false;
    const isFinite = Number.isFinite(value);
    if (!isFinite || grid !== this.latestGrid) {
      grid.add(value);
      return isFinite;
    }
    this.waiting[this.waitingCount++] = value;
    if (this.waitingCount === WAITING_MAX) this.settle();
    return true;
  }

  /** Adds what waits to its pane; belongs at the end of a batch. */
  settle(): void {
    const { waiting, waitingCount: count, latestGrid: grid } = this;
    this.waitingCount = 0;
    if (count >= FEW) grid?.addMany(waiting, 0, count);
    else for (let at = 0; at < count; at++) grid?.add(waiting[at]);
  }

  /** Adds a category to its pane; false when the signal holds numbers. */
  addCategory(name: string, pane: number, firstOpenPane: number): boolean {
    const summary = this.pane(pane, firstOpenPane);
    if (summary instanceof GridSummary) return false;
    summary.add(name);
    return true;
  }

  /** Whether a number lies outside what is usual. */
  isUnusualNumber(value: number): boolean {
    return value < this.usualLow || value > this.usualHigh;
  }

  /** Whether a category is none of the usual ones. */
  isUnusualName(name: string): boolean {
    return !this.usualNames.has(name);
  }

  /** A window has been judged: while the signal drifts, less is usual. */
  judge(closed: ClosedWindow, drifted: boolean): void {
    if (drifted) this.drifts.set(closed.window, usualInDrift(closed));
    else if (!this.drifts.delete(closed.window)) return;
    // The shortest window length that drifts has the freshest view.
    const [shortest = -1] = [...this.drifts.keys()].toSorted((a, b) => a - b);
    this.takeUsual(this.drifts.get(shortest) ?? usualValues(this.reference));
  }

  private takeUsual(usual: UsualValues): void {
    if ("low" in usual) {
      this.usualLow = usual.low;
      this.usualHigh = usual.high;
    } else this.usualNames = usual;
  }

  /** Every summary that holds something, by the name of its place. */
  *places(): Generator<[string, Summary]> {
    for (const [number, pane] of this.panes) yield [`pane ${number}`, pane];
    for (const [index, window] of this.windows.entries()) yield [`window ${index}`, window];
    yield ["late", this.late];
  }

  /**
   * Adds what an earlier run had at a place.
   * @throws SummaryFormatError when it was counted on another reference
   */
  restore(place: string, bytes: Uint8Array): void {
    const [kind, index] = place.split(" ");
    const saved =
      this.reference.kind === "numeric"
        ? GridSummary.deserialise(this.reference.grid, bytes)
        : CategoryCounts.deserialise(bytes);
    if (kind === "late") mergeInto(this.late, saved);
    else if (kind === "pane") mergeInto(this.pane(Number(index), Number.NEGATIVE_INFINITY), saved);
    // A window length that the configuration no longer has joins the longest one.
    else mergeInto(this.windows[Number(index)] ?? (this.windows.at(-1) as Summary), saved);
  }

  /** The summary of a pane that is open, or of the late values. */
  pane(number: number, firstOpenNumber: number): Summary {
    if (number === this.latestNumber) return this.latestPane;
    if (number < firstOpenNumber) return this.late;
    let pane = this.panes.get(number);
    if (pane === undefined) {
      pane = emptySummary(this.reference);
      this.panes.set(number, pane);
    }
    this.settle();
    this.latestNumber = number;
    this.latestPane = pane;
    this.latestGrid = pane instanceof GridSummary ? pane : undefined;
    return pane;
  }

  private grid(number: number, firstOpenNumber: number): GridSummary | undefined {
    const summary = this.pane(number, firstOpenNumber);
    return summary instanceof GridSummary ? summary : undefined;
  }

  /** Merges the panes before `beforeNumber` into the shortest window. */
  closePanes(beforeNumber: number): void {
    this.settle();
    for (const [number, pane] of this.panes) {
      if (number >= beforeNumber) continue;
      mergeInto(this.windows[0] as Summary, pane);
      this.panes.delete(number);
    }
    this.latestNumber = Number.NaN;
  }

  /** Ends a window: hands out its summary, and adds it to the next longer one. */
  closeWindow(window: number): Summary {
    const summary = this.windows[window] as Summary;
    this.windows[window] = emptySummary(this.reference);
    const longer = this.windows[window + 1];
    if (longer !== undefined) mergeInto(longer, summary);
    if (window === 0) {
      mergeInto(longer ?? (this.windows[0] as Summary), this.late);
      this.late = emptySummary(this.reference);
    }
    return summary;
  }
}

function emptySummary(reference: Reference): Summary {
  return reference.kind === "numeric"
    ? new GridSummary(reference.grid)
    : CategoryCounts.liveFor(reference.categories);
}

function mergeInto(target: Summary, source: Summary): void {
  if (target instanceof GridSummary && source instanceof GridSummary) target.merge(source);
  else if (target instanceof CategoryCounts && source instanceof CategoryCounts) {
    target.merge(source);
  } else throw new TypeError("summaries of one signal must be of one kind");
}
