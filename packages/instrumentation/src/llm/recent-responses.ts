/** Which answers have been recorded lately, for frameworks that would record them once more. */

const IDS_MAX = 1000;

/** A bounded memory of answers' ids, and how many calls have ended. */
class RecentResponses {
  private readonly ids = new Set<string>();
  /** Calls that have ended so far: two may end in one millisecond. */
  count = 0;

  /** A call has ended. */
  add(id: string | undefined): void {
    this.count++;
    if (id === undefined) return;
    this.ids.add(id);
    if (this.ids.size <= IDS_MAX) return;
    const [oldest] = this.ids;
    this.ids.delete(oldest as string);
  }

  /** Whether an answer is known; one without an id is taken for any that came since that count. */
  has(id: string | undefined, sinceCount: number): boolean {
    if (id !== undefined && this.ids.has(id)) return true;
    return id === undefined && this.count > sinceCount;
  }
}

/** Of this process. */
export const RECENT_CALLS = new RecentResponses();
