/** Power against the exact test, the grid's resolution, the sketch's error, and sizes in bytes. */
import {
  evaluateNumeric,
  GridSummary,
  KllSketch,
  kolmogorovSmirnov,
  kolmogorovUpper,
  ReferenceGrid,
} from "../dist/index.js";
import { draws, seededRandom } from "../test/seeded-random.ts";
import { type Experiment, policyAt, seedOf } from "./experiment.ts";
import { ATOMIC, CONTINUOUS, type Law } from "./laws.ts";
import type { Figure } from "./tally.ts";

const POINT = policyAt(0.05, 0);

/** Rejections of a shift by .04 sigma on 100,000 and 20,000 rows, ours and the exact test's. */
export function power(quick: boolean): Experiment {
  const parts = 8;
  const trials = quick ? 40 : 2000;
  const [n, m] = quick ? [10_000, 2000] : [100_000, 20_000];
  const shift = quick ? 0.04 * Math.sqrt(10) : 0.04;
  return {
    name: "power",
    parts,
    run(part) {
      const random = seededRandom(seedOf("power", part));
      let [ours, exact] = [0, 0];
      for (let trial = 0; trial < trials / parts; trial++) {
        const rows = draws(n, random.normal).toSorted();
        const liveRows = draws(m, () => random.normal() + shift).toSorted();
        const reference = ReferenceGrid.fromSample(rows);
        const live = new GridSummary(reference);
        live.addMany(liveRows);
        if (evaluateNumeric({ reference, live, policy: POINT }).pValue <= 0.05) ours++;
        const z = exactDistance(rows, liveRows) * Math.sqrt((n * m) / (n + m));
        if (kolmogorovUpper(z) <= 0.05) exact++;
      }
      return {
        cells: [],
        figures: [
          { name: POWER, value: `${ours} ${exact}`, goal: String(trials / parts), holds: true },
        ],
      };
    },
  };
}

const POWER = "power";

/** Adds up the parts of `power`. */
export function powerFigure(parts: readonly Figure[]): Figure | undefined {
  const own = parts.filter(({ name }) => name === POWER);
  if (own.length === 0) return undefined;
  let [ours, exact, trials] = [0, 0, 0];
  for (const { value, goal } of own) {
    const [a = 0, b = 0] = value.split(" ").map(Number);
    ours += a;
    exact += b;
    trials += Number(goal);
  }
  const loss = (100 * (exact - ours)) / trials;
  const share = (rejections: number): string => `${((100 * rejections) / trials).toFixed(1)} %`;
  return {
    name: `power at +.04 sigma, 1e5 / 2e4, no floor, alpha .05 (${trials} trials)`,
    value: `${share(ours)}, exact KS ${share(exact)}: ${loss.toFixed(1)} points less`,
    goal: "at most 2 points less",
    holds: loss <= 2,
  };
}

/** D of two ascending samples without ties. */
function exactDistance(a: Float64Array, b: Float64Array): number {
  let [i, j, distance] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    if ((a[i] as number) <= (b[j] as number)) i++;
    else j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  return distance;
}

/** |D - D_exact| on the grid for every law, and its mean. */
export function resolution(quick: boolean): Experiment {
  const trials = quick ? 30 : 200;
  const laws: [string, Law][] = Object.entries({ ...CONTINUOUS, ...ATOMIC });
  const [n, m] = [10_000, 5000];
  return {
    name: "resolution",
    parts: laws.length,
    run(part) {
      const [name, law] = laws[part] as [string, Law];
      const random = seededRandom(seedOf("resolution", part));
      const ties = name in ATOMIC;
      let [largest, sum, squares, above] = [0, 0, 0, 0];
      for (let trial = 0; trial < trials; trial++) {
        const rows = draws(n, () => law(random));
        const liveRows = draws(m, () => 1.01 * law(random));
        const reference = ReferenceGrid.fromSample(rows);
        const live = new GridSummary(reference);
        live.addMany(liveRows);
        const onGrid = evaluateNumeric({ reference, live, policy: POINT }).statistic;
        const gap = kolmogorovSmirnov(rows, liveRows, "limit").statistic - onGrid;
        largest = Math.max(largest, gap);
        above = Math.min(above, gap);
        sum += gap;
        squares += gap * gap;
      }
      const mean = sum / trials;
      // The mean of so many trials is known to within its own band, as a rate is.
      const band = 3.1 * Math.sqrt((squares / trials - mean * mean) / trials);
      const bound = (ties ? 2 : 1) / 256 + 1 / n;
      const meanBound = 0.6 / Math.sqrt((256 * n * m) / (n + m));
      const figures: Figure[] = [
        {
          name: `grid D below exact D, ${name}`,
          value: `largest ${largest.toFixed(5)}, mean ${mean.toFixed(6)}`,
          goal: `at most ${bound.toFixed(5)}, mean ${meanBound.toFixed(6)}, its band; never above`,
          holds: largest <= bound && above > -1e-12 && (ties || mean - band <= meanBound),
        },
      ];
      return { cells: [], figures };
    },
  };
}

/** D of two sketches within the sum of their errors in 99 % of trials. */
export function sketchError(quick: boolean): Experiment {
  const ks = [200, 512, 2048];
  const trials = quick ? 20 : 200;
  const rowCount = quick ? 20_000 : 100_000;
  return {
    name: "sketch",
    parts: ks.length,
    run(part) {
      const k = ks[part] as number;
      const random = seededRandom(seedOf("sketch", part));
      let within = 0;
      for (let trial = 0; trial < trials; trial++) {
        const sides = [0, 0.1].map((shift, side) => {
          const rows = draws(rowCount, () => random.normal() + shift);
          const sketch = new KllSketch({ k, seed: 2 * trial + side });
          sketch.addMany(rows);
          return { rows: rows.toSorted(), sketch };
        });
        const [a, b] = sides as [(typeof sides)[number], (typeof sides)[number]];
        const exact = exactDistance(a.rows, b.rows);
        const { statistic, errorBound } = kolmogorovSmirnov(a.sketch, b.sketch);
        if (Math.abs(statistic - exact) <= errorBound) within++;
      }
      return {
        cells: [],
        figures: [
          {
            name: `KLL k = ${k}: D within eps1 + eps2 of the exact one`,
            value: `${((100 * within) / trials).toFixed(1)} % of ${trials} trials`,
            goal: "at least 99 %",
            holds: within >= 0.99 * trials,
          },
        ],
      };
    },
  };
}

/** Bytes of a window of a numeric signal, as kept and as written. */
export function windowBytes(): Experiment {
  return {
    name: "bytes",
    parts: 1,
    run() {
      const random = seededRandom(seedOf("bytes", 0));
      const figures = Object.entries({ ...CONTINUOUS, ...ATOMIC }).map(([name, law]) => {
        const reference = ReferenceGrid.fromSample(draws(10_000, () => law(random)));
        const live = new GridSummary(reference);
        live.addMany(draws(1_000_000, () => law(random)));
        const [kept, written] = [live.counts.byteLength, live.serialise().length];
        return { name, kept: kept + 8 * 8, written };
      });
      const largest = (pick: (row: (typeof figures)[number]) => number): number =>
        Math.max(...figures.map(pick));
      const [kept, written] = [largest(({ kept: k }) => k), largest(({ written: w }) => w)];
      return {
        cells: [],
        figures: [
          {
            name: "a window of a million rows, largest over all laws",
            value: `${kept} bytes kept, ${written} written`,
            goal: "at most 2,048",
            holds: kept <= 2048 && written <= 2048,
          },
        ],
      };
    },
  };
}
