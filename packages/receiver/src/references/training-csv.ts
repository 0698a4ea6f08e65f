/**
 * A reference from the training data: a CSV file with a header, one column per signal.
 * Memory is bounded: columns longer than a million rows go through a quantile sketch.
 */
import { createReadStream } from "node:fs";
import { ATTRIBUTES, reservedNames } from "@tidemark/semconv";
import { CategoryCounts, KllSketch, ReferenceGrid } from "@tidemark/stats";
import { CsvError, parse } from "csv-parse";
import type { Reference } from "./reference.js";

/** 8 MB a column; beyond it a sketch with an error of .14 % stands for the column. */
const EXACT_ROWS_MAX = 1_000_000;
const MISSING = new Set(["", "na", "n/a", "nan", "null", "none", "inf", "+inf", "-inf"]);
/** Features that no span can carry: the attributes of these names mean something else. */
const RESERVED = new Set(reservedNames(ATTRIBUTES.feature));

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

/** A column that became no signal, and why. */
export interface LeftOutColumn {
  readonly column: string;
  readonly why: string;
}

/** What was read. */
export interface TrainingData {
  readonly rows: number;
  readonly signals: Map<string, Reference>;
  /** The column of each signal. */
  readonly columns: ReadonlyMap<string, string>;
  /** Columns that nobody named and that hold no numbers. */
  readonly leftOut: readonly LeftOutColumn[];
}

/**
 * Reads a CSV file into references. Unless one of the mappings is to a feature, columns of numbers
 * that no mapping names become features.
 * @param mappings the columns that somebody named
 * @param onProgress is told the rows read so far, now and then
 * @throws TrainingDataError when the file or a named column cannot be used
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
  const columnOf = new Map<string, string>();
  const leftOut: LeftOutColumn[] = [];
  for (const column of columns) {
    const why = column.unusable;
    const reference = why === undefined ? column.reference(name) : undefined;
    if (reference !== undefined) {
      signals.set(column.signal, reference);
      columnOf.set(column.signal, column.name);
    } else if (column.wanted) {
      throw new TrainingDataError(`${file}: column "${column.name}" has ${why}`);
    } else leftOut.push({ column: column.name || `number ${column.index + 1}`, why: why ?? "" });
  }
  if (signals.size === 0) {
    const named = leftOut.map(({ column }) => column).join(", ");
    throw new TrainingDataError(
      `${file}: no column holds numbers (columns: ${named}); ` +
        "is it comma-separated? Columns of categories are named with --category",
    );
  }
  return { rows, signals, columns: columnOf, leftOut };
}

function openColumns(
  file: string,
  header: readonly string[],
  mappings: readonly ColumnMapping[],
): Column[] {
  checkHeader(file, header);
  checkMappings(file, mappings);
  const named = mappings.map(({ column, signal, category }) => {
    const index = header.indexOf(column);
    if (index >= 0) return new Column(column, index, signal, category, true);
    throw new TrainingDataError(
      `${file}:1: there is no column "${column}"; the header has: ${header.join(", ")}`,
    );
  });
  if (mappings.some(({ signal }) => signal.startsWith(FEATURE))) return named;
  const taken = new Set(named.map(({ index }) => index));
  const others = header.flatMap((name, index) =>
    taken.has(index) ? [] : [new Column(name, index, FEATURE + name, false, false)],
  );
  return [...others, ...named];
}

const FEATURE = "feature.";

function checkHeader(file: string, header: readonly string[]): void {
  const twice = header.find((name, index) => name !== "" && header.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new TrainingDataError(`${file}:1: two columns are called "${twice}"; rename one of them`);
  }
  if (header.every((name) => name !== "" && Number.isFinite(Number(name)))) {
    throw new TrainingDataError(
      `${file}:1: the first row holds only numbers (${header.slice(0, 5).join(", ")}); ` +
        "put a row with the columns' names above it",
    );
  }
}

function checkMappings(file: string, mappings: readonly ColumnMapping[]): void {
  for (const [index, { column, signal }] of mappings.entries()) {
    const before = mappings.slice(0, index);
    if (before.some((other) => other.column === column)) {
      throw new TrainingDataError(`${file}: column "${column}" is named twice; name it once`);
    }
    if (before.some((other) => other.signal === signal)) {
      throw new TrainingDataError(`${file}: two columns are to be ${signal}; leave one out`);
    }
    const feature = signal.startsWith(FEATURE) ? signal.slice(FEATURE.length) : "";
    if (RESERVED.has(feature)) {
      throw new TrainingDataError(
        `${file}: no span can carry a feature called "${feature}": ` +
          `${ATTRIBUTES.feature.name}${feature} means something else; ` +
          `give it another name, in the app as well: ${column}=NAME`,
      );
    }
  }
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

  /** Why the column becomes no signal, if it does not. */
  get unusable(): string | undefined {
    if (this.name === "") return "no name";
    if (!this.wanted && RESERVED.has(this.name)) return "a reserved name";
    if (this.kind === "text") return "text, which --category takes";
    return this.count + this.categories.count === 0 ? "no values" : undefined;
  }

  add(cell: string, file: string, line: number): void {
    if (MISSING.has(cell.toLowerCase())) {
      this.missing++;
      return;
    }
    const number = Number(cell);
    if (!Number.isFinite(number) && !Number.isNaN(number) && this.kind !== "categorical") {
      const column = `column "${this.name}"`;
      throw new TrainingDataError(
        `${file}:${line}: ${column}: "${cell}" is too large for a number`,
      );
    }
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

  /** What the column's values become; undefined where it is {@link unusable}. */
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
