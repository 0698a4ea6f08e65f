/** How verdicts have changed, the newest changes of all signals together. */
import type { StateChanges, StoredState } from "../state/state-store.js";
import type { Verdict } from "./verdict.js";
import { verdictJson } from "./verdict.js";

/** A verdict as it was when its state changed. Plain data, as the API shows it. */
export interface Transition {
  /** The state before; `none` for the first verdict. */
  readonly before: string;
  /** As {@link verdictJson} shows it: numbers that do not exist are null. */
  readonly verdict: Readonly<Record<string, unknown>>;
}

const KIND = "evaluate.transition";
/** Digits of a sequence number, so that keys are in the order of time. */
const DIGITS = 12;

/** A bounded list in the order of time, which survives restarts. */
export class VerdictHistory {
  private readonly most: number;
  private transitions: Transition[] = [];
  /** Number of the next one, over all runs. */
  private next = 0;
  /** Number of the first that is not stored. */
  private unsaved = 0;
  private savedFrom = 0;

  /** @param most transitions that are kept; a kilobyte each, in memory and in the store */
  constructor(most: number) {
    this.most = most;
  }

  add(verdict: Verdict, before: string): void {
    this.transitions.push({ before, verdict: verdictJson(verdict) });
    this.next++;
    // Cutting a tenth at once makes it cheap.
    if (this.transitions.length > this.most * 1.1) {
      this.transitions = this.transitions.slice(-this.most);
    }
  }

  /** The newest ones that are wanted, the newest first. */
  newest(isWanted: (transition: Transition) => boolean, limit: number): Transition[] {
    return this.transitions.toReversed().filter(isWanted).slice(0, limit);
  }

  save(changes: StateChanges): void {
    const first = this.next - this.transitions.length;
    for (let number = Math.max(first, this.unsaved); number < this.next; number++) {
      changes.put(KIND, keyOf(number), JSON.stringify(this.transitions[number - first]));
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
    this.transitions = items.map(({ body }) => JSON.parse(String(body)) as Transition);
    this.next = items.length === 0 ? 0 : Number(items.at(-1)?.key) + 1;
    this.unsaved = this.next;
    this.savedFrom = this.next;
  }
}

function keyOf(number: number): string {
  return String(number).padStart(DIGITS, "0");
}
