/** `tidemark baseline`: references from training data, and what they hold. */
import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import { configSchema } from "../config/schema.js";
import { everComparable } from "../evaluate/comparable.js";
import { windowPolicies } from "../evaluate/evaluator.js";
import type { ColumnMapping, OnProgress } from "../references/column-table.js";
import { TrainingDataError } from "../references/data-file.js";
import { mergeReferences } from "../references/merge-references.js";
import type { Reference } from "../references/reference.js";
import {
  ReferenceFileError,
  readReferenceFile,
  referenceName,
  writeReferenceFile,
} from "../references/reference-file.js";
import type { ColumnType } from "../references/training-column.js";
import type { TrainingData, TrainingPlan } from "../references/training-data.js";
import { readTrainingData } from "../references/training-data.js";
import { windowLengths } from "../window-lengths.js";
import { ReadProgress } from "./read-progress.js";
import { signalFacts, signalTable } from "./reference-table.js";

/** Which columns of a data file become which signals. */
export interface ColumnOptions {
  readonly columns?: readonly string[] | undefined;
  readonly feature?: readonly string[] | undefined;
  readonly category?: readonly string[] | undefined;
  readonly numeric?: readonly string[] | undefined;
  readonly signal?: readonly string[] | undefined;
  readonly ignore?: readonly string[] | undefined;
  readonly prediction?: string | undefined;
  readonly class?: string | undefined;
  readonly confidence?: string | undefined;
}

/** The options of `baseline build`. */
export interface BuildOptions extends ColumnOptions {
  readonly model: string;
  readonly out: string;
  readonly "model-version"?: string | undefined;
  readonly "run-id"?: string | undefined;
}

/**
 * Writes a reference file and prints what is in it.
 * @throws TrainingDataError when the data cannot be used
 */
export async function baselineBuild(
  files: readonly string[],
  options: BuildOptions,
): Promise<void> {
  const { model, out, "model-version": version = "", "run-id": runId = "" } = options;
  const same = files.some((file) => existsSync(file) && existsSync(out) && isSame(file, out));
  if (same) {
    throw new TrainingDataError(`--out ${out}: is the training data itself; name another file`);
  }
  const data = await readShowingProgress(trainingPlan(files, referenceName(out), options));
  const { rows, signals, columns } = data;
  const source = { files: files.map((file) => basename(file)), rows, columns };
  writeReferenceFile(out, { model, version, runId, signals }, source);
  process.stdout.write(
    `${out}: reference of model ${model} from ${rows.toLocaleString("en")} rows\n`,
  );
  process.stdout.write(signalTable(signals));
  sayColumns(data);
  for (const [signal, reference] of signals) warnIfTooSmall(signal, reference);
}

/** Reads training data, and shows how far it is. */
export function readShowingProgress(plan: TrainingPlan): Promise<TrainingData> {
  return showingProgress(plan.files, (onProgress) => readTrainingData(plan, onProgress));
}

/** Shows how far a reading is, while it lasts. */
export async function showingProgress<T>(
  files: readonly string[],
  read: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  const shown = new ReadProgress(files.join(", "), process.stderr, performance.now());
  try {
    return await read((rows, progress) => shown.update(rows, progress, performance.now()));
  } finally {
    shown.end();
  }
}

/**
 * Prints what a reference file holds.
 * @throws ReferenceFileError
 */
export function baselineShow(file: string, json: boolean): void {
  const { model, version, runId, source, signals } = readReferenceFile(file);
  if (json) {
    const facts = [...signals].map(([name, signal]) => [name, signalFacts(signal)]);
    const { files, rows } = source;
    const content = {
      model,
      version,
      runId,
      source: { files, rows },
      signals: Object.fromEntries(facts) as object,
    };
    process.stdout.write(`${JSON.stringify(content, undefined, 2)}\n`);
    return;
  }
  const of = version ? `${model} ${version}` : `${model}, any version`;
  const run = runId ? `, run ${runId}` : "";
  const rows = `${source.rows.toLocaleString("en")} rows of ${source.files.join(", ")}`;
  process.stdout.write(`${file}: model ${of}${run}, from ${rows}\n`);
  process.stdout.write(signalTable(signals));
  for (const [name, signal] of signals) sayError(name, signal);
}

