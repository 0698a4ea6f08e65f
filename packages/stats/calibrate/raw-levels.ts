/**
 * Level of the numeric tests where rows are drawn one by one: laws with atoms, and Wasserstein,
 * whose law depends on F. For continuous laws also the check that drawing counts on the grid
 * (`grid-counts.ts`) gives the same law of D.
 */
import {
  evaluateNumeric,
  GridSummary,
  kolmogorovSmirnov,
  type NumericEvaluation,
  ReferenceGrid,
} from "../dist/index.js";
import { draws, seededRandom } from "../test/seeded-random.ts";
import { type Experiment, policyAt, seedOf } from "./experiment.ts";
import { GridCountDraws } from "./grid-counts.ts";
import { ATOMIC, CONTINUOUS, type Law, SIGMA } from "./laws.ts";
import { rowsOf } from "./numeric-levels.ts";
import { count, newCell, type Outcome } from "./tally.ts";

const POINT = policyAt(0.01, 0);
const SHIFT = 0.25;
const FLOORED = policyAt(0.01, SHIFT);

interface Task {
  readonly name: string;
  readonly reference: Law;
  readonly live: Law;
  readonly floored: boolean;
  readonly size: readonly [n: number, m: number];
  readonly trials: number;
}

/** F = G of every law, and each continuous law shifted by d of its own sigma. */
export function rawLevels(quick: boolean): Experiment {
  const sizes: [number, number, number][] = quick
    ? [[1000, 300, 600]]
    : [
        [1000, 300, 10_000],
        [1000, 5000, 5000],
        [10_000, 2000, 1000],
      ];
  const tasks: Task[] = sizes.flatMap(([n, m, trials]) =>
    Object.entries({ ...CONTINUOUS, ...ATOMIC }).flatMap(([name, law]) => {
      const size = [n, m] as const;
      const same = { name: `F = G, ${name}`, reference: law, live: law, floored: false };
      const sigma = SIGMA[name];
      if (sigma === undefined) return [{ ...same, size, trials }];
      const moved: Law = (random) => law(random) + SHIFT * sigma;
      const shifted = { name: `floor, shift of ${name}`, reference: law, live: moved };
      return [
        { ...same, size, trials },
        { ...shifted, floored: true, size, trials },
      ];
    }),
  );
  return {
    name: "raw",
    parts: tasks.length,
    run: (part) => runTask(tasks[part] as Task, seedOf("raw", part)),
  };
}

function runTask(task: Task, seed: number): Outcome {
  const random = seededRandom(seed);
  const [n, m] = task.size;
  const policy = task.floored ? FLOORED : POINT;
  const rows = rowsOf(n, m);
  const ks = newCell("KS", task.name, rows);
  const psi = newCell("PSI", task.name, rows);
  const w1 = newCell("W1", task.name, rows);
  for (let trial = 0; trial < task.trials; trial++) {
    const grid = ReferenceGrid.fromSample(draws(n, () => task.reference(random)));
    const live = new GridSummary(grid);
    live.addMany(draws(m, () => task.live(random)));
    const verdict: NumericEvaluation = evaluateNumeric({ reference: grid, live, policy });
    // Only a normal law shifted by d sigma is on the boundary of the floors of KS and PSI.
    if (!task.floored || task.name === "floor, shift of normal") {
      count(ks, verdict.pValue);
      count(psi, verdict.psi?.pValue);
    }
    count(w1, verdict.wasserstein?.pValue);
  }
  const cells = [ks, psi, w1].filter((cell) => cell.trials > 0);
  return { cells, figures: [] };
}

/** The law of D from rows and from counts: two samples of D, compared by exact KS. */
export function equivalence(quick: boolean): Experiment {
  const trials = quick ? 500 : 5000;
  const [n, m] = [1000, 2000];
  const laws = Object.entries(CONTINUOUS);
  return {
    name: "equivalence",
    parts: laws.length,
    run(part) {
      const [name, law] = laws[part] as [string, Law];
      const random = seededRandom(seedOf("equivalence", part));
      const counts = new GridCountDraws(random, n);
      const fromCounts = new Float64Array(trials);
      const fromRows = new Float64Array(trials);
      for (let trial = 0; trial < trials; trial++) {
        const window = counts.window(m);
        fromCounts[trial] = statistic(counts.grid, window);
        const grid = ReferenceGrid.fromSample(draws(n, () => law(random)));
        const live = new GridSummary(grid);
        live.addMany(draws(m, () => law(random)));
        fromRows[trial] = statistic(grid, live);
      }
      const { pValue } = kolmogorovSmirnov(fromRows, fromCounts);
      return {
        cells: [],
        figures: [
          {
            name: `counts drawn as multinomials have the law of D of rows, ${name}`,
            value: `p = ${pValue.toPrecision(2)}`,
            goal: "p > .001",
            holds: pValue > 0.001,
          },
        ],
      };
    },
  };
}

function statistic(reference: ReferenceGrid, live: GridSummary): number {
  return evaluateNumeric({ reference, live, policy: POINT }).statistic;
}
