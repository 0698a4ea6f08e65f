/** A reference from training data: one column per signal, of one file or of several alike. */
import { CategoryCounts } from "@tidemark/stats";
import type { ColumnPlan, LeftOutColumn, OnProgress } from "./column-table.js";
import { readColumns } from "./column-table.js";
import { TrainingDataError } from "./data-file.js";
import { NumberCollector, rowBudget } from "./number-collector.js";
import type { Reference } from "./reference.js";
import type { TrainingColumn } from "./training-column.js";

/** Signals that are numbers whatever the model. */
const NUMBERS = new Set(["prediction.value", "prediction.confidence"]);

/** What was read. */
export interface TrainingData {
  readonly rows: number;
  readonly signals: Map<string, Reference>;
  /** The column of each signal. */
  readonly columns: ReadonlyMap<string, string>;
  /** Columns that nobody named and that cannot be signals. */
  readonly leftOut: readonly LeftOutColumn[];
  /** Cells of columns of numbers that are no numbers, by signal; left out, as was asked for. */
  readonly invalid: ReadonlyMap<string, number>;
}

/** What a reference is to be made of. */
export interface TrainingPlan extends ColumnPlan {
  /** What the reference is called. */
  readonly name: string;
}

/**
 * Reads files into references. Memory is bounded: columns longer than a million rows go through a
 * quantile sketch.
 * @throws TrainingDataError when a file or a named column cannot be used
 */
export async function readTrainingData(
  plan: TrainingPlan,
  onProgress?: OnProgress,
): Promise<TrainingData> {
  const budget = rowBudget();
  const collect = () => new NumberCollector(budget);
  const { rows, columns, leftOut } = await readColumns(plan, collect, onProgress);
  const source = plan.files.join(", ");
  if (columns.size === 0) {
    const named = leftOut.map(({ column, why }) => `${column} (${why})`).join(", ");
    throw new TrainingDataError(`${source}: no column holds numbers or categories: ${named}`);
  }
  const signals = new Map<string, Reference>();
  const invalid = new Map<string, number>();
  for (const [signal, column] of columns) {
    if (NUMBERS.has(signal) && column.kind !== "numeric") {
      const hint = "numbers; is it the predicted class? That is named with --class";
      throw new TrainingDataError(
        `${source}: column "${column.name}" holds text, but ${signal} are ${hint}`,
      );
    }
    signals.set(signal, referenceOf(column, plan.name, rows));
    if (column.invalid > 0) invalid.set(signal, column.invalid);
  }
  const names = new Map([...columns].map(([signal, { name }]) => [signal, name]));
  return { rows, signals, columns: names, leftOut, invalid };
}

function referenceOf(
  column: TrainingColumn<NumberCollector>,
  name: string,
  rows: number,
): Reference {
  const missing = rows - column.count - column.invalid;
  const origin = { name, provisional: false, missing };
  if (column.kind === "numeric") return { ...origin, kind: "numeric", grid: column.numbers.grid() };
  const categories = new CategoryCounts();
  column.countCategories(categories);
  return { ...origin, kind: "categorical", categories };
}
