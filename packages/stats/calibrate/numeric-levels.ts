/**
 * Level of the numeric tests for continuous laws, at F = G and on the boundary of the floor, by
 * drawing counts on the grid; and the soak of a million null windows.
 */
import { evaluateNumeric, normalCdf, normalUpperQuantile } from "../dist/index.js";
import { seededRandom } from "../test/seeded-random.ts";
import { type Experiment, policyAt, seedOf, shortCount } from "./experiment.ts";
import { GridCountDraws } from "./grid-counts.ts";
import { boundaryLaws } from "./laws.ts";
import { count, type LevelCell, newCell } from "./tally.ts";

const POINT = policyAt(0.01, 0);
const FLOORED = policyAt(0.01, 0.25);
const SHIFT = 0.25;
const MILLION = 1_000_000;

/** Sizes of reference and window. */
const SIZES: readonly (readonly [number, number])[] = [1e3, 1e4, 1e5, 1e6].flatMap((n) =>
  [50, 500, 5e3, 5e4, 1e6].map((m) => [n, m] as const),
);
const BOUNDARY_SIZES: readonly (readonly [number, number])[] = [
  [1e3, 50],
  [1e3, 1e6],
  [1e4, 500],
  [1e4, 5e3],
  [1e5, 5e4],
  [1e6, 1e6],
];

/** F = G for every continuous law at once: KS and PSI with a floor of 0. */
export function nullLevels(quick: boolean): Experiment {
  const sizes = quick ? SIZES.filter(([n, m]) => n <= 1e4 && m <= 5e3) : SIZES;
  const trials = quick ? 4000 : 30_000;
  return {
    name: "null",
    parts: sizes.length,
    run(part) {
      const [n, m] = sizes[part] as readonly [number, number];
      const rows = rowsOf(n, m);
      const law = "F = G, continuous";
      const ks = newCell("KS", law, rows);
      const psi = newCell("PSI", law, rows);
      const draws = new GridCountDraws(seededRandom(seedOf("null", part)), n);
      for (let trial = 0; trial < trials; trial++) {
        const verdict = evaluateNumeric({
          reference: draws.grid,
          live: draws.window(m),
          policy: POINT,
        });
        count(ks, verdict.pValue);
        count(psi, verdict.psi?.pValue);
      }
      return { cells: [ks, psi], figures: [] };
    },
  };
}

/** D = delta0 exactly, in every shape: KS; a shift of d sigma: PSI as well. */
export function boundaryLevels(quick: boolean): Experiment {
  const laws = Object.entries(boundaryLaws(FLOORED.floors.kolmogorovSmirnov, shifted));
  const sizes = quick ? BOUNDARY_SIZES.slice(2, 4) : BOUNDARY_SIZES;
  const trials = quick ? 2000 : 25_000;
  const tasks = laws.flatMap(([name, law]) => sizes.map((size) => ({ name, law, size })));
  return {
    name: "boundary",
    parts: tasks.length,
    run(part) {
      const { name, law, size } = tasks[part] as (typeof tasks)[number];
      const [n, m] = size;
      const ks = newCell("KS", `floor, ${name}`, rowsOf(n, m));
      const psi = newCell("PSI", `floor, ${name}`, rowsOf(n, m));
      const draws = new GridCountDraws(seededRandom(seedOf("boundary", part)), n);
      for (let trial = 0; trial < trials; trial++) {
        const live = draws.window(m, law);
        const verdict = evaluateNumeric({ reference: draws.grid, live, policy: FLOORED });
        count(ks, verdict.pValue);
        if (name === "shift") count(psi, verdict.psi?.pValue);
      }
      return { cells: name === "shift" ? [ks, psi] : [ks], figures: [] };
    },
  };
}

/** A normal law moved by d sigma. */
function shifted(u: number): number {
  return normalCdf(-normalUpperQuantile(u) - SHIFT);
}

/** A million null windows with fresh references, delta0 = 0, as many of each of four sizes. */
export function soak(quick: boolean): Experiment {
  const sizes: readonly (readonly [number, number])[] = [
    [1e3, 500],
    [1e4, 1e3],
    [1e4, 1e5],
    [1e5, 2e4],
  ];
  const windows = quick ? 10_000 : MILLION;
  const parts = 16;
  return {
    name: "soak",
    parts,
    run(part) {
      const [n, m] = sizes[part % sizes.length] as readonly [number, number];
      const cell: LevelCell = newCell("KS", SOAK_LAW, "all");
      const draws = new GridCountDraws(seededRandom(seedOf("soak", part)), n);
      let atPromise = 0;
      for (let window = 0; window < windows / parts; window++) {
        const live = draws.window(m);
        const verdict = evaluateNumeric({ reference: draws.grid, live, policy: POINT });
        count(cell, verdict.pValue);
        if (verdict.pValue <= PROMISE) atPromise++;
      }
      const promised = newCell(SOAK_PROMISE, SOAK_LAW, "all");
      promised.trials = cell.trials;
      promised.rejections.fill(atPromise);
      return { cells: [cell, promised], figures: [] };
    },
  };
}

/** Rows under which the soak is listed. */
export const SOAK_LAW = "F = G, soak";
/** The test column under which rejections at the promise are handed on. */
export const SOAK_PROMISE = "KS at the promise";
/** .01 false alarms a feature-year, three window lengths, evaluated every hour. */
export const PROMISE = 3.8e-7;

export function rowsOf(n: number, m: number): string {
  return `${shortCount(n)} / ${shortCount(m)}`;
}
