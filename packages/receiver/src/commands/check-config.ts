import { z } from "zod";
import { loadConfig } from "../config/load-config.js";
import { configSchema } from "../config/schema.js";
import { checkCredentials } from "../receive/otlp-receivers.js";
import { readReferenceFile } from "../references/reference-file.js";

/**
 * Loads a configuration and everything it refers to, and says that it can be used.
 * @throws ConfigError, CredentialError or ReferenceFileError
 */
export function checkConfig(file: string): void {
  const config = loadConfig(file, process.env);
  const { references } = config.processors;
  for (const warning of config.warnings) process.stdout.write(`warning: ${warning}\n`);
  checkCredentials(config.receivers.otlp);
  for (const reference of references) readReferenceFile(reference.file);
  process.stdout.write(`${file}: can be used (${references.length} reference files)\n`);
}

/** Prints the JSON Schema of the configuration file, made from the schema that checks it. */
export function printConfigSchema(): void {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" });
  process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`);
}
