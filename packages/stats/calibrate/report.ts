/** The calibration as tables: each cell for the terminal, a row per test and law for the README. */
import { PROMISE, SOAK_LAW, SOAK_PROMISE } from "./numeric-levels.ts";
import {
  ALPHAS,
  type BandJudgement,
  binomialPoint,
  type Figure,
  joined,
  judged,
  type LevelCell,
} from "./tally.ts";

/** Rejections that a column must expect before its rate is written; it is judged all the same. */
const EXPECTED_MIN = 3;

/** The cells that break their band, written out. */
export function brokenCells(cells: readonly LevelCell[]): string[] {
  return cells
    .filter(({ test }) => test !== SOAK_PROMISE)
    .flatMap((cell) =>
      ALPHAS.flatMap((alpha, i) => {
        const rejections = cell.rejections[i] as number;
        if (judged(rejections, cell.trials, alpha) !== "above") return [];
        const bound = binomialPoint(cell.trials, alpha, 0.999);
        const where = `${cell.test}, ${cell.law}, ${cell.rows}, alpha ${alpha}`;
        return [`${where}: ${rejections} of ${cell.trials}, at most ${bound}`];
      }),
    );
}

/** The soak's two promises as figures. */
export function soakFigures(cells: readonly LevelCell[]): Figure[] {
  const soak = cells.find(({ test, law }) => test === "KS" && law === SOAK_LAW);
  const promised = cells.find(({ test }) => test === SOAK_PROMISE);
  if (!soak || !promised) return [];
  const figure = (name: string, alpha: number, rejections: number): Figure => {
    const bound = binomialPoint(soak.trials, alpha, 0.999);
    return {
      name: `soak, ${soak.trials} null windows with fresh references, ${name}`,
      value: `${rejections} rejections`,
      goal: `at most ${bound}`,
      holds: rejections <= bound,
    };
  };
  return [
    figure("alpha 1e-4", 1e-4, soak.rejections[3] as number),
    figure(`alpha ${PROMISE}, the hourly promise`, PROMISE, promised.rejections[0] as number),
  ];
}

/** Every cell, for the terminal. */
export function cellLines(cells: readonly LevelCell[]): string[] {
  return cells.map((cell) => {
    const rates = cell.rejections.map((_, i) => rate(cell, i).padStart(6));
    return [
      cell.test.padEnd(16),
      cell.law.padEnd(36),
      cell.rows.padEnd(12),
      String(cell.trials).padStart(8),
      ...rates,
    ].join(" ");
  });
}

/** Markdown: rates over alpha, pooled over sizes, and the figures. */
export function markdown(cells: readonly LevelCell[], figures: readonly Figure[]): string {
  const shown = cells.filter(({ test }) => test !== SOAK_PROMISE);
  const pooled = joined(shown.map((cell) => ({ ...cell, rows: "" })));
  const header = ["test", "case", "windows", ...ALPHAS.map(shortAlpha), "band"];
  const rows = pooled.map((cell) => [
    cell.test,
    cell.law,
    String(cell.trials),
    ...ALPHAS.map((_, i) => rate(cell, i)),
    verdict(cell, shown),
  ]);
  const goals = figures.map(({ name, value, goal, holds }) => [name, value, goal, yes(holds)]);
  return [
    ...table(header, rows),
    "",
    ...table(["figure", "measured", "goal", "holds"], goals),
  ].join("\n");
}

function yes(holds: boolean): string {
  return holds ? "yes" : "**no**";
}

/** What the sizes that were pooled say one by one. */
function verdict(pooled: LevelCell, cells: readonly LevelCell[]): string {
  const own = cells.filter(({ test, law }) => test === pooled.test && law === pooled.law);
  if (brokenCells(own).length > 0) return "**above**";
  const judgements = [pooled, ...own].flatMap((cell) =>
    ALPHAS.map((alpha, i): BandJudgement => judged(cell.rejections[i] ?? 0, cell.trials, alpha)),
  );
  return judgements.includes("conservative") ? "conservative" : "within";
}

function rate(cell: LevelCell, column: number): string {
  const alpha = ALPHAS[column] as number;
  const expected = alpha * cell.trials;
  if (expected < EXPECTED_MIN) return "–";
  return ((cell.rejections[column] as number) / expected).toFixed(2);
}

function shortAlpha(alpha: number): string {
  return alpha < 0.01 ? alpha.toExponential() : String(alpha).replace("0.", ".");
}

function table(header: string[], rows: string[][]): string[] {
  const widths = header.map((title, i) =>
    Math.max(title.length, 3, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: string[]): string =>
    `| ${row.map((text, i) => text.padEnd(widths[i] as number)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
