/**
 * A file of training data as columns of cells: CSV, JSON lines (either also gzipped) and Parquet.
 * What it is follows from its first bytes, not from its name.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { csvBatches } from "./csv-rows.js";
import { jsonBatches } from "./json-rows.js";
import { parquetBatches } from "./parquet-rows.js";

/** The data cannot be made into a reference; the message names file, line or column. */
export class TrainingDataError extends Error {
  override readonly name = "TrainingDataError";
}

/** One value of one column; CSV has strings only. Null and undefined stand for none. */
export type Cell = string | number | bigint | boolean | object | null | undefined;

/** Some rows of some columns; a row is counted in one batch only. */
export interface Batch {
  /** In the first batch of a file that names its columns before its rows; "" for one unnamed. */
  readonly header?: readonly string[];
  /** Rows that this batch adds to the file. */
  readonly rows: number;
  /** The cells of each column, by row of the batch; those that are left out are missing. */
  readonly columns: ReadonlyMap<string, ArrayLike<Cell>>;
  /** Names the place of a row, such as `data.csv:12`. */
  readonly place: (row: number) => string;
}

/** What a reader has done of its file. */
export interface Progress {
  /** Of the file's bytes, or of its rows where these are known. */
  done: number;
  total: number;
}

/** A file that has been opened. */
export interface DataFile {
  /** False when cells are text that may stand for numbers. */
  readonly typed: boolean;
  readonly batches: AsyncIterable<Batch>;
}

/** A file as text that may have been inflated, with how far it has been read. */
export interface TextSource {
  readonly file: string;
  readonly stream: Readable;
  /** The first bytes, inflated. */
  readonly head: string;
}

/** What a reader of text needs to know its file by. */
const HEAD_BYTES = 65_536;
const GZIP = Buffer.from([0x1f, 0x8b]);
const PARQUET = Buffer.from("PAR1");

/**
 * Opens a file.
 * @param wanted the columns to read, or all; only Parquet can leave others unread
 * @throws TrainingDataError when it cannot be read or is none of the kinds
 */
export async function openDataFile(
  file: string,
  progress: Progress,
  wanted?: readonly string[],
): Promise<DataFile> {
  try {
    const { head, size } = await headOf(file);
    if (head.subarray(0, 4).equals(PARQUET)) return await parquetBatches(file, progress, wanted);
    progress.total += size;
    const gzipped = head.subarray(0, 2).equals(GZIP);
    const text = gzipped ? await inflatedHead(file) : head.toString("utf8");
    if (text.includes("\0")) {
      const kinds = "CSV, JSON lines (both UTF-8) or Parquet";
      throw new TrainingDataError(`${file}: is no text, and no Parquet; save it as ${kinds}`);
    }
    const raw = createReadStream(file, { highWaterMark: 262_144 });
    raw.on("data", (chunk) => (progress.done += chunk.length));
    const stream = gzipped ? raw.pipe(createGunzip()) : raw;
    raw.on("error", (error) => stream.destroy(error));
    const source = { file, stream, head: text.replace(/^\uFEFF/, "") };
    return /^\s*[{[]/.test(source.head) ? jsonBatches(source) : csvBatches(source);
  } catch (error) {
    throw readable(file, error);
  }
}

async function headOf(file: string): Promise<{ head: Buffer; size: number }> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0);
    return { head: head.subarray(0, bytesRead), size };
  } finally {
    await handle.close();
  }
}

async function inflatedHead(file: string): Promise<string> {
  const raw = createReadStream(file);
  const stream = raw.pipe(createGunzip());
  raw.on("error", (error) => stream.destroy(error));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      return chunk.subarray(0, HEAD_BYTES).toString("utf8");
    }
    return "";
  } finally {
    raw.destroy();
  }
}

/** What went wrong with a file, for people. */
export function readable(file: string, error: unknown): unknown {
  if (error instanceof TrainingDataError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith("Z_")) {
    return new TrainingDataError(`${file}: cannot be inflated (${message}); is it cut off?`);
  }
  if (code && /^E[A-Z]+$/.test(code)) {
    return new TrainingDataError(`${file}: cannot be read (${code}); check the path`);
  }
  return error;
}
