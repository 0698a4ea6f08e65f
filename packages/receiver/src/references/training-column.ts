/**
 * One column of training data, cell by cell, in bounded memory. What it holds follows from its
 * first value unless somebody has said so; a later value of another kind is an error that names
 * its place, for a column that is silently cut short would make a reference that is wrong.
 */
import { CategoryCounts, KllSketch, MomentSummary, ReferenceGrid } from "@tidemark/stats";
import type { Cell } from "./data-file.js";
import { TrainingDataError } from "./data-file.js";
import type { Reference } from "./reference.js";

/** 8 MB a column; beyond it a sketch with an error of .14 % stands for the column. */
const EXACT_ROWS_MAX = 1_000_000;
/** 256 MB for all columns together. */
const EXACT_ROWS_TOTAL = 32_000_000;
/** Different names that are told apart while they are counted; further ones are pooled. */
const NAMES_MAX = 65_536;
/** Texts with more different ones than this, or in fewer rows each, are no categories. */
const AUTO_NAMES_MAX = 64;
const AUTO_ROWS_MIN = 5;
const MISSING = new Set(
  ["", "na", "n/a", "nan", "null", "none", "nil", "inf", "infinity"].flatMap((word) => [
    word,
    `+${word}`,
    `-${word}`,
  ]),
);

/** What somebody wants a column to hold; `auto` leaves it to the first value. */
export type ColumnType = "auto" | "numeric" | "categorical";

/** Rows that may still be kept as they are. */
export interface RowBudget {
  left: number;
}

/** What all columns of one reference share. */
export function rowBudget(): RowBudget {
  return { left: EXACT_ROWS_TOTAL };
}

/** Collects one column. */
export class TrainingColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Somebody has named it, so that it may not be left out. */
  readonly wanted: boolean;
  /** Cells that are no numbers in a column that is to hold numbers only. */
  invalid = 0;
  private kind: "unknown" | "numeric" | "categorical" | "unusable";
  private why = "no values";
  private readonly values: NumberCollector;
  private readonly names = new Map<string, number>();
  private pooled = 0;
  private named = 0;

  constructor(name: string, type: ColumnType, wanted: boolean, budget: RowBudget) {
    this.name = name;
    this.type = type;
    this.wanted = wanted;
    this.kind = type === "auto" ? "unknown" : type;
    this.values = new NumberCollector(budget);
  }

  /** Cells with a value. */
  get count(): number {
    return this.values.count + this.named;
  }

  /** Why the column becomes no signal, if it does not. */
  get unusable(): string | undefined {
    if (this.kind === "unusable" || this.count === 0) return this.why;
    const { size } = this.names;
    if (this.wanted || this.named >= AUTO_ROWS_MIN * size) return undefined;
    return `${size} different texts in ${this.named} rows, which --category takes`;
  }

  /**
   * Adds cells.
   * @param typed false when they are text that may stand for numbers
   * @throws TrainingDataError naming the place of a cell that does not fit those above
   */
  add(cells: ArrayLike<Cell>, typed: boolean, place: (row: number) => string): void {
    for (let row = 0; row < cells.length; row++) {
      const cell = cells[row];
      if (this.kind === "unusable") return;
      if (typeof cell === "number" && this.kind === "numeric") {
        if (Number.isFinite(cell)) this.values.add(cell);
      } else if (cell !== null && cell !== undefined) this.addCell(cell, typed, place, row);
    }
  }

  /** What the column's values become; undefined where it is {@link unusable}. */
  reference(origin: { name: string; missing: number }): Reference | undefined {
    if (this.unusable !== undefined) return undefined;
    const all = { ...origin, provisional: false };
    if (this.kind === "numeric") return { ...all, kind: "numeric", grid: this.values.grid() };
    return { ...all, kind: "categorical", categories: this.categories() };
  }

  private addCell(
    cell: Exclude<Cell, null | undefined>,
    typed: boolean,
    place: (row: number) => string,
    row: number,
  ): void {
    if (typeof cell === "string") {
      if (typed) this.addText(cell, place, row);
      else this.addUntyped(cell, place, row);
    } else if (typeof cell === "object") this.leaveOut(nameOf(cell));
    else if (this.kind === "categorical") {
      if (this.type === "auto") throw this.mixed(cell, "is no text", place(row));
      if (!Number.isNaN(cell)) this.addName(String(cell));
    } else if (Number.isFinite(Number(cell))) {
      this.kind = "numeric";
      this.values.add(Number(cell));
    }
  }

  /** A cell of a file that has nothing but text. */
  private addUntyped(cell: string, place: (row: number) => string, row: number): void {
    if (this.kind === "categorical") {
      this.addText(cell, place, row);
      return;
    }
    const number = Number(cell);
    if (Number.isFinite(number) && cell !== "") {
      this.kind = "numeric";
      this.values.add(number);
      return;
    }
    const word = cell.toLowerCase();
    if (MISSING.has(word)) return;
    // On the wire a boolean is a number too.
    if ((word === "true" || word === "false") && this.type === "auto") {
      this.kind = "numeric";
      this.values.add(word === "true" ? 1 : 0);
    } else if (Number.isNaN(number)) this.addText(cell, place, row);
    else if (this.type === "numeric") this.invalid++;
    else throw this.mixed(cell, "is too large for a number", place(row));
  }

  private addText(cell: string, place: (row: number) => string, row: number): void {
    if (MISSING.has(cell.toLowerCase())) return;
    if (this.kind === "numeric") {
      if (this.type === "auto") throw this.mixed(cell, "is no number", place(row));
      this.invalid++;
      return;
    }
    this.kind = "categorical";
    this.addName(cell);
  }

  private addName(name: string): void {
    this.named++;
    const known = this.names.get(name);
    if (known !== undefined) this.names.set(name, known + 1);
    else if (this.names.size < NAMES_MAX) this.names.set(name, 1);
    else this.pooled++;
    if (!this.wanted && this.names.size > AUTO_NAMES_MAX) {
      this.leaveOut(`more than ${AUTO_NAMES_MAX} different texts, which --category takes`);
    }
  }

  private leaveOut(why: string): void {
    this.kind = "unusable";
    this.why = why;
    this.names.clear();
  }

  private mixed(cell: unknown, what: string, place: string): TrainingDataError {
    const { name } = this;
    const shown = JSON.stringify(String(cell).slice(0, 80));
    return new TrainingDataError(
      `${place}: column "${name}": ${shown} ${what}, but those above are; correct the row, or ` +
        `declare the column: with --category ${name} every value is a category, ` +
        `with --numeric ${name} what is no number is left out`,
    );
  }

  /** The most frequent names; the rest are pooled. */
  private categories(): CategoryCounts {
    const categories = new CategoryCounts();
    const byCount = [...this.names].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    for (const [name, count] of byCount) categories.add(name, count);
    // Counts without room for any name pool all that they are given.
    const nameless = new CategoryCounts({ capacity: 0 });
    nameless.add("", this.pooled);
    categories.merge(nameless);
    return categories;
  }
}

