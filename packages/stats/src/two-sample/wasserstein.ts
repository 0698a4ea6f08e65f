// Distances between cumulative distributions that grow with how far the mass has moved:
// Wasserstein-1 (the area between them) and energy (twice the squared difference, integrated, and
// its root). Both are metrics, so the errors of the two sides add up. Descriptive: no p-value.
// O(n log n) on raw rows, O(bins) on grids.

import { type LawSource, readOnce } from "./empirical-law.js";
import { type ComparedRows, comparedRows, type LawPair, pairLaws } from "./law-pair.js";
import { sigmaOf, unitOfPoints } from "./moments.js";

/** A distance with its own error. */
export interface MovedMass extends ComparedRows {
  readonly statistic: number;
  /** How far `statistic` can lie from that of the raw rows: 0 for rows, 99 % for sketches. */
  readonly errorBound: number;
}

/** `statistic` is in the unit of the rows. */
export interface WassersteinDistance extends MovedMass {
  /** The reference's standard deviation (divisor n), at least its floor. */
  readonly sigma: number;
  /** `statistic` over `sigma`. */
  readonly normalised: number;
}

/** Evidently's floor of the standard deviation, for references that hardly vary. */
const SIGMA_MIN = 0.001;

/**
 * The mean distance by which mass must move to turn one side into the other.
 *
 * @param sigmaMin least standard deviation to normalise by, in the unit of the rows (default .001)
 * @throws RangeError when a side has no finite row
 */
export function wassersteinDistance(
  reference: LawSource,
  live: LawSource,
  sigmaMin: number = SIGMA_MIN,
): WassersteinDistance {
  const shared = readOnce(reference);
  const pair = pairLaws(shared, live);
  const unit = unitOfPoints(pair.points);
  const statistic = unit * integral(pair, Math.abs, unit);
  const errorBound = unit * movedBy(pair, Math.abs, unit).reduce((sum, error) => sum + error, 0);
  const sigma = Math.max(sigmaOf(shared), sigmaMin);
  return { statistic, errorBound, ...comparedRows(pair), sigma, normalised: statistic / sigma };
}

/**
 * The energy distance, sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|), as scipy defines it; its unit is
 * the root of that of the rows.
 *
 * @throws RangeError when a side has no finite row
 */
export function energyDistance(reference: LawSource, live: LawSource): MovedMass {
  const pair = pairLaws(reference, live);
  const unit = unitOfPoints(pair.points);
  const root = Math.sqrt(unit);
  const statistic = root * Math.sqrt(2 * integral(pair, square, unit));
  const errors = movedBy(pair, square, unit);
  const errorBound = root * errors.reduce((sum, error) => sum + Math.sqrt(2 * error), 0);
  return { statistic, errorBound, ...comparedRows(pair) };
}

/** The integral of `of`(F - G) over the line, in multiples of `unit`. */
function integral({ points, reference, live }: LawPair, of: Height, unit: number): number {
  const { rows, count: n } = reference;
  const { rows: liveRows, count: m } = live;
  let [area, below, liveBelow] = [0, 0, 0];
  for (let i = 0; i + 1 < points.length; i++) {
    below += rows[i] as number;
    liveBelow += liveRows[i] as number;
    const width = (points[i + 1] as number) / unit - (points[i] as number) / unit;
    area += of((below * m - liveBelow * n) / (n * m)) * width;
  }
  return area;
}

/**
 * Bounds the integral of `of`(F - F') for F' as each side was counted: first by rounding to bins,
 * `of`(share) times the half width of each, then by a sketch, `of`(rank error) times the range.
 */
function movedBy(pair: LawPair, of: Height, unit: number): number[] {
  const { points, halfWidths = NO_WIDTHS } = pair;
  const range = (points[points.length - 1] as number) / unit - (points[0] as number) / unit;
  return [pair.reference, pair.live].flatMap(({ rows, count, rankError }) => {
    const rounding = halfWidths.reduce(
      (sum, halfWidth, bin) => sum + of((rows[bin] as number) / count) * (halfWidth / unit),
      0,
    );
    return [rounding, of(rankError) * range];
  });
}

const NO_WIDTHS = new Float64Array(0);

/** What is integrated, given F - G. */
type Height = (gap: number) => number;

function square(gap: number): number {
  return gap * gap;
}
