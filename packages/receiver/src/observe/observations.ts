/**
 * What has been made of one span's attributes: numbers and categories of signals that no single
 * attribute is. They are collected first, because each counts for the model and for every segment.
 */

import { RATE_EVENT, RATE_OTHER } from "../references/reference.js";

/** More than this of one span are counted and dropped. */
const OBSERVATIONS_MAX = 1024;

/** A scratch list; a category has a name, a number has none. */
export class Observations {
  readonly keys = new Int32Array(OBSERVATIONS_MAX);
  readonly numbers = new Float64Array(OBSERVATIONS_MAX);
  /** How many rows each stands for. */
  readonly times = new Int32Array(OBSERVATIONS_MAX);
  readonly names: (string | undefined)[] = Array.from({ length: OBSERVATIONS_MAX });
  count = 0;
  /** What did not fit in, or was of another type than its signal, since the last {@link clear}. */
  overflow = 0;
  invalid = 0;

  clear(): void {
    this.names.fill(undefined, 0, this.count);
    this.count = this.overflow = this.invalid = 0;
  }

  /** A number that is none is counted as invalid; a negative key finds no signal. */
  addNumber(key: number, value: number): void {
    if (!Number.isFinite(value)) this.invalid++;
    else this.add(key, value, undefined);
  }

  addName(key: number, name: string): void {
    this.add(key, 0, name);
  }

  /** Whether the event of a rate has happened, or has that many times. */
  addEvent(key: number, happened: boolean, times = 1): void {
    this.add(key, 0, happened ? RATE_EVENT : RATE_OTHER, times);
  }

  private add(key: number, value: number, name: string | undefined, times = 1): void {
    if (key < 0 || this.count === OBSERVATIONS_MAX) {
      this.overflow++;
      return;
    }
    this.keys[this.count] = key;
    this.numbers[this.count] = value;
    this.times[this.count] = times;
    this.names[this.count++] = name;
  }
}
