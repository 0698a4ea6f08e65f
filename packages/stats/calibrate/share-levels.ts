/** Level of the tests on shares: categories (the cell test) and rates. */
import { CategoryCounts, evaluateCategorical, evaluateRate } from "../dist/index.js";
import { seededRandom } from "../test/seeded-random.ts";
import { type Experiment, policyAt, seedOf } from "./experiment.ts";
import { rowsOf } from "./numeric-levels.ts";
import { binomial, multinomial } from "./random-counts.ts";
import { count, newCell } from "./tally.ts";

const POINT = policyAt(0.01, 0);
const FLOORED = policyAt(0.01, 0.25);

/** Categories 2, 5, 20 and 200 by Zipf's law, at F = G and on the boundary of the floor. */
export function categoryLevels(quick: boolean): Experiment {
  const sizes: [number, number, number][] = quick
    ? [[1e3, 5e3, 1000]]
    : [
        [1e3, 50, 10_000],
        [1e3, 5e3, 10_000],
        [1e5, 5e3, 10_000],
        [1e6, 1e6, 10_000],
      ];
  const shapes = Object.entries(boundaryShares(FLOORED.floors.hellinger));
  const tasks = [2, 5, 20, 200].flatMap((categories) =>
    sizes.flatMap(([n, m, trials]) =>
      shapes.map(([shape, live]) => ({ categories, n, m, trials, shape, live })),
    ),
  );
  return {
    name: "categories",
    parts: tasks.length,
    run(part) {
      const task = tasks[part] as (typeof tasks)[number];
      const random = seededRandom(seedOf("categories", part));
      const pair = task.live(zipf(task.categories));
      const atNull = task.shape === "F = G";
      const shape = atNull ? task.shape : `floor, ${task.shape}`;
      const cell = newCell("categories", `${shape}, ${task.categories}`, rowsOf(task.n, task.m));
      const names = pair.reference.map((_, i) => `c${i}`);
      const counts = new Float64Array(names.length);
      const drawn = (into: CategoryCounts, rows: number, shares: number[]): CategoryCounts => {
        multinomial(random, rows, shares, counts);
        for (const [i, name] of names.entries()) {
          if ((counts[i] as number) > 0) into.add(name, counts[i]);
        }
        return into;
      };
      for (let trial = 0; trial < task.trials; trial++) {
        const reference = drawn(new CategoryCounts(), task.n, pair.reference);
        const live = drawn(CategoryCounts.liveFor(reference), task.m, pair.live);
        const policy = atNull ? POINT : FLOORED;
        count(cell, evaluateCategorical({ reference, live, policy }).pValue);
      }
      return { cells: [cell], figures: [] };
    },
  };
}

interface SharePair {
  readonly reference: number[];
  readonly live: number[];
}

/** Live shares at Hellinger distance 0 or exactly `distance` from a law. */
function boundaryShares(distance: number): Record<string, (shares: number[]) => SharePair> {
  const atDistance = (reference: number[], by: (t: number) => number[]): SharePair => {
    let [low, high] = [0, 1];
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (hellingerOf(reference, by(middle)) < distance) low = middle;
      else high = middle;
    }
    return { reference, live: by(low) };
  };
  return {
    "F = G": (shares) => ({ reference: shares, live: shares }),
    // All shares give way to the commonest.
    spike: (shares) =>
      atDistance(shares, (t) => shares.map((share, i) => share * (1 - t) + (i === 0 ? t : 0))),
    // The first half of the ranks gives to the second, in proportion.
    tilt: (shares) =>
      atDistance(shares, (t) =>
        normalised(
          shares.map((share, i) => share * Math.exp(2 * t * (2 * i >= shares.length ? 1 : -1))),
        ),
      ),
    // One category of just the share that makes the distance has vanished.
    emptied: (shares) => {
      const lost = 1 - (1 - distance * distance) ** 2;
      return {
        reference: [...shares.map((share) => share * (1 - lost)), lost],
        live: [...shares, 0],
      };
    },
  };
}

function zipf(categories: number): number[] {
  return normalised(Array.from({ length: categories }, (_, i) => 1 / (i + 1)));
}

function normalised(shares: number[]): number[] {
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}

function hellingerOf(p: number[], q: number[]): number {
  let affinity = 0;
  for (const [i, share] of p.entries()) affinity += Math.sqrt(share * (q[i] ?? 0));
  return Math.sqrt(Math.max(0, 1 - affinity));
}

/** Rates from one half to one in a thousand, at equal rates and at h = h0. */
export function rateLevels(quick: boolean): Experiment {
  const sizes: [number, number][] = quick
    ? [[1000, 500]]
    : [
        [1e3, 50],
        [1e3, 5e3],
        [1e5, 5e3],
        [1e6, 1e6],
      ];
  const trials = quick ? 10_000 : 200_000;
  const tasks = [0.5, 0.1, 0.01, 0.001].flatMap((rate) =>
    sizes.flatMap(([n, m]) => [true, false].map((atNull) => ({ rate, n, m, atNull }))),
  );
  // A p-value of rates is valid at its policy's level and above: the least level checked here.
  const floored = policyAt(1e-5, 0.25);
  const point = { ...floored, rateFloor: 0 };
  const floor = floored.rateFloor;
  return {
    name: "rates",
    parts: tasks.length,
    run(part) {
      const { rate, n, m, atNull } = tasks[part] as (typeof tasks)[number];
      const random = seededRandom(seedOf("rates", part));
      const live = atNull ? rate : Math.sin(Math.asin(Math.sqrt(rate)) + floor / 2) ** 2;
      const cell = newCell("rate", `${atNull ? "F = G" : "floor, above"}, ${rate}`, rowsOf(n, m));
      const policy = atNull ? point : floored;
      for (let trial = 0; trial < trials; trial++) {
        const verdict = evaluateRate({
          reference: { events: binomial(random, n, rate), rows: n },
          live: { events: binomial(random, m, live), rows: m },
          policy,
        });
        count(cell, verdict.pValue);
      }
      return { cells: [cell], figures: [] };
    },
  };
}
