/** `tidemark baseline`: references from training data, and what they hold. */
import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { configSchema } from "../config/schema.js";
import { everComparable } from "../evaluate/comparable.js";
import { windowPolicies } from "../evaluate/evaluator.js";
import type { Reference } from "../references/reference.js";
import { readReferenceFile, writeReferenceFile } from "../references/reference-file.js";
import type { ColumnMapping } from "../references/training-csv.js";
import { readTrainingCsv, TrainingDataError } from "../references/training-csv.js";

/** The options of `baseline build`. */
export interface BuildOptions {
  readonly model: string;
  readonly out: string;
  readonly version?: string | undefined;
  readonly feature?: readonly string[] | undefined;
  readonly category?: readonly string[] | undefined;
  readonly prediction?: string | undefined;
  readonly class?: string | undefined;
  readonly confidence?: string | undefined;
}

/**
 * Writes a reference file and prints what is in it.
 * @throws TrainingDataError when the data cannot be used
 */
export async function baselineBuild(file: string, options: BuildOptions): Promise<void> {
  const { model, version = "", out } = options;
  if (existsSync(file) && existsSync(out) && realpathSync(file) === realpathSync(out)) {
    throw new TrainingDataError(`--out ${out}: is the training data itself; name another file`);
  }
  const name = basename(out).replace(/(?:\.tidemark)?\.json$/, "");
  const progress = (rows: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${file}: ${rows} rows read`);
  };
  const data = await readTrainingCsv(file, name, mappings(options), progress);
  if (process.stderr.isTTY) process.stderr.write("\n");
  const { rows, signals, columns, leftOut } = data;
  writeReferenceFile(out, { model, version, signals }, { file: basename(file), rows });
  process.stdout.write(`${out}: reference of model ${model} from ${rows} rows\n`);
  process.stdout.write(signalTable(signals));
  const became = [...columns].map(([signal, column]) => `${column} as ${signal}`);
  process.stdout.write(`columns taken: ${became.join(", ")}\n`);
  if (leftOut.length > 0) {
    const left = leftOut.map(({ column, why }) => `${column} (${why})`);
    process.stdout.write(`columns left out: ${left.join(", ")}\n`);
  }
  for (const [signal, reference] of signals) warnIfTooSmall(signal, reference);
}

/** Says it of a reference that no window could be compared with, however many values it had. */
function warnIfTooSmall(signal: string, reference: Reference): void {
  const { windows: windowsMs, ...promises } = configSchema.parse({}).processors.evaluate;
  const policies = windowPolicies({ ...promises, windowsMs });
  if (policies.some((policy) => everComparable(reference, policy))) return;
  const { count } = reference.kind === "numeric" ? reference.grid : reference.categories;
  process.stdout.write(
    `warning: ${signal} has ${count} values, too few to compare anything with by default: ` +
      "its verdict will always be insufficient; take more rows\n",
  );
}

/**
 * Prints what a reference file holds.
 * @throws ReferenceFileError
 */
export function baselineShow(file: string, json: boolean): void {
  const { model, version, source, signals } = readReferenceFile(file);
  if (json) {
    const summary = Object.fromEntries([...signals].map(([name, signal]) => [name, facts(signal)]));
    const content = { model, version, source, signals: summary };
    process.stdout.write(`${JSON.stringify(content, undefined, 2)}\n`);
    return;
  }
  const of = version ? `${model} ${version}` : `${model}, any version`;
  process.stdout.write(`${file}: model ${of}, from ${source.rows} rows of ${source.file}\n`);
  process.stdout.write(signalTable(signals));
}

function mappings(options: BuildOptions): ColumnMapping[] {
  const { feature = [], category = [], prediction, confidence } = options;
  const mapped: ColumnMapping[] = [];
  const add = (column: string, signal: string, isCategory: boolean) => {
    mapped.push({ column, signal, category: isCategory });
  };
  for (const [entries, isCategory] of [
    [feature, false],
    [category, true],
  ] as const) {
    for (const entry of entries) {
      const [column = "", name = column] = entry.split("=", 2);
      add(column, `feature.${name}`, isCategory);
    }
  }
  if (prediction) add(prediction, "prediction.value", false);
  if (options.class) add(options.class, "prediction.class", true);
  if (confidence) add(confidence, "prediction.confidence", false);
  return mapped;
}

function facts(signal: Reference): Record<string, number | string> {
  const { kind, missing } = signal;
  if (kind === "categorical") {
    const { count, size } = signal.categories;
    return { kind, count, missing, categories: size };
  }
  const { count, min, max, mean } = signal.grid;
  return { kind, count, missing, min, median: signal.grid.quantile(0.5), max, mean };
}

function signalTable(signals: ReadonlyMap<string, Reference>): string {
  const width = Math.max(...[...signals.keys()].map((name) => name.length));
  const lines = [...signals].map(([name, signal]) => {
    const { kind: _, ...numbers } = facts(signal);
    const cells = Object.entries(numbers).map(([key, value]) => {
      const text = typeof value === "number" ? Number(value.toPrecision(5)) : value;
      return `${key} ${String(text).padEnd(8)}`;
    });
    return `  ${name.padEnd(width)}  ${cells.join(" ").trimEnd()}\n`;
  });
  return lines.join("");
}
