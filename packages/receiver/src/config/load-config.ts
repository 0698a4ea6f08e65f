/**
 * Reads the configuration file: environment variables, YAML, the schema, and the rules that join
 * several keys. Every complaint names file, line and key, and says what to do.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Document } from "yaml";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { issueWording } from "./issue-wording.js";
import { openDoors } from "./open-doors.js";
import type { Locate } from "./rules.js";
import { brokenRules, unusedExporters } from "./rules.js";
import type { Config, ParsedConfig } from "./schema.js";
import { configSchema } from "./schema.js";

/** What somebody is told who lists processors as in a Collector's file. */
const PROCESSORS_HINT =
  " here: all processors always run, in their own order, and leaving one out of a list would not " +
  "stop it; leave this key out";

/** The configuration cannot be used; the message has one line per complaint. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Path = readonly (string | number)[];

/** The configuration that holds when there is no file. */
export function defaultConfig(env: NodeJS.ProcessEnv): Config {
  return parseConfig("", "the defaults", env);
}

/**
 * Loads a file. Paths in it are resolved against its folder.
 * @throws ConfigError when the file cannot be read or a value cannot be used.
 */
export function loadConfig(file: string, env: NodeJS.ProcessEnv): Config {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError(
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code}); check the path`,
    );
  }
  return parseConfig(text, file, env);
}

/** The same for a text; `file` is what complaints call it. */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv): Config {
  const lines = new LineCounter();
  const document = parseDocument(substituteEnv(text, file, env), { lineCounter: lines });
  const [syntax] = document.errors;
  if (syntax) {
    const { line } = lines.linePos(syntax.pos[0]);
    const [what = ""] = syntax.message.split("\n", 1);
    const plain = what.replace(/ at line \d+, column \d+:?$/, "");
    throw new ConfigError(`${file}:${line}: ${plain}; check the indentation and the quotes`);
  }
  const locate: Locate = (path) => `${file}:${lineOf(document, lines, path)}`;
  const root = withoutNulls(document.toJS()) ?? {};
  const parsed = configSchema.safeParse(root);
  if (!parsed.success) {
    throw new ConfigError(complaints(root, parsed.error.issues, locate).join("\n"));
  }
  const config = parsed.data;
  const wrong = brokenRules(config, locate);
  if (wrong.length > 0) throw new ConfigError(wrong.join("\n"));
  const folder = dirname(resolve(file));
  const references = config.processors.references.map((reference) =>
    reference.file === undefined ? reference : { file: resolve(folder, reference.file) },
  );
  resolveCredentials(config, folder);
  const { prices } = config.processors;
  if (prices.file !== undefined) prices.file = resolve(folder, prices.file);
  const storage = withDirectory(config.service.storage, folder, env);
  return {
    ...config,
    processors: { ...config.processors, references },
    service: { ...config.service, storage },
    warnings: [...unusedExporters(config, locate), ...openDoors(config, locate)],
  };
}

/** Makes the paths of certificates, tokens and users absolute. */
function resolveCredentials({ receivers, exporters }: ParsedConfig, folder: string): void {
  const absolute = <K extends string>(holder: { [key in K]?: string | undefined }, key: K) => {
    if (holder[key] !== undefined) holder[key] = resolve(folder, holder[key]);
  };
  const { protocols } = receivers.otlp;
  for (const { tls = {} } of Object.values(protocols)) {
    for (const key of ["cert_file", "key_file", "client_ca_file"] as const) absolute(tls, key);
  }
  for (const { auth } of [...Object.values(protocols), exporters.prometheus]) {
    if (auth?.bearer) absolute(auth.bearer, "filename");
    if (auth?.basic) absolute(auth.basic.htpasswd, "file");
  }
}

/** The storage with a folder: the one configured, or this user's own for programs' state. */
function withDirectory(
  storage: ParsedConfig["service"]["storage"],
  folder: string,
  env: NodeJS.ProcessEnv,
): Config["service"]["storage"] {
  const state = env["XDG_STATE_HOME"] || join(homedir(), ".local", "state");
  const { directory = join(state, "tidemark") } = storage;
  return { ...storage, directory: resolve(folder, directory) };
}

/**
 * Replaces `${env:NAME}` and `${env:NAME:-fallback}`, as the Collector does; `$$` is a `$`.
 * Lines that are comments stay as they are.
 */
function substituteEnv(text: string, file: string, env: NodeJS.ProcessEnv): string {
  const pattern = /\$\$|\$\{env:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;
  return text.replaceAll(pattern, (whole, name: string | undefined, fallback, offset: number) => {
    if (name === undefined) return "$";
    if (/^\s*#/.test(text.slice(text.lastIndexOf("\n", offset) + 1))) return whole;
    const value = env[name] ?? (fallback as string | undefined);
    if (value !== undefined) return value;
    const line = text.slice(0, offset).split("\n").length;
    throw new ConfigError(
      `${file}:${line}: the environment variable ${name} is not set; ` +
        `set it, or give a default with \${env:${name}:-…} in place of ${whole}`,
    );
  });
}

/** A key without a value, such as `otlp:`, is the same as leaving it out: the defaults hold. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value ?? {}).map(([key, member]) => [key, withoutNulls(member)]),
  );
}

/** The line of the innermost key of `path` that the file has. */
function lineOf(document: Document, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true) as
      | { items?: { key?: { value?: unknown; range?: [number] }; range?: [number] }[] }
      | undefined;
    const last = path[length - 1];
    const item =
      typeof last === "number"
        ? parent?.items?.[last]
        : parent?.items?.find(({ key }) => key?.value === last)?.key;
    const range = item?.range;
    if (range) return lines.linePos(range[0]).line;
  }
  return 1;
}

function complaints(root: unknown, issues: readonly z.core.$ZodIssue[], locate: Locate): string[] {
  return issues.flatMap((issue) => {
    const path = issue.path as Path;
    if (issue.code !== "unrecognized_keys") {
      return [`${locate(path)}: ${path.join(".") || "the file"}: ${issueWording(root, issue)}`];
    }
    return issue.keys.map((key) => {
      const full = [...path, key];
      const known = knownKeys(path);
      let hint = known.length > 0 ? `; known here: ${known.join(", ")}` : "";
      if (key === "processors" && path[1] === "pipelines") hint = PROCESSORS_HINT;
      return `${locate(full)}: ${full.join(".")}: unknown key${hint}`;
    });
  });
}

/** The part of a zod schema that the hint looks at. */
interface SchemaNode {
  readonly shape?: Readonly<Record<string, SchemaNode>>;
  readonly def: { readonly innerType?: SchemaNode; in?: SchemaNode; catchall?: SchemaNode };
}

/** The keys that the schema has at a place, for the hint. */
function knownKeys(path: Path): string[] {
  let node = objectNode(configSchema as unknown as SchemaNode);
  for (const step of path) node = objectNode(node?.shape?.[step] ?? node?.def.catchall);
  return Object.keys(node?.shape ?? {});
}

/** Looks through defaults, options and transformations. */
function objectNode(node: SchemaNode | undefined): SchemaNode | undefined {
  if (node === undefined || node.shape) return node;
  return objectNode(node.def.innerType ?? node.def.in);
}
