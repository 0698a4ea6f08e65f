// The serialised form of a DataSketches `hll_sketch`, serial version 1, little-endian.
// Layout: PreambleUtil of the package hll in https://github.com/apache/datasketches-java
//
//   0 preamble ints (2 list | 3 set | 10 registers)  1 serial version  2 family (7)  3 lgK
//   4 lg of the table's length  5 flags  6 coupons of a list | smallest register
//   7 mode: bits 0-1 list, set or registers; bits 2-3 bits a register (0: 4, 1: 6, 2: 8)
//   list: coupons from 8; set: 8-11 coupons, then these (tables, if not compact, with empty slots)
//   registers: 8-15 estimate by history  16-31 sums of 2^-value below 32 and from 32 on
//   32-35 registers at the smallest  36-39 exceptions  40- registers, then exceptions
//
// Of 4 bits: two registers a byte, less the smallest; 15 refers to the exceptions (as coupons).

import { HLL_VALUE_MAX, HllRegisters } from "./hll-registers.js";
import type { HllContent } from "./hll-sketch.js";
import { SummaryFormatError } from "./summary-bytes.js";

const VERSION = 1;
const FAMILY = 7;
const FLAG_EMPTY = 4;
const FLAG_COMPACT = 8;
const FLAG_MERGED = 16;
const MODE_LIST = 0;
const MODE_SET = 1;
const MODE_REGISTERS = 2;
const PREAMBLE_INTS = [2, 3, 10];
const BITS = [4, 6, 8];
const TARGET_EIGHT_BITS = 2;
const LIST_AT = 8;
const SET_AT = 12;
const REGISTERS_AT = 40;
const LIST_LENGTH = 8;
const LG_LIST = 3;
const LG_SET_MIN = 5;
const LG_K_MIN = 4;
const LG_K_MAX = 21;
const NIBBLE_EXCEPTION = 15;
const ADDRESS_BITS = 26;

/** Encodes, of 8 bits and compact. */
export function writeHll(content: HllContent): Uint8Array {
  const { lgK, coupons, registers } = content;
  if (registers) return writeRegisters(lgK, registers);
  const isSet = coupons.size >= LIST_LENGTH;
  const start = isSet ? SET_AT : LIST_AT;
  const bytes = new Uint8Array(start + 4 * coupons.size);
  const view = new DataView(bytes.buffer);
  const mode = isSet ? MODE_SET : MODE_LIST;
  const flags = FLAG_COMPACT | (coupons.size === 0 ? FLAG_EMPTY : 0);
  const lgTable = isSet ? lgTableLength(coupons.size) : LG_LIST;
  bytes.set([PREAMBLE_INTS[mode] as number, VERSION, FAMILY, lgK, lgTable, flags]);
  bytes.set([isSet ? 0 : coupons.size, mode | (TARGET_EIGHT_BITS << 2)], 6);
  if (isSet) view.setUint32(LIST_AT, coupons.size, true);
  let at = start;
  for (const coupon of coupons) {
    view.setUint32(at, coupon, true);
    at += 4;
  }
  return bytes;
}

/**
 * Decodes, and checks every size before it is relied upon. What follows from the registers, such
 * as their sums, is computed anew and not taken from the bytes.
 *
 * @throws SummaryFormatError saying what is wrong
 */
export function readHll(bytes: Uint8Array): HllContent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  check(bytes.length >= LIST_AT, `${bytes.length} bytes are too few`);
  const [ints, version, family, lgK = 0, , flags = 0, , modeByte = 0] = bytes;
  check(family === FAMILY, `family ${family} is not HLL (${FAMILY})`);
  check(version === VERSION, `serial version ${version} is unknown`);
  check(lgK >= LG_K_MIN && lgK <= LG_K_MAX, `lgK ${lgK} is not in [${LG_K_MIN}, ${LG_K_MAX}]`);
  const mode = modeByte & 3;
  const bits = BITS[(modeByte >> 2) & 3] ?? 0;
  check(mode <= MODE_REGISTERS && bits > 0, `mode ${modeByte} is unknown`);
  check(ints === PREAMBLE_INTS[mode], `${ints} preamble ints, not ${PREAMBLE_INTS[mode]}`);
  if (mode === MODE_REGISTERS) {
    return { lgK, coupons: new Set(), registers: readRegisters(bytes, view, lgK, bits) };
  }
  if ((flags & FLAG_EMPTY) !== 0) {
    const expected = LIST_AT + ((flags & FLAG_COMPACT) !== 0 ? 0 : 4 * LIST_LENGTH);
    check(bytes.length === expected, `${bytes.length} bytes of an empty sketch, not ${expected}`);
    return { lgK, coupons: new Set() };
  }
  return { lgK, coupons: readCoupons(bytes, view, mode) };
}

function writeRegisters(lgK: number, registers: HllRegisters): Uint8Array {
  const bytes = new Uint8Array(REGISTERS_AT + registers.values.length);
  const view = new DataView(bytes.buffer);
  const merged = Number.isNaN(registers.byHistory);
  const flags = FLAG_COMPACT | (merged ? FLAG_MERGED : 0);
  const ints = PREAMBLE_INTS[MODE_REGISTERS] as number;
  bytes.set([ints, VERSION, FAMILY, lgK, 0, flags, 0, MODE_REGISTERS | (TARGET_EIGHT_BITS << 2)]);
  view.setFloat64(8, merged ? 0 : registers.byHistory, true);
  view.setFloat64(16, registers.sumOfSmall, true);
  view.setFloat64(24, registers.sumOfLarge, true);
  view.setUint32(32, registers.zeros, true);
  bytes.set(registers.values, REGISTERS_AT);
  return bytes;
}

