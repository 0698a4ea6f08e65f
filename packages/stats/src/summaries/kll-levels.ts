// The levels of a KLL sketch: what is kept where, and how a level that is full moves up.
//
// Level h stands for 2^h rows an item. A full level is sorted and every second item moves up, the
// first or the second of each pair by a coin: the rank of any x then changes by at most 2^h, by 0
// on average. A level may consist of two runs, as after a merge. They are halved each for itself
// with opposite coins, which needs no comparison and errs no more than halving the joined run: the
// ranks r1 and r2 of x change by +-2^h (r1 mod 2 - r2 mod 2) in sum, the joined rank by
// +-2^h ((r1 + r2) mod 2), and these are alike in magnitude.

import { levelCapacity } from "./kll-capacity.js";
import { giveRun } from "./run-pool.js";
import { atOrBelow, everySecond, joinRuns, joinWeighted, type WeightedRun } from "./sorted-runs.js";
import { spreadSort } from "./spread-sort.js";

const BASE_LENGTH_MIN = 64;
/** How often the items may exceed their capacity between two merges, before they are halved. */
const EXCESS_MAX = 2;
/**
 * k/2 rows wait at level 0 before they are sorted, however few of them its capacity grants it after
 * millions of rows: a longer run costs less a row, and errs less. A reader sees them halved.
 */
const LG_BUFFER = 1;
const EMPTY = new Float64Array(0);

/** An ascending run of items, never written to once it is in place. */
interface Run {
  readonly items: Float64Array;
  /** Whether another sketch may hold it, too: then its memory is left to the garbage collector. */
  shared: boolean;
}

/** Two of them at most, but for what a merge has added and nobody has looked at. */
type Runs = Run[];

export class KllLevels {
  readonly k: number;
  #coin: number;
  /** Level 0: unsorted, filled up to #baseLength. */
  #base: Float64Array;
  #baseLength = 0;
  /** How far the base may be filled before something has to happen. */
  #baseRoom: number;
  /** Levels 1 and up. */
  #upper: Runs[] = [];
  #upperLength = 0;
  /** Items that fit in each level, and in all of them together. */
  #capacities: number[] = [];
  #capacity = 0;

  /** Empty; `seed` is that of the coin. */
  constructor(k: number, seed: number) {
    this.k = k;
    this.#coin = seed | 0;
    this.#base = new Float64Array(Math.min(k, BASE_LENGTH_MIN));
    this.#baseRoom = this.#base.length;
    this.#assignCapacities();
  }

  /** Takes over decoded levels: the base in any order, the others ascending. */
  static of(k: number, seed: number, levels: readonly Float64Array[]): KllLevels {
    const decoded = new KllLevels(k, seed);
    const [base = new Float64Array(0), ...upper] = levels;
    decoded.#base = base.slice();
    decoded.#baseLength = base.length;
    decoded.#baseRoom = base.length;
    for (const items of upper) decoded.#addLevel().push({ items, shared: true });
    decoded.#upperLength = upper.reduce((sum, run) => sum + run.length, 0);
    return decoded;
  }

  /** Items held. */
  get retained(): number {
    this.#settle();
    return this.#held;
  }

  /** False until the first compaction. */
  get isEstimate(): boolean {
    this.#settle();
    return this.#upper.length > 0;
  }

