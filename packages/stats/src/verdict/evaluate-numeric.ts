// The verdict on one window of a numeric signal: Kolmogorov-Smirnov with an effect floor pages,
// PSI and Wasserstein-1, each with its own floor, are shown beside it.
//
// O(bins) time; the PSI's tail adds O(sqrt(n_e)).

import { CELLS_MAX, cellCounts } from "../summaries/grid-cells.js";
import type { GridSummary } from "../summaries/grid-summary.js";
import type { ReferenceGrid } from "../summaries/reference-grid.js";
import { populationStabilityIndex } from "../two-sample/count-distances.js";
import { gridDistance } from "../two-sample/kolmogorov-smirnov.js";
import { cellTest, cellThreshold, floorOfPopulationStability } from "./cell-test.js";
import { type DriftOutcome, driftOutcome } from "./drift-outcome.js";
import type { DriftPolicy } from "./drift-policy.js";
import {
  effectiveSize,
  quarticSize,
  requiredEffectiveSize,
  requiredLiveCount,
  type SampleSize,
} from "./effective-size.js";
import { ksCriticalValue, ksFloorPValue, ksMargin } from "./kolmogorov-floor.js";
import { numericSentence } from "./verdict-sentence.js";
import { type WassersteinFloorTest, wassersteinFloorTest } from "./wasserstein-floor.js";

/** Rows a cell should expect, times phi. */
const CELL_ROWS_MIN = 5;

export interface NumericComparison {
  /** What people call the signal; opens the sentence. */
  readonly name?: string;
  readonly reference: ReferenceGrid;
  /** Must be on `reference`'s edges. */
  readonly live: GridSummary;
  readonly policy: DriftPolicy;
  /** phi of either side, >= 1 (default 1: independent rows). */
  readonly phi?: { readonly reference?: number; readonly live?: number };
  /** True while phi is not known well enough; the outcome is then `learning`. */
  readonly learning?: boolean;
  /** Bound on the error of the live ranks, 0 where every value was counted (default 0). */
  readonly liveEpsilon?: number;
  /** True for the facts of the paging test alone: no PSI, no Wasserstein-1, no sentence. */
  readonly brief?: boolean;
}

/** The share-based companion of a numeric verdict. */
export interface PopulationStability {
  /** PSI for display, 1/2 added to each count. */
  readonly value: number;
  /** T / n_e, smoothed by 1: what is compared with `threshold`; about `value` when small. */
  readonly statistic: number;
  readonly pValue: number;
  readonly threshold: number;
  readonly floor: number;
  readonly cells: number;
}

/** Plain data; every number a person needs to check the verdict. NaN where nothing was seen. */
export interface NumericEvaluation {
  readonly method: "ks";
  readonly outcome: DriftOutcome;
  /** D on the grid. */
  readonly statistic: number;
  /** D - margin, at least 0: with confidence 1 - alpha the true distance is above this. */
  readonly lowerBound: number;
  readonly pValue: number;
  /** delta0 + margin (about c/sqrt(n_e)): the window is drifted when D exceeds this. */
  readonly threshold: number;
  /** The same for a warning. */
  readonly warningThreshold: number;
  /** delta0. */
  readonly floor: number;
  /** How far D can lie below the exact one: the grid's resolution. */
  readonly errorBound: number;
  readonly alpha: number;
  /** Rows of the reference. */
  readonly n: number;
  /** Live rows with a finite value. */
  readonly m: number;
  readonly nEffective: number;
  readonly phi: { readonly reference: number; readonly live: number };
  /** 99 % rank error that the reference inherited from a sketch. */
  readonly epsilon: number;
  /** Live rows needed to see a large drift with 90 % power; Infinity: reference too small. */
  readonly needed: number;
  /** D < delta0: two such disjoint windows clear an alarm. */
  readonly belowFloor: boolean;
  /** Absent when there are too few rows for two cells. */
  readonly psi: PopulationStability | undefined;
  /** Absent when the reference does not vary or the window is empty. */
  readonly wasserstein: WassersteinFloorTest | undefined;
  /** For people: what happened, or what is missing. */
  readonly sentence: string;
}

/**
 * Compares a window with its reference.
 *
 * @throws Error when `live` is on another grid, RangeError when a phi is below 1
 */
