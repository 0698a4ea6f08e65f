// A grid summary at rest: the same counts in as few bytes as they need, so that a window that waits
// for its other half takes a third of the room, or a tenth where few bins hold anything. Lossless;
// both ways take about a microsecond at B = 256. For memory and local state: the hash that guards
// `GridSummary.serialise`, the format for exchange, is left out.

import { GridSummary } from "./grid-summary.js";
import { GRID_BINS_MAX, GRID_ROWS_MAX, type ReferenceGrid } from "./reference-grid.js";
import { SummaryFormatError } from "./summary-bytes.js";

/** Width of a count (1), 3 spare, then missing, invalid, min, max and the two sums as doubles. */
const HEAD_BYTES = 8 + 6 * 8;
const BYTE_MAX = 0xff;
const SHORT_MAX = 0xffff;
/** Beside the width: a bit for each bin, then the counts of those that hold something. */
const FLAG_SPARSE = 0x10;
/** Counts lie on multiples of the largest width. */
const ALIGNMENT = 4;

/** No packed summary has more bytes. */
export const PACKED_GRID_BYTES_MAX = HEAD_BYTES + 4 * (2 * GRID_BINS_MAX + 1);

const scratch = new Uint8Array(PACKED_GRID_BYTES_MAX);
const filledBins = new Uint16Array(2 * GRID_BINS_MAX + 2);

/** The bytes of a summary: 56, and 1, 2 or 4 a bin, or less when most bins are empty. */
export function packGrid(summary: GridSummary): Uint8Array {
  return scratch.slice(0, packGridInto(summary, scratch, 0));
}

/**
 * The same, written into `bytes` from `at` on, which has to be a multiple of 8 in their buffer.
 *
 * @returns how many bytes it has written, at most {@link PACKED_GRID_BYTES_MAX}
 */
export function packGridInto(summary: GridSummary, bytes: Uint8Array, at: number): number {
  const counts = summary.readCounts();
  let most = 0;
  let filled = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    if (count > most) most = count;
    filled += Number(count > 0);
  }
  const width = most <= BYTE_MAX ? 1 : most <= SHORT_MAX ? 2 : 4;
  const head = new Float64Array(bytes.buffer, bytes.byteOffset + at + 8, 6);
  head[0] = summary.missing;
  head[1] = summary.invalid;
  head[2] = summary.min;
  head[3] = summary.max;
  head[4] = summary.deviationSum;
  head[5] = summary.deviationSquares;
  const bitsSize = bitsBytes(counts.length);
  const isSparse = bitsSize + width * filled < width * counts.length;
  bytes.fill(0, at, at + 8);
  bytes[at] = isSparse ? width | FLAG_SPARSE : width;
  if (!isSparse) {
    countsAt(bytes, at + HEAD_BYTES, width, counts.length).set(counts);
    return HEAD_BYTES + width * counts.length;
  }
  const bitsAt = at + HEAD_BYTES;
  bytes.fill(0, bitsAt, bitsAt + bitsSize);
  const kept = countsAt(bytes, bitsAt + bitsSize, width, filled);
  let next = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    if (count === 0) continue;
    const bits = bitsAt + (bin >> 3);
    bytes[bits] = (bytes[bits] as number) | (1 << (bin & 7));
    kept[next++] = count;
  }
  return HEAD_BYTES + bitsSize + width * filled;
}

/**
 * Adds the summary of bytes that `packGrid` has written, as `GridSummary.merge` would.
 *
 * @throws SummaryFormatError when the bytes cannot be of `summary`'s grid, RangeError above
 *   2^32 - 1 values
 */
export function mergePackedGrid(summary: GridSummary, packed: Uint8Array): void {
  const bins = summary.grid.edges.length + 1;
  // Counts are read where they lie if they lie well, as all do that were packed into a buffer.
  const bytes = packed.byteOffset % 8 === 0 ? packed : new Uint8Array(packed);
  const [form = 0] = bytes;
  const width = form & ~FLAG_SPARSE;
  const isSparse = form !== width;
  const filled = isSparse ? findFilled(bytes, bins) : bins;
  const from = HEAD_BYTES + (isSparse ? bitsBytes(bins) : 0);
  if (![1, 2, 4].includes(width) || bytes.length !== from + width * filled) {
    throw new SummaryFormatError(`${bytes.length} bytes are no packed summary of this grid`);
  }
  const more = countsAt(bytes, from, width, filled);
  let rows = 0;
  for (let at = 0; at < filled; at++) rows += more[at] as number;
  if (summary.count + rows > GRID_ROWS_MAX) {
    throw new RangeError(`a summary holds at most ${GRID_ROWS_MAX} values`);
  }
  const counts = summary.staysFew(rows) ? undefined : summary.counts;
  for (let at = 0; at < filled; at++) {
    const bin = isSparse ? (filledBins[at] as number) : at;
    const count = more[at] as number;
    if (counts !== undefined) counts[bin] = (counts[bin] as number) + count;
    else if (count > 0) summary.addToBin(bin, count);
  }
  const head = new Float64Array(bytes.buffer, bytes.byteOffset + 8, 6);
  summary.count += rows;
  summary.missing += head[0] as number;
  summary.invalid += head[1] as number;
  summary.min = Math.min(summary.min, head[2] as number);
  summary.max = Math.max(summary.max, head[3] as number);
  summary.deviationSum += head[4] as number;
  summary.deviationSquares += head[5] as number;
}

/** The summary of such bytes, on its grid. @throws SummaryFormatError as above */
export function unpackGrid(grid: ReferenceGrid, packed: Uint8Array): GridSummary {
  const summary = new GridSummary(grid);
  mergePackedGrid(summary, packed);
  return summary;
}

/** Puts the bins whose bit is set into `filledBins`, and returns how many there are. */
function findFilled(bytes: Uint8Array, bins: number): number {
  let filled = 0;
  for (let bin = 0; bin < bins; bin++) {
    const bits = bytes[HEAD_BYTES + (bin >> 3)] ?? 0;
    filledBins[filled] = bin;
    filled += (bits >> (bin & 7)) & 1;
  }
  return filled;
}

function bitsBytes(bins: number): number {
  return Math.ceil(bins / (8 * ALIGNMENT)) * ALIGNMENT;
}

function countsAt({ buffer, byteOffset }: Uint8Array, from: number, width: number, length: number) {
  const at = byteOffset + from;
  if (width === 1) return new Uint8Array(buffer, at, length);
  return width === 2 ? new Uint16Array(buffer, at, length) : new Uint32Array(buffer, at, length);
}
