/**
 * The files that the log is made of: `<first sequence, 16 digits>.log`, records one after another.
 * Only the last one is written to; a crash can leave a torn record at its end and nowhere else.
 */
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readdir, stat, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "../logger.js";
import type { LogRecord } from "./log-record.js";
import { decodeRecord, isEnd, RECORD_HEADER_BYTES, SEQUENCE_OFFSET } from "./log-record.js";

const NAME = /^\d{16}\.log$/;
/** What could not be read is kept here, for somebody to look at; so many files at most. */
const DAMAGED = "damaged";
const DAMAGED_FILES_MAX = 16;
/** Pieces in which a segment is read; a single record may be larger. */
const CHUNK_BYTES = 1024 * 1024;

/** One file; it holds the sequences from `firstSequence` up to those of the next one. */
export interface Segment {
  readonly path: string;
  readonly firstSequence: number;
  /** Whole records, in bytes; of an earlier run's, but for the last one, all of the file. */
  bytes: number;
  /** The whole file: behind its records it may hold those of an earlier use. */
  fileBytes: number;
}

/** A segment that does not exist yet. */
export function newSegment(directory: string, firstSequence: number): Segment {
  const name = `${String(firstSequence).padStart(16, "0")}.log`;
  return { path: join(directory, name), firstSequence, bytes: 0, fileBytes: 0 };
}

/** The segments of a folder, oldest first, with their sizes as the file system has them. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const names = (await readdir(directory)).filter((name) => NAME.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const path = join(directory, name);
      const { size } = await stat(path);
      return { path, firstSequence: Number.parseInt(name, 10), bytes: size, fileBytes: size };
    }),
  );
}

/**
 * The whole records from `offset` on, about a megabyte of them; none when none is whole.
 * @param after records of this sequence or earlier ones do not belong here
 */
export async function readRecords(
  file: FileHandle,
  offset: number,
  segmentBytes: number,
  after: number,
): Promise<LogRecord[]> {
  const chunk = await readWhole(file, offset, segmentBytes, CHUNK_BYTES);
  const records: LogRecord[] = [];
  let at = 0;
  let last = after;
  for (let record = decodeRecord(chunk, at); record; record = decodeRecord(chunk, at)) {
    if (record.sequence <= last) break;
    records.push(record);
    last = record.sequence;
    at += recordBytes(record);
  }
  return records;
}

/** Whether a segment's records have ended at `offset`, although its file goes on. */
export async function endsAt(
  file: FileHandle,
  offset: number,
  { fileBytes, firstSequence }: Segment,
): Promise<boolean> {
  const chunk = await readWhole(file, offset, fileBytes, RECORD_HEADER_BYTES);
  return isEnd(chunk, 0, firstSequence);
}

/** So many bytes of a segment, or more if the first record there is longer. */
async function readWhole(
  file: FileHandle,
  offset: number,
  segmentBytes: number,
  length: number,
): Promise<Buffer> {
  const left = segmentBytes - offset;
  const chunk = await readAt(file, offset, Math.min(left, length));
  if (chunk.length < RECORD_HEADER_BYTES) return chunk;
  const needed = RECORD_HEADER_BYTES + chunk.readUInt32LE(0);
  return needed > chunk.length && needed <= left ? readAt(file, offset, needed) : chunk;
}

/** What a record takes on disk. */
export function recordBytes(record: LogRecord): number {
  return RECORD_HEADER_BYTES + record.body.length;
}

/**
 * Where reading can go on behind damage: the first whole record of a later sequence.
 * @returns undefined when there is none up to the end of the segment
 */
export async function findNextRecord(
  file: FileHandle,
  offset: number,
  segmentBytes: number,
  afterSequence: number,
): Promise<number | undefined> {
  const rest = await readAt(file, offset, segmentBytes - offset);
  for (let at = 1; at + RECORD_HEADER_BYTES <= rest.length; at++) {
    // The checksum is computed only where a sequence number stands in the right place.
    const sequence = rest.readDoubleLE(at + SEQUENCE_OFFSET);
    if (!Number.isSafeInteger(sequence) || sequence <= afterSequence) continue;
    if (decodeRecord(rest, at)) return offset + at;
  }
  return undefined;
}

/**
 * Finds the last whole record of the last segment; what was torn behind it is set aside.
 * @returns the last sequence (0 when there is no record) and how many bytes were cut
 */
export async function repairTail(directory: string, segment: Segment, logger: Logger) {
  const { firstSequence, fileBytes } = segment;
  let lastSequence = firstSequence - 1;
  let end = 0;
  const file = await open(segment.path, "r");
  try {
    for (let at: number | undefined = 0; at !== undefined; ) {
      const records = await readRecords(file, at, fileBytes, lastSequence);
      end = records.reduce((sum, record) => sum + recordBytes(record), at);
      lastSequence = records.at(-1)?.sequence ?? lastSequence;
      if (records.length > 0) at = end;
      else if (await endsAt(file, at, segment)) break;
      else at = await findNextRecord(file, at, fileBytes, lastSequence);
    }
    segment.bytes = end;
    if (end === fileBytes || (await endsAt(file, end, segment))) {
      return { lastSequence, cutBytes: 0 };
    }
    await setAside(directory, segment, file, end, fileBytes, logger);
    await truncate(segment.path, end);
    segment.fileBytes = end;
    return { lastSequence, cutBytes: fileBytes - end };
  } finally {
    await file.close();
  }
}

/** Keeps a copy of bytes that could not be read, while there is room for copies. */
export async function setAside(
  directory: string,
  segment: Segment,
  file: FileHandle,
  from: number,
  to: number,
  logger: Logger,
): Promise<void> {
  const folder = join(directory, DAMAGED);
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length >= DAMAGED_FILES_MAX) return;
    const copy = join(folder, `${basename(segment.path)}.${from}`);
    await writeFile(copy, await readAt(file, from, to - from));
  } catch (error) {
    // On a full disk the log must come up all the same: it is what will make room.
    logger.warn("could not keep a copy", { error, file: segment.path });
  }
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
