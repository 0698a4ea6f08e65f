// The verdict on one window of a categorical signal: the cell test T with an effect floor.
//
// Cells: categories of which the smaller side expects at least 5 phi rows, by the shares of both
// sides together, stand alone; the rest is one cell "other". Chosen by the reference's counts only,
// a small reference's rare categories would be those it happens to lack, and "other" would differ
// without any drift; given both sides' sum, chance deals a category's rows to the sides alike.
// A category of the smaller side with many times those rows stands alone too: that the sum expects
// fewer than 5 is then no chance. Names that nobody knew, each too rare to count, have replaced it.

import { type CategoryCounts } from "../summaries/category-counts.js";
import {
  jensenShannon,
  populationStabilityIndex,
  totalVariation,
} from "../two-sample/count-distances.js";
import { cellTest, cellThreshold, floorOfHellinger, requiredCellSize } from "./cell-test.js";
import { type DriftOutcome, driftOutcome } from "./drift-outcome.js";
import type { DriftPolicy } from "./drift-policy.js";
import { effectiveSize, requiredLiveCount } from "./effective-size.js";
import {
  lackingClause,
  NOT_ESTABLISHED,
  percent,
  prefixed,
  shareDivergence,
} from "./verdict-sentence.js";

/** Independent rows that a category must expect on the smaller side to stand alone. */
const CELL_ROWS_MIN = 5;
/** Poisson of mean 5 reaches 40 with a chance of 1e-21, so that no null is judged otherwise. */
const CELL_ROWS_SURE = 40;
/** Hellinger distance worth seeing when the floor is 0. */
const POINT_NULL_TARGET = 0.1;

export interface CategoricalComparison {
  /** What people call the signal; opens the sentence. */
  readonly name?: string;
  readonly reference: CategoryCounts;
  /** Best built with `CategoryCounts.liveFor(reference)`, so that known names keep a place. */
  readonly live: CategoryCounts;
  readonly policy: DriftPolicy;
  /** phi of either side, >= 1 (default 1). */
  readonly phi?: { readonly reference?: number; readonly live?: number };
  readonly learning?: boolean;
  /** True for the facts of the paging test alone: no distances for display, no sentence. */
  readonly brief?: boolean;
}

/** Plain data. Distances are Hellinger's; NaN where nothing was seen. */
export interface CategoricalEvaluation {
  readonly method: "hellinger";
  readonly outcome: DriftOutcome;
  /** Hellinger distance of the smoothed shares: sqrt(T / (8 n_e)). */
  readonly statistic: number;
  /** Statistic less the distance that chance and the level explain, at least 0. */
  readonly lowerBound: number;
  readonly pValue: number;
  /** The window is drifted when the statistic exceeds this. */
  readonly threshold: number;
  readonly warningThreshold: number;
  readonly floor: number;
  readonly alpha: number;
  readonly n: number;
  readonly m: number;
  readonly nEffective: number;
  readonly phi: { readonly reference: number; readonly live: number };
  /** Cells compared, "other" included. */
  readonly cells: number;
  /** Live rows needed to see `largeDriftFactor` floors with 90 % power. */
  readonly needed: number;
  /** T less its k - 1 is below the floor's. */
  readonly belowFloor: boolean;
  /** For display: PSI (1/2 added), Jensen-Shannon distance (base 2), total variation. */
  readonly psi: number;
  readonly jensenShannon: number;
  readonly totalVariation: number;
  readonly sentence: string;
}

