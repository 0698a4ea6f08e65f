// Memory for runs of doubles that come and go with every few adds: getting a fresh array for each
// takes as long as all the rest of an add. Nothing here is ever read before it has been written.

/** Sizes are multiples of so many doubles, so that what one run leaves another can use. */
const GRAIN = 64;
const LENGTH_MAX = 8192;
/** Arrays kept of each size: of all sizes 2 x 64 x (1 + ... + 128) doubles, 8 MB a process. */
const KEPT_MAX = 2;

const kept: ArrayBuffer[][] = Array.from({ length: LENGTH_MAX / GRAIN + 1 }, () => []);

/** An array of `length` doubles with any content. */
export function takeRun(length: number): Float64Array {
  if (length > LENGTH_MAX) return new Float64Array(length);
  const size = Math.ceil(length / GRAIN);
  const buffer = (kept[size] as ArrayBuffer[]).pop() ?? new ArrayBuffer(8 * GRAIN * size);
  return new Float64Array(buffer, 0, length);
}

/** Gives an array back, which nobody may use any longer. */
export function giveRun(run: Float64Array): void {
  const size = run.buffer.byteLength / (8 * GRAIN);
  const list = kept[size];
  if (list && list.length < KEPT_MAX) list.push(run.buffer as ArrayBuffer);
}
