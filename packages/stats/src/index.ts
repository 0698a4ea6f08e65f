export { type AlarmPromise, alarmLevel } from "./alarm-level.js";
export {
  CATEGORIES_DEFAULT,
  CATEGORY_LENGTH_MAX,
  CategoryCounts,
  type CategoryCountsOptions,
} from "./category-counts.js";
export {
  type CellTest,
  cellTest,
  cellThreshold,
  floorOfHellinger,
  floorOfJensenShannon,
  floorOfPopulationStability,
  requiredCellSize,
} from "./cell-test.js";
export {
  chiSquareHomogeneity,
  type Homogeneity,
  type HomogeneityOptions,
} from "./chi-square-homogeneity.js";
export {
  chebyshev,
  hellinger,
  jensenShannon,
  kullbackLeibler,
  populationStabilityIndex,
  totalVariation,
} from "./count-distances.js";
export {
  chiSquareUpper,
  noncentralChiSquareUpper,
  noncentralChiSquareUpperQuantile,
  normalCdf,
  normalUpper,
  normalUpperQuantile,
} from "./distribution-tails.js";
export type { DriftOutcome } from "./drift-outcome.js";
export {
  type DriftPolicy,
  type DriftPolicyOptions,
  driftPolicy,
  type EffectFloors,
  effectFloors,
  SHIFT_DEFAULT,
} from "./drift-policy.js";
export {
  type DriftObservation,
  type DriftState,
  type DriftTransition,
  INITIAL_DRIFT_STATE,
  nextDriftState,
} from "./drift-state.js";
export {
  effectiveSize,
  requiredEffectiveSize,
  requiredLiveCount,
  type SampleSize,
} from "./effective-size.js";
export {
  type CategoricalComparison,
  type CategoricalEvaluation,
  evaluateCategorical,
} from "./evaluate-categorical.js";
export {
  evaluateNumeric,
  ksCriticalValue,
  ksFloorPValue,
  type NumericComparison,
  type NumericEvaluation,
  type PopulationStability,
} from "./evaluate-numeric.js";
export {
  arcsineDistance,
  type EventRate,
  evaluateRate,
  type RateComparison,
  type RateEvaluation,
} from "./evaluate-rate.js";
export { adjustedPValues } from "./false-discovery.js";
export { fisherExact } from "./fisher-exact.js";
export type { GridCells } from "./grid-cells.js";
export { GridSummary } from "./grid-summary.js";
export { KLL_K_DEFAULT, type KllContent, type KllOptions, KllSketch } from "./kll-sketch.js";
export {
  EXACT_ROWS_MAX,
  type KolmogorovSmirnov,
  kolmogorovSmirnov,
  kolmogorovSmirnovExact,
  kolmogorovSmirnovOnGrid,
  kolmogorovUpper,
} from "./kolmogorov-smirnov.js";
export {
  GRID_BINS_DEFAULT,
  type GridSource,
  ReferenceGrid,
  type ReferenceGridOptions,
} from "./reference-grid.js";
export { SummaryFormatError } from "./summary-bytes.js";
export { wassersteinDistance } from "./wasserstein.js";
