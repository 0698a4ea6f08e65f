// Page-Hinkley: two one-sided CUSUMs of a stream around its own running mean.
//
// Page 1954, "Continuous inspection schemes"; with River's semantics (drift.PageHinkley 0.26):
// sums fade by `fading`, the first `minRows` values never alarm, and the value after an alarm
// starts anew. Cost: O(1) a value, six numbers.
//
// Assumptions: none is needed to run it, and none makes its threshold a false-alarm rate: that
// depends on the stream's law and unit. Use `EDetector` where a rate has to be promised.

export interface PageHinkleyOptions {
  /** Values before the first possible alarm (default 30). */
  readonly minRows?: number;
  /** Change per value that is tolerated, in the unit of the values (default .005). */
  readonly tolerance?: number;
  /** Sum of deviations that alarms, in the unit of the values (default 50). */
  readonly threshold?: number;
  /** Factor of older deviations, in (0, 1] (default .9999). */
  readonly fading?: number;
  /** Changes looked for (default both). */
  readonly direction?: "up" | "down" | "both";
}

/** A detector of changes in the mean of one stream. */
export class PageHinkley {
  readonly #options: Required<PageHinkleyOptions>;
  #rows = 0;
  #mean = 0;
  #rise = 0;
  #riseMin = Infinity;
  #fall = 0;
  #fallMax = FALL_MAX_AT_START;
  #detected = false;

  /** @throws RangeError naming the option that is out of range */
  constructor(options: PageHinkleyOptions = {}) {
    this.#options = {
      minRows: options.minRows ?? 30,
      tolerance: options.tolerance ?? 0.005,
      threshold: options.threshold ?? 50,
      fading: options.fading ?? 0.9999,
      direction: options.direction ?? "both",
    };
    const { threshold, fading } = this.#options;
    if (!(threshold > 0)) throw new RangeError(`threshold ${threshold} is not positive`);
    if (!(fading > 0 && fading <= 1)) throw new RangeError(`fading ${fading} is not in (0, 1]`);
  }

  /** Values since the start or the last alarm. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Takes one value and says whether the mean has changed.
   *
   * @throws RangeError when the value is not finite
   */
  add(value: number): boolean {
    if (!Number.isFinite(value)) throw new RangeError(`value ${value} is not finite`);
    if (this.#detected) this.#restart();
    const { tolerance, fading, minRows } = this.#options;
    this.#rows++;
    this.#mean += (value - this.#mean) / this.#rows;
    const deviation = value - this.#mean;
    this.#rise = fading * this.#rise + deviation - tolerance;
    this.#fall = fading * this.#fall + deviation + tolerance;
    this.#riseMin = Math.min(this.#riseMin, this.#rise);
    this.#fallMax = Math.max(this.#fallMax, this.#fall);
    this.#detected = this.#rows >= minRows && this.#exceeds();
    return this.#detected;
  }

  #exceeds(): boolean {
    const { threshold, direction } = this.#options;
    const up = direction !== "down" && this.#rise - this.#riseMin > threshold;
    const down = direction !== "up" && this.#fallMax - this.#fall > threshold;
    return up || down;
  }

  #restart(): void {
    this.#rows = 0;
    this.#mean = 0;
    this.#rise = 0;
    this.#riseMin = Infinity;
    this.#fall = 0;
    this.#fallMax = FALL_MAX_AT_START;
    this.#detected = false;
  }
}

// River's start of the falling side's maximum, kept so that alarms agree to the value.
const FALL_MAX_AT_START = -1;
