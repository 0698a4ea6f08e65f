/**
 * Level on rows that depend on each other: an autoregression, phi learned from earlier windows as
 * the product would, then KS without a floor. With phi = 1 the same windows show why it matters.
 */
import {
  decileCounts,
  evaluateNumeric,
  GridSummary,
  INITIAL_VARIATION,
  inflationOf,
  ReferenceGrid,
  withWindow,
} from "../dist/index.js";
import { draws, seededRandom } from "../test/seeded-random.ts";
import { type Experiment, policyAt, seedOf } from "./experiment.ts";
import { rowsOf } from "./numeric-levels.ts";
import { count, newCell } from "./tally.ts";

const POINT = policyAt(0.01, 0);
const LEARNING_WINDOWS = 48;
const JUDGED_WINDOWS = 10;
const REFERENCE_ROWS = 24_000;

export function dependentLevels(quick: boolean): Experiment {
  const tasks = [0.5, 0.9].flatMap((rho) => [500, 2000].map((rows) => ({ rho, rows })));
  const signals = quick ? 20 : 300;
  return {
    name: "dependent",
    parts: tasks.length,
    run(part) {
      const { rho, rows } = tasks[part] as (typeof tasks)[number];
      const random = seededRandom(seedOf("dependent", part));
      const cell = newCell("KS, phi learned", `F = G, AR(1) ${rho}`, rowsOf(REFERENCE_ROWS, rows));
      for (let signal = 0; signal < signals; signal++) {
        let x = random.normal();
        const next = (): number => (x = rho * x + Math.sqrt(1 - rho * rho) * random.normal());
        const reference = ReferenceGrid.fromSample(draws(REFERENCE_ROWS, next));
        let variation = INITIAL_VARIATION;
        for (let window = 0; window < LEARNING_WINDOWS + JUDGED_WINDOWS; window++) {
          const live = new GridSummary(reference);
          live.addMany(draws(rows, next));
          const { phi, learning } = inflationOf(variation);
          variation = withWindow(variation, decileCounts(reference, live));
          if (window < LEARNING_WINDOWS) continue;
          const both = { reference: phi, live: phi };
          const verdict = evaluateNumeric({ reference, live, policy: POINT, phi: both, learning });
          count(cell, verdict.pValue);
        }
      }
      return { cells: [cell], figures: [] };
    },
  };
}
