/** Bodies that are too large, made and sent without ever holding one in memory as a whole. */
import { constants, crc32, deflateRawSync } from "node:zlib";
import { tag, varint, WIRE } from "./otlp/binary.ts";

const BLOCK = Buffer.alloc(1024 ** 2);
/** A field that no version of OTLP has: a receiver must skip it, whatever its length. */
const UNKNOWN_FIELD = 536_870_000;

/** A valid protobuf message of `bytes` zeros in an unknown field, in pieces of 1 MiB. */
export function* paddedMessage(bytes: number): Generator<Buffer> {
  yield Buffer.concat([tag(UNKNOWN_FIELD, WIRE.bytes), varint(bytes)]);
  for (let left = bytes; left > 0; left -= BLOCK.length) {
    yield BLOCK.subarray(0, Math.min(left, BLOCK.length));
  }
}

/** The length of `paddedMessage(bytes)`. */
export function paddedLength(bytes: number): number {
  return tag(UNKNOWN_FIELD, WIRE.bytes).length + varint(bytes).length + bytes;
}

/**
 * The gzip of `paddedMessage(mebibytes * 1 MiB)`: one member, a thousandth of its size. The same
 * compressed piece is repeated, which deflate allows behind a full flush.
 * https://www.rfc-editor.org/rfc/rfc1952
 */
export function gzipBomb(mebibytes: number): Buffer {
  const size = mebibytes * BLOCK.length;
  const [prefix = BLOCK] = paddedMessage(size);
  const flush = { finishFlush: constants.Z_FULL_FLUSH, level: 9 };
  const block = deflateRawSync(BLOCK, flush);
  let checksum = crc32(prefix);
  for (let index = 0; index < mebibytes; index++) checksum = crc32(BLOCK, checksum);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE((prefix.length + size) % 2 ** 32, 4);
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const blocks = Array.from({ length: mebibytes }, () => block);
  const end = deflateRawSync(Buffer.alloc(0));
  return Buffer.concat([header, deflateRawSync(prefix, flush), ...blocks, end, trailer]);
}