/** Compares a window with its reference. @throws RangeError when the reference is empty */
export function evaluateCategorical(comparison: CategoricalComparison): CategoricalEvaluation {
  const { reference, live, policy, learning = false, brief = false } = comparison;
  if (reference.count === 0) throw new RangeError("the reference has no rows");
  const phi = { reference: comparison.phi?.reference ?? 1, live: comparison.phi?.live ?? 1 };
  const sides = {
    reference: { count: reference.count, inflation: phi.reference },
    live: { count: live.count, inflation: phi.live },
  };
  const nEffective = effectiveSize(sides.reference, sides.live);
  const floor = policy.floors.hellinger;
  const noncentrality = floorOfHellinger(floor);
  const cells = categoryCells(reference, live, sides);
  const silent = live.count === 0;
  const freedom = Math.max(1, cells.expected.length - 1);
  const test = silent
    ? undefined
    : cellTest(cells.expected, cells.observed, nEffective, noncentrality);
  const statistic = Math.sqrt((test?.distance ?? Number.NaN) / 8);
  const thresholdAt = (alpha: number): number =>
    Math.sqrt(cellThreshold(alpha, freedom, nEffective, noncentrality) / 8);
  const threshold = silent ? Infinity : thresholdAt(policy.alpha);
  const needed = requiredRows(comparison, sides);
  // A single cell holds everything on both sides: nothing can be told apart.
  const pValue = cells.names.length === 0 && !silent ? 1 : (test?.pValue ?? Number.NaN);
  const outcome = driftOutcome({ ...policy, learning, liveCount: live.count, pValue, needed });
  const belowFloor = test !== undefined && test.excess < noncentrality;
  const display = silent || brief ? undefined : displayed(cells);
  return {
    method: "hellinger",
    outcome,
    statistic,
    lowerBound: Math.max(0, statistic - (threshold - floor)),
    pValue,
    threshold,
    warningThreshold: silent ? Infinity : thresholdAt(policy.warningAlpha),
    floor,
    alpha: policy.alpha,
    n: reference.count,
    m: live.count,
    nEffective,
    phi,
    cells: cells.expected.length,
    needed,
    belowFloor,
    psi: display?.psi ?? Number.NaN,
    jensenShannon: display?.jensenShannon ?? Number.NaN,
    totalVariation: display?.totalVariation ?? Number.NaN,
    sentence: brief
      ? ""
      : prefixed(comparison.name, categoryClause(comparison, cells, outcome, needed, belowFloor)),
  };
}

/** Both sides over the same cells; the last one is "other" and has no name. */
interface CategoryCells {
  readonly names: readonly string[];
  readonly expected: readonly number[];
  readonly observed: readonly number[];
}

function categoryCells(
  reference: CategoryCounts,
  live: CategoryCounts,
  sides: Sides,
): CategoryCells {
  const names: string[] = [];
  const expected: number[] = [];
  const observed: number[] = [];
  let [restExpected, restObserved] = [reference.count, live.count];
  const smaller = smallerSize(sides);
  const rowsMin = (CELL_ROWS_MIN * (reference.count + live.count)) / smaller;
  const referenceIsSmaller = reference.count / sides.reference.inflation === smaller;
  const { inflation } = referenceIsSmaller ? sides.reference : sides.live;
  const consider = (name: string, count: number, seen: number): void => {
    // Of a name that the reference has pooled nobody knows how many rows it had.
    const known = count > 0 || reference.other === 0;
    const sure = known && (referenceIsSmaller ? count : seen) >= CELL_ROWS_SURE * inflation;
    if (count + seen < rowsMin && !sure) return;
    names.push(name);
    expected.push(count);
    observed.push(seen);
    restExpected -= count;
    restObserved -= seen;
  };
  for (const [name, count] of reference.entries()) consider(name, count, live.get(name));
  for (const [name, seen] of live.entries()) {
    if (reference.get(name) === 0) consider(name, 0, seen);
  }
  expected.push(restExpected);
  observed.push(restObserved);
  return { names, expected, observed };
}

type Sides = Record<"reference" | "live", { count: number; inflation: number }>;

/** Independent rows that the smaller side is worth. */
function smallerSize({ reference, live }: Sides): number {
  return Math.min(reference.count / reference.inflation, live.count / live.inflation);
}

