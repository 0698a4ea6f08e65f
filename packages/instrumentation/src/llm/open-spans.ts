/** Spans that one callback starts and another one ends, by an id that both are told. */

/** More than a process has open at once; an app that never ends them must not fill the memory. */
const OPEN_MAX = 10_000;

/** A bounded memory of them. */
export class OpenSpans<T> {
  private readonly open = new Map<string, T>();
  private readonly drop: (value: T) => void;

  /** @param drop ends the oldest when there are too many */
  constructor(drop: (value: T) => void) {
    this.drop = drop;
  }

  /** Keeps one; another one of the same id is dropped. */
  add(id: string, value: T): void {
    const before = this.take(id);
    if (before !== undefined) this.drop(before);
    this.open.set(id, value);
    if (this.open.size <= OPEN_MAX) return;
    const [oldest] = this.open.keys();
    const dropped = this.take(oldest as string);
    if (dropped !== undefined) this.drop(dropped);
  }

  /** The one of an id, which stays. */
  get(id: string): T | undefined {
    return this.open.get(id);
  }

  /** All of them, the oldest first. */
  values(): Iterable<T> {
    return this.open.values();
  }

  /** The one of an id, which is kept no longer. */
  take(id: string): T | undefined {
    const value = this.open.get(id);
    this.open.delete(id);
    return value;
  }
}
