/** What is usual for a signal now; while it drifts, only the side that it has left. */
import type { ClosedWindow } from "../closed-window.js";
import type { Reference } from "../references/reference.js";
import type { UsualValues } from "./usual-values.js";
import { usualInDrift, usualValues } from "./usual-values.js";

const NO_NAMES: ReadonlySet<string> = new Set();

/** Bounds of numbers, or names of categories: see usual-values.ts. */
export class UsualNow {
  low = Number.NEGATIVE_INFINITY;
  high = Number.POSITIVE_INFINITY;
  names = NO_NAMES;
  private readonly reference: Reference;
  /** What is usual in each window length in which the signal drifts; most never do. */
  private drifts: Map<number, UsualValues> | undefined;

  constructor(reference: Reference) {
    this.reference = reference;
    this.take(usualValues(reference));
  }

  /** A window has been judged. */
  judge(closed: ClosedWindow, drifted: boolean): void {
    if (drifted) (this.drifts ??= new Map()).set(closed.window, usualInDrift(closed));
    else if (!this.drifts?.delete(closed.window)) return;
    // The shortest window length that drifts has the freshest view.
    const [shortest = -1] = [...this.drifts.keys()].toSorted((a, b) => a - b);
    this.take(this.drifts.get(shortest) ?? usualValues(this.reference));
  }

  private take(usual: UsualValues): void {
    if ("low" in usual) {
      this.low = usual.low;
      this.high = usual.high;
    } else this.names = usual;
  }
}
