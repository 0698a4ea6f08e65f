/** Evidently and scipy, on the same columns; and Parquet as pyarrow writes it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  categoricalByRule,
  chiSquareHomogeneity,
  driftPolicy,
  evaluateNumeric,
  GridSummary,
  goodnessOfFit,
  jensenShannon,
  kolmogorovSmirnov,
  numericByRule,
  numericCells,
  populationStabilityIndex,
  ReferenceGrid,
  wassersteinDistance,
} from "@tidemark/stats";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, runPeer } from "./peer-programs.ts";

interface Shares {
  psi: number | null;
  jensenShannon: number;
  counts: [number[], number[]];
}
interface Answer {
  evidently: Record<"ks" | "wasserstein" | "psi" | "jensenshannon" | "chisquare", number>;
  scipy: {
    ks: [statistic: number, pValue: number];
    wasserstein: number;
    sigma: number;
    shares: Shares;
    histogram: Shares;
    chiSquare: [statistic: number, pValue: number];
  };
}
interface Column<Cell> {
  readonly name: string;
  readonly reference: Cell[];
  readonly current: Cell[];
}

const ROUNDING = 1e-12;
const folder = mkdtempSync(join(tmpdir(), "tidemark-evidently-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Rows = Record<string, string>[];
const read = (file: string) =>
  parse(readFileSync(join(ROOT, file)), { columns: true }) as unknown as Rows;
const weather = read("examples/weather/data/weather.csv");
const churn = read("examples/churn/data/wa_churn.csv");
const CHURN = "examples/churn/data/wa_churn.csv";

/** Every column of two parts of a table, numbers apart from texts. */
function columnsOf(table: string, reference: Rows, current: Rows) {
  const numbers: Column<number>[] = [];
  const texts: Column<string>[] = [];
  for (const key of Object.keys(reference[0] ?? {})) {
    const name = `${table}: ${key}`;
    const [a, b] = [reference, current].map((rows) =>
      rows.flatMap((row) => (row[key] ? [row[key]] : [])),
    ) as [string[], string[]];
    if ([...a, ...b].every((cell) => Number.isFinite(Number(cell)))) {
      numbers.push({ name, reference: a.map(Number), current: b.map(Number) });
    } else if (new Set(a).size < 30) texts.push({ name, reference: a, current: b });
  }
  return { numbers, texts };
}

const tables = [
  columnsOf(
    "Seattle to New York",
    weather.filter(({ location }) => location === "Seattle"),
    weather.filter(({ location }) => location === "New York"),
  ),
  columnsOf(
    "two-year to monthly contracts",
    churn.filter(({ contract }) => contract === "Two year"),
    churn.filter(({ contract }) => contract === "Month-to-month"),
  ),
  columnsOf(
    "even to odd customers",
    churn.filter((_, i) => i % 2 === 0),
    churn.filter((_, i) => i % 2),
  ),
];
const numbers = tables.flatMap((table) => table.numbers);
const texts = tables.flatMap((table) => table.texts);
const answers = new Map<string, Answer>();

/** The upper edges of our cells, but for the last, which has none. */
function edgesOf(grid: ReferenceGrid): number[] {
  const { cellOf, cellCount } = grid.cells();
  const upper = (_: unknown, cell: number) => grid.edges[cellOf.lastIndexOf(cell)] as number;
  return Array.from({ length: cellCount - 1 }, upper);
}

beforeAll(async () => {
  const requests = [
    ...numbers.map(({ name, reference, current }) => {
      return {
        name,
        kind: "num",
        reference,
        current,
        edges: edgesOf(ReferenceGrid.fromSample(reference)),
      };
    }),
    ...texts.map(({ name, reference, current }) => ({ name, kind: "cat", reference, current })),
  ];
  const file = join(folder, "requests.json");
  writeFileSync(file, JSON.stringify(requests));
  const script = join(ROOT, "test/peers/programs/evidently/distances.py");
  const { exitCode, output } = await runPeer("evidently", [script, file]);
  expect(exitCode, output).toBe(0);
  const found = JSON.parse(output.slice(output.indexOf("[{"))) as Answer[];
  for (const [i, { name }] of requests.entries()) answers.set(name, found[i] as Answer);
});

function close(actual: number, expected: number, what: string): void {
  expect(Math.abs(actual - expected), `${what}: ${actual} is not ${expected}`).toBeLessThanOrEqual(
    1e-9 * Math.max(1, Math.abs(expected)),
  );
}