  /** Adds one row. */
  push(value: number): void {
    if (this.#baseLength >= this.#baseRoom) this.#makeRoom();
    this.#base[this.#baseLength++] = value;
  }

  /**
   * Adds all rows of `other`, which is unchanged. What is then too much is halved when this is next
   * read or written, which nobody can tell from halving it here, except by the time it takes.
   */
  absorb(other: KllLevels): void {
    // `other` may be this: what it holds is taken down first.
    const base = other.#base.slice(0, other.#baseLength);
    const upper = other.#upper.map(sharedRuns);
    this.#settle();
    for (const [index, runs] of upper.entries()) {
      const own = this.#upper[index] ?? this.#addLevel();
      for (const run of runs) {
        own.push(run);
        this.#upperLength += run.items.length;
      }
    }
    const length = this.#baseLength + base.length;
    if (length > this.#base.length) this.#base = grown(this.#base, length);
    this.#base.set(base, this.#baseLength);
    this.#baseLength = length;
    if (this.#held > EXCESS_MAX * this.#capacity) this.#settle();
    this.#baseRoom = Math.min(this.#base.length, this.#capacity - this.#upperLength);
  }

  clone(): KllLevels {
    const copy = new KllLevels(this.k, this.#coin);
    copy.#base = this.#base.slice();
    copy.#baseLength = this.#baseLength;
    copy.#baseRoom = this.#baseRoom;
    copy.#upper = this.#upper.map(sharedRuns);
    copy.#upperLength = this.#upperLength;
    copy.#assignCapacities();
    return copy;
  }

  /** A copy of every level: the base in the order of arrival, the others ascending. */
  arrays(): Float64Array[] {
    this.#settle();
    const base = this.#base.slice(0, this.#baseLength);
    return [base, ...this.#upper.map((runs) => joined(runs).slice())];
  }

  /** Rows at or below `x`, as far as the items tell. */
  rowsAtOrBelow(x: number): number {
    this.#settle();
    let rows = 0;
    for (let i = 0; i < this.#baseLength; i++) if ((this.#base[i] as number) <= x) rows++;
    for (const [index, runs] of this.#upper.entries()) {
      for (const { items } of runs) rows += atOrBelow(items, x) * 2 ** (index + 1);
    }
    return rows;
  }

  /** All items ascending with the rows each stands for. */
  sorted(): WeightedRun {
    this.#settle();
    const values = this.#base.slice(0, this.#baseLength);
    spreadSort(values);
    let all: WeightedRun = { values, weights: new Float64Array(values.length).fill(1) };
    for (const [index, runs] of this.#upper.entries()) {
      all = joinWeighted(all, joined(runs), 2 ** (index + 1));
    }
    return all;
  }

  get #held(): number {
    return this.#baseLength + this.#upperLength;
  }

  #makeRoom(): void {
    while (this.#held >= this.#capacity) this.#compact(this.#lowestFull());
    const room = Math.max(this.#capacity - this.#upperLength, this.k >> LG_BUFFER);
    if (this.#baseLength === this.#base.length) {
      this.#base = grown(this.#base, Math.min(2 * this.#base.length + 8, room));
    }
    this.#baseRoom = Math.min(this.#base.length, room);
  }

  /** Halves the lowest full level until everything fits; there is one as long as it does not. */
  #settle(): void {
    while (this.#held > this.#capacity) this.#compact(this.#lowestFull());
  }

  #lowestFull(): number {
    let level = 0;
    while (!this.#isFull(level)) level++;
    return level;
  }

  #isFull(level: number): boolean {
    return this.#lengthOf(level) >= (this.#capacities[level] as number);
  }

  #lengthOf(level: number): number {
    if (level === 0) return this.#baseLength;
    let length = 0;
    for (const run of this.#upper[level - 1] as Runs) length += run.items.length;
    return length;
  }

  #addLevel(): Runs {
    const runs: Runs = [];
    this.#upper.push(runs);
    this.#assignCapacities();
    return runs;
  }

  #assignCapacities(): void {
    const levels = this.#upper.length + 1;
    this.#capacities = Array.from({ length: levels }, (_, h) => levelCapacity(this.k, levels, h));
    this.#capacity = this.#capacities.reduce((sum, capacity) => sum + capacity, 0);
  }

  /** Moves a random half of a level's items up; the odd one of a run stays where it is. */
  #compact(level: number): void {
    const target = this.#upper[level] ?? this.#addLevel();
    const source = level === 0 ? [this.#sortedBase()] : (this.#upper[level - 1] as Runs);
    joinShortest(source, 2);
    let bit = this.#flip(source);
    const stay: number[] = [];
    let moved = 0;
    for (const { items } of source) {
      const kept = items.length % 2;
      const half = (items.length - kept) / 2;
      if (kept === 1) stay.push(items[0] as number);
      target.push({ items: everySecond(items, kept + bit, half), shared: false });
      bit = 1 - bit;
      moved += half;
    }
    // A level of single runs stays one: halving a single run costs least.
    joinShortest(target, Math.max(1, source.length));
    this.#upperLength += moved;
    if (level === 0) {
      this.#baseLength = stay.length;
      this.#base.set(stay);
    } else {
      this.#upperLength -= 2 * moved;
      for (const run of source.splice(0)) release(run);
      const items = Float64Array.from(stay).toSorted();
      if (items.length > 0) source.push({ items, shared: true });
    }
  }

  #sortedBase(): Run {
    const items = this.#base.subarray(0, this.#baseLength);
    spreadSort(items);
    return { items, shared: true };
  }

  /** The next fair bit of a 32-bit mixing generator, stirred with a value that moves up. */
  #flip(source: Runs): number {
    for (const { items } of source) {
      stirDouble[0] = items[items.length >> 1] as number;
      this.#coin = (this.#coin + (stirWords[0] as number)) ^ (stirWords[1] as number);
    }
    this.#coin = (this.#coin + 0x9e3779b9) | 0;
    let x = this.#coin;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) & 1;
  }
}

const stirDouble = new Float64Array(1);
const stirWords = new Int32Array(stirDouble.buffer);

/** The runs, for one more sketch to hold. */
function sharedRuns(runs: Runs): Runs {
  for (const run of runs) run.shared = true;
  return runs.slice();
}

function release(run: Run): void {
  if (!run.shared) giveRun(run.items);
}

/** All items of a level; to be read at once. */
function joined(runs: Runs): Float64Array {
  joinShortest(runs, 1);
  return runs[0]?.items ?? EMPTY;
}

/** Joins the two shortest runs until at most `runsMax` are left; the longest comes first. */
function joinShortest(runs: Runs, runsMax: number): void {
  while (runs.length > runsMax) {
    runs.sort((a, b) => b.items.length - a.items.length);
    const [a, b] = runs.splice(-2) as [Run, Run];
    runs.push({ items: joinRuns(a.items, b.items), shared: false });
    release(a);
    release(b);
  }
}

function grown(values: Float64Array, length: number): Float64Array {
  const copy = new Float64Array(length);
  copy.set(values);
  return copy;
}
