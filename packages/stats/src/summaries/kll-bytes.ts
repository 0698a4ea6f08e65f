// The serialised form of a DataSketches `kll_doubles_sketch`, serial versions 1 (empty and full)
// and 2 (a single item), little-endian. Layout: the "Preamble Formats" table of KllPreambleUtil in
// https://github.com/apache/datasketches-java
//
//   0 preamble ints (2 | 5)  1 serial version  2 family (15)  3 flags  4-5 k  6 m  7 unused
//   empty: nothing more; one item: the item at 8
//   8-15 n  16-17 min k  18 number of levels  19 unused
//   then: level offsets (u32 each; the end is implied by k), min, max, items level by level

import { KLL_LEVEL_CAPACITY_MIN, totalCapacity } from "./kll-capacity.js";
import type { KllContent } from "./kll-sketch.js";
import { SummaryFormatError } from "./summary-bytes.js";

const PREAMBLE_INTS_SHORT = 2;
const PREAMBLE_INTS_FULL = 5;
const VERSION_FULL = 1;
const VERSION_SINGLE = 2;
const FAMILY = 15;
const FLAG_EMPTY = 1;
const FLAG_LEVEL_ZERO_SORTED = 2;
const FLAG_SINGLE = 4;
const HEADER_BYTES = 8;
const FULL_HEADER_BYTES = 20;
const LEVELS_MAX = 60; // 2^60 rows an item exceed what a double counts

/** Encodes; level 0 is written newest first, as the others keep it. */
export function writeKll(content: KllContent): Uint8Array {
  const { count } = content;
  const retained = content.levels.reduce((sum, level) => sum + level.length, 0);
  const levels = content.levels.length;
  let lengthBytes = HEADER_BYTES + 8 * count;
  if (count > 1) lengthBytes = FULL_HEADER_BYTES + 4 * levels + 8 * (2 + retained);
  const view = new DataView(new ArrayBuffer(lengthBytes));
  const short = count <= 1;
  view.setUint8(0, short ? PREAMBLE_INTS_SHORT : PREAMBLE_INTS_FULL);
  view.setUint8(1, count === 1 ? VERSION_SINGLE : VERSION_FULL);
  view.setUint8(2, FAMILY);
  let flags = 0;
  if (count === 0) flags |= FLAG_EMPTY;
  if (count === 1) flags |= FLAG_SINGLE;
  view.setUint8(3, flags);
  view.setUint16(4, content.k, true);
  view.setUint8(6, KLL_LEVEL_CAPACITY_MIN);
  if (count === 1) view.setFloat64(HEADER_BYTES, content.min, true);
  if (short) return new Uint8Array(view.buffer);
  view.setBigUint64(8, BigInt(count), true);
  view.setUint16(16, content.kMin, true);
  view.setUint8(18, levels);
  let offset = totalCapacity(content.k, levels) - retained;
  let at = FULL_HEADER_BYTES;
  for (const level of content.levels) {
    view.setUint32(at, offset, true);
    offset += level.length;
    at += 4;
  }
  view.setFloat64(at, content.min, true);
  view.setFloat64(at + 8, content.max, true);
  at += 16;
  const [base, ...upper] = content.levels as [Float64Array, ...Float64Array[]];
  for (const level of [base.toReversed(), ...upper]) {
    for (const item of level) {
      view.setFloat64(at, item, true);
      at += 8;
    }
  }
  return new Uint8Array(view.buffer);
}

/**
 * Decodes and checks everything a reader relies on: sizes before any allocation, order inside the
 * levels, the extremes, and that the weights add up to n.
 *
 * @throws SummaryFormatError saying what is wrong
 */
export function readKll(bytes: Uint8Array): KllContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { k, flags, preambleInts, version } = readHeader(view);
  if ((flags & FLAG_EMPTY) !== 0) {
    check(version === VERSION_FULL && preambleInts === PREAMBLE_INTS_SHORT, "empty preamble");
    return contentOf({ k, kMin: k, count: 0, min: Infinity, max: -Infinity }, [[]]);
  }
  if (version === VERSION_SINGLE) {
    check(preambleInts === PREAMBLE_INTS_SHORT, `${preambleInts} preamble ints of a single item`);
    check(view.byteLength === HEADER_BYTES + 8, `${view.byteLength} bytes of a single item`);
    const item = view.getFloat64(HEADER_BYTES, true);
    check(Number.isFinite(item), "an item is not finite");
    return contentOf({ k, kMin: k, count: 1, min: item, max: item }, [[item]]);
  }
  check(preambleInts === PREAMBLE_INTS_FULL, `${preambleInts} preamble ints of a full sketch`);
  return readFull(view, k, (flags & FLAG_LEVEL_ZERO_SORTED) !== 0);
}

