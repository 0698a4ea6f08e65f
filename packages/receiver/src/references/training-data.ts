/** A reference from training data: one column per signal, of one file or of several alike. */
import { ATTRIBUTES, reservedNames } from "@tidemark/semconv";
import type { Batch, Progress } from "./data-file.js";
import { openDataFile, TrainingDataError } from "./data-file.js";
import type { Reference } from "./reference.js";
import type { ColumnType } from "./training-column.js";
import { rowBudget, TrainingColumn } from "./training-column.js";

const FEATURE = "feature.";
/** Features that no span can carry: the attributes of these names mean something else. */
const RESERVED = new Set(reservedNames(ATTRIBUTES.feature));

const UNNAMED = "no name";
/** Signals that are numbers whatever the model. */
const NUMBERS = new Set(["prediction.value", "prediction.confidence"]);

/** Which column becomes which signal. */
export interface ColumnMapping {
  readonly column: string;
  /** `feature.<name>`, `prediction.value`, … */
  readonly signal: string;
  readonly type: ColumnType;
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
  /** Columns that nobody named and that cannot be signals. */
  readonly leftOut: readonly LeftOutColumn[];
  /** Cells of columns of numbers that are no numbers, by signal; left out, as was asked for. */
  readonly invalid: ReadonlyMap<string, number>;
}

/** What a reference is to be made of. */
export interface TrainingPlan {
  /** CSV, JSON lines or Parquet; their rows are taken together. */
  readonly files: readonly string[];
  /** What the reference is called. */
  readonly name: string;
  /** The columns that somebody named. */
  readonly mappings: readonly ColumnMapping[];
  /** All other columns that hold numbers or categories become features too, but for these. */
  readonly others: false | { readonly except: readonly string[] };
}

/**
 * Reads files into references. Memory is bounded: columns longer than a million rows go through a
 * quantile sketch.
 * @param onProgress is told how far it is, after each few thousand rows
 * @throws TrainingDataError when a file or a named column cannot be used
 */
export async function readTrainingData(
  plan: TrainingPlan,
  onProgress: (rows: number, progress: Progress) => void = () => {},
): Promise<TrainingData> {
  checkMappings(plan);
  const table = new Table(plan);
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
class Table {
  rows = 0;
  private readonly plan: TrainingPlan;
  private readonly columns = new Map<string, TrainingColumn>();
  private readonly signalOf = new Map<string, string>();
  private readonly leftOut: LeftOutColumn[] = [];
  private readonly budget = rowBudget();
  private header: { readonly file: string; readonly names: readonly string[] } | undefined;

  constructor(plan: TrainingPlan) {
    this.plan = plan;
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

  finish(): TrainingData {
    const { plan, rows } = this;
    const signals = new Map<string, Reference>();
    const columnOf = new Map<string, string>();
    const invalid = new Map<string, number>();
    this.expectColumns();
    for (const [name, column] of this.columns) {
      const missing = rows - column.count - column.invalid;
      const reference = column.reference({ name: plan.name, missing });
      const why = column.unusable ?? "";
      if (reference) {
        const signal = this.signalOf.get(name) as string;
        if (NUMBERS.has(signal) && reference.kind !== "numeric") {
          const hint = "numbers; is it the predicted class? That is named with --class";
          throw new TrainingDataError(
            `${this.source}: column "${name}" holds text, but ${signal} are ${hint}`,
          );
        }
        signals.set(signal, reference);
        columnOf.set(signal, name);
        if (column.invalid > 0) invalid.set(signal, column.invalid);
      } else if (column.wanted) {
        throw new TrainingDataError(`${this.source}: column "${name}" has ${why}`);
      } else this.leftOut.push({ column: name, why });
    }
    if (signals.size === 0) throw this.nothing();
    return { rows, signals, columns: columnOf, leftOut: this.leftOut, invalid };
  }

  private get source(): string {
    return this.plan.files.join(", ");
  }

  /** The collector of a column; undefined when it is not wanted. */
  private column(name: string): TrainingColumn | undefined {
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
    const { type = "auto" } = mapping ?? {};
    const column = new TrainingColumn(name, type, mapping !== undefined, this.budget);
    this.columns.set(name, column);
    this.signalOf.set(name, mapping?.signal ?? FEATURE + name);
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
    for (const { column } of mappings) this.expectColumn(column);
    for (const name of others ? others.except : []) this.expectColumn(name);
  }

  private expectColumn(name: string): void {
    const { header, columns, leftOut } = this;
    if (header ? header.names.includes(name) : columns.has(name)) return;
    const seen = header?.names ?? [...columns.keys(), ...leftOut.map(({ column }) => column)];
    const some = seen.slice(0, 50).join(", ") + (seen.length > 50 ? ", …" : "");
    const what = header ? `${header.file}: there` : `${this.source}: there`;
    throw new TrainingDataError(`${what} is no column "${name}"; there are: ${some}`);
  }

  private nothing(): TrainingDataError {
    const named = this.leftOut.map(({ column, why }) => `${column} (${why})`).join(", ");
    return new TrainingDataError(`${this.source}: no column holds numbers or categories: ${named}`);
  }
}

function checkMappings({ files, mappings }: TrainingPlan): void {
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
