/** Data that is compared with a reference: counted on its edges and among its categories. */
import type { ReferenceGrid } from "@tidemark/stats";
import { CategoryCounts, GridSummary, regrid } from "@tidemark/stats";
import type { ColumnMapping, OnProgress } from "./column-table.js";
import { FEATURE, readColumns } from "./column-table.js";
import type { Reference } from "./reference.js";
import type { ReferenceFile } from "./reference-file.js";

/** What there is of one signal; `summary` is of the reference's kind. */
export interface CurrentSignal {
  readonly summary: GridSummary | CategoryCounts;
  /** Rows without a value. */
  readonly missing: number;
  /** Rows with one of another type than the reference's. */
  readonly invalid: number;
  /** Bound on the error of its ranks; 0 where rows were counted. */
  readonly epsilon: number;
}

/** Everything that is compared with one reference. */
export interface CurrentData {
  readonly rows: number;
  /** By signal; those that it lacks are left out. */
  readonly signals: ReadonlyMap<string, CurrentSignal>;
  /** Signals that the reference lacks. */
  readonly unknown: readonly string[];
}

/**
 * Counts the rows of data files. Each signal is looked for in the column that the reference was
 * made from, or that a mapping names.
 * @param ignored columns that are no news
 * @throws TrainingDataError when a file or a named column cannot be used
 */
export async function readCurrentData(
  files: readonly string[],
  reference: ReferenceFile,
  named: readonly ColumnMapping[],
  ignored: readonly string[],
  onProgress?: OnProgress,
): Promise<CurrentData> {
  const { signals } = reference;
  const mappings = [...signals].map(([signal, { kind }]): ColumnMapping => {
    const mapping = named.find((one) => one.signal === signal);
    const column = mapping?.column ?? columnOf(signal, reference);
    return { column, signal, type: kind, optional: mapping === undefined };
  });
  const gridOf = (signal: string) => (signals.get(signal) as { grid: ReferenceGrid }).grid;
  // Columns of categories hold no numbers, and need no grid.
  const numbersOf = (signal: string) =>
    signals.get(signal)?.kind === "numeric" ? new GridSummary(gridOf(signal)) : NO_NUMBERS;
  const plan = { files, mappings, others: false } as const;
  const { rows, columns, passedOver } = await readColumns(plan, numbersOf, onProgress);
  const current = new Map<string, CurrentSignal>();
  for (const [signal, expected] of signals) {
    const column = columns.get(signal);
    if (column === undefined) continue;
    let summary = column.numbers as GridSummary | CategoryCounts;
    if (expected.kind === "categorical") {
      summary = CategoryCounts.liveFor(expected.categories);
      column.countCategories(summary);
    }
    const { count, invalid } = column;
    current.set(signal, { summary, invalid, missing: rows - count - invalid, epsilon: 0 });
  }
  return {
    rows,
    signals: current,
    unknown: passedOver.filter((column) => !ignored.includes(column)),
  };
}

/** What another reference holds, as if its rows were counted; exact but for ranks. */
export function currentOfReference(other: ReferenceFile, reference: ReferenceFile): CurrentData {
  const signals = new Map<string, CurrentSignal>();
  for (const [signal, expected] of reference.signals) {
    const found = other.signals.get(signal);
    if (found) signals.set(signal, asCurrent(found, expected));
  }
  const unknown = [...other.signals.keys()].filter((signal) => !reference.signals.has(signal));
  return { rows: other.source.rows, signals, unknown };
}

function asCurrent(found: Reference, expected: Reference): CurrentSignal {
  const { missing } = found;
  if (expected.kind === "numeric") {
    if (found.kind === "numeric")
      return { ...regrid(expected.grid, found.grid), missing, invalid: 0 };
    const summary = new GridSummary(expected.grid);
    return { summary, missing, invalid: found.categories.count, epsilon: 0 };
  }
  const summary = CategoryCounts.liveFor(expected.categories);
  if (found.kind === "numeric") return { summary, missing, invalid: found.grid.count, epsilon: 0 };
  summary.merge(found.categories);
  return { summary, missing, invalid: 0, epsilon: 0 };
}

function columnOf(signal: string, { source }: ReferenceFile): string {
  const column = source.columns.get(signal);
  if (column !== undefined) return column;
  return signal.startsWith(FEATURE) ? signal.slice(FEATURE.length) : signal;
}

const NO_NUMBERS = { count: 0, add(): void {} };