export function evaluateNumeric(comparison: NumericComparison): NumericEvaluation {
  const { reference, live, policy, learning = false, brief = false } = comparison;
  assertSameGrid(reference, live);
  const sides = sampleSizes(comparison);
  const nEffective = effectiveSize(sides.reference, sides.live);
  const sizes = { nEffective, nQuartic: quarticSize(sides.reference, sides.live) };
  const floor = policy.floors.kolmogorovSmirnov;
  const { distance, edge } = gridDistance(reference, live);
  const excess = Math.max(0, distance - floor);
  const silent = live.count === 0;
  const pValue = silent ? Number.NaN : ksFloorPValue(excess, sizes);
  const margin = ksMargin(policy.alpha, sizes);
  const needed = requiredLiveRows(policy, sides);
  const phi = { reference: sides.reference.inflation, live: sides.live.inflation };
  const outcome = driftOutcome({ ...policy, learning, liveCount: live.count, pValue, needed });
  return {
    method: "ks",
    outcome,
    statistic: silent ? Number.NaN : distance,
    lowerBound: silent ? Number.NaN : Math.max(0, distance - margin),
    pValue,
    threshold: floor + margin,
    warningThreshold: floor + ksMargin(policy.warningAlpha, sizes),
    floor,
    errorBound: reference.resolution,
    alpha: policy.alpha,
    n: reference.count,
    m: live.count,
    nEffective,
    phi,
    epsilon: reference.epsilon,
    needed,
    belowFloor: !silent && distance < floor,
    psi: brief ? undefined : populationStability(comparison, sides, nEffective),
    wasserstein: brief ? undefined : movedMass(comparison, phi),
    sentence: brief
      ? ""
      : numericSentence({ ...comparison, outcome, distance, edge, needed, floor }),
  };
}

function movedMass(
  { reference, live, policy }: NumericComparison,
  phi: NumericEvaluation["phi"],
): WassersteinFloorTest | undefined {
  const { alpha, floors } = policy;
  return wassersteinFloorTest(reference, live, { floor: floors.wasserstein, alpha, phi });
}

type Side = SampleSize & { readonly inflation: number };

function sampleSizes(comparison: NumericComparison): { reference: Side; live: Side } {
  const { reference, live, phi } = comparison;
  const [phiReference, phiLive] = [phi?.reference ?? 1, phi?.live ?? 1];
  if (!(phiReference >= 1 && phiLive >= 1)) {
    throw new RangeError(`phi ${phiReference}, ${phiLive}: both must be at least 1`);
  }
  const { count, epsilon } = reference;
  return {
    reference: { count, epsilon, inflation: phiReference },
    live: { count: live.count, epsilon: comparison.liveEpsilon ?? 0, inflation: phiLive },
  };
}

/** Live rows at which `largeDriftFactor` floors are seen with 90 % power. */
function requiredLiveRows(policy: DriftPolicy, sides: { reference: Side; live: Side }): number {
  const floor = policy.floors.kolmogorovSmirnov;
  // A point null (floor 0) has no large drift of its own: a distance of .1 stands for it. A very
  // high floor leaves less room than the factor asks for.
  const wanted = floor > 0 ? policy.largeDriftFactor * floor : POINT_NULL_TARGET;
  const target = Math.min(wanted, (1 + floor) / 2);
  const required = requiredEffectiveSize(ksCriticalValue(policy.alpha), target, floor);
  return requiredLiveCount(required, sides.reference, sides.live);
}

const POINT_NULL_TARGET = 0.1;

function populationStability(
  comparison: NumericComparison,
  sides: { reference: Side; live: Side },
  nEffective: number,
): PopulationStability | undefined {
  const { reference, live, policy } = comparison;
  const rowsFor = (side: Side): number => Math.floor(side.count / (CELL_ROWS_MIN * side.inflation));
  const wanted = Math.min(CELLS_MAX, rowsFor(sides.live), rowsFor(sides.reference));
  if (wanted < 2) return undefined;
  const cells = reference.cells(wanted);
  if (cells.cellCount < 2) return undefined;
  const expected = reference.cellCounts(wanted);
  const observed = cellCounts(cells, live.counts);
  const floor = policy.floors.populationStability;
  const noncentrality = floorOfPopulationStability(floor);
  const test = cellTest(expected, observed, nEffective, noncentrality);
  return {
    value: populationStabilityIndex(expected, observed),
    statistic: test.distance,
    pValue: test.pValue,
    threshold: cellThreshold(policy.alpha, test.degreesOfFreedom, nEffective, noncentrality),
    floor,
    cells: cells.cellCount,
  };
}

function assertSameGrid(reference: ReferenceGrid, live: GridSummary): void {
  if (live.grid.hasEdgesOf(reference)) return;
  throw new Error(`a summary on grid ${live.grid.id} cannot be compared with ${reference.id}`);
}
