/**
 * Reads and checks `tidemark.instrumentation.yaml`. A file that is wrong never stops the app: every
 * complaint is one line with file, line, key and a hint, and what is valid is used.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Document } from "yaml";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import type {
  InstrumentationConfig,
  LlmConfig,
  ModelConfig,
  StageConfig,
} from "./config-schema.js";
import { fileSchema, limitsSchema, llmSchema, modelSchema, stageSchema } from "./config-schema.js";
import { DEFAULT_CONFIG } from "./default-config.js";
import { CONFIG_VARIABLE } from "./find-config.js";

/** Wrong lines that are reported; the rest of a file that is wholly wrong is only counted. */
const COMPLAINTS_MAX = 20;

/** What was read, and every complaint about it. */
export interface LoadedConfig {
  readonly config: InstrumentationConfig;
  readonly complaints: readonly string[];
}

type Path = readonly PropertyKey[];

/** Reads a file; one that cannot be read is the default, and a complaint. */
export function readConfig(file: string): LoadedConfig {
  try {
    return parseConfig(readFileSync(file, "utf8"), file);
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    const complaint = `${file}: cannot be read (${code}); check ${CONFIG_VARIABLE}`;
    return { config: DEFAULT_CONFIG, complaints: [complaint] };
  }
}

/** The same for a text; `file` names it and its folder is what module paths are relative to. */
export function parseConfig(yaml: string, file: string): LoadedConfig {
  const reader = new Reader(yaml, file);
  const top = reader.read(fileSchema, [], fileSchema.parse({}));
  const folder = dirname(file);
  const stages: StageConfig[] = [];
  for (const index of (top.stages ?? []).keys()) {
    const stage = reader.read(stageSchema, ["stages", index], undefined);
    if (stage) stages.push({ ...stage, module: resolve(folder, stage.module) });
  }
  const models: ModelConfig[] = [];
  for (const index of (top.models ?? []).keys()) {
    const model = reader.read(modelSchema, ["models", index], undefined);
    if (model) models.push(model);
  }
  const limits = reader.read(limitsSchema, ["limits"], limitsSchema.parse({}));
  const llm = withPaths(reader.read(llmSchema, ["llm"], llmSchema.parse({})), folder);
  const config = { stages, models, limits, llm, errorMessages: top.errorMessages };
  return { config, complaints: reader.complaints() };
}

/** Files are named relative to the configuration. */
function withPaths(llm: LlmConfig, folder: string): LlmConfig {
  const { prices, text } = llm;
  const vocabulary = text?.vocabulary;
  return {
    ...llm,
    ...(prices !== undefined && { prices: resolve(folder, prices) }),
    ...(vocabulary !== undefined && {
      text: { ...text, refusals: text?.refusals ?? [], vocabulary: resolve(folder, vocabulary) },
    }),
  };
}

/** One parsed file, and what has been found wrong with it. */
class Reader {
  private readonly file: string;
  private readonly lines = new LineCounter();
  private readonly document: Document;
  private readonly root: unknown;
  private readonly wrong: string[] = [];

  constructor(yaml: string, file: string) {
    this.file = file;
    this.document = parseDocument(yaml, { lineCounter: this.lines });
    const [syntax] = this.document.errors;
    if (syntax) {
      const { line } = this.lines.linePos(syntax.pos[0]);
      const [what = ""] = syntax.message.split("\n", 1);
      this.wrong.push(`${file}:${line}: ${what.replace(/ at line \d+, column \d+:?$/, "")}`);
      this.root = {};
    } else {
      this.root = withoutNulls(this.document.toJS({ maxAliasCount: 100 })) ?? {};
    }
  }

  /** The value at `path` by its schema; what is wrong is noted, and the fallback returned. */
  read<Schema extends z.ZodType, Fallback>(schema: Schema, path: Path, fallback: Fallback) {
    const value = memberAt(this.root, path);
    const parsed = schema.safeParse(value ?? {});
    if (parsed.success) return parsed.data as z.output<Schema> | Fallback;
    for (const issue of parsed.error.issues) this.note(schema, path, value, issue);
    return path.length <= 1 ? withoutWrong(schema, value, fallback) : fallback;
  }

