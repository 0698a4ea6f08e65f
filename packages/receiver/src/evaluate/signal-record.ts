/**
 * What is remembered of one signal between its windows: a hundred thousand signals of a dozen
 * window lengths are remembered, so it is numbers in one array, which is also how it is stored.
 */
import type { DriftOutcome, DriftState, WindowCounts, WindowVariation } from "@tidemark/stats";
import type { SignalIdentity } from "../closed-window.js";
import { lastingNumbers, type NumberSlab } from "../slabs.js";
import type { WindowLength } from "../window-lengths.js";
import { unpackEvaluation } from "./packed-evaluation.js";
import type { Evidence, Verdict } from "./verdict.js";

/** What can become of a window; a state is stored as an index of this list. */
export const OUTCOMES = [
  "learning",
  "silent",
  "insufficient",
  "stable",
  "warning",
  "drifted",
  "failed",
] as const;
const ALARMS = ["none", "warning", "drifted"] as const;

/** One of the above. */
export type WindowOutcome = DriftOutcome | "failed";

/** Points at which the variation of windows is followed; fewer are filled up with zeros. */
const POINTS = 9;
/** Of one length, exact: status, alarm, since when, below since when; windows and their rows. */
const EXACT = 6;
/**
 * Of one length, to seven digits: at each point the sums over windows of m (I - E) and m (I - E)^2,
 * m rows of which a share I lies at or below where a share E is expected; then how often each
 * outcome has come. Sums of I itself would lose in seven digits what windows vary by.
 */
const ROUNDED = 2 * POINTS + OUTCOMES.length;

const LENGTH_BYTES = 8 * EXACT + 4 * ROUNDED + (ROUNDED % 2) * 4;

/** Rows of a window at each point, all rows, and the shares that are expected at the points. */
export interface ExpectedCounts extends WindowCounts {
  readonly expected: readonly number[];
}

/** States, verdicts and running sums of one signal, by window length. */
export class SignalRecord {
  readonly signal: SignalIdentity;
  /** Names the reference that all of it is about. */
  readonly referenceId: string;
  /** Of the lengths that are shown, or have alarmed. */
  readonly evidence: (Evidence | undefined)[];
  /** Lengths whose evidence no checkpoint has stored, a bit each; for the checkpoint to keep. */
  unstored = 0;
  /** The store may have evidence of a record before this one; for the checkpoint to keep. */
  replaces = false;
  private readonly lengths: number;
  private readonly slab: NumberSlab;
  /** Where the exact numbers of the first length are among the slab's doubles. */
  private readonly start: number;

  constructor(signal: SignalIdentity, referenceId: string, lengths: number) {
    this.signal = signal;
    this.referenceId = referenceId;
    this.evidence = Array.from({ length: lengths }, () => undefined);
    this.lengths = lengths;
    [this.slab, this.start] = lastingNumbers((lengths * LENGTH_BYTES) / 8);
    const { doubles } = this.slab;
    for (let length = 0; length < lengths; length++) doubles[this.exactAt(length) + 3] = Number.NaN;
  }

  /** All numbers, for the store, where they are. */
  get bytes(): Uint8Array {
    const from = 8 * this.start;
    return this.slab.bytes.subarray(from, from + this.lengths * LENGTH_BYTES);
  }

  /** Takes the numbers of a length from such bytes, where it was the one numbered `at`. */
  restore(length: number, bytes: Uint8Array, at: number): void {
    const copy = new Uint8Array(bytes).buffer;
    const lengths = copy.byteLength / LENGTH_BYTES;
    const exact = new Float64Array(copy, 8 * at * EXACT, EXACT);
    this.slab.doubles.set(exact, this.exactAt(length));
    const rounded = new Float32Array(copy, 8 * lengths * EXACT + 4 * at * ROUNDED, 2 * POINTS);
    this.slab.singles.set(rounded, this.roundedAt(length));
  }

