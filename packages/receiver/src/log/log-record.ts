/**
 * One acknowledged body as the log keeps it, and its form on disk.
 *
 * A record is a header of 32 bytes and the body, little-endian:
 *
 *   0  u32  length of the body
 *   4  u32  CRC-32 of everything after this field
 *   8  f64  sequence number
 *  16  f64  received, milliseconds since the epoch
 *  24  u8   content type, u8 content encoding, u8 signal, 5 bytes of zeros
 *  32  body
 *
 * A file that is used again holds old records behind the new ones. So a header without a body,
 * of content type 255 and with the sequence of the last record, stands where the new ones end.
 */
import { crc32 } from "node:zlib";

/** In the place of a content type: records end here, what follows is of an earlier use. */
const END_MARK = 255;

export const RECORD_HEADER_BYTES = 32;
/** Where a record's sequence number stands. */
export const SEQUENCE_OFFSET = 8;

const CONTENT_TYPES = ["application/x-protobuf", "application/json"] as const;
const CONTENT_ENCODINGS = ["", "gzip", "zstd"] as const;
/** Traces are first, as the byte was zero before there was another signal. */
const SIGNALS = ["traces", "metrics", "logs"] as const;
/** The checksum begins behind itself. */
const CHECKED_FROM = 8;

/** What a body is of, by its name in OTLP's paths. */
export type OtlpSignal = (typeof SIGNALS)[number];

/** A body and what must be known to read it or to send it on. */
export interface LoggedBody {
  readonly body: Uint8Array;
  readonly signal: OtlpSignal;
  readonly contentType: string;
  /** `gzip`, `zstd`, or empty for none. */
  readonly contentEncoding: string;
  /** Milliseconds since the epoch. */
  readonly receivedMs: number;
}

/** A body at its place in the log. Sequences grow by one; those of failed writes are gaps. */
export interface LogRecord extends LoggedBody {
  readonly sequence: number;
}

/** The header that stands before a record's body. */
export function encodeHeader(record: LogRecord): Uint8Array {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt32LE(record.body.length, 0);
  header.writeDoubleLE(record.sequence, SEQUENCE_OFFSET);
  header.writeDoubleLE(record.receivedMs, 16);
  header[24] = indexIn(CONTENT_TYPES, record.contentType);
  header[25] = indexIn(CONTENT_ENCODINGS, record.contentEncoding);
  header[26] = indexIn(SIGNALS, record.signal);
  header.writeUInt32LE(crc32(record.body, crc32(header.subarray(CHECKED_FROM))), 4);
  return header;
}

/** What stands behind the last record, where the file goes on with old ones. */
export function encodeEndMark(lastSequence: number): Uint8Array {
  const mark = Buffer.alloc(RECORD_HEADER_BYTES);
  mark.writeDoubleLE(lastSequence, SEQUENCE_OFFSET);
  mark[24] = END_MARK;
  mark.writeUInt32LE(crc32(mark.subarray(CHECKED_FROM)), 4);
  return mark;
}

/** Whether the records that belong here, those of `firstSequence` or later, have ended at `at`. */
export function isEnd(bytes: Buffer, at: number, firstSequence: number): boolean {
  const bodyAt = at + RECORD_HEADER_BYTES;
  if (bodyAt > bytes.length) return false;
  const end = bodyAt + bytes.readUInt32LE(at);
  if (end > bytes.length || checksum(bytes, at, end) !== bytes.readUInt32LE(at + 4)) return false;
  // A whole record of before is there when the file was not written to since it was taken again.
  const sequence = bytes.readDoubleLE(at + SEQUENCE_OFFSET);
  return sequence < firstSequence || bytes[at + 24] === END_MARK;
}

function checksum(bytes: Buffer, at: number, end: number): number {
  return crc32(bytes.subarray(at + CHECKED_FROM, end));
}

/**
 * The record at `at`, whose body is a view of `bytes`.
 * @returns undefined when the record is cut off, or is not what was written
 */
export function decodeRecord(bytes: Buffer, at: number): LogRecord | undefined {
  const bodyAt = at + RECORD_HEADER_BYTES;
  if (bodyAt > bytes.length) return undefined;
  const end = bodyAt + bytes.readUInt32LE(at);
  if (end > bytes.length) return undefined;
  if (checksum(bytes, at, end) !== bytes.readUInt32LE(at + 4)) return undefined;
  const contentType = CONTENT_TYPES[bytes[at + 24] as number];
  const contentEncoding = CONTENT_ENCODINGS[bytes[at + 25] as number];
  const signal = SIGNALS[bytes[at + 26] as number];
  if (contentType === undefined || contentEncoding === undefined || signal === undefined) {
    return undefined;
  }
  return {
    sequence: bytes.readDoubleLE(at + SEQUENCE_OFFSET),
    receivedMs: bytes.readDoubleLE(at + 16),
    signal,
    contentType,
    contentEncoding,
    body: bytes.subarray(bodyAt, end),
  };
}

function indexIn(names: readonly string[], name: string): number {
  const index = names.indexOf(name);
  if (index < 0) throw new TypeError(`the log knows no "${name}"`);
  return index;
}
