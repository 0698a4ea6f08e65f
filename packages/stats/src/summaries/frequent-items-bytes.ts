// The serialised form of a DataSketches `frequent_strings_sketch`, serial version 1, little-endian.
// Layout: PreambleUtil of the package frequencies in https://github.com/apache/datasketches-java
//
//   0 preamble longs (1 empty | 4)  1 serial version  2 family (10)  3 lg map size  4 lg current
//   map size  5 flags (1 or 4: empty)  6-7 unused
//   empty: nothing more; else: 8-11 items  12-15 unused  16-23 rows  24-31 error
//   then: a count an item (i64 each), and the items: length in bytes (u32) and UTF-8 each

import type { FrequentItemsContent } from "./frequent-items.js";
import { SummaryFormatError } from "./summary-bytes.js";

const PREAMBLE_LONGS_EMPTY = 1;
const PREAMBLE_LONGS_FULL = 4;
const VERSION = 1;
const FAMILY = 10;
// Both are set by C++ (5), either by Java (4): a reader takes any.
const FLAGS_EMPTY = 5;
const HEADER_BYTES = 8;
const FULL_HEADER_BYTES = 32;
const LG_SIZE_MIN = 3;
const LG_SIZE_MAX = 16;
const LOAD = 0.75;
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** Encodes, in the order of the entries. */
export function writeFrequentItems(content: FrequentItemsContent): Uint8Array {
  const { size } = content;
  const encoder = new TextEncoder();
  const counts: number[] = [];
  const texts: Uint8Array[] = [];
  for (const [item, count] of content.entries) {
    counts.push(count);
    texts.push(encoder.encode(item));
  }
  const textBytes = texts.reduce((sum, text) => sum + 4 + text.length, 0);
  const lengthBytes = size === 0 ? HEADER_BYTES : FULL_HEADER_BYTES + 8 * size + textBytes;
  const bytes = new Uint8Array(lengthBytes);
  const view = new DataView(bytes.buffer);
  const lgSize = Math.log2(content.mapSize);
  bytes.set([size === 0 ? PREAMBLE_LONGS_EMPTY : PREAMBLE_LONGS_FULL, VERSION, FAMILY, lgSize]);
  bytes.set([lgCurrentSize(size), size === 0 ? FLAGS_EMPTY : 0], 4);
  if (size === 0) return bytes;
  view.setUint32(8, size, true);
  view.setBigInt64(16, BigInt(content.count), true);
  view.setBigInt64(24, BigInt(content.error), true);
  let at = FULL_HEADER_BYTES;
  for (const count of counts) {
    view.setBigInt64(at, BigInt(count), true);
    at += 8;
  }
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  return bytes;
}

/**
 * Decodes and checks everything a reader relies on: sizes before any allocation, distinct items,
 * and counts that fit the rows.
 *
 * @throws SummaryFormatError saying what is wrong
 */
export function readFrequentItems(bytes: Uint8Array): FrequentItemsContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  check(bytes.length >= HEADER_BYTES, `${bytes.length} bytes are too few`);
  const [longs = 0, version, family, lgSize = 0] = bytes;
  check(family === FAMILY, `family ${family} is not that of frequent items (${FAMILY})`);
  check(version === VERSION, `serial version ${version} is unknown`);
  check(lgSize >= LG_SIZE_MIN && lgSize <= LG_SIZE_MAX, `map size 2^${lgSize} is out of range`);
  const mapSize = 2 ** lgSize;
  const empty = (view.getUint8(5) & FLAGS_EMPTY) !== 0;
  const expectedLongs = empty ? PREAMBLE_LONGS_EMPTY : PREAMBLE_LONGS_FULL;
  check((longs & 63) === expectedLongs, `${longs & 63} preamble longs, not ${expectedLongs}`);
  if (empty) return { mapSize, count: 0, error: 0, entries: [], size: 0 };
  check(bytes.length >= FULL_HEADER_BYTES, `${bytes.length} bytes are too few`);
  const size = view.getUint32(8, true);
  check(size >= 1 && size <= LOAD * mapSize, `${size} items do not fit map size ${mapSize}`);
  const count = integerAt(view, 16, "rows");
  const error = integerAt(view, 24, "error");
  check(error <= count, `error ${error} exceeds ${count} rows`);
  check(bytes.length >= FULL_HEADER_BYTES + 12 * size, "ends inside the counts");
  const entries = readEntries(bytes, view, size);
  let counted = 0;
  for (const [, lowerBound] of entries) counted += lowerBound;
  check(counted <= count, `the items stand for ${counted} rows of ${count}`);
  return { mapSize, count, error, entries, size };
}

function readEntries(bytes: Uint8Array, view: DataView, size: number): Map<string, number> {
  const entries = new Map<string, number>();
  let at = FULL_HEADER_BYTES + 8 * size;
  for (let i = 0; i < size; i++) {
    check(at + 4 <= bytes.length, "ends inside the items");
    const length = view.getUint32(at, true);
    check(length <= bytes.length - at - 4, `an item of ${length} bytes exceeds the message`);
    const item = decodeItem(bytes.subarray(at + 4, at + 4 + length));
    check(!entries.has(item), "an item occurs twice");
    const lowerBound = integerAt(view, FULL_HEADER_BYTES + 8 * i, "count");
    check(lowerBound > 0, "an item has no rows");
    entries.set(item, lowerBound);
    at += 4 + length;
  }
  check(at === bytes.length, `${bytes.length - at} bytes are left over`);
  return entries;
}

function decodeItem(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new SummaryFormatError("frequent items: an item is not UTF-8");
  }
}

function integerAt(view: DataView, at: number, what: string): number {
  const value = view.getBigInt64(at, true);
  check(
    value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER),
    `${what} ${value} is out of range`,
  );
  return Number(value);
}

/** The smallest table that theirs would use for so many items. */
function lgCurrentSize(size: number): number {
  let lg = LG_SIZE_MIN;
  while (size > LOAD * 2 ** lg) lg++;
  return lg;
}

function check(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new SummaryFormatError(`frequent items: ${reason}`);
}