  /** The worst alarm in force in any length. */
  get alarm(): DriftState["alarm"] {
    let worst = 0;
    for (let length = 0; length < this.lengths; length++) {
      worst = Math.max(worst, this.slab.doubles[this.exactAt(length) + 1] as number);
    }
    return ALARMS[worst] as DriftState["alarm"];
  }

  /** The latest verdict of each length that has one to show. */
  *verdicts(lengths: readonly WindowLength[]): Generator<[length: number, verdict: Verdict]> {
    for (const [length, found] of this.evidence.entries()) {
      if (found) yield [length, this.verdict(length, lengths, found)];
    }
  }

  /** The verdict that some evidence has led to. */
  verdict(length: number, lengths: readonly WindowLength[], evidence: Evidence): Verdict {
    const { packed, ...window } = evidence;
    const { name } = lengths[length] as WindowLength;
    const evaluation = unpackEvaluation(packed);
    return { signal: this.signal, window: name, drift: this.state(length), ...window, evaluation };
  }

  /** The state in windows of a length. */
  state(length: number): DriftState {
    const at = this.exactAt(length);
    const { doubles: exact } = this.slab;
    const belowSinceMs = exact[at + 3] as number;
    return {
      status: OUTCOMES[exact[at] as number] as DriftOutcome,
      alarm: ALARMS[exact[at + 1] as number] as DriftState["alarm"],
      sinceMs: exact[at + 2] as number,
      belowSinceMs: Number.isNaN(belowSinceMs) ? undefined : belowSinceMs,
    };
  }

  setState(length: number, { status, alarm, sinceMs, belowSinceMs }: DriftState): void {
    const at = this.exactAt(length);
    const { doubles: exact } = this.slab;
    exact[at] = OUTCOMES.indexOf(status);
    exact[at + 1] = ALARMS.indexOf(alarm);
    exact[at + 2] = sinceMs;
    exact[at + 3] = belowSinceMs ?? Number.NaN;
  }

  /** How the windows of a length have varied, around the shares that are expected now. */
  variation(length: number, { expected }: ExpectedCounts): WindowVariation {
    const { doubles: exact, singles: rounded } = this.slab;
    const exactAt = this.exactAt(length);
    const windows = exact[exactAt + 4] as number;
    const rows = exact[exactAt + 5] as number;
    const at = this.roundedAt(length);
    const counts: number[] = [];
    const squares: number[] = [];
    for (const [point, share] of expected.entries()) {
      const sum = rounded[at + point] as number;
      counts.push(sum + share * rows);
      const square = rounded[at + POINTS + point] as number;
      squares.push(square + share * (2 * sum + share * rows));
    }
    return { windows, rows, counts, squares };
  }

  /** Adds a window to it. */
  addVariation(length: number, { counts, rows, expected }: ExpectedCounts): void {
    const { doubles: exact, singles: rounded } = this.slab;
    const exactAt = this.exactAt(length);
    exact[exactAt + 4] = (exact[exactAt + 4] as number) + 1;
    exact[exactAt + 5] = (exact[exactAt + 5] as number) + rows;
    const at = this.roundedAt(length);
    for (const [point, count] of counts.entries()) {
      const beyond = count - (expected[point] as number) * rows;
      rounded[at + point] = (rounded[at + point] as number) + beyond;
      const square = (beyond * beyond) / rows;
      rounded[at + POINTS + point] = (rounded[at + POINTS + point] as number) + square;
    }
  }

  /** Counts what has become of a window. */
  note(length: number, outcome: WindowOutcome): void {
    const { singles } = this.slab;
    const at = this.roundedAt(length) + 2 * POINTS + OUTCOMES.indexOf(outcome);
    singles[at] = (singles[at] as number) + 1;
  }

  /** How often a window of a length has come to an outcome since the start. */
  noted(length: number, outcome: WindowOutcome): number {
    const at = this.roundedAt(length) + 2 * POINTS + OUTCOMES.indexOf(outcome);
    return this.slab.singles[at] as number;
  }

  private exactAt(length: number): number {
    return this.start + length * EXACT;
  }

  private roundedAt(length: number): number {
    return 2 * this.exactAt(this.lengths) + length * ROUNDED;
  }
}
