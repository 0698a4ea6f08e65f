/**
 * How long a drift lasts before the dyadic ladder sees it, against the CUSUM that knows both laws,
 * at one false alarm in 1e5 samples.
 */
import {
  type DyadicLadder,
  effectFloors,
  effectiveSize,
  emptyLadder,
  GridSummary,
  gridDistance,
  ksFloorPValue,
  normalUpperQuantile,
  pushPane,
  quarticSize,
  ReferenceGrid,
} from "../dist/index.js";
import { type SeededRandom, seededRandom } from "../test/seeded-random.ts";
import { oracleDelay } from "./cusum-oracle.ts";
import { type Experiment, seedOf } from "./experiment.ts";
import type { Figure } from "./tally.ts";

const RUN_LENGTH = 1e5;
/** Samples a pane; nine levels end at 2,560. */
const PANE_ROWS = 10;
const LEVELS = 9;
const LONGEST = PANE_ROWS * 2 ** (LEVELS - 1);
const FLOOR_SHIFT = 0.25;
/** The reference is as good as known: its own error is not what is measured here. */
const REFERENCE_ROWS = 1_000_000;
const NO_DRIFT_GIVEN_UP = 200 * LONGEST;

/** Delays of the oracle as first computed for this project; `oracleDelay` starts from 0 instead. */
const SHIFTS: readonly (readonly [shift: number, oracle: number])[] = [
  [0.1, 1030],
  [0.2, 320],
  [0.5, 68],
  [1, 20],
];

export function detectionDelays(quick: boolean): Experiment {
  const runs = quick ? 60 : 1500;
  const floored = [2 * FLOOR_SHIFT + 0.005, 0.75, 1, ...(quick ? [] : [1.5])];
  const tasks: (() => Figure)[] = [
    ...SHIFTS.map(([shift, oracle]) => () => {
      const delay = meanDelay(shift, 0, runs);
      return delayFigure(`N(0,1) -> N(${shift},1), no floor`, delay, oracle);
    }),
    ...floored.map((shift) => () => {
      const delay = meanDelay(shift, FLOOR_SHIFT, runs);
      const oracle = oracleDelay(RUN_LENGTH, FLOOR_SHIFT, shift);
      return delayFigure(`N(0,1) -> N(${shift},1), floor ${FLOOR_SHIFT}`, delay, oracle);
    }),
    () => oracleFigure(),
    () => runLengthFigure(quick ? 3 : 100),
  ];
  return {
    name: "delay",
    parts: tasks.length,
    run: (part) => ({ cells: [], figures: [(tasks[part] as () => Figure)()] }),
  };
}

function delayFigure(name: string, delay: number, oracle: number): Figure {
  const ratio = delay / oracle;
  return {
    name: `delay, ${name}`,
    value: `${delay.toFixed(0)} samples, ${ratio.toFixed(2)} times ${oracle.toFixed(0)}`,
    goal: "at most 3 times the oracle's",
    holds: ratio <= 3,
  };
}

function oracleFigure(): Figure {
  const delays = SHIFTS.map(([shift]) => oracleDelay(RUN_LENGTH, 0, shift));
  const close = SHIFTS.every(([, known], i) => Math.abs((delays[i] as number) / known - 1) < 0.05);
  return {
    name: "the oracle's own delays, by Brook and Evans",
    value: delays.map((delay) => delay.toFixed(0)).join(", "),
    goal: "1030, 320, 68, 20 within 5 %",
    holds: close,
  };
}

/** A ladder over single samples, with the verdict's own statistic and p-value. */
class SampleLadder {
  private readonly reference: ReferenceGrid;
  private readonly floor: number;
  private ladder: DyadicLadder<GridSummary>;
  private panes = 0;

  constructor(reference: ReferenceGrid, shift: number) {
    this.reference = reference;
    this.floor = effectFloors(shift).kolmogorovSmirnov;
    this.ladder = emptyLadder({ baseMs: 1, levels: LEVELS });
  }

  /** Adds one pane and says whether any window that closed with it rejects. */
  push(random: SeededRandom, mean: number): boolean {
    const pane = new GridSummary(this.reference);
    for (let i = 0; i < PANE_ROWS; i++) pane.add(random.normal() + mean);
    const { ladder, closed } = pushPane(this.ladder, this.panes++, pane);
    this.ladder = ladder;
    for (const { level, summary } of closed) {
      const { distance } = gridDistance(this.reference, summary);
      const [reference, live] = [{ count: this.reference.count }, { count: summary.count }];
      const sizes = {
        nEffective: effectiveSize(reference, live),
        nQuartic: quarticSize(reference, live),
      };
      const alpha = (PANE_ROWS * 2 ** level) / (LEVELS * RUN_LENGTH);
      if (ksFloorPValue(Math.max(0, distance - this.floor), sizes) <= alpha) return true;
    }
    return false;
  }
}

/** The law itself, at midpoints of its ranks. */
function normalReference(): ReferenceGrid {
  const rows = Float64Array.from(
    { length: REFERENCE_ROWS },
    (_, i) => -normalUpperQuantile((i + 0.5) / REFERENCE_ROWS),
  );
  return ReferenceGrid.fromSample(rows);
}

/** Samples from the change, at a random place of the longest window, to the alarm. */
function meanDelay(shift: number, floorShift: number, runs: number): number {
  const random = seededRandom(seedOf("delay", Math.round(1000 * shift)));
  const reference = normalReference();
  let [sum, counted] = [0, 0];
  while (counted < runs) {
    const ladder = new SampleLadder(reference, floorShift);
    const before = LONGEST / PANE_ROWS + random.integer(LONGEST / PANE_ROWS);
    let early = false;
    for (let pane = 0; pane < before && !early; pane++) early = ladder.push(random, 0);
    // Delay is that of an alarm after the change.
    if (early) continue;
    let rows = PANE_ROWS;
    while (!ladder.push(random, shift) && rows < NO_DRIFT_GIVEN_UP) rows += PANE_ROWS;
    sum += rows;
    counted++;
  }
  return sum / counted;
}

/** Samples between false alarms of the ladder: the promise that the delays are paid with. */
function runLengthFigure(alarms: number): Figure {
  const random = seededRandom(seedOf("run length", 0));
  const reference = normalReference();
  const panesMax = (alarms * RUN_LENGTH) / PANE_ROWS;
  let [seen, ladder] = [0, new SampleLadder(reference, 0)];
  for (let pane = 0; pane < panesMax; pane++) {
    if (!ladder.push(random, 0)) continue;
    seen++;
    ladder = new SampleLadder(reference, 0);
  }
  // Poisson: at most `alarms` expected, and its 99.9 % point.
  const bound = alarms + 3.1 * Math.sqrt(alarms) + 2;
  return {
    name: `false alarms of the ladder in ${(alarms * RUN_LENGTH).toExponential()} null samples`,
    value: String(seen),
    goal: `at most ${Math.floor(bound)} (${alarms} promised, and the 99.9 % band)`,
    holds: seen <= bound,
  };
}
