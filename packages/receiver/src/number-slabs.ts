/**
 * Arrays of numbers that last as long as their signals, cut from larger ones: a buffer of its own
 * takes some 300 bytes beside what it holds, and a hundred thousand signals have several each.
 */

/** 64 KB; what one array would fill a good part of gets a buffer of its own. */
const SLAB_LENGTH = 8192;
const CUT_MAX = SLAB_LENGTH / 8;

let slab = new Float64Array(0);
let used = 0;

/** Zeros, 8 bytes each; their buffer is shared with others, and free when all of these are. */
export function lastingNumbers(length: number): Float64Array {
  if (length > CUT_MAX) return new Float64Array(length);
  if (used + length > slab.length) {
    slab = new Float64Array(SLAB_LENGTH);
    used = 0;
  }
  used += length;
  return slab.subarray(used - length, used);
}
