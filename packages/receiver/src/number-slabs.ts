/**
 * Numbers that last as long as their signals, at a place of a larger array: an array of their own
 * takes some 400 bytes beside what it holds, and a hundred thousand signals need several each.
 */

/** 64 KB; what would fill a good part of that gets a slab of its own. */
const SLAB_LENGTH = 8192;
const SHARED_MAX = SLAB_LENGTH / 8;

/** One and the same buffer, as numbers of 8 bytes, of 4 bytes, and as bytes. */
export interface NumberSlab {
  readonly doubles: Float64Array;
  readonly singles: Float32Array;
  readonly bytes: Uint8Array;
}

let shared = newSlab(0);
let used = 0;

/**
 * Room for zeros of 8 bytes each, in a slab that is shared with others and free when all of these
 * are.
 * @returns the slab, and the index of the first one among its doubles
 */
export function lastingNumbers(length: number): [slab: NumberSlab, start: number] {
  if (length > SHARED_MAX) return [newSlab(length), 0];
  if (used + length > shared.doubles.length) {
    shared = newSlab(SLAB_LENGTH);
    used = 0;
  }
  used += length;
  return [shared, used - length];
}

function newSlab(length: number): NumberSlab {
  const doubles = new Float64Array(length);
  const { buffer } = doubles;
  return { doubles, singles: new Float32Array(buffer), bytes: new Uint8Array(buffer) };
}
