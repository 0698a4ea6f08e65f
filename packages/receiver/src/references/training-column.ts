/**
 * One column of training data, cell by cell, in bounded memory. What it holds follows from its
 * first value unless somebody has said so; a later value of another kind is an error that names
 * its place, for a column that is silently cut short would make a reference that is wrong.
 */
import { CategoryCounts } from "@tidemark/stats";
import type { Cell } from "./data-file.js";
import { TrainingDataError } from "./data-file.js";

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

/** Where a column's numbers go. */
export interface NumberSink {
  readonly count: number;
  add(value: number): void;
}

/** Collects one column. */
export class TrainingColumn<Numbers extends NumberSink> {
  readonly name: string;
  readonly type: ColumnType;
  /** Somebody has named it, so that it may not be left out. */
  readonly wanted: boolean;
  /** Cells that are no numbers in a column that is to hold numbers only. */
  invalid = 0;
  kind: "unknown" | "numeric" | "categorical" | "unusable";
  private why = "no values";
  readonly numbers: Numbers;
  private readonly names = new Map<string, number>();
  private pooled = 0;
  private named = 0;

  constructor(name: string, type: ColumnType, wanted: boolean, numbers: Numbers) {
    this.name = name;
    this.type = type;
    this.wanted = wanted;
    this.kind = type === "auto" ? "unknown" : type;
    this.numbers = numbers;
  }

  /** Cells with a value. */
  get count(): number {
    return this.numbers.count + this.named;
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
        if (Number.isFinite(cell)) this.numbers.add(cell);
      } else if (cell !== null && cell !== undefined) this.addCell(cell, typed, place, row);
    }
  }

  /** Adds the categories to counts, the most frequent first, so that these keep their names. */
  countCategories(into: CategoryCounts): void {
    const byCount = [...this.names].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    for (const [name, count] of byCount) into.add(name, count);
    // Counts without room for any name pool all that they are given.
    const nameless = new CategoryCounts({ capacity: 0 });
    nameless.add("", this.pooled);
    into.merge(nameless);
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
      this.numbers.add(Number(cell));
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
      this.numbers.add(number);
      return;
    }
    const word = cell.toLowerCase();
    if (MISSING.has(word)) return;
    // On the wire a boolean is a number too.
    if (word === "true" || word === "false") {
      this.kind = "numeric";
      this.numbers.add(word === "true" ? 1 : 0);
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
}

function nameOf(cell: object): string {
  if (cell instanceof Date) return "dates";
  if (Array.isArray(cell)) return "lists";
  return ArrayBuffer.isView(cell) ? "bytes" : "values with members";
}
