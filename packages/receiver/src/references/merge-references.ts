/** One reference from several of the same model, such as those of the parts of a training set. */
import { CategoryCounts, mergeGrids } from "@tidemark/stats";
import type {
  CategoricalReference,
  ModelReference,
  NumericReference,
  Reference,
} from "./reference.js";
import type { ReferenceFile, ReferenceSource } from "./reference-file.js";
import { ReferenceFileError } from "./reference-file.js";

/**
 * Merges references. Version and run are kept where all agree; a signal that some files lack is
 * merged from the others, its rows there counting as missing.
 * @param name what the merged reference is called
 * @throws ReferenceFileError when they are of different models, or a signal is of two kinds
 */
export function mergeReferences(
  files: readonly ReferenceFile[],
  name: string,
): ModelReference & { readonly source: ReferenceSource } {
  const [first] = files as readonly [ReferenceFile, ...ReferenceFile[]];
  const { model } = first;
  for (const file of files) {
    if (file.model === model) continue;
    const models = `model ${file.model}, and ${first.file} of ${model}`;
    throw new ReferenceFileError(`${file.file}: is of ${models}; only one model's can be merged`);
  }
  const agreed = (key: "version" | "runId") =>
    files.every((file) => file[key] === first[key]) ? first[key] : "";
  const names = new Set(files.flatMap(({ signals }) => [...signals.keys()]));
  const signals = new Map([...names].map((signal) => [signal, merged(files, signal, name)]));
  const source = {
    files: files.flatMap((file) => file.source.files),
    rows: files.reduce((sum, file) => sum + file.source.rows, 0),
    columns: new Map(files.flatMap((file) => [...file.source.columns])),
  };
  return { model, version: agreed("version"), runId: agreed("runId"), signals, source };
}

function merged(files: readonly ReferenceFile[], signal: string, name: string): Reference {
  let missing = 0;
  const parts: Reference[] = [];
  for (const file of files) {
    const part = file.signals.get(signal);
    missing += part?.missing ?? file.source.rows;
    if (part === undefined) continue;
    if (parts[0] && parts[0].kind !== part.kind) {
      const kinds = `${part.kind} here and ${parts[0].kind} before`;
      throw new ReferenceFileError(`${file.file}: signals.${signal}: is ${kinds}; build it anew`);
    }
    parts.push(part);
  }
  const origin = { name, provisional: false, missing };
  if (parts[0]?.kind === "numeric") {
    const grid = mergeGrids((parts as NumericReference[]).map((part) => part.grid));
    return { ...origin, kind: "numeric", grid };
  }
  const categories = new CategoryCounts();
  for (const part of parts as CategoricalReference[]) categories.merge(part.categories);
  return { ...origin, kind: "categorical", categories };
}
