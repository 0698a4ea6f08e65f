/** What the list `processors.references` stands for. */
import type { MovingRule } from "./moving-reference.js";
import type { ReferenceFile } from "./reference-file.js";
import { readReferenceFile } from "./reference-file.js";

/** Reference files, and rules that make references of what was counted. */
export interface ConfiguredReferences {
  readonly files: readonly ReferenceFile[];
  readonly rules: readonly MovingRule[];
}

/**
 * Reads the files of a list; the rest are rules.
 * @throws ReferenceFileError when a file cannot be used
 */
export function configuredReferences(
  entries: readonly (MovingRule & { readonly file?: string | undefined })[],
): ConfiguredReferences {
  const files = entries.flatMap(({ file }) =>
    file === undefined ? [] : [readReferenceFile(file)],
  );
  return { files, rules: entries.filter(({ file }) => file === undefined) };
}
