import { z } from "zod";
import { loadConfig } from "../config/load-config.js";
import { configSchema } from "../config/schema.js";
import { everComparable } from "../evaluate/comparable.js";
import { windowPolicies } from "../evaluate/evaluator.js";
import { readPrices } from "../prices.js";
import { checkCredentials } from "../receive/otlp-receivers.js";
import { configuredReferences } from "../references/configured-references.js";
import { windowLengths } from "../window-lengths.js";

/**
 * Loads a configuration and everything it refers to, and says that it can be used.
 * @throws ConfigError, CredentialError, PriceTableError or ReferenceFileError
 */
export function checkConfig(file: string): void {
  const config = loadConfig(file, process.env);
  checkCredentials(config.receivers.otlp);
  const { references, prices } = config.processors;
  readPrices(prices.file);
  const { files, rules } = configuredReferences(references);
  const { windows, ladder, ...promises } = config.processors.evaluate;
  const policies = windowPolicies(windowLengths(windows, ladder), promises);
  const warnings = [...config.warnings];
  for (const reference of files) {
    for (const [signal, known] of reference.signals) {
      if (policies.some((policy) => everComparable(known, policy))) continue;
      warnings.push(`${reference.file}: ${signal} has too few values to compare anything with`);
    }
  }
  for (const warning of warnings) process.stdout.write(`warning: ${warning}\n`);
  const moving = rules.length > 0 ? `, ${rules.length} that move with time` : "";
  process.stdout.write(`${file}: can be used (${files.length} reference files${moving})\n`);
  for (const { model, version, source, signals, file: path } of files) {
    const of = `${model}${version ? ` ${version}` : ""}: ${signals.size} signals`;
    process.stdout.write(`  ${path}: ${of} from ${source.rows.toLocaleString("en")} rows\n`);
  }
}

/** Prints the JSON Schema of the configuration file, made from the schema that checks it. */
export function printConfigSchema(): void {
  const schema = z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" });
  process.stdout.write(`${JSON.stringify(schema, undefined, 2)}\n`);
}
