/** What references hold, as a table for people. */

import type { Reference } from "../references/reference.js";
import { shownQuantiles } from "../references/reference-file.js";
import { textTable } from "./text-table.js";

const TOP_CATEGORIES = 5;

/** What a signal holds, as plain data. */
export function signalFacts(signal: Reference): Record<string, unknown> {
  const { kind, missing } = signal;
  if (kind === "categorical") {
    const { count, size, other } = signal.categories;
    return { kind, count, missing, categories: size, other, top: topCategories(signal) };
  }
  const { count, min, max, mean, variance, epsilon } = signal.grid;
  return {
    kind,
    count,
    missing,
    min,
    median: signal.grid.quantile(0.5),
    max,
    mean,
    standardDeviation: Math.sqrt(variance),
    quantiles: shownQuantiles(signal.grid),
    rankError: epsilon,
  };
}

/** One line a signal. */
export function signalTable(signals: ReadonlyMap<string, Reference>): string {
  const numeric = [["signal", "values", "missing", "min", "p5", "median", "p95", "max", "mean"]];
  const categorical = [["signal", "values", "missing", "categories", "most frequent"]];
  for (const [name, signal] of signals) {
    if (signal.kind === "numeric") {
      const { grid, missing } = signal;
      const numbers = [grid.min, ...[0.05, 0.5, 0.95].map((q) => grid.quantile(q)), grid.max];
      const cells = [...numbers, grid.mean].map(shortNumber);
      numeric.push([name, whole(grid.count), whole(missing), ...cells]);
    } else {
      const { categories, missing } = signal;
      const top = Object.entries(topCategories(signal));
      const shares = top.map(([category, count]) => {
        return `${category} ${((100 * count) / categories.count).toFixed(1)} %`;
      });
      const size = whole(categories.size) + (categories.other > 0 ? ", and others" : "");
      categorical.push([name, whole(categories.count), whole(missing), size, shares.join(", ")]);
    }
  }
  return [numeric, categorical]
    .filter((rows) => rows.length > 1)
    .map((rows) => textTable(rows))
    .join("\n");
}

/** Five digits are enough for people. */
export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(5)));
}

function whole(count: number): string {
  return count.toLocaleString("en");
}

function topCategories({ categories }: Reference & { kind: "categorical" }) {
  const byCount = [...categories.entries()].toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(byCount.slice(0, TOP_CATEGORIES));
}
