import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GridSummary, KllSketch, ReferenceGrid, SummaryFormatError } from "../src/index.ts";
import { nextDown } from "../src/summaries/grid-edges.ts";
import { binOf } from "../src/summaries/grid-lookup.ts";
import { kolmogorovSmirnov } from "../src/two-sample/kolmogorov-smirnov.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const tied = fc.integer({ min: -20, max: 20 }).map((i) => i / 10);
const sample = fc.oneof(
  fc.array(finite, { minLength: 1, maxLength: 700 }),
  fc.array(tied, { minLength: 1, maxLength: 2000 }),
);

function liveOn(grid: ReferenceGrid, values: readonly number[] | Float64Array): GridSummary {
  const live = new GridSummary(grid);
  live.addMany(Float64Array.from(values));
  return live;
}

describe("ReferenceGrid", () => {
  it("places edges at distinct values of rank ceil(jn/B)", () => {
    const n = 1000;
    const grid = ReferenceGrid.fromSample(Float64Array.from({ length: n }, (_, i) => i));
    const ranks = Array.from({ length: 256 }, (_, j) => Math.ceil(((j + 1) * n) / 256));
    expect(Array.from(grid.edges)).toEqual([nextDown(0), ...ranks.map((rank) => rank - 1)]);
    expect(grid.count).toBe(n);
  });

  it("finds the same bin as a linear search, for every law and every edge neighbour", () => {
    fc.assert(
      fc.property(sample, fc.array(finite), (reference, others) => {
        const { edges, lookup } = ReferenceGrid.fromSample(reference);
        const probes = [...others, ...reference, ...edges, ...Array.from(edges, nextDown)];
        for (const x of probes) {
          if (!Number.isFinite(x)) continue;
          const bin = edges.findIndex((edge) => edge >= x);
          expect(binOf(lookup, x)).toBe(bin < 0 ? edges.length : bin);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("counts its own sample exactly as a summary of that sample would", () => {
    fc.assert(
      fc.property(sample, (values) => {
        const grid = ReferenceGrid.fromSample(values);
        expect(liveOn(grid, values).counts).toEqual(grid.counts);
        expect(grid.edges.length).toBeLessThanOrEqual(512);
      }),
    );
  });

  it("never exceeds the exact distance and is at most 1/B + 1/n below it, 2/B with ties", () => {
    fc.assert(
      fc.property(sample, sample, (reference, live) => {
        const grid = ReferenceGrid.fromSample(reference);
        const onGrid = kolmogorovSmirnov(grid, liveOn(grid, live)).statistic;
        const exact = kolmogorovSmirnov(reference, live).statistic;
        expect(onGrid).toBeLessThanOrEqual(exact + 1e-12);
        expect(exact - onGrid).toBeLessThanOrEqual(grid.resolution + 1e-12);
        expect(grid.resolution).toBeLessThanOrEqual(2 / 256 + 1 / reference.length);
      }),
    );
  });

  it("is exact on k/10 atoms, and with float32 one side at a time", () => {
    const random = seededRandom(1);
    const tenths = draws(5000, () => random.integer(11) / 10);
    const shifted = draws(3000, () => Math.min(10, random.integer(12)) / 10);
    const grid = ReferenceGrid.fromSample(tenths, { float32: true });
    const live = new GridSummary(grid);
    live.addMany(Float32Array.from(shifted));
    const exact = kolmogorovSmirnov(tenths, shifted).statistic;
    expect(kolmogorovSmirnov(grid, live).statistic).toBeCloseTo(exact, 12);
    const unaware = new GridSummary(ReferenceGrid.fromSample(tenths));
    unaware.addMany(Float32Array.from(shifted));
    const wrong = kolmogorovSmirnov(unaware.grid, unaware).statistic;
    expect(wrong).toBeGreaterThan(exact + 0.03);
  });

  it("sees N(1e6 + .5, 1) against N(1e6, 1), where logarithmic buckets are blind", () => {
    const random = seededRandom(2);
    const grid = ReferenceGrid.fromSample(draws(20_000, () => 1e6 + random.normal()));
    const live = liveOn(
      grid,
      draws(20_000, () => 1e6 + 0.5 + random.normal()),
    );
    expect(kolmogorovSmirnov(grid, live).statistic).toBeCloseTo(0.197, 1);
    expect(live.variance).toBeCloseTo(1, 1);
  });

  it("survives the ends of the double range, signed zeros and constants", () => {
    const max = Number.MAX_VALUE;
    for (const values of [[-max, max], [max], [-max], [-0, 0, -0], [5e-324, -5e-324], [7]]) {
      const grid = ReferenceGrid.fromSample(values);
      const live = liveOn(grid, values);
      expect(live.counts).toEqual(grid.counts);
      expect(kolmogorovSmirnov(grid, live).statistic).toBe(0);
      expect(live.quantile(0.5)).toBeGreaterThanOrEqual(Math.min(...values));
      expect(live.quantile(0.5)).toBeLessThanOrEqual(Math.max(...values));
    }
  });

  it("leaves out and counts what is not finite, and refuses a sample without a value", () => {
    const grid = ReferenceGrid.fromSample([1, Number.NaN, 2, Infinity]);
    expect([grid.count, grid.invalid]).toEqual([2, 2]);
    expect(() => ReferenceGrid.fromSample([Number.NaN])).toThrow("at least one finite value");
    expect(() => ReferenceGrid.fromSample([1], { bins: 3 })).toThrow("bins 3");
  });

  it("keeps cells of equal mass, atoms whole", () => {
    const random = seededRandom(3);
    const grid = ReferenceGrid.fromSample(draws(25_600, random.normal));
    const masses = Array.from(grid.cellCounts(10), (count) => count / grid.count);
    expect(masses).toHaveLength(10);
    for (const mass of masses) expect(Math.abs(mass - 0.1)).toBeLessThanOrEqual(1 / 256);
    const zeros = draws(10_000, () => (random.uniform() < 0.5 ? 0 : random.normal()));
    const inflated = ReferenceGrid.fromSample(zeros);
    const largest = Math.max(...inflated.cellCounts(10));
    expect(Math.abs(largest / inflated.count - 0.5)).toBeLessThan(0.06);
    for (const mass of inflated.cellCounts(10)) expect(mass).toBeGreaterThan(0.05 * 10_000 - 1);
    expect(ReferenceGrid.fromSample([7, 7, 7, 7]).cells(10).cellCount).toBe(2);
  });

  it("reads back what it wrote, id included, and rejects every corrupted byte", () => {
    fc.assert(
      fc.property(sample, fc.boolean(), (values, float32) => {
        const sane = values.filter((x) => Number.isFinite(Math.fround(x)));
        fc.pre(sane.length > 0);
        const grid = ReferenceGrid.fromSample(sane, { float32 });
        const back = ReferenceGrid.deserialise(grid.serialise());
        expect(back.id).toBe(grid.id);
        expect([back.edges, back.counts, back.count]).toEqual([
          grid.edges,
          grid.counts,
          grid.count,
        ]);
        expect([back.mean, back.variance, back.float32]).toEqual([
          grid.mean,
          grid.variance,
          float32,
        ]);
      }),
      { numRuns: 50 },
    );
    const bytes = ReferenceGrid.fromSample([1, 2, 3, 4]).serialise();
    for (let i = 0; i < bytes.length; i++) {
      const corrupt = bytes.slice();
      corrupt.set([(bytes.at(i) ?? 0) ^ 0x41], i);
      expect(() => ReferenceGrid.deserialise(corrupt)).toThrow(SummaryFormatError);
      expect(() => ReferenceGrid.deserialise(bytes.subarray(0, i))).toThrow(SummaryFormatError);
    }
  });

  it("ranks and quantiles agree with the sample within a bin", () => {
    const random = seededRandom(4);
    const values = draws(10_000, random.normal).toSorted();
    const grid = ReferenceGrid.fromSample(values);
    for (const q of [0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.999, 1]) {
      const x = grid.quantile(q);
      const exact = values.filter((value) => value <= x).length / values.length;
      expect(Math.abs(exact - q)).toBeLessThanOrEqual(1 / 256 + 1e-3);
      expect(Math.abs(grid.rank(x) - q)).toBeLessThanOrEqual(1e-9 + 1 / 10_000);
    }
  });

  it("keeps the mean of each bin: inside it, never decreasing, together the mean of all", () => {
    fc.assert(
      fc.property(sample, fc.boolean(), (values, float32) => {
        const sane = values.filter((x) => Math.abs(x) < 1e30);
        fc.pre(sane.length > 0);
        const grid = ReferenceGrid.fromSample(sane, { float32 });
        const back = ReferenceGrid.deserialise(grid.serialise());
        expect(back.binMeans).toEqual(grid.binMeans);
        let sum = 0;
        for (const [bin, mean] of grid.binMeans.entries()) {
          sum += mean * (grid.counts[bin] ?? 0);
          expect(mean).toBeLessThanOrEqual(grid.edges[bin] ?? Infinity);
          expect(mean).toBeGreaterThanOrEqual(grid.edges[bin - 1] ?? -Infinity);
        }
        const scale = Math.max(...sane.map(Math.abs));
        expect(Math.abs(sum / grid.count - grid.mean)).toBeLessThanOrEqual(
          1e-12 * scale + Number.MIN_VALUE,
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("a grid of a sketch", () => {
  it("has the true extremes, although compactions drop them, and every row", () => {
    const random = seededRandom(3);
    const sketch = new KllSketch({ k: 200 });
    sketch.add(-1234.5);
    for (let i = 0; i < 200_000; i++) sketch.add(random.uniform());
    sketch.add(9876.5);
    for (let i = 0; i < 200_000; i++) sketch.add(random.uniform());
    const grid = ReferenceGrid.fromSketch(sketch);
    expect({ min: grid.min, max: grid.max }).toEqual({ min: -1234.5, max: 9876.5 });
    expect(grid.count).toBe(400_002);
    expect(grid.edges.at(-1)).toBe(9876.5);
    expect(Math.abs(grid.quantile(0.5) - 0.5)).toBeLessThan(grid.epsilon);
  });
});
