export { Adwin, type AdwinOptions } from "./detectors/adwin.js";
export {
  advanceLadder,
  type DyadicLadder,
  emptyLadder,
  LADDER_LEVELS_DEFAULT,
  type LadderOptions,
  type LadderWindow,
  type Mergeable,
  pushPane,
} from "./detectors/dyadic-ladder.js";
export { type BoundedOptions, EDetector, type SubGaussianOptions } from "./detectors/e-detector.js";
export {
  initialMultiWindowState,
  type MultiWindowOptions,
  type MultiWindowState,
  type MultiWindowTransition,
  multiWindowPolicies,
  nextMultiWindowState,
} from "./detectors/multi-window.js";
export { PageHinkley, type PageHinkleyOptions } from "./detectors/page-hinkley.js";
export {
  chiSquareUpper,
  noncentralChiSquareUpper,
  noncentralChiSquareUpperQuantile,
  normalCdf,
  normalUpper,
  normalUpperQuantile,
  studentTwoSided,
} from "./distributions/distribution-tails.js";
export {
  kolmogorovOneSampleUpper,
  kolmogorovSmirnovExact,
  kolmogorovUpper,
} from "./distributions/kolmogorov-laws.js";
export { BoundsHistogram, HISTOGRAM_BOUNDS_MAX } from "./summaries/bounds-histogram.js";
export {
  CATEGORIES_DEFAULT,
  CATEGORY_LENGTH_MAX,
  CategoryCounts,
  type CategoryCountsOptions,
} from "./summaries/category-counts.js";
export {
  EXEMPLARS_DEFAULT,
  EXEMPLARS_MAX,
  type Exemplar,
  ExemplarReservoir,
  type ExemplarReservoirOptions,
} from "./summaries/exemplar-reservoir.js";
export type { ExponentialBuckets } from "./summaries/exponential-buckets.js";
export {
  EXPONENTIAL_BUCKETS_MAX,
  EXPONENTIAL_SCALE_MAX,
  ExponentialHistogram,
  type ExponentialHistogramOptions,
} from "./summaries/exponential-histogram.js";
export {
  type Discrepancy,
  EMBEDDING_DIMENSION_MAX,
  FEATURES_DEFAULT,
  FEATURES_MAX,
  FeatureMap,
  type FeatureMapOptions,
  FeatureMean,
} from "./summaries/feature-mean.js";
export {
  FREQUENT_ITEM_LENGTH_MAX,
  FREQUENT_MAP_SIZE_DEFAULT,
  FREQUENT_MAP_SIZE_MAX,
  FREQUENT_MAP_SIZE_MIN,
  type FrequentItem,
  FrequentItems,
  type FrequentItemsOptions,
} from "./summaries/frequent-items.js";
export type { GridCells } from "./summaries/grid-cells.js";
export type { GridSketch, GridSource } from "./summaries/grid-source.js";
export { GridSummary } from "./summaries/grid-summary.js";
export {
  HLL_LG_K_DEFAULT,
  HLL_LG_K_MAX,
  HLL_LG_K_MIN,
  type HllOptions,
  HllSketch,
} from "./summaries/hll-sketch.js";
export {
  KLL_K_DEFAULT,
  type KllContent,
  type KllOptions,
  KllSketch,
} from "./summaries/kll-sketch.js";
export { mergeGrids } from "./summaries/merged-grid.js";
export { MomentSummary } from "./summaries/moment-summary.js";
export {
  mergePackedGrid,
  PACKED_GRID_BYTES_MAX,
  packGrid,
  packGridInto,
  unpackGrid,
} from "./summaries/packed-grid.js";
export {
  GRID_BINS_DEFAULT,
  ReferenceGrid,
  type ReferenceGridOptions,
} from "./summaries/reference-grid.js";
export { type Regridded, regrid } from "./summaries/regrid.js";
export type { MaybeNumber, Summary } from "./summaries/summary.js";
export { SummaryFormatError } from "./summaries/summary-bytes.js";
export { type AndersonDarling, andersonDarling } from "./two-sample/anderson-darling.js";
export {
  chiSquareHomogeneity,
  type Homogeneity,
  type HomogeneityOptions,
} from "./two-sample/chi-square-homogeneity.js";
export {
  type CategoryCells,
  type CategorySource,
  type ComparedCells,
  categoryCells,
  type NumericCells,
  numericCells,
} from "./two-sample/compared-cells.js";
export {
  chebyshev,
  hellinger,
  jensenShannon,
  kullbackLeibler,
  populationStabilityIndex,
  totalVariation,
} from "./two-sample/count-distances.js";
export {
  type CramerVonMises,
  type CramerVonMisesOptions,
  cramerVonMises,
} from "./two-sample/cramer-von-mises.js";
export {
  type EmpiricalLaw,
  empiricalLaw,
  type LawSource,
  type RawRows,
  type SketchView,
} from "./two-sample/empirical-law.js";
export { fisherExact } from "./two-sample/fisher-exact.js";
export { type GoodnessOfFit, goodnessOfFit } from "./two-sample/goodness-of-fit.js";
export {
  deequDistance,
  EXACT_ROWS_MAX,
  type GridDistance,
  gridDistance,
  type KolmogorovLaw,
  type KolmogorovSmirnov,
  kolmogorovSmirnov,
  kolmogorovSmirnovOneSample,
} from "./two-sample/kolmogorov-smirnov.js";
export type { ComparedRows, TwoSampleTest } from "./two-sample/law-pair.js";
export { type MannWhitney, mannWhitney } from "./two-sample/mann-whitney.js";
export type { Moments } from "./two-sample/moments.js";
export {
  compareCategories,
  compareShares,
  type ShareComparison,
  type ShareDistance,
  type TestedShareDistance,
} from "./two-sample/share-comparison.js";
export {
  jensenShannonQuantile,
  jensenShannonUpper,
  populationStabilityQuantile,
  populationStabilityUpper,
} from "./two-sample/share-laws.js";
export { pooledT, type TTest, welchT } from "./two-sample/t-test.js";
export { type TwoProportions, twoProportions } from "./two-sample/two-proportions.js";
export {
  energyDistance,
  type MovedMass,
  type WassersteinDistance,
  wassersteinDistance,
} from "./two-sample/wasserstein.js";
export { type AlarmPromise, alarmLevel } from "./verdict/alarm-level.js";
export {
  type CellTest,
  cellTest,
  cellThreshold,
  floorOfHellinger,
  floorOfJensenShannon,
  floorOfPopulationStability,
  requiredCellSize,
} from "./verdict/cell-test.js";
export {
  type CompatibilityRule,
  type CompatibilityVerdict,
  categoricalByRule,
  numericByRule,
} from "./verdict/compatibility-rules.js";
export type { DriftOutcome } from "./verdict/drift-outcome.js";
export {
  type DriftPolicy,
  type DriftPolicyOptions,
  driftPolicy,
  type EffectFloors,
  effectFloors,
  SHIFT_DEFAULT,
} from "./verdict/drift-policy.js";
export {
  type DriftObservation,
  type DriftState,
  type DriftTransition,
  INITIAL_DRIFT_STATE,
  nextDriftState,
} from "./verdict/drift-state.js";
export {
  effectiveSize,
  quarticSize,
  requiredEffectiveSize,
  requiredLiveCount,
  type SampleSize,
} from "./verdict/effective-size.js";
export {
  type CategoricalComparison,
  type CategoricalEvaluation,
  evaluateCategorical,
} from "./verdict/evaluate-categorical.js";
export {
  evaluateNumeric,
  type NumericComparison,
  type NumericEvaluation,
  type PopulationStability,
} from "./verdict/evaluate-numeric.js";
export {
  arcsineDistance,
  type EventRate,
  evaluateRate,
  type RateComparison,
  type RateEvaluation,
} from "./verdict/evaluate-rate.js";
export { adjustedEValues, adjustedPValues, eValueOfPValue } from "./verdict/false-discovery.js";
export {
  type ComparedSizes,
  ksCriticalValue,
  ksFloorPValue,
  ksMargin,
} from "./verdict/kolmogorov-floor.js";
export {
  INITIAL_PERSISTENCE,
  type Persistence,
  type PersistenceState,
  persistenceLevel,
  persistentOutcome,
} from "./verdict/persistence.js";
export { rateFloorPValue } from "./verdict/rate-floor.js";
export {
  type SegmentChange,
  type SegmentContribution,
  segmentContributions,
} from "./verdict/segment-contributions.js";
export { type EvaluatedSignal, type RankedSignal, rankSignals } from "./verdict/signal-ranking.js";
export {
  type WassersteinFloorOptions,
  type WassersteinFloorTest,
  wassersteinFloorTest,
} from "./verdict/wasserstein-floor.js";
export {
  categoryRows,
  decileCounts,
  INITIAL_VARIATION,
  type Inflation,
  inflationOf,
  VARIATION_WINDOWS_MIN,
  type WindowCounts,
  type WindowVariation,
  withWindow,
} from "./verdict/window-variation.js";
