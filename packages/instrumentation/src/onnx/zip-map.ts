/**
 * What sklearn-onnx calls ZipMap: probabilities as a sequence with one map per row, from the class
 * to its probability. Runtimes that hand it out do so as an array of maps or plain objects.
 */
import type { TensorLike } from "../tensor-rows.js";

/** More classes than this are not what anyone writes a map of. */
const CLASSES_MAX = 1000;

/** The same probabilities as a table, and the classes that its columns are. */
export interface ZippedScores {
  readonly tensor: TensorLike;
  readonly classes: readonly string[];
}

/** A sequence of maps as a table; undefined when the value is something else. */
export function unzipMaps(value: unknown): ZippedScores | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const rows = value.map((row: unknown) => entriesOf(row));
  const classes = rows[0]?.map(([name]) => name) ?? [];
  if (classes.length === 0 || classes.length > CLASSES_MAX) return undefined;
  const data = new Float64Array(rows.length * classes.length).fill(Number.NaN);
  for (const [row, entries] of rows.entries()) {
    for (const [name, score] of entries ?? []) {
      const column = classes.indexOf(name);
      if (column >= 0) data[row * classes.length + column] = score;
    }
  }
  const dims = [rows.length, classes.length];
  return { tensor: { type: "float64", dims, data, location: "cpu" }, classes };
}

function entriesOf(row: unknown): [string, number][] | undefined {
  if (typeof row !== "object" || row === null || "dims" in row) return undefined;
  const entries: [unknown, unknown][] = row instanceof Map ? [...row] : Object.entries(row);
  const scored = entries.filter(
    (entry): entry is [unknown, number] => typeof entry[1] === "number",
  );
  if (scored.length < entries.length) return undefined;
  return scored.map(([name, score]) => [String(name), score]);
}
