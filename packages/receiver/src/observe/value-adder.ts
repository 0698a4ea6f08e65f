/** Adds single values to their signals, with what is to be said of those that are not usual. */
import type { SpanRows } from "../otlp/span-rows.js";
import type { ObservedSignal } from "./observed-model.js";
import { countViolation } from "./observed-model.js";
import type { SignalPanes } from "./signal.js";
import type { SignalSnapshot } from "./signal-snapshot.js";
import { isNewCategory, isOutOfRange } from "./usual-values.js";

const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));

/** Adds the values of one span at a time. */
export class ValueAdder {
  /** The pane of the present span. */
  pane = 0;
  private eventMs = 0;
  /** Where the span is, for those who want to find it again. */
  readonly place = { view: NO_VIEW, traceOffset: 0, spanOffset: 0, timeMs: 0 };
  /** Its signals whose values are not usual. */
  private unusual: string[] = [];
  /** Where numbers of the present batch may wait. */
  private readonly unsettled: SignalPanes[] = [];
  private readonly snapshot: SignalSnapshot;

  constructor(snapshot: SignalSnapshot) {
    this.snapshot = snapshot;
  }

  /** Begins a span. */
  begin(rows: SpanRows, span: number, eventMs: number, pane: number): void {
    const { place } = this;
    place.view = rows.view;
    place.traceOffset = rows.traceId[span] as number;
    place.spanOffset = rows.spanId[span] as number;
    place.timeMs = this.eventMs = eventMs;
    this.pane = pane;
  }

  /**
   * Begins with what was said of a span earlier.
   * @param ids 16 bytes of its trace and its own 8; undefined where many spans have said it
   */
  beginAt(ids: Uint8Array | undefined, eventMs: number, pane: number): void {
    const { place } = this;
    place.view = ids ? new DataView(ids.buffer, ids.byteOffset, ids.byteLength) : NO_VIEW;
    place.traceOffset = 0;
    place.spanOffset = 16;
    place.timeMs = this.eventMs = eventMs;
    this.pane = pane;
  }

  /** Ends a span: which of its signals have values that are not usual, if any. */
  end(): string[] | undefined {
    if (this.unusual.length === 0) return undefined;
    const { unusual } = this;
    this.unusual = [];
    return unusual;
  }

  /** Ends a batch, after which no number waits. */
  settle(): void {
    this.unusual = [];
    for (const panes of this.unsettled.splice(0)) panes.settle();
  }

  /** @returns false when the value is none of this signal; that is counted */
  addNumber(signal: ObservedSignal, value: number): boolean {
    // Those that only join others of the same batch come after one that has been here.
    this.snapshot.beforeChange(signal.identity);
    const { panes } = signal;
    const isTaken =
      panes === undefined
        ? (signal.learner?.addNumber(value, this.eventMs) ?? false)
        : panes.addNumber(value, this.pane);
    if (!isTaken) {
      countViolation(signal, Number.isFinite(value) ? "type" : "invalid");
      return false;
    }
    if (panes === undefined) return true;
    if (panes.waitingCount === 1) this.unsettled.push(panes);
    // The first of a batch, and those that are not usual: offering each would cost what it counts.
    panes.offerExemplar(value, this.place);
    if (panes.isUnusualNumber(value)) {
      this.noteUnusual(signal);
      if (isOutOfRange(panes.reference, value)) countViolation(signal, "range");
    }
    return true;
  }

  /** @returns false when the value is none of this signal; that is counted */
  addCategory(signal: ObservedSignal, value: string, times = 1): boolean {
    this.snapshot.beforeChange(signal.identity);
    const { panes } = signal;
    const isTaken =
      panes === undefined
        ? (signal.learner?.addCategory(value, this.eventMs, times) ?? false)
        : panes.addCategory(value, this.pane, times);
    if (!isTaken) {
      countViolation(signal, "type");
      return false;
    }
    if (panes === undefined) return true;
    if (this.place.view !== NO_VIEW) panes.offerExemplar(value, this.place);
    if (panes.isUnusualName(value)) {
      this.noteUnusual(signal);
      if (isNewCategory(panes.reference, value)) countViolation(signal, "new_category");
    }
    return true;
  }

  /** A value may be unusual for the model and for several segments. */
  private noteUnusual({ identity }: ObservedSignal): void {
    if (!this.unusual.includes(identity.name)) this.unusual.push(identity.name);
  }
}
