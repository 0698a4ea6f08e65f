/**
 * Memory for bodies, used again as soon as nobody needs a body any more: left to the garbage
 * collector, which sees a few small objects and not the megabytes behind them, they had it mark the
 * whole heap twenty times a second. Whoever holds a body and never gives it back costs nothing but
 * that.
 */

/** Sizes are multiples of this, so that what one body leaves another can use. */
const GRAIN_BYTES = 64 * 1024;
/** Larger bodies are rare, and left to the garbage collector. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Memory that is kept although no body is in it. */
const IDLE_BYTES_MAX = 32 * 1024 * 1024;

const idle: ArrayBuffer[][] = Array.from({ length: BODY_BYTES_MAX / GRAIN_BYTES + 1 }, () => []);
let idleBytes = 0;
/** What has been taken, and may be given back once. */
const lent = new WeakSet<ArrayBufferLike>();

/** Memory of `length` bytes with any content; all of it is to be written before it is read. */
export function takeBody(length: number): Buffer {
  if (length > BODY_BYTES_MAX) return Buffer.allocUnsafeSlow(length);
  const size = Math.ceil(length / GRAIN_BYTES);
  const found = (idle[size] as ArrayBuffer[]).pop();
  if (found) idleBytes -= found.byteLength;
  const memory = found ?? Buffer.allocUnsafeSlow(size * GRAIN_BYTES).buffer;
  lent.add(memory);
  return Buffer.from(memory, 0, length);
}

/** Gives a body back, of which nobody may use any view any longer; others than taken ones stay. */
export function giveBody(body: Uint8Array): void {
  const { buffer } = body;
  if (!lent.delete(buffer) || idleBytes + buffer.byteLength > IDLE_BYTES_MAX) return;
  idleBytes += buffer.byteLength;
  idle[buffer.byteLength / GRAIN_BYTES]?.push(buffer as ArrayBuffer);
}
