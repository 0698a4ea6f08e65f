/** The columns of data files, each collected by whatever its signal needs; files are read once. */
import { ATTRIBUTES, reservedNames } from "@tidemark/semconv";
import type { Batch, Progress } from "./data-file.js";
import { openDataFile, TrainingDataError } from "./data-file.js";
import type { ColumnType, NumberSink } from "./training-column.js";
import { TrainingColumn } from "./training-column.js";

/** What the names of features begin with. */
export const FEATURE = "feature.";
const UNNAMED = "no name";
/** Features that no span can carry: the attributes of these names mean something else. */
const RESERVED = new Set(reservedNames(ATTRIBUTES.feature));
/** Columns that a complaint lists. */
const LISTED_MAX = 50;

/** Which column becomes which signal. */
export interface ColumnMapping {
  readonly column: string;
  /** `feature.<name>`, `prediction.value`, … */
  readonly signal: string;
  readonly type: ColumnType;
  /** True when a file may lack it, or have no values in it. */
  readonly optional?: boolean;
}

/** A column that became no signal, and why. */
export interface LeftOutColumn {
  readonly column: string;
  readonly why: string;
}

/** What is to be read. */
export interface ColumnPlan {
  /** CSV, JSON lines or Parquet; their rows are taken together. */
  readonly files: readonly string[];
  /** The columns that somebody named. */
  readonly mappings: readonly ColumnMapping[];
  /** All other columns that hold numbers or categories become features too, but for these. */
  readonly others: false | { readonly except: readonly string[] };
}

/** What has been read. */
export interface ReadColumns<Numbers extends NumberSink> {
  readonly rows: number;
  /** By signal, in the order of the file. */
  readonly columns: ReadonlyMap<string, TrainingColumn<Numbers>>;
  /** Columns that nobody named and that cannot be signals. */
  readonly leftOut: readonly LeftOutColumn[];
  /** Columns that were passed over, where the file lists its columns before its rows. */
  readonly passedOver: readonly string[];
}

/** Is told the rows read so far, and how much of the files that is. */
export type OnProgress = (rows: number, progress: Progress) => void;

/**
 * Reads files column by column.
 * @param numbersOf what collects the numbers of a signal
 * @throws TrainingDataError when a file or a named column cannot be used
 */
export async function readColumns<Numbers extends NumberSink>(
  plan: ColumnPlan,
  numbersOf: (signal: string) => Numbers,
  onProgress: OnProgress = () => {},
): Promise<ReadColumns<Numbers>> {
  checkMappings(plan);
  const table = new Table(plan, numbersOf);
  const progress = { done: 0, total: 0 };
  for (const file of plan.files) {
    const { typed, batches } = await openDataFile(file, progress, table.onlyColumns);
    const before = table.rows;
    for await (const batch of batches) {
      table.add(file, batch, typed);
      onProgress(table.rows, progress);
    }
    if (table.rows === before) throw new TrainingDataError(`${file}: has no rows`);
  }
  return table.finish();
}

/** The columns, as the files show them. */
class Table<Numbers extends NumberSink> {
  rows = 0;
  private readonly plan: ColumnPlan;
  private readonly numbersOf: (signal: string) => Numbers;
  private readonly columns = new Map<string, TrainingColumn<Numbers>>();
  private readonly signalOf = new Map<string, string>();
  private readonly leftOut: LeftOutColumn[] = [];
  private header: { readonly file: string; readonly names: readonly string[] } | undefined;

  constructor(plan: ColumnPlan, numbersOf: (signal: string) => Numbers) {
    this.plan = plan;
    this.numbersOf = numbersOf;
  }

  /** The columns that are worth reading; undefined for all. */
  get onlyColumns(): readonly string[] | undefined {
    return this.plan.others ? undefined : this.plan.mappings.map(({ column }) => column);
  }

  add(file: string, { header, rows, columns, place }: Batch, typed: boolean): void {
    this.rows += rows;
    if (header) this.checkHeader(file, header);
    for (const [name, cells] of columns) this.column(name)?.add(cells, typed, place);
  }

  finish(): ReadColumns<Numbers> {
    this.expectColumns();
    const columns = new Map<string, TrainingColumn<Numbers>>();
    for (const [name, column] of this.columns) {
      const why = column.unusable;
      // A column that has changed its type is found out by who compares it.
      if (why === undefined || column.invalid > 0)
        columns.set(this.signalOf.get(name) as string, column);
      else if (this.isRequired(name)) {
        throw new TrainingDataError(`${this.source}: column "${name}" has ${why}`);
      } else this.leftOut.push({ column: name, why });
    }
    const names = this.header?.names ?? [];
    const passedOver = names.filter((name) => name !== "" && !this.columns.has(name));
    return { rows: this.rows, columns, leftOut: this.leftOut, passedOver };
  }

  private isRequired(name: string): boolean {
    return this.plan.mappings.some(({ column, optional }) => column === name && !optional);
  }

  private get source(): string {
    return this.plan.files.join(", ");
  }

  /** The collector of a column; undefined when it is not wanted. */
  private column(name: string): TrainingColumn<Numbers> | undefined {
    const known = this.columns.get(name);
    if (known) return known;
    const { mappings, others } = this.plan;
    const mapping = mappings.find(({ column }) => column === name);
    if (mapping === undefined) {
      if (others === false || others.except.includes(name)) return undefined;
      if (this.leftOut.some(({ column }) => column === name)) return undefined;
      if (RESERVED.has(name)) {
        this.leftOut.push({ column: name, why: "a reserved name" });
        return undefined;
      }
    }
    const { type = "auto", signal = FEATURE + name } = mapping ?? {};
    const numbers = this.numbersOf(signal);
    const column = new TrainingColumn(name, type, mapping !== undefined, numbers);
    this.columns.set(name, column);
    this.signalOf.set(name, signal);
    return column;
  }

  private checkHeader(file: string, names: readonly string[]): void {
    const first = this.header;
    if (first === undefined) {
      this.header = { file, names };
      for (const [index, name] of names.entries()) {
        if (name !== "") this.column(name);
        else if (this.plan.others)
          this.leftOut.push({ column: `number ${index + 1}`, why: UNNAMED });
      }
      this.expectColumns();
      return;
    }
    const odd =
      first.names.find((name) => !names.includes(name)) ??
      names.find((name) => !first.names.includes(name));
    if (odd === undefined) return;
    throw new TrainingDataError(
      `${file}: differs from ${first.file} in the column "${odd}"; ` +
        "files of one reference have the same columns",
    );
  }

  private expectColumns(): void {
    const { mappings, others } = this.plan;
    for (const { column, optional } of mappings) if (!optional) this.expectColumn(column);
    for (const name of others ? others.except : []) this.expectColumn(name);
  }

  private expectColumn(name: string): void {
    const { header, columns, leftOut } = this;
    if (header ? header.names.includes(name) : columns.has(name)) return;
    const seen = header?.names ?? [...columns.keys(), ...leftOut.map(({ column }) => column)];
    const some = seen.slice(0, LISTED_MAX).join(", ") + (seen.length > LISTED_MAX ? ", …" : "");
    const what = header ? `${header.file}: there` : `${this.source}: there`;
    throw new TrainingDataError(`${what} is no column "${name}"; there are: ${some}`);
  }
}

function checkMappings({ files, mappings }: ColumnPlan): void {
  const file = files.join(", ");
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
