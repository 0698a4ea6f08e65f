/**
 * References as files (`*.tidemark.json`): what a person and a diff can read, the binary summaries
 * of @tidemark/stats as base64, and a checksum over both. Version 1.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename } from "node:path";
import { CategoryCounts, ReferenceGrid, SummaryFormatError } from "@tidemark/stats";
import { z } from "zod";
import type { ModelReference, Reference } from "./reference.js";

const FORMAT = "tidemark-reference";
const VERSION = 1;
/** What tells a reference from other files. */
const HEAD_BYTES = 256;
/** The quantiles that are written for people; the shares behind `p`. */
const SHOWN_QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

const numericSignal = z.object({
  kind: z.literal("numeric"),
  /** The column that it was made from, which `tidemark compare` looks for in other data. */
  column: z.string().optional(),
  count: z.int().min(1),
  missing: z.int().min(0),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  /** Null beyond the square of a double. */
  standardDeviation: z.number().nullable(),
  quantiles: z.record(z.string(), z.number()),
  /** 99 % bound on the error of every rank: 0 when every row was counted as it is. */
  rankError: z.number(),
  summary: z.base64(),
});
const categoricalSignal = z.object({
  kind: z.literal("categorical"),
  column: z.string().optional(),
  count: z.int().min(1),
  missing: z.int().min(0),
  /** For people and diffs; the counts are read from `summary`. */
  categories: z.record(z.string(), z.int().min(0)),
  /** Rows of categories that have no place of their own. */
  other: z.int().min(0),
  summary: z.base64(),
});
const fileSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  model: z.object({
    name: z.string().min(1),
    version: z.string().optional(),
    runId: z.string().optional(),
  }),
  source: z.object({ files: z.array(z.string()).min(1), rows: z.int().min(1) }),
  signals: z.record(z.string(), z.discriminatedUnion("kind", [numericSignal, categoricalSignal])),
  checksum: z.string(),
});

type FileContent = z.infer<typeof fileSchema>;
type StoredSignal = FileContent["signals"][string];

/** A reference file cannot be used; the message names the file and the key. */
export class ReferenceFileError extends Error {
  override readonly name = "ReferenceFileError";
}

/** The data that a reference was made from. */
export interface ReferenceSource {
  readonly files: readonly string[];
  readonly rows: number;
  /** The column of each signal, where it was made from one. */
  readonly columns: ReadonlyMap<string, string>;
}

/** What {@link readReferenceFile} returns beside the references themselves. */
export interface ReferenceFile extends ModelReference {
  readonly file: string;
  readonly source: ReferenceSource;
}

/** What a reference is called that lies in a file. */
export function referenceName(file: string): string {
  return basename(file).replace(/(?:\.tidemark)?\.json$/, "");
}

/**
 * Reads and checks a reference file.
 * @throws ReferenceFileError when it is missing, no reference, of another version, or corrupt.
 */
export function readReferenceFile(file: string): ReferenceFile {
  return parseReferenceFile(file, readText(file));
}

/** The same for a text; `file` is what complaints call it. @throws ReferenceFileError */
export function parseReferenceFile(file: string, text: string): ReferenceFile {
  const content = parseReference(file, text);
  const name = referenceName(file);
  const signals = new Map<string, Reference>();
  for (const [signal, stored] of Object.entries(content.signals)) {
    const origin = { name, provisional: false, missing: stored.missing };
    if (stored.kind === "categorical") {
      const categories = decode(file, signal, stored.summary, CategoryCounts.deserialise);
      signals.set(signal, { ...origin, kind: "categorical", categories });
    } else {
      const grid = decode(file, signal, stored.summary, ReferenceGrid.deserialise);
      signals.set(signal, { ...origin, kind: "numeric", grid });
    }
  }
  const columns = new Map<string, string>();
  for (const [signal, { column }] of Object.entries(content.signals)) {
    if (column !== undefined) columns.set(signal, column);
  }
  const { name: model, version = "", runId = "" } = content.model;
  return { file, model, version, runId, source: { ...content.source, columns }, signals };
}

/**
 * Writes a reference file as a whole or not at all; signals are in the order of the map.
 * @throws ReferenceFileError
 */
export function writeReferenceFile(
  file: string,
  reference: ModelReference,
  source: ReferenceSource,
): void {
  // Whoever watches the file, such as a receiver, never sees half of it.
  const partial = `${file}.${process.pid}.part`;
  try {
    writeFileSync(partial, referenceText(reference, source));
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new ReferenceFileError(`${file}: cannot be written (${code}); check path and room`);
  }
}

