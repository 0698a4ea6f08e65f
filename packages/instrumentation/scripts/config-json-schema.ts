/**
 * The JSON Schema of `tidemark.instrumentation.yaml`, for editors, from the schema that the file is
 * checked by. Run as a program it writes the file that is shipped.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  fileSchema,
  limitsSchema,
  llmSchema,
  modelSchema,
  stageSchema,
} from "../dist/config-schema.js";

/** Where it is. */
export const SCHEMA_FILE = fileURLToPath(
  new URL("../tidemark.instrumentation.schema.json", import.meta.url),
);

const json = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });

/** The schema, as text. */
export function configJsonSchema(): string {
  const file = json(fileSchema) as { properties: Record<string, object> };
  const entries = { stages: stageSchema, models: modelSchema };
  for (const [name, schema] of Object.entries(entries)) {
    const { $schema: _, ...items } = json(schema);
    file.properties[name] = { type: "array", items };
  }
  for (const [name, schema] of Object.entries({ limits: limitsSchema, llm: llmSchema })) {
    const { $schema: _, ...object } = json(schema);
    file.properties[name] = object;
  }
  return `${JSON.stringify({ title: "Tidemark instrumentation", ...file }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(SCHEMA_FILE, configJsonSchema());
