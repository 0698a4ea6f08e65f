/**
 * A reference from the training data: a CSV file with a header, one column per signal.
 * Memory is bounded: columns longer than a million rows go through a quantile sketch.
 */
import { createReadStream } from "node:fs";
import { CategoryCounts, KllSketch, ReferenceGrid } from "@tidemark/stats";
import { CsvError, parse } from "csv-parse";
import type { Reference } from "./reference.js";

/** 8 MB a column; beyond it a sketch with an error of .14 % stands for the column. */
const EXACT_ROWS_MAX = 1_000_000;
const MISSING = new Set(["", "na", "n/a", "nan", "null", "none"]);

/** The data cannot be made into a reference; the message names file, line or column. */
export class TrainingDataError extends Error {
  override readonly name = "TrainingDataError";
}

/** Which column becomes which signal. */
export interface ColumnMapping {
  readonly column: string;
  /** `feature.<name>`, `prediction.value`, … */
  readonly signal: string;
  /** True when the cells are categories even where they look like numbers. */
  readonly category: boolean;
}

/** What was read. */
export interface TrainingData {
  readonly rows: number;
  readonly signals: Map<string, Reference>;
  /** Columns that were left out because they hold text; only where none were asked for. */
  readonly skipped: readonly string[];
}

/**
 * Reads a CSV file into references.
 * @param mappings the wanted columns; when empty every column of numbers becomes a feature
 * @param onProgress is told the rows read so far, now and then
 * @throws TrainingDataError when the file or a wanted column cannot be used
 */
export async function readTrainingCsv(
  file: string,
  name: string,
  mappings: readonly ColumnMapping[],
  onProgress: (rows: number) => void = () => {},
): Promise<TrainingData> {
  let columns: Column[] | undefined;
  let rows = 0;
  const parser = createReadStream(file)
    .on("error", (error) => parser.destroy(error))
    .pipe(parse({ bom: true, skip_empty_lines: true, trim: true }));
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (columns === undefined) {
        columns = openColumns(file, record, mappings);
        continue;
      }
      rows++;
      for (const column of columns) column.add(record[column.index] ?? "", file, rows + 1);
      if (rows % 100_000 === 0) onProgress(rows);
    }
  } catch (error) {
    throw readable(file, error);
  }
  onProgress(rows);
  return finish(file, name, rows, columns ?? []);
}

function finish(file: string, name: string, rows: number, columns: Column[]): TrainingData {
  if (rows === 0) throw new TrainingDataError(`${file}: has no rows below its header`);
  const signals = new Map<string, Reference>();
  const skipped: string[] = [];
  for (const column of columns) {
    const reference = column.reference(name);
    if (reference !== undefined) signals.set(column.signal, reference);
    else if (column.wanted) {
      throw new TrainingDataError(`${file}: column "${column.name}" has no values`);
    } else skipped.push(column.name);
  }
  if (signals.size === 0) {
    throw new TrainingDataError(
      `${file}: no column holds numbers (columns: ${skipped.join(", ")}); ` +
        "is it comma-separated? Columns of categories are named with --category",
    );
  }
  return { rows, signals, skipped };
}

function openColumns(
  file: string,
  header: readonly string[],
  mappings: readonly ColumnMapping[],
): Column[] {
  if (mappings.length === 0) {
    return header.map((name, index) => new Column(name, index, `feature.${name}`, false, false));
  }
  return mappings.map(({ column, signal, category }) => {
    const index = header.indexOf(column);
    if (index >= 0) return new Column(column, index, signal, category, true);
    throw new TrainingDataError(
      `${file}:1: there is no column "${column}"; the header has: ${header.join(", ")}`,
    );
  });
}

/** Collects one column; the first cell with a value decides whether it holds numbers. */
class Column {
  readonly name: string;
  readonly index: number;
  readonly signal: string;
  readonly wanted: boolean;
  private kind: "unknown" | "numeric" | "categorical" | "text" = "unknown";
  private values = new Float64Array(1024);
  private sketch: KllSketch | undefined;
  private readonly categories = new CategoryCounts();
  private count = 0;
  private missing = 0;

  constructor(name: string, index: number, signal: string, category: boolean, wanted: boolean) {
    this.name = name;
    this.index = index;
    this.signal = signal;
    this.wanted = wanted;
    if (category) this.kind = "categorical";
  }

  add(cell: string, file: string, line: number): void {
    if (MISSING.has(cell.toLowerCase())) {
      this.missing++;
      return;
    }
    const number = Number(cell);
    if (this.kind === "unknown") {
      if (Number.isFinite(number)) this.kind = "numeric";
      else this.kind = this.wanted ? "categorical" : "text";
    }
    if (this.kind === "categorical") this.categories.add(cell);
    if (this.kind !== "numeric") return;
    if (!Number.isFinite(number)) {
      throw new TrainingDataError(
        `${file}:${line}: column "${this.name}": "${cell}" is no number, but those above are; ` +
          `correct the row, or declare the column with --category ${this.name}`,
      );
    }
    this.addNumber(number);
  }

  /** Undefined for a column of text that nobody asked for, and for one without any value. */
  reference(name: string): Reference | undefined {
    const origin = { name, provisional: false, missing: this.missing };
    if (this.kind === "categorical" && this.categories.count > 0) {
      return { ...origin, kind: "categorical", categories: this.categories };
    }
    if (this.kind !== "numeric") return undefined;
    if (this.sketch) {
      return { ...origin, kind: "numeric", grid: ReferenceGrid.fromSketch(this.sketch) };
    }
    const values = this.values.subarray(0, this.count);
    const grid = ReferenceGrid.fromSample(values, { float32: fitsFloat32(values) });
    return { ...origin, kind: "numeric", grid };
  }

  private addNumber(number: number): void {
    if (this.sketch) this.sketch.add(number);
    else if (this.count === EXACT_ROWS_MAX) {
      this.sketch = new KllSketch();
      for (const value of this.values) this.sketch.add(value);
      this.sketch.add(number);
      this.values = new Float64Array(0);
    } else {
      if (this.count === this.values.length) {
        const grown = new Float64Array(Math.min(EXACT_ROWS_MAX, this.count * 2));
        grown.set(this.values);
        this.values = grown;
      }
      this.values[this.count] = number;
    }
    this.count++;
  }
}

/**
 * Whether rounding to float32 keeps all values apart. Models mostly take float32, and 0.1 from a
 * file and 0.1 from a tensor are equal only when both are rounded; rounding loses nothing here.
 */
function fitsFloat32(values: Float64Array): boolean {
  const sorted = values.toSorted();
  for (let i = 1; i < sorted.length; i++) {
    const [before, value] = [sorted[i - 1] as number, sorted[i] as number];
    if (before !== value && Math.fround(before) === Math.fround(value)) return false;
  }
  return Number.isFinite(Math.fround(sorted[0] ?? 0) + Math.fround(sorted.at(-1) ?? 0));
}

function readable(file: string, error: unknown): unknown {
  if (error instanceof TrainingDataError) return error;
  if (error instanceof CsvError) {
    return new TrainingDataError(`${file}: is no well-formed CSV: ${error.message}`);
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code) return new TrainingDataError(`${file}: cannot be read (${code}); check the path`);
  return error;
}
