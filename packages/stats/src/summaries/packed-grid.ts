// A grid summary at rest: the same counts in as few bytes each as the largest of them needs, so
// that a window that waits for its other half takes a third of the room. Lossless; both ways take
// well below a microsecond at B = 256. For memory and local state: the hash that guards
// `GridSummary.serialise`, the format for exchange, is left out.

import { GridSummary } from "./grid-summary.js";
import { GRID_ROWS_MAX, type ReferenceGrid } from "./reference-grid.js";
import { SummaryFormatError } from "./summary-bytes.js";

/** Width of a count (1), 3 spare, then missing, invalid, min, max and the two sums as doubles. */
const HEAD_BYTES = 8 + 6 * 8;
const BYTE_MAX = 0xff;
const SHORT_MAX = 0xffff;

/** The bytes of a summary: 56, and 1, 2 or 4 a bin. */
export function packGrid(summary: GridSummary): Uint8Array {
  const { counts } = summary;
  let most = 0;
  for (let bin = 0; bin < counts.length; bin++) most = Math.max(most, counts[bin] as number);
  const width = most <= BYTE_MAX ? 1 : most <= SHORT_MAX ? 2 : 4;
  const bytes = new Uint8Array(HEAD_BYTES + width * counts.length);
  bytes[0] = width;
  const head = new Float64Array(bytes.buffer, 8, 6);
  head[0] = summary.missing;
  head[1] = summary.invalid;
  head[2] = summary.min;
  head[3] = summary.max;
  head[4] = summary.deviationSum;
  head[5] = summary.deviationSquares;
  countsAt(bytes, width, counts.length).set(counts);
  return bytes;
}

/**
 * Adds the summary of bytes that `packGrid` has written, as `GridSummary.merge` would.
 *
 * @throws SummaryFormatError when the bytes cannot be of `summary`'s grid, RangeError above
 *   2^32 - 1 values
 */
export function mergePackedGrid(summary: GridSummary, packed: Uint8Array): void {
  const { counts } = summary;
  const width = packed[0] as number;
  if (![1, 2, 4].includes(width) || packed.length !== HEAD_BYTES + width * counts.length) {
    throw new SummaryFormatError(`${packed.length} bytes are no packed summary of this grid`);
  }
  // Counts are read where they lie if they lie well, as all do that were packed into a buffer.
  const bytes = packed.byteOffset % 8 === 0 ? packed : new Uint8Array(packed);
  const more = countsAt(bytes, width, counts.length);
  let rows = 0;
  for (let bin = 0; bin < counts.length; bin++) rows += more[bin] as number;
  if (summary.count + rows > GRID_ROWS_MAX) {
    throw new RangeError(`a summary holds at most ${GRID_ROWS_MAX} values`);
  }
  for (let bin = 0; bin < counts.length; bin++) {
    counts[bin] = (counts[bin] as number) + (more[bin] as number);
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

function countsAt({ buffer, byteOffset }: Uint8Array, width: number, length: number) {
  const at = byteOffset + HEAD_BYTES;
  if (width === 1) return new Uint8Array(buffer, at, length);
  return width === 2 ? new Uint16Array(buffer, at, length) : new Uint32Array(buffer, at, length);
}
