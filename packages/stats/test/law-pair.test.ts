import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  andersonDarling,
  cramerVonMises,
  empiricalLaw,
  energyDistance,
  GridSummary,
  KllSketch,
  kolmogorovSmirnov,
  kolmogorovUpper,
  mannWhitney,
  pooledT,
  ReferenceGrid,
  wassersteinDistance,
  welchT,
} from "../src/index.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const TESTS = {
  kolmogorovSmirnov,
  cramerVonMises,
  mannWhitney,
  wassersteinDistance,
  energyDistance,
};

const rows = fc.oneof(
  fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 400 }),
  fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1, maxLength: 400 }),
);

function liveOn(grid: ReferenceGrid, values: ArrayLike<number>): GridSummary {
  const live = new GridSummary(grid);
  live.addMany(Float64Array.from(values));
  return live;
}

function sketchOf(values: ArrayLike<number>, k: number, seed: number): KllSketch {
  const sketch = new KllSketch({ k, seed });
  for (let i = 0; i < values.length; i++) sketch.add(values[i] as number);
  return sketch;
}

describe("one law, many sources", () => {
  it("a distance on a grid is that of the raw rows within the error it states", () => {
    fc.assert(
      fc.property(rows, rows, (reference, live) => {
        const grid = ReferenceGrid.fromSample(reference, { bins: 16 });
        const summary = liveOn(grid, live);
        for (const [name, test] of Object.entries(TESTS)) {
          const onGrid = test(grid, summary);
          const exact = test(reference, live).statistic;
          const gap = Math.abs(onGrid.statistic - exact);
          expect(gap, name).toBeLessThanOrEqual(onGrid.errorBound * (1 + 1e-9) + 1e-9);
          expect(onGrid).toMatchObject({ n: reference.length, m: live.length });
        }
      }),
    );
  });

  it("rows against a grid are counted on that grid first", () => {
    fc.assert(
      fc.property(rows, rows, (reference, live) => {
        const grid = ReferenceGrid.fromSample(reference, { bins: 16 });
        for (const test of [...Object.values(TESTS), andersonDarling]) {
          const counted = test(grid, liveOn(grid, live));
          expect(test(grid, live)).toEqual(counted);
          expect(test(reference, liveOn(grid, live)).statistic).toBe(counted.statistic);
        }
      }),
    );
  });

  it("the two sides may be swapped", () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        for (const test of [kolmogorovSmirnov, cramerVonMises, energyDistance, andersonDarling]) {
          const [there, back] = [test(a, b).statistic, test(b, a).statistic];
          if (Number.isNaN(there)) expect(back).toBeNaN();
          else expect(back).toBeCloseTo(there, 9);
        }
        const { superiority } = mannWhitney(a, b);
        expect(mannWhitney(b, a).superiority).toBeCloseTo(1 - superiority, 12);
      }),
    );
  });

  it("a sketch is within its stated error in each of 50 trials, and worth fewer rows", () => {
    const misses: Record<string, number> = {};
    for (let trial = 0; trial < 50; trial++) {
      const random = seededRandom(trial);
      const reference = draws(4_000, () => random.normal());
      const live = draws(2_000, () => random.normal() + 0.2);
      const sketch = sketchOf(reference, 64, trial);
      for (const [name, test] of Object.entries(TESTS)) {
        const approximate = test(sketch, live);
        const gap = Math.abs(approximate.statistic - test(reference, live).statistic);
        expect(approximate.errorBound).toBeGreaterThan(0);
        if (gap > approximate.errorBound) misses[name] = (misses[name] ?? 0) + 1;
      }
      const { statistic, pValue, n, m } = kolmogorovSmirnov(sketch, live);
      expect(pValue).toBeGreaterThan(kolmogorovUpper(statistic * Math.sqrt((n * m) / (n + m))));
    }
    expect(misses).toEqual({});
  });

  it("keeps the level when a sketch stands for rows, where taking it for rows does not", () => {
    const tests = { kolmogorovSmirnov, cramerVonMises, mannWhitney, andersonDarling };
    const alarms: Record<string, number> = {};
    for (let trial = 0; trial < 100; trial++) {
      const random = seededRandom(1_000 + trial);
      const sketch = sketchOf(draws(100_000, random.normal), 200, trial);
      const live = draws(30_000, random.normal);
      for (const [name, test] of Object.entries(tests)) {
        if (test(sketch, live).pValue < 0.05) alarms[name] = (alarms[name] ?? 0) + 1;
      }
      const { points, rows: weights } = empiricalLaw(sketch);
      const taken = kolmogorovSmirnov(empiricalLaw(points, weights), live);
      if (taken.pValue < 0.05) alarms["taken for rows"] = (alarms["taken for rows"] ?? 0) + 1;
    }
    // 5 % of 100 and three standard deviations: 11.
    for (const name of Object.keys(tests)) expect(alarms[name] ?? 0, name).toBeLessThanOrEqual(11);
    expect(alarms["taken for rows"]).toBeGreaterThan(25);
  });

  it("keeps the level where most rows are equal", () => {
    const tests = { kolmogorovSmirnov, cramerVonMises, mannWhitney };
    const alarms: Record<string, number> = {};
    for (let trial = 0; trial < 300; trial++) {
      const random = seededRandom(2_000 + trial);
      const inflated = () => (random.uniform() < 0.6 ? 0 : random.uniform());
      const [reference, live] = [draws(300, inflated), draws(200, inflated)];
      for (const [name, test] of Object.entries(tests)) {
        if (test(reference, live).pValue < 0.05) alarms[name] = (alarms[name] ?? 0) + 1;
      }
    }
    // 5 % of 300 and three standard deviations: 26.
    for (const name of Object.keys(tests)) expect(alarms[name] ?? 0, name).toBeLessThanOrEqual(26);
  });

  it("rank tests see no monotone map, and distances move with the unit", () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const cubed = [a, b].map((side) => side.map((x) => x * x * x)) as [number[], number[]];
        const distinct = new Set([...a, ...b]).size === new Set(cubed.flat()).size;
        for (const test of [kolmogorovSmirnov, cramerVonMises, mannWhitney, andersonDarling]) {
          if (distinct) expect(test(...cubed)).toEqual(test(a, b));
        }
        const eighths = [a, b].map((side) => side.map((x) => x / 8)) as [number[], number[]];
        const moved = wassersteinDistance(a, b).statistic / 8;
        expect(wassersteinDistance(...eighths).statistic).toBeCloseTo(moved, 9);
        const energy = energyDistance(a, b).statistic ** 2 / 8;
        expect(energyDistance(...eighths).statistic ** 2).toBeCloseTo(energy, 9);
      }),
    );
  });

  it("leaves out what is no finite number, and says how many on which side", () => {
    const dirty = [1, Number.NaN, 2, Infinity, null, undefined, 3, -Infinity];
    for (const test of [...Object.values(TESTS), andersonDarling, welchT, pooledT]) {
      const result = test(dirty, [2, 3, 4, Number.NaN]);
      expect(result).toMatchObject({ n: 3, m: 3, invalid: { reference: 5, live: 1 } });
      expect(result.statistic).toBe(test([1, 2, 3], [2, 3, 4]).statistic);
      expect(() => test([], [1])).toThrow(RangeError);
      expect(() => test([1], [Number.NaN])).toThrow("no finite value");
    }
  });

  it("refuses two different grids", () => {
    const [a, b] = [ReferenceGrid.fromSample([1, 2]), ReferenceGrid.fromSample([1, 3])];
    expect(() => kolmogorovSmirnov(a, b)).toThrow("cannot be compared");
  });

  it("weights count as that many rows", () => {
    const law = empiricalLaw([1, 2, 3, 3, 9], [2, 1, 1, 1, 0]);
    expect(law).toEqual(empiricalLaw([3, 1, 2, 1, 3]));
    expect([...law.points]).toEqual([1, 2, 3]);
  });

  it("measures at both ends of the double range", () => {
    const max = Number.MAX_VALUE;
    expect(wassersteinDistance([-max, max], [-max, max]).statistic).toBe(0);
    expect(wassersteinDistance([-max, max, 0, 0], [-max, max, 0, max]).statistic).toBe(max / 4);
    expect(energyDistance([5e-324, 0], [0, 5e-324]).statistic).toBe(0);
    for (const unit of [2 ** 1020, 2 ** -1060]) {
      const [a, b] = [[1, 2, 3, 5].map((x) => x * unit), [3, 4, 5, 7].map((x) => x * unit)];
      for (const test of [welchT, pooledT, kolmogorovSmirnov, mannWhitney, andersonDarling]) {
        const { statistic, pValue } = test([1, 2, 3, 5], [3, 4, 5, 7]);
        expect(test(a, b)).toMatchObject({ statistic, pValue });
      }
      expect(welchT(a, b).meanDifference).toBe(-2 * unit);
      expect(wassersteinDistance(a, b).statistic).toBe(2 * unit);
    }
  });
});