function nameOf(cell: object): string {
  if (cell instanceof Date) return "dates";
  if (Array.isArray(cell)) return "lists";
  return ArrayBuffer.isView(cell) ? "bytes" : "values with members";
}

/** Numbers as they are as long as there is room for them, then as a sketch with exact moments. */
class NumberCollector {
  count = 0;
  private readonly budget: RowBudget;
  private values = new Float64Array(0);
  private sketch: KllSketch | undefined;
  private readonly moments = new MomentSummary();

  constructor(budget: RowBudget) {
    this.budget = budget;
  }

  add(value: number): void {
    if (this.sketch === undefined && this.count < this.values.length) {
      this.values[this.count++] = value;
      return;
    }
    this.count++;
    if (this.sketch === undefined && this.grow()) this.values[this.count - 1] = value;
    else {
      this.sketch ??= this.toSketch();
      this.sketch.add(value);
      this.moments.add(value);
    }
  }

  grid(): ReferenceGrid {
    const { sketch, moments } = this;
    if (sketch === undefined) {
      const values = this.values.subarray(0, this.count).toSorted();
      return ReferenceGrid.fromSample(values, { float32: fitsFloat32(values) });
    }
    const { mean, variance, min, max } = moments;
    const view = sketch.sortedView();
    const float32 = fitsFloat32(view.values);
    const source = { sortedView: () => view, mean, variance, min, max };
    return ReferenceGrid.fromSketch(source, { float32 });
  }

  private grow(): boolean {
    const length = Math.min(EXACT_ROWS_MAX, Math.max(1024, this.values.length * 2));
    const more = length - this.values.length;
    if (more === 0 || more > this.budget.left) return false;
    this.budget.left -= more;
    const grown = new Float64Array(length);
    grown.set(this.values);
    this.values = grown;
    return true;
  }

  private toSketch(): KllSketch {
    const sketch = new KllSketch();
    sketch.addMany(this.values);
    this.moments.addMany(this.values);
    this.budget.left += this.values.length;
    this.values = new Float64Array(0);
    return sketch;
  }
}

/**
 * Whether rounding to float32 keeps ascending values apart. Models mostly take float32, and 0.1
 * from a file and 0.1 from a tensor are equal only when both are rounded; rounding loses nothing.
 */
function fitsFloat32(sorted: Float64Array): boolean {
  for (let i = 1; i < sorted.length; i++) {
    const [before, value] = [sorted[i - 1] as number, sorted[i] as number];
    if (before !== value && Math.fround(before) === Math.fround(value)) return false;
  }
  return Number.isFinite(Math.fround(sorted[0] ?? 0) + Math.fround(sorted.at(-1) ?? 0));
}
