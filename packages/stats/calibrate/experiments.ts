/** Every experiment of the calibration, the longest parts first. */
import { power, resolution, sketchError, windowBytes } from "./accuracy.ts";
import { dependentLevels } from "./dependent-levels.ts";
import { detectionDelays } from "./detection-delay.ts";
import type { Experiment } from "./experiment.ts";
import { boundaryLevels, nullLevels, soak } from "./numeric-levels.ts";
import { equivalence, rawLevels } from "./raw-levels.ts";
import { categoryLevels, rateLevels } from "./share-levels.ts";

export function experiments(quick: boolean): Experiment[] {
  return [
    detectionDelays(quick),
    soak(quick),
    power(quick),
    rawLevels(quick),
    nullLevels(quick),
    boundaryLevels(quick),
    categoryLevels(quick),
    dependentLevels(quick),
    rateLevels(quick),
    equivalence(quick),
    resolution(quick),
    sketchError(quick),
    windowBytes(),
  ];
}
