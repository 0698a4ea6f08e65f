import { loadConfig } from "../config/load-config.js";
import { readReferenceFile } from "../references/reference-file.js";

/**
 * Loads a configuration and everything it refers to, and says that it can be used.
 * @throws ConfigError or ReferenceFileError
 */
export function checkConfig(file: string): void {
  const config = loadConfig(file, process.env);
  const { references } = config.processors;
  for (const reference of references) readReferenceFile(reference.file);
  process.stdout.write(`${file}: can be used (${references.length} reference files)\n`);
}