  complaints(): string[] {
    const more = this.wrong.length - COMPLAINTS_MAX;
    const shown = this.wrong.slice(0, COMPLAINTS_MAX);
    return more > 0 ? [...shown, `${this.file}: and ${more} more`] : shown;
  }

  private note(schema: z.ZodType, path: Path, value: unknown, issue: z.core.$ZodIssue): void {
    if (issue.code !== "unrecognized_keys") {
      const full = [...path, ...issue.path];
      const missing = memberAt(value, issue.path) === undefined;
      const message = messageOf(issue);
      this.wrong.push(
        `${this.at(full)}: ${keyOf(full)}: ${missing ? `is missing; it ${message}` : message}`,
      );
      return;
    }
    const known = knownKeys(schema, issue.path);
    for (const key of issue.keys) {
      const full = [...path, ...issue.path, key];
      const hint = known.length > 0 ? `; known here: ${known.join(", ")}` : "";
      this.wrong.push(`${this.at(full)}: ${keyOf(full)}: unknown key${hint}`);
    }
  }

  /** File and line of the innermost key of `path` that the file has. */
  private at(path: Path): string {
    for (let length = path.length; length > 0; length--) {
      const parent = this.document.getIn(path.slice(0, length - 1), true) as
        | { items?: { key?: { value?: unknown; range?: [number] }; range?: [number] }[] }
        | undefined;
      const last = path[length - 1];
      const item =
        typeof last === "number"
          ? parent?.items?.[last]
          : parent?.items?.find(({ key }) => key?.value === last)?.key;
      if (item?.range) return `${this.file}:${this.lines.linePos(item.range[0]).line}`;
    }
    return `${this.file}:1`;
  }
}

/** A wrong key, at the top or of a section, must not cost the ones beside it. */
function withoutWrong<Schema extends z.ZodType, Fallback>(
  schema: Schema,
  value: unknown,
  fallback: Fallback,
) {
  if (typeof value !== "object" || value === null) return fallback;
  const { shape } = schema as unknown as { shape: Record<string, z.ZodType> };
  const good = Object.entries(value).filter(([key, member]) =>
    Object.hasOwn(shape, key) ? shape[key]?.safeParse(member).success : false,
  );
  const parsed = schema.safeParse(Object.fromEntries(good));
  return parsed.success ? parsed.data : fallback;
}

/** What is wrong, in the file's terms where the schema has no words of its own. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid")) return issue.message;
  if (issue.expected === "array") return "must be a list, such as [a, b]";
  const isMap = issue.expected === "object" || issue.expected === "record";
  return isMap ? "must be keys with values, or {}" : issue.message;
}

function memberAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
  return value;
}

function keyOf(path: Path): string {
  let key = "";
  for (const step of path) {
    if (typeof step === "number") key += `[${step}]`;
    else key += key === "" ? String(step) : `.${String(step)}`;
  }
  return key === "" ? "the file" : key;
}

/** A key without a value, such as `stages:`, is the same as leaving it out. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((member) => withoutNulls(member) ?? {});
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutNulls(member)]),
  );
}

/** The part of a zod schema that the hint looks at. */
interface SchemaNode {
  readonly shape?: Readonly<Record<string, SchemaNode>>;
  readonly def: { readonly innerType?: SchemaNode; in?: SchemaNode; valueType?: SchemaNode };
}

/** The keys that a schema has at a place. */
function knownKeys(schema: z.ZodType, path: Path): string[] {
  let node = objectNode(schema as unknown as SchemaNode);
  for (const step of path) {
    node = objectNode(node?.shape?.[String(step)] ?? node?.def.valueType);
  }
  return Object.keys(node?.shape ?? {});
}

/** Looks through defaults, options and transformations. */
function objectNode(node: SchemaNode | undefined): SchemaNode | undefined {
  if (node === undefined || node.shape || node.def.valueType) return node;
  return objectNode(node.def.innerType ?? node.def.in);
}