describe("numbers", () => {
  it.each(numbers.map((column) => [column.name, column] as const))("%s", (name, column) => {
    const { reference, current } = column;
    const { scipy, evidently } = answers.get(name) as Answer;
    const rows = kolmogorovSmirnov(reference, current);
    close(rows.statistic, scipy.ks[0], "KS distance");
    close(rows.pValue, scipy.ks[1], "KS p");
    const moved = wassersteinDistance(reference, current);
    close(moved.statistic, scipy.wasserstein, "W1");
    close(moved.normalised, evidently.wasserstein, "W1 over sigma, by Evidently");
    // What the receiver computes, on the grid: never above, and within the error that it states.
    const grid = ReferenceGrid.fromSample(reference);
    const live = new GridSummary(grid);
    for (const value of current) live.add(value);
    const policy = driftPolicy({ evaluationMinutes: 1440, windowLengths: 1 });
    const { statistic, errorBound } = evaluateNumeric({ reference: grid, live, policy });
    expect(scipy.ks[0] - statistic).toBeGreaterThanOrEqual(-ROUNDING);
    expect(scipy.ks[0] - statistic).toBeLessThanOrEqual(errorBound + ROUNDING);
    const onGrid = wassersteinDistance(grid, live);
    const off = Math.abs(onGrid.statistic - scipy.wasserstein);
    expect(off).toBeLessThanOrEqual(onGrid.errorBound + ROUNDING * scipy.sigma);
    // Shares of the same cells.
    const cells = numericCells(grid, live);
    expect([...cells.reference]).toEqual(scipy.shares.counts[0]);
    expect([...cells.live]).toEqual(scipy.shares.counts[1]);
    expectShares(cells.reference, cells.live, scipy.shares);
    const [histogram, liveHistogram] = scipy.histogram.counts;
    expectShares(histogram, liveHistogram, scipy.histogram);
    if (new Set(reference).size > 20) {
      close(jensenShannon(histogram, liveHistogram, "e"), evidently.jensenshannon, "JS");
      const psi = populationStabilityIndex(histogram, liveHistogram, 0);
      // Where a cell is empty Evidently puts a number of its own in its place.
      if (scipy.histogram.psi !== null) close(psi, evidently.psi, "PSI, by Evidently");
    }
    const { test, score } = numericByRule("evidently", reference, current);
    if (test === "wasserstein") close(score, evidently.wasserstein, "Evidently's choice");
  });
});

describe("categories", () => {
  it.each(texts.map((column) => [column.name, column] as const))("%s", (name, column) => {
    const { scipy, evidently } = answers.get(name) as Answer;
    const { reference, current } = column;
    const names = [...new Set([...reference, ...current])].toSorted();
    const count = (cells: string[]) =>
      names.map((one) => cells.filter((cell) => cell === one).length);
    const [r, c] = [count(reference), count(current)];
    expect([r, c]).toEqual(scipy.shares.counts);
    const tested = chiSquareHomogeneity(r, c, { expectedMin: 0 });
    close(tested.chiSquare, scipy.chiSquare[0], "chi-square");
    close(tested.pValue, scipy.chiSquare[1], "chi-square p");
    expectShares(r, c, scipy.shares);
    close(jensenShannon(r, c, "e"), evidently.jensenshannon, "JS, by Evidently");
    if (scipy.shares.psi === null) return;
    close(populationStabilityIndex(r, c, 0), evidently.psi, "PSI, by Evidently");
    close(goodnessOfFit(r, c).pValue, evidently.chisquare, "chi-square, by Evidently");
    const pairs = (counts: number[]) => new Map(names.map((one, i) => [one, counts[i] as number]));
    const { test, score } = categoricalByRule("evidently", pairs(r), pairs(c));
    if (test === "jensen-shannon") close(score, evidently.jensenshannon, "Evidently's choice");
  });
});

function expectShares(r: ArrayLike<number>, c: ArrayLike<number>, expected: Shares): void {
  close(jensenShannon(r, c), expected.jensenShannon, "JS, base 2");
  if (expected.psi !== null) close(populationStabilityIndex(r, c, 0), expected.psi, "PSI");
}

describe("pyarrow", () => {
  const cli = join(ROOT, "packages/receiver/dist/cli.js");
  const signalsOf = (data: string, out: string) => {
    const args = [cli, "baseline", "build", data, "--model", "churn", "--out", join(folder, out)];
    execFileSync(process.execPath, args);
    return (JSON.parse(readFileSync(join(folder, out), "utf8")) as { signals: object }).signals;
  };

  it.each([
    ["snappy", 1000],
    ["gzip", 100_000],
    ["zstd", 3000],
    ["brotli", 100_000],
    ["none", 50],
  ])(
    "writes Parquet (%s, %i rows a group) that makes the reference that its CSV makes",
    async (codec, rows) => {
      const script = join(ROOT, "test/peers/programs/evidently/to_parquet.py");
      const out = join(folder, `${codec}.parquet`);
      const { exitCode, output } = await runPeer("evidently", [
        script,
        join(ROOT, CHURN),
        out,
        codec,
        String(rows),
      ]);
      expect(exitCode, output).toBe(0);
      expect(signalsOf(out, "parquet.json")).toEqual(signalsOf(join(ROOT, CHURN), "csv.json"));
    },
  );
});
