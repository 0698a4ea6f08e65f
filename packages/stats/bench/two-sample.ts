/**
 * What each two-sample test costs on grids, sketches, sorted rows and raw rows, as the least of
 * some rounds interleaved with the baseline: counting 1,000 values on a grid. Seeded. Run with
 * `node packages/stats/bench/two-sample.ts [--rounds 5] [--rows 100000]` after a build.
 */
import { parseArgs } from "node:util";
import {
  andersonDarling,
  compareShares,
  cramerVonMises,
  empiricalLaw,
  energyDistance,
  GridSummary,
  KllSketch,
  kolmogorovSmirnov,
  mannWhitney,
  pooledT,
  ReferenceGrid,
  wassersteinDistance,
  welchT,
} from "../dist/index.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    rows: { type: "string", default: "100000" },
  },
});
const ROUNDS = Number(options.rounds);
const ROWS = Number(options.rows);
/** Long enough that the clock's resolution and a timer interrupt do not show. */
const ROUND_MS = 20;

let state = 1;
function uniform(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state + 0.5) / 2 ** 32;
}
const bell = () => Array.from({ length: 12 }, uniform).reduce((sum, x) => sum + x, -6);
const reference = Float64Array.from({ length: ROWS }, bell);
const live = Float64Array.from({ length: ROWS / 5 }, () => bell() + 0.02);
const grid = ReferenceGrid.fromSample(reference);

function windowOf(values: Float64Array): GridSummary {
  const summary = new GridSummary(grid);
  summary.addMany(values);
  return summary;
}

function sketchOf(values: Float64Array): KllSketch {
  const sketch = new KllSketch({ k: 2048 });
  for (const value of values) sketch.add(value);
  return sketch;
}

const sides = {
  grids: [grid, windowOf(live)],
  sketches: [sketchOf(reference), sketchOf(live)],
  sorted: [empiricalLaw(reference), empiricalLaw(live)],
  rows: [reference, live],
} as const;
const tests = {
  kolmogorovSmirnov,
  cramerVonMises,
  andersonDarling,
  mannWhitney,
  welchT,
  pooledT,
  wassersteinDistance,
  energyDistance,
  compareShares,
};

/** Microseconds a call. */
function timed(call: () => unknown): number {
  let calls = 0;
  const start = performance.now();
  let elapsed = 0;
  for (; elapsed < ROUND_MS; elapsed = performance.now() - start) {
    call();
    calls++;
  }
  return (1000 * elapsed) / calls;
}

const thousand = windowOf(live);
const tasks: [name: string, call: () => unknown][] = [
  ["1,000 adds to a grid", () => thousand.addMany(live, 0, 1000)],
  ...Object.entries(tests).flatMap(([test, run]) =>
    Object.entries(sides).map(([kind, [a, b]]): [string, () => unknown] => [
      `${test}, ${kind}`,
      () => run(a, b),
    ]),
  ),
];
const least = tasks.map(() => Infinity);
for (let round = 0; round <= ROUNDS; round++) {
  for (const [i, [, call]] of tasks.entries()) {
    const cost = timed(call);
    // The first round warms up.
    if (round > 0) least[i] = Math.min(least[i] as number, cost);
  }
}
for (const [i, [name]] of tasks.entries()) {
  console.log(`${name.padEnd(32)}${(least[i] as number).toFixed(1).padStart(10)} us`);
}
