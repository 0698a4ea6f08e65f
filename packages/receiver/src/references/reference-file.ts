/**
 * References as files (`*.tidemark.json`): metadata that a person and a diff can read, and the
 * binary summaries of @tidemark/stats as base64. Version 1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { CategoryCounts, ReferenceGrid, SummaryFormatError } from "@tidemark/stats";
import { z } from "zod";
import type { ModelReference, Reference } from "./reference.js";

const FORMAT = "tidemark-reference";
const VERSION = 1;

const numericSignal = z.object({
  kind: z.literal("numeric"),
  count: z.int().min(1),
  missing: z.int().min(0),
  min: z.number(),
  max: z.number(),
  mean: z.number(),
  summary: z.base64(),
});
const categoricalSignal = z.object({
  kind: z.literal("categorical"),
  count: z.int().min(1),
  missing: z.int().min(0),
  /** For people and diffs; the counts are read from `summary`. */
  categories: z.record(z.string(), z.int().min(0)),
  summary: z.base64(),
});
const fileSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  model: z.object({ name: z.string().min(1), version: z.string().optional() }),
  source: z.object({ file: z.string(), rows: z.int().min(1) }),
  signals: z.record(z.string(), z.discriminatedUnion("kind", [numericSignal, categoricalSignal])),
});

type FileContent = z.infer<typeof fileSchema>;

/** A reference file cannot be used; the message names the file and the key. */
export class ReferenceFileError extends Error {
  override readonly name = "ReferenceFileError";
}

/** What {@link readReferenceFile} returns beside the references themselves. */
export interface ReferenceFile extends ModelReference {
  readonly file: string;
  /** The data it was made from. */
  readonly source: { readonly file: string; readonly rows: number };
}

/**
 * Reads and checks a reference file.
 * @throws ReferenceFileError when it is missing, no reference, of another version, or corrupt.
 */
export function readReferenceFile(file: string): ReferenceFile {
  const content = parseFile(file);
  const name = basename(file).replace(/(?:\.tidemark)?\.json$/, "");
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
  const { name: model, version = "" } = content.model;
  return { file, model, version, source: content.source, signals };
}

/** Writes a reference file; signals are in the order of the map. */
export function writeReferenceFile(
  file: string,
  reference: ModelReference,
  source: { file: string; rows: number },
): void {
  const signals: FileContent["signals"] = {};
  for (const [name, signal] of reference.signals) signals[name] = storedSignal(signal);
  const { model: name, version } = reference;
  const content: FileContent = {
    format: FORMAT,
    version: VERSION,
    model: version ? { name, version } : { name },
    source,
    signals,
  };
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

function storedSignal(signal: Reference): FileContent["signals"][string] {
  if (signal.kind === "categorical") {
    const { categories } = signal;
    return {
      kind: "categorical",
      count: categories.count,
      missing: signal.missing,
      categories: Object.fromEntries(categories.entries()),
      summary: Buffer.from(categories.serialise()).toString("base64"),
    };
  }
  const { grid } = signal;
  return {
    kind: "numeric",
    count: grid.count,
    missing: signal.missing,
    min: grid.min,
    max: grid.max,
    mean: grid.mean,
    summary: Buffer.from(grid.serialise()).toString("base64"),
  };
}

function parseFile(file: string): FileContent {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const how = "make one with: tidemark baseline build data.csv --model NAME --out FILE";
    throw new ReferenceFileError(`${file}: cannot be read (${code ?? message}); ${how}`);
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.path.join(".") || "the file";
  throw new ReferenceFileError(
    `${file}: ${key}: ${issue?.message}; this is no reference of version ${VERSION}, build it anew`,
  );
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
