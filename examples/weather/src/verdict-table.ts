/** Verdicts as a table for people. */
import type { Verdict } from "./verdicts.js";

const HEADINGS = ["signal", "values", "KS D", "limit", "p", "PSI", "verdict"] as const;
/** Signals and verdicts are words, the rest are numbers. */
const LEFT = new Set<number>([0, 6]);

/** The table's lines; drifted signals are followed by what happened to them. */
export function verdictTable(verdicts: readonly Verdict[]): string[] {
  const rows = verdicts.map((verdict) => [
    verdict.signal,
    String(verdict.liveCount),
    fixed(verdict.statistic),
    fixed(verdict.threshold),
    probability(verdict.pValue),
    fixed(verdict.psi?.value),
    verdict.state,
  ]);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] as number;
        return LEFT.has(column) ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  const stories = verdicts.filter(({ state }) => state === "drifted");
  return [line(HEADINGS), ...rows.map(line), ...stories.map(({ sentence }) => `  ${sentence}`)];
}

function fixed(value: number | null | undefined): string {
  return typeof value === "number" ? value.toFixed(3) : "-";
}

/** Two digits: 0.98, 2.2e-48. */
function probability(value: number | null): string {
  if (value === null) return "-";
  return value >= 0.001 ? String(Number(value.toPrecision(2))) : value.toExponential(1);
}