function readCoupons(bytes: Uint8Array, view: DataView, mode: number): Set<number> {
  const compact = (view.getUint8(5) & FLAG_COMPACT) !== 0;
  const isSet = mode === MODE_SET;
  const start = isSet ? SET_AT : LIST_AT;
  check(bytes.length >= start, `${bytes.length} bytes are too few`);
  const count = isSet ? view.getUint32(LIST_AT, true) : view.getUint8(6);
  const lgK = view.getUint8(3);
  const countMax = isSet ? 2 ** Math.max(LG_SET_MIN, lgK - 3) : LIST_LENGTH;
  check(count <= countMax, `${count} coupons are more than ${countMax}`);
  const table = isSet ? 2 ** Math.max(view.getUint8(4), lgTableLength(count)) : LIST_LENGTH;
  const slots = compact ? count : table;
  check(bytes.length === start + 4 * slots, `${bytes.length} bytes for ${slots} coupons`);
  const coupons = new Set<number>();
  for (let at = start; at < bytes.length; at += 4) {
    const coupon = view.getUint32(at, true);
    if (coupon === 0 && !compact) continue;
    check(coupon >>> ADDRESS_BITS > 0, "a coupon has no value");
    coupons.add(coupon);
  }
  check(coupons.size === count, `${coupons.size} distinct coupons, not ${count}`);
  return coupons;
}

function readRegisters(bytes: Uint8Array, view: DataView, lgK: number, bits: number): HllRegisters {
  const size = 2 ** lgK;
  // A byte is left over at the end of 6-bit registers.
  const end = REGISTERS_AT + (size * bits) / 8 + (bits === 6 ? 1 : 0);
  check(bytes.length >= end, `${bytes.length} bytes, fewer than ${end}`);
  check(bits === 4 || bytes.length === end, `${bytes.length - end} bytes are left over`);
  const merged = (view.getUint8(5) & FLAG_MERGED) !== 0;
  const byHistory = view.getFloat64(8, true);
  check(merged || (byHistory >= 0 && byHistory < 2 ** 80), `estimate ${byHistory} is out of range`);
  const packed = bytes.subarray(REGISTERS_AT, end);
  const values = new Uint8Array(size);
  if (bits === 8) values.set(packed);
  else if (bits === 6) unpackSixBits(packed, values);
  else unpackFourBits(bytes, view, end, values);
  for (const value of values) check(value <= HLL_VALUE_MAX, `register ${value} is out of range`);
  return HllRegisters.of(values, merged ? Number.NaN : byHistory);
}

function unpackSixBits(packed: Uint8Array, values: Uint8Array): void {
  for (let index = 0; index < values.length; index++) {
    const byte = (6 * index) >> 3;
    const pair = ((packed[byte + 1] as number) << 8) | (packed[byte] as number);
    values[index] = (pair >> ((6 * index) & 7)) & 63;
  }
}

function unpackFourBits(bytes: Uint8Array, view: DataView, end: number, values: Uint8Array): void {
  const smallest = view.getUint8(6);
  const exceptions = view.getUint32(36, true);
  const compact = (view.getUint8(5) & FLAG_COMPACT) !== 0;
  const slots = (bytes.length - end) / 4;
  const full = compact ? exceptions : 2 ** view.getUint8(4);
  // An updatable sketch without exceptions reserves as many empty slots as it likes.
  const fits = slots === full || (!compact && exceptions === 0 && Number.isInteger(slots));
  check(fits, `${bytes.length - end} bytes for ${exceptions} exceptions`);
  let missing = 0;
  for (let index = 0; index < values.length; index++) {
    const byte = bytes[REGISTERS_AT + (index >> 1)] as number;
    const nibble = (index & 1) === 0 ? byte & 15 : byte >> 4;
    values[index] = nibble === NIBBLE_EXCEPTION ? NIBBLE_MARK : nibble + Math.min(smallest, 64);
    if (nibble === NIBBLE_EXCEPTION) missing++;
  }
  check(missing === exceptions, `${exceptions} exceptions, not ${missing}`);
  for (let at = end; at < bytes.length; at += 4) {
    const coupon = view.getUint32(at, true);
    if (coupon === 0 && !compact) continue;
    const index = coupon & (values.length - 1);
    check(values[index] === NIBBLE_MARK, `register ${index} is no exception`);
    values[index] = coupon >>> ADDRESS_BITS;
  }
}

/** Stands for an exception that has not been read yet; no register is as large. */
const NIBBLE_MARK = 255;

/** The table that theirs keep so many coupons in: at most three quarters full. */
function lgTableLength(coupons: number): number {
  let lg = LG_SET_MIN;
  while (coupons > 0.75 * 2 ** lg) lg++;
  return lg;
}

function check(holds: boolean, reason: string): asserts holds {
  if (!holds) throw new SummaryFormatError(`HLL sketch: ${reason}`);
}
