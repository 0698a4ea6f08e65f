/** How verdicts have changed, the newest changes of all signals together. */
import type { StateChanges, StoredState } from "../state/state-store.js";
import type { Verdict } from "./verdict.js";
import { verdictJson } from "./verdict.js";

/** The state that a change has ended. */
export interface FormerState {
  /** `none` for the first verdict. */
  readonly status: string;
  /** End of the window with which it began, epoch milliseconds; 0 at the start. */
  readonly sinceMs: number;
}

/** A verdict as it was when its state changed. Plain data, as the API shows it. */
export interface Transition {
  /** The state before; `none` for the first verdict. */
  readonly before: string;
  /** When that state began, epoch milliseconds; not known of changes of earlier releases. */
  readonly beforeSinceMs?: number;
  /** As {@link verdictJson} shows it: numbers that do not exist are null. */
  readonly verdict: Readonly<Record<string, unknown>>;
}

const NEWS: ReadonlySet<string> = new Set(["warning", "drifted", "silent"]);
const KIND = "evaluate.transition";
/** Digits of a sequence number, so that keys are in the order of time. */
const DIGITS = 12;

/** A bounded list in the order of time, which survives restarts. */
export class VerdictHistory {
  private readonly most: number;
  /** As text, which takes a third of the room. */
  private transitions: string[] = [];
  /** Number of the next one, over all runs. */
  private next = 0;
  /** Number of the first that is not stored. */
  private unsaved = 0;
  private savedFrom = 0;

  /** @param most transitions that are kept; a kilobyte each, in memory and in the store */
  constructor(most: number) {
    this.most = most;
  }

  /** Keeps a change if it begins or ends an alarm or a silence: others are no news. */
  add(verdict: Verdict, { status: before, sinceMs: beforeSinceMs }: FormerState): void {
    if (![before, verdict.drift.status].some((state) => NEWS.has(state))) return;
    const transition: Transition = { before, beforeSinceMs, verdict: verdictJson(verdict) };
    this.transitions.push(JSON.stringify(transition));
    this.next++;
    // Cutting a tenth at once makes it cheap.
    if (this.transitions.length > this.most * 1.1) {
      this.transitions = this.transitions.slice(-this.most);
    }
  }

  /** The newest ones that are wanted, the newest first. */
  newest(isWanted: (transition: Transition) => boolean, limit: number): Transition[] {
    const found: Transition[] = [];
    for (let at = this.transitions.length - 1; at >= 0 && found.length < limit; at--) {
      const transition = JSON.parse(this.transitions[at] as string) as Transition;
      if (isWanted(transition)) found.push(transition);
    }
    return found;
  }

  save(changes: StateChanges): void {
    const first = this.next - this.transitions.length;
    for (let number = Math.max(first, this.unsaved); number < this.next; number++) {
      changes.put(KIND, keyOf(number), this.transitions[number - first] as string);
    }
    this.savedFrom = this.unsaved;
    this.unsaved = this.next;
    if (this.next > this.most) changes.deleteBefore(KIND, keyOf(this.next - this.most));
  }

  saveFailed(): void {
    this.unsaved = this.savedFrom;
  }

  async restore(stored: StoredState): Promise<void> {
    const items = await stored.items(KIND);
    this.transitions = items.map(({ body }) => String(body));
    this.next = items.length === 0 ? 0 : Number(items.at(-1)?.key) + 1;
    this.unsaved = this.next;
    this.savedFrom = this.next;
  }
}

function keyOf(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
