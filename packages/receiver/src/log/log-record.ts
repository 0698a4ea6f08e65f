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
 */
import { crc32 } from "node:zlib";

export const RECORD_HEADER_BYTES = 32;
/** Where a record's sequence number stands. */
export const SEQUENCE_OFFSET = 8;

const CONTENT_TYPES = ["application/x-protobuf", "application/json"] as const;
const CONTENT_ENCODINGS = ["", "gzip", "zstd"] as const;
/** Traces are first, as the byte was zero before there was another signal. */
const SIGNALS = ["traces", "metrics"] as const;
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

/**
 * The record at `at`, whose body is a view of `bytes`.
 * @returns undefined when the record is cut off, or is not what was written
 */
export function decodeRecord(bytes: Buffer, at: number): LogRecord | undefined {
  const bodyAt = at + RECORD_HEADER_BYTES;
  if (bodyAt > bytes.length) return undefined;
  const end = bodyAt + bytes.readUInt32LE(at);
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + CHECKED_FROM, end)) !== bytes.readUInt32LE(at + 4)) {
    return undefined;
  }
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
