// A detector of changes in a mean whose mean time between false alarms is promised and proven.
//
// Shin, Ramdas and Rinaldo 2024, "E-detectors: a nonparametric framework for sequential change
// detection" (New England Journal of Statistics in Data Science 2). For each of ten bets lambda,
// L_t is a factor of conditional mean at most 1 while nothing has changed, and
// M_t = L_t (M_{t-1} + 1) sums the evidence of all starting points (Shiryaev-Roberts). M is the
// mean of M_t over bets and sides.
//
// Guarantee: M_t - t is a supermartingale, so at the first time T with M_T >= A, E[T] >= E[M_T] >=
// A: while nothing changes, alarms are at least A values apart in the mean, looking at each value.
// Assumptions, and no others (no law, no independence, no reference sample): given its past, each
// value has a mean within [meanLow, meanHigh] and
// - bounded: lies in [low, high];
// - sub-Gaussian: E exp(l (x - mean)) <= exp(l^2 sigma^2 / 2), as for N(mean, sigma^2).
// Values that remember their past (autocorrelation) break the first: their conditional mean moves.
// Cost: O(1) a value, 20 numbers.

/** Bets a side; powers of two apart, so that the best is at most a factor of sqrt 2 away. */
const BETS = 10;

interface MeanRange {
  /** A: values between false alarms in the mean, at least; above 1. */
  readonly runLength: number;
  /** Means that are no change: [meanLow, meanHigh], which may be one point. */
  readonly meanLow: number;
  readonly meanHigh: number;
}

/** Values in [low, high]. */
export interface BoundedOptions extends MeanRange {
  readonly low: number;
  readonly high: number;
}

/** Values with tails no heavier than those of N(mean, sigma^2). */
export interface SubGaussianOptions extends MeanRange {
  readonly sigma: number;
}

/** The factors by which one side multiplies its evidence. */
type Increment = (value: number, bet: number) => number;

interface Side {
  readonly increment: Increment;
  readonly evidence: Float64Array;
}

/** Watches the mean of one stream. */
export class EDetector {
  /** A. */
  readonly runLength: number;
  readonly #sides: readonly Side[];
  readonly #low: number;
  readonly #high: number;
  #rows = 0;
  #detected = false;

  private constructor(
    range: MeanRange,
    bounds: readonly [low: number, high: number],
    increments: readonly Increment[],
  ) {
    const { runLength, meanLow, meanHigh } = range;
    if (!(runLength > 1 && runLength < Infinity)) {
      throw new RangeError(`runLength ${runLength} is not above 1`);
    }
    if (!(meanLow <= meanHigh)) throw new RangeError(`meanLow ${meanLow} exceeds ${meanHigh}`);
    this.runLength = runLength;
    [this.#low, this.#high] = bounds;
    this.#sides = increments.map((increment) => ({
      increment,
      evidence: new Float64Array(BETS),
    }));
  }

  /**
   * For bounded values: L = 1 + lambda (x - meanHigh) for a rise, and mirrored for a fall, with
   * lambda up to half of what keeps L positive.
   *
   * @throws RangeError unless low < meanLow <= meanHigh < high
   */
  static bounded(options: BoundedOptions): EDetector {
    const { low, high, meanLow, meanHigh } = options;
    if (!(low < meanLow && meanHigh < high && high - low < Infinity)) {
      throw new RangeError(`means ${meanLow}, ${meanHigh} are not inside ${low}, ${high}`);
    }
    const [roomBelow, roomAbove] = [meanHigh - low, high - meanLow];
    return new EDetector(
      options,
      [low, high],
      [
        (value, bet) => 1 + (bet * (value - meanHigh)) / roomBelow,
        (value, bet) => 1 + (bet * (meanLow - value)) / roomAbove,
      ],
    );
  }

  /**
   * For sub-Gaussian values: L = exp(lambda (x - meanHigh) - lambda^2 sigma^2 / 2) for a rise, and
   * mirrored for a fall, for shifts of 2 sigma down to sigma / 256.
   *
   * @throws RangeError when sigma is not positive
   */
  static subGaussian(options: SubGaussianOptions): EDetector {
    const { sigma, meanLow, meanHigh } = options;
    if (!(sigma > 0 && sigma < Infinity)) throw new RangeError(`sigma ${sigma} is not positive`);
    const factor = (deviation: number, bet: number): number => {
      const shift = 4 * bet;
      return Math.exp(shift * (deviation / sigma - shift / 2));
    };
    return new EDetector(
      options,
      [-Infinity, Infinity],
      [(value, bet) => factor(value - meanHigh, bet), (value, bet) => factor(meanLow - value, bet)],
    );
  }

  /** Values since the start or the last alarm. */
  get rows(): number {
    return this.#rows;
  }

  /** M: of mean at most `rows` while nothing changes; an alarm at `runLength`. */
  get evidence(): number {
    let sum = 0;
    for (const { evidence } of this.#sides) for (const each of evidence) sum += each;
    return sum / (BETS * this.#sides.length);
  }

  /**
   * Takes one value and says whether the mean has left its range. The value after an alarm starts
   * anew.
   *
   * @throws RangeError when the value is not finite or not within the bounds
   */
  add(value: number): boolean {
    if (!(Number.isFinite(value) && value >= this.#low && value <= this.#high)) {
      throw new RangeError(`value ${value} is not within [${this.#low}, ${this.#high}]`);
    }
    if (this.#detected) this.#restart();
    this.#rows++;
    for (const { increment, evidence } of this.#sides) {
      let bet = 1;
      for (let i = 0; i < BETS; i++) {
        bet /= 2;
        evidence[i] = ((evidence[i] as number) + 1) * increment(value, bet);
      }
    }
    this.#detected = this.evidence >= this.runLength;
    return this.#detected;
  }

  #restart(): void {
    this.#rows = 0;
    for (const { evidence } of this.#sides) evidence.fill(0);
  }
}