function readHeader(view: DataView) {
  check(view.byteLength >= HEADER_BYTES, `${view.byteLength} bytes are too few`);
  const family = view.getUint8(2);
  check(family === FAMILY, `family ${family} is not KLL (${FAMILY})`);
  const version = view.getUint8(1);
  check(version === VERSION_FULL || version === VERSION_SINGLE, `serial version ${version}`);
  const k = view.getUint16(4, true);
  const m = view.getUint8(6);
  check(m === KLL_LEVEL_CAPACITY_MIN, `m ${m} is not ${KLL_LEVEL_CAPACITY_MIN}`);
  check(k >= m, `k ${k} is below ${m}`);
  return { k, version, flags: view.getUint8(3), preambleInts: view.getUint8(0) };
}

function readFull(view: DataView, k: number, levelZeroSorted: boolean): KllContent {
  check(view.byteLength >= FULL_HEADER_BYTES, `${view.byteLength} bytes are too few`);
  const count = Number(view.getBigUint64(8, true));
  check(count >= 1 && Number.isSafeInteger(count), `n ${count} is out of range`);
  const kMin = view.getUint16(16, true);
  check(kMin >= KLL_LEVEL_CAPACITY_MIN && kMin <= k, `min k ${kMin} is not in [8, k ${k}]`);
  const levelCount = view.getUint8(18);
  check(levelCount >= 1 && levelCount <= LEVELS_MAX, `${levelCount} levels are out of range`);
  const itemsAt = FULL_HEADER_BYTES + 4 * levelCount + 16;
  check(view.byteLength >= itemsAt, "ends inside the levels");
  const offsets: number[] = [];
  for (let i = 0; i < levelCount; i++) {
    offsets.push(view.getUint32(FULL_HEADER_BYTES + 4 * i, true));
  }
  const capacity = totalCapacity(k, levelCount);
  offsets.push(capacity);
  const first = offsets[0] as number;
  // From here on no offset exceeds the capacity, nor any item the bytes there are.
  for (const [i, offset] of offsets.entries()) {
    check(i === 0 || offset >= (offsets[i - 1] as number), "level offsets decrease");
  }
  const expectedBytes = itemsAt + 8 * (capacity - first);
  check(view.byteLength === expectedBytes, `${view.byteLength} bytes, not ${expectedBytes}`);
  const [min, max] = [view.getFloat64(itemsAt - 16, true), view.getFloat64(itemsAt - 8, true)];
  const levels: number[][] = [];
  let rows = 0;
  let at = itemsAt;
  for (let level = 0; level < levelCount; level++) {
    const length = (offsets[level + 1] as number) - (offsets[level] as number);
    const items = Array.from({ length }, (_, i) => view.getFloat64(at + 8 * i, true));
    at += 8 * length;
    checkLevel(items, min, max, level > 0 || levelZeroSorted);
    // Ours keeps level 0 in the order of arrival.
    levels.push(level === 0 ? items.toReversed() : items);
    rows += length * 2 ** level;
  }
  check(rows === count, `the items stand for ${rows} rows, not ${count}`);
  return contentOf({ k, kMin, count, min, max }, levels);
}

function checkLevel(items: readonly number[], min: number, max: number, sorted: boolean): void {
  let previous = -Infinity;
  for (const item of items) {
    check(Number.isFinite(item), "an item is not finite");
    check(item >= min && item <= max, "an item lies outside its minimum and maximum");
    check(!sorted || item >= previous, "a sorted level is not sorted");
    previous = item;
  }
}

function contentOf(
  fields: Omit<KllContent, "levels">,
  levels: readonly (readonly number[])[],
): KllContent {
  return { ...fields, levels: levels.map((level) => Float64Array.from(level)) };
}

function check(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new SummaryFormatError(`KLL sketch: ${reason}`);
}
