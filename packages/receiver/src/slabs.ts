/**
 * Small arrays that last, at a place of a larger one: an array of its own takes some 400 bytes
 * beside what it holds, and a hundred thousand signals need several each.
 */

/** 64 KB; what would fill a good part of that gets a slab of its own. */
const SLAB_LENGTH = 8192;
const SLAB_BYTES = 8 * SLAB_LENGTH;
const SHARED_MAX = SLAB_LENGTH / 8;

/** One and the same buffer, as numbers of 8 bytes, of 4 bytes, and as bytes. */
export interface NumberSlab {
  readonly doubles: Float64Array;
  readonly singles: Float32Array;
  readonly bytes: Uint8Array;
}

let shared = newSlab(0);
let used = 0;
let sharedBytes = new Uint8Array(0);
let usedBytes = 0;

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

/** A copy whose buffer is shared with others, and free when all of these are. */
export function lastingBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 8 * SHARED_MAX) return bytes.slice();
  if (usedBytes + bytes.length > sharedBytes.length) {
    sharedBytes = new Uint8Array(SLAB_BYTES);
    usedBytes = 0;
  }
  sharedBytes.set(bytes, usedBytes);
  usedBytes += bytes.length;
  return sharedBytes.subarray(usedBytes - bytes.length, usedBytes);
}

function newSlab(length: number): NumberSlab {
  const doubles = new Float64Array(length);
  const { buffer } = doubles;
  return { doubles, singles: new Float32Array(buffer), bytes: new Uint8Array(buffer) };
}
