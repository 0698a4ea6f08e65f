/** Which answers have been recorded lately, for frameworks that would record them once more. */

const IDS_MAX = 1000;

/** A bounded memory of answers' ids, and of when a call last ended. */
class RecentResponses {
  private readonly ids = new Set<string>();
  private lastAtMs = 0;

  /** A call has ended. */
  add(id: string | undefined): void {
    this.lastAtMs = Date.now();
    if (id === undefined) return;
    this.ids.add(id);
    if (this.ids.size <= IDS_MAX) return;
    const [oldest] = this.ids;
    this.ids.delete(oldest as string);
  }

  /** Whether an answer is known; one without an id is taken for any that came since then. */
  has(id: string | undefined, sinceMs: number): boolean {
    if (id !== undefined && this.ids.has(id)) return true;
    return id === undefined && this.lastAtMs >= sinceMs;
  }
}

/** Of this process. */
export const RECENT_CALLS = new RecentResponses();
