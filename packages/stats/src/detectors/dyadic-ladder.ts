// A ladder of tumbling windows of base, 2 base, 4 base, … in event time: whatever the size of a
// drift, some rung is about as long as it takes to see it.
//
// A binary counter: each level keeps at most the left half of the window that is open above it, so
// nine levels (5 minutes to 21 hours) hold nine summaries and cost one merge a pane, amortised.
// Windows are aligned to the epoch: level k is [i, i + 1) base 2^k. A pane that comes after its
// window has closed joins the shortest open window that covers it, so that within the longest
// window no row is lost and the order of arrival does not matter.

/** What a ladder is made of: a grid, category counts, or anything else that merges. */
export interface Mergeable<S> {
  clone(): S;
  merge(other: S): void;
}

/** The ladder between panes. Immutable; its summaries are shared with windows handed out. */
export interface DyadicLadder<S> {
  readonly baseMs: number;
  /** Every level-0 window before this index, counted from the epoch, has closed. */
  readonly nextIndex: number;
  /** waiting[k] is the closed left half of the open window of level k + 1; one less than levels. */
  readonly waiting: readonly (S | undefined)[];
  /** Panes older than the longest open window, left out. */
  readonly tooLate: number;
}

/** A closed window, [startMs, endMs). Its summary must not be changed. */
export interface LadderWindow<S> {
  /** k: the window lasts base 2^k. */
  readonly level: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly summary: S;
}

export interface LadderOptions {
  /** Length of the shortest window, a positive integer (default 5 minutes). */
  readonly baseMs?: number;
  /** Window lengths, 1 to 20 (default 9: 5 minutes to 21 hours and 20 minutes). */
  readonly levels?: number;
}

/** Levels unless said otherwise; 9 waiting grids of 1 KB. */
export const LADDER_LEVELS_DEFAULT = 9;
const LADDER_LEVELS_MAX = 20;
const BASE_MS_DEFAULT = 300_000;

/** An empty ladder. @throws RangeError naming the option that is out of range */
export function emptyLadder<S>(options: LadderOptions = {}): DyadicLadder<S> {
  const baseMs = options.baseMs ?? BASE_MS_DEFAULT;
  const levels = options.levels ?? LADDER_LEVELS_DEFAULT;
  if (!(Number.isInteger(baseMs) && baseMs > 0)) {
    throw new RangeError(`baseMs ${baseMs} is not a positive integer`);
  }
  if (!(Number.isInteger(levels) && levels >= 1 && levels <= LADDER_LEVELS_MAX)) {
    throw new RangeError(`levels ${levels} is not an integer in [1, ${LADDER_LEVELS_MAX}]`);
  }
  const waiting = Array<S | undefined>(levels - 1).fill(undefined);
  return { baseMs, nextIndex: -Infinity, waiting, tooLate: 0 };
}

/**
 * Adds the closed pane that starts at `startMs`, and closes every window that ends with it.
 *
 * @param summary of [startMs, startMs + baseMs); the ladder keeps it, it must not change any more
 * @returns the windows that closed, in the order in which they end, the shorter first. A window
 *   without any pane does not appear; hand in empty panes to see silence
 * @throws RangeError when startMs is no multiple of the base
 */
export function pushPane<S extends Mergeable<S>>(
  ladder: DyadicLadder<S>,
  startMs: number,
  summary: S,
): { readonly ladder: DyadicLadder<S>; readonly closed: readonly LadderWindow<S>[] } {
  const index = startMs / ladder.baseMs;
  if (!Number.isInteger(index)) {
    throw new RangeError(`startMs ${startMs} is no multiple of ${ladder.baseMs}`);
  }
  if (index < ladder.nextIndex) return { ladder: withLatePane(ladder, index, summary), closed: [] };
  const waited = closeUntil(ladder, index);
  const own = climb(waited.ladder, { level: 0, index, summary }, index + 1);
  return { ladder: own.ladder, closed: [...waited.closed, ...own.closed] };
}

/**
 * Closes every window that ends at or before `endMs`, when panes are known not to come any more.
 *
 * @returns as `pushPane`
 */
export function advanceLadder<S extends Mergeable<S>>(
  ladder: DyadicLadder<S>,
  endMs: number,
): { readonly ladder: DyadicLadder<S>; readonly closed: readonly LadderWindow<S>[] } {
  return closeUntil(ladder, Math.floor(endMs / ladder.baseMs));
}

/** A closed window by its index in its level. */
interface Rung<S> {
  readonly level: number;
  readonly index: number;
  readonly summary: S;
}

interface Climbed<S> {
  readonly ladder: DyadicLadder<S>;
  readonly closed: LadderWindow<S>[];
}

function closeUntil<S extends Mergeable<S>>(ladder: DyadicLadder<S>, next: number): Climbed<S> {
  if (next <= ladder.nextIndex) return { ladder, closed: [] };
  return climb(ladder, undefined, next);
}

/**
 * Hands closed windows up, level by level, until `next`: a right half joins the left half that has
 * waited for it, a left half waits, unless the window above ends by `next` without its right half.
 */
function climb<S extends Mergeable<S>>(
  ladder: DyadicLadder<S>,
  from: Rung<S> | undefined,
  next: number,
): Climbed<S> {
  const { baseMs, nextIndex } = ladder;
  const waiting = [...ladder.waiting];
  const closed: LadderWindow<S>[] = [];
  let rung = from;
  for (let level = 0; level <= waiting.length; level++) {
    if (rung) closed.push(windowOf(rung, baseMs));
    if (level === waiting.length) break;
    const left = waiting[level];
    // The open window above, as of the last pane, and as of this one.
    const above = Math.floor((rung ? rung.index : openIndex(nextIndex, level)) / 2);
    const ends = (above + 1) * 2 ** (level + 1) <= next;
    const parts = [left, rung?.summary].filter((part) => part !== undefined);
    const summary = parts.length === 2 ? merged(parts[0] as S, parts[1] as S) : parts[0];
    waiting[level] = ends ? undefined : summary;
    rung = ends && summary ? { level: level + 1, index: above, summary } : undefined;
  }
  return { ladder: { ...ladder, nextIndex: next, waiting }, closed };
}

/** Index, in its level, of the window that holds the level-0 index `next`. */
function openIndex(next: number, level: number): number {
  return Math.floor(next / 2 ** level);
}

function withLatePane<S extends Mergeable<S>>(
  ladder: DyadicLadder<S>,
  index: number,
  summary: S,
): DyadicLadder<S> {
  const { nextIndex, waiting } = ladder;
  for (let level = 0; level < waiting.length; level++) {
    // The half that is closed of an open window is its left one: it waits here, or may.
    if (openIndex(index, level + 1) !== openIndex(nextIndex, level + 1)) continue;
    const joined = [...waiting];
    const left = waiting[level];
    joined[level] = left === undefined ? summary : merged(left, summary);
    return { ...ladder, waiting: joined };
  }
  return { ...ladder, tooLate: ladder.tooLate + 1 };
}

function merged<S extends Mergeable<S>>(left: S, right: S): S {
  const sum = left.clone();
  sum.merge(right);
  return sum;
}

function windowOf<S>({ level, index, summary }: Rung<S>, baseMs: number): LadderWindow<S> {
  const lengthMs = baseMs * 2 ** level;
  return { level, startMs: index * lengthMs, endMs: (index + 1) * lengthMs, summary };
}