/** A reference as the text of its file. */
export function referenceText(reference: ModelReference, source: ReferenceSource): string {
  const { model: name, version, runId } = reference;
  const signals = Object.fromEntries(
    [...reference.signals].map(([signal, stored]) => {
      return [signal, storedSignal(stored, source.columns.get(signal))];
    }),
  );
  const content = {
    format: FORMAT,
    version: VERSION,
    model: { name, ...(version ? { version } : {}), ...(runId ? { runId } : {}) },
    source: { files: [...source.files], rows: source.rows },
    signals,
  } satisfies Omit<FileContent, "checksum">;
  return `${JSON.stringify({ ...content, checksum: checksumOf(content) }, undefined, 2)}\n`;
}

/** Whether a file is a reference, of whatever version, rather than data. */
export function isReferenceFile(file: string): boolean {
  if (file.endsWith(".tidemark.json")) return true;
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const descriptor = openSync(file, "r");
    readSync(descriptor, head, 0, HEAD_BYTES, 0);
    closeSync(descriptor);
  } catch {
    // Whoever reads it as data says what is wrong with it.
    return false;
  }
  return /^\s*\{\s*"format":\s*"tidemark-reference"/.test(head.toString("latin1"));
}

/** The quantiles that are shown to people, named `p1` to `p99`. */
export function shownQuantiles(grid: ReferenceGrid): Record<string, number> {
  return Object.fromEntries(SHOWN_QUANTILES.map((q) => [`p${q * 100}`, grid.quantile(q)]));
}

function storedSignal(signal: Reference, name: string | undefined): StoredSignal {
  const { missing } = signal;
  const column = name === undefined ? {} : { column: name };
  if (signal.kind === "categorical") {
    const { categories } = signal;
    return {
      kind: "categorical",
      ...column,
      count: categories.count,
      missing,
      categories: Object.fromEntries(categories.entries()),
      other: categories.other,
      summary: Buffer.from(categories.serialise()).toString("base64"),
    };
  }
  const { grid } = signal;
  return {
    kind: "numeric",
    ...column,
    count: grid.count,
    missing,
    min: grid.min,
    max: grid.max,
    mean: grid.mean,
    standardDeviation: Math.sqrt(grid.variance),
    quantiles: shownQuantiles(grid),
    rankError: grid.epsilon,
    summary: Buffer.from(grid.serialise()).toString("base64"),
  };
}

/** Of the content as one line, so that whoever indents the file or ends its lines differently
 * does not damage it. */
function checksumOf(content: object): string {
  return `sha256:${createHash("sha256").update(JSON.stringify(content)).digest("hex")}`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const how = "make one with: tidemark baseline build data.csv --model NAME --out FILE";
    throw new ReferenceFileError(`${file}: cannot be read (${code ?? message}); ${how}`);
  }
}

/**
 * Checks the text of a reference.
 * @throws ReferenceFileError
 */
function parseReference(file: string, text: string): FileContent {
  const again = "get the file again, or build it anew with: tidemark baseline build";
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    const what = text.startsWith("{") ? "is damaged" : "is no reference of Tidemark";
    throw new ReferenceFileError(`${file}: ${what}: ${(error as Error).message}; ${again}`);
  }
  if (typeof json !== "object" || json === null || json["format"] !== FORMAT) {
    const what = `its "format" is not "${FORMAT}"`;
    throw new ReferenceFileError(`${file}: format: is no reference of Tidemark, ${what}; ${again}`);
  }
  const { version, checksum, ...content } = json;
  if (typeof version === "number" && version > VERSION) {
    throw new ReferenceFileError(
      `${file}: version: is of version ${version}, and this Tidemark reads ${VERSION}; ` +
        "upgrade Tidemark, or build the reference with this version",
    );
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = issue?.path.join(".") || "the file";
    throw new ReferenceFileError(`${file}: ${key}: ${issue?.message}; ${again}`);
  }
  const { format, ...rest } = content;
  if (checksum !== checksumOf({ format, version, ...rest })) {
    throw new ReferenceFileError(
      `${file}: checksum: is not that of the content: the file was changed or damaged; ${again}`,
    );
  }
  return parsed.data;
}

function decode<S>(
  file: string,
  signal: string,
  base64: string,
  deserialise: (bytes: Uint8Array) => S,
): S {
  try {
    return deserialise(Buffer.from(base64, "base64"));
  } catch (error) {
    if (!(error instanceof SummaryFormatError)) throw error;
    throw new ReferenceFileError(`${file}: signals.${signal}.summary: ${error.message}`);
  }
}