/**
 * Writes one reference for what several stand for.
 * @throws ReferenceFileError when a file cannot be used, or they do not fit together
 */
export function baselineMerge(files: readonly string[], out: string): void {
  if (files.some((file) => existsSync(out) && isSame(file, out))) {
    throw new ReferenceFileError(`--out ${out}: is one of the files to merge; name another file`);
  }
  const { source, ...merged } = mergeReferences(files.map(readReferenceFile), referenceName(out));
  writeReferenceFile(out, merged, source);
  const rows = source.rows.toLocaleString("en");
  process.stdout.write(`${out}: reference of model ${merged.model} from ${rows} rows\n`);
  process.stdout.write(signalTable(merged.signals));
  for (const [name, signal] of merged.signals) sayError(name, signal);
}

/** What is to be read of data files, as the options say. */
export function trainingPlan(
  files: readonly string[],
  name: string,
  options: ColumnOptions,
): TrainingPlan {
  const mappings: ColumnMapping[] = [];
  const add = (entries: readonly string[], prefix: string, type: ColumnType) => {
    for (const entry of entries) {
      const equals = entry.indexOf("=");
      const column = equals < 0 ? entry : entry.slice(0, equals);
      const signal = prefix + (equals < 0 ? column : entry.slice(equals + 1));
      mappings.push({ column, signal, type });
    }
  };
  const { columns = [], feature = [], category = [], numeric = [], signal = [] } = options;
  const chosen = [...feature, ...columns.flatMap((list) => list.split(","))];
  add(chosen, "feature.", "auto");
  add(category, "feature.", "categorical");
  add(numeric, "feature.", "numeric");
  add(signal, "", "auto");
  const outputs = { value: options.prediction, confidence: options.confidence };
  for (const [output, column] of Object.entries(outputs)) {
    if (column) mappings.push({ column, signal: `prediction.${output}`, type: "auto" });
  }
  if (options.class) {
    mappings.push({ column: options.class, signal: "prediction.class", type: "categorical" });
  }
  const others = chosen.length === 0 && { except: options.ignore ?? [] };
  return { files, name, mappings, others };
}

function isSame(file: string, out: string): boolean {
  return realpathSync(file) === realpathSync(out);
}

function sayColumns({ columns, leftOut, invalid, signals }: TrainingData): void {
  const became = [...columns].map(([signal, column]) => `${column} as ${signal}`);
  process.stdout.write(`columns taken: ${became.join(", ")}\n`);
  if (leftOut.length > 0) {
    const left = leftOut.map(({ column, why }) => `${column} (${why})`);
    process.stdout.write(`columns left out: ${left.join(", ")}\n`);
  }
  for (const [signal, count] of invalid) {
    process.stdout.write(`warning: ${count} cells of ${signal} are no numbers; left out\n`);
  }
  for (const [name, signal] of signals) sayError(name, signal);
}

function sayError(name: string, signal: Reference): void {
  const epsilon = signal.kind === "numeric" ? signal.grid.epsilon : 0;
  if (epsilon === 0) return;
  const percent = Number((100 * epsilon).toPrecision(2));
  process.stdout.write(`${name}: every rank is within ${percent} % with 99 % confidence\n`);
}

/** Says it of a reference that no window could be compared with, however many values it had. */
function warnIfTooSmall(signal: string, reference: Reference): void {
  const { windows, ladder, ...promises } = configSchema.parse({}).processors.evaluate;
  const policies = windowPolicies(windowLengths(windows, ladder), promises);
  if (policies.some((policy) => everComparable(reference, policy))) return;
  const { count } = reference.kind === "numeric" ? reference.grid : reference.categories;
  process.stdout.write(
    `warning: ${signal} has ${count} values, too few to compare anything with by default: ` +
      "its verdict will always be insufficient; take more rows\n",
  );
}