/** Live rows for 90 % power, on the cells that so many rows would have. */
function requiredRows(comparison: CategoricalComparison, sides: Sides): number {
  const { policy, reference } = comparison;
  const floor = policy.floors.hellinger;
  const large = floor > 0 ? policy.largeDriftFactor * floor : POINT_NULL_TARGET;
  const [to, from] = [floorOfHellinger(Math.min(large, (1 + floor) / 2)), floorOfHellinger(floor)];
  const expectedMin = CELL_ROWS_MIN * sides.live.inflation;
  let commonest = 0;
  for (const [, count] of reference.entries()) commonest = Math.max(commonest, count);
  if (commonest === 0) return Infinity;
  // At least the commonest category must stand alone. More rows make more cells, which ask for
  // more rows: the fixed point is reached within a few steps, from below.
  let needed = Math.ceil((expectedMin * reference.count) / commonest);
  for (let step = 0; step < 8 && needed < Infinity; step++) {
    const worth = smallerSize({ ...sides, live: { ...sides.live, count: needed } });
    const freedom = standing(reference, worth);
    const required = requiredCellSize(policy.alpha, freedom, to, from);
    const next = requiredLiveCount(required, sides.reference, { inflation: sides.live.inflation });
    if (next <= needed) break;
    needed = next;
  }
  return needed;
}

/** Categories that stand alone when the smaller side is worth so many rows and nothing moved. */
function standing(reference: CategoryCounts, smaller: number): number {
  let names = 0;
  for (const [, count] of reference.entries()) {
    if ((count / reference.count) * smaller >= CELL_ROWS_MIN) names++;
  }
  return Math.max(1, names);
}

function displayed(cells: CategoryCells) {
  const { expected, observed } = cells;
  return {
    psi: populationStabilityIndex(expected, observed),
    jensenShannon: jensenShannon(expected, observed),
    totalVariation: totalVariation(expected, observed),
  };
}

function categoryClause(
  comparison: CategoricalComparison,
  cells: CategoryCells,
  outcome: DriftOutcome,
  needed: number,
  belowFloor: boolean,
): string {
  const { reference, live } = comparison;
  if (outcome === "silent") return "no live value in this window";
  if (outcome === "insufficient") return lackingClause(live.count, needed, reference.count);
  if (outcome === "learning") return "still learning how much its windows vary";
  const distance = percent(totalVariation(cells.expected, cells.observed));
  if (outcome === "stable") {
    const change = belowFloor ? "no relevant change" : NOT_ESTABLISHED;
    return `${change}, ${distance} of values lie elsewhere`;
  }
  const cell = mostTellingCell(cells, reference.count, live.count);
  const now = percent((cells.observed[cell] as number) / live.count);
  const before = percent((cells.expected[cell] as number) / reference.count);
  return `${now} of live values are ${cellName(comparison, cells, cell)} (expected ${before})`;
}

function mostTellingCell(cells: CategoryCells, n: number, m: number): number {
  let best = 0;
  let bestScore = -1;
  for (let cell = 0; cell < cells.expected.length; cell++) {
    const expected = ((cells.expected[cell] as number) + 5) / (n + 10);
    const score = shareDivergence((cells.observed[cell] as number) / m, expected);
    if (score > bestScore) [best, bestScore] = [cell, score];
  }
  return best;
}

/** The category's name; for "other", the unseen name that explains most of it, when one does. */
function cellName(comparison: CategoricalComparison, cells: CategoryCells, cell: number): string {
  const name = cells.names[cell];
  if (name !== undefined) return JSON.stringify(name);
  let [newName, newCount] = ["", 0];
  for (const [candidate, count] of comparison.live.entries()) {
    const unseen = comparison.reference.get(candidate) === 0;
    if (unseen && count > newCount) [newName, newCount] = [candidate, count];
  }
  const share = percent(newCount / comparison.live.count);
  const detail = newCount > 0 ? `, ${share} the new ${JSON.stringify(newName)}` : "";
  return `rare or new categories${detail}`;
}
