// MurmurHash3, x64, 128 bits (Austin Appleby, https://github.com/aappleby/smhasher), on pairs of
// 32-bit words, as JavaScript has no fast 64-bit integers. Nothing is allocated by a call.

/** The hash as four unsigned words, the lowest first: h1 is words 0 and 1, h2 words 2 and 3. */
export type Hash128 = Uint32Array;

// c1 = 87c37b91 114253d5, c2 = 4cf5ad43 2745937f; the finaliser's f1 and f2.
const C1_LOW = 0x114253d5;
const C1_HIGH = 0x87c37b91;
const C2_LOW = 0x2745937f;
const C2_HIGH = 0x4cf5ad43;
const F1_LOW = 0xed558ccd;
const F1_HIGH = 0xff51afd7;
const F2_LOW = 0x1a85ec53;
const F2_HIGH = 0xc4ceb9fe;

// The result of the last 64-bit operation.
let low = 0;
let high = 0;

/**
 * Hashes `bytes[0]` up to but excluding `bytes[length]` into `out`.
 *
 * @param seed a 32-bit integer; the seed of both halves
 */
export function murmurHash128(bytes: Uint8Array, length: number, seed: number, out: Hash128): void {
  let h1Low = seed | 0;
  let h1High = 0;
  let h2Low = seed | 0;
  let h2High = 0;
  let at = 0;
  for (; at + 16 <= length; at += 16) {
    mixFirst(wordAt(bytes, at, 4), wordAt(bytes, at + 4, 4));
    xor(h1Low, h1High);
    rotate(27);
    add(h2Low, h2High);
    timesFive(0x52dce729);
    [h1Low, h1High] = [low, high];
    mixSecond(wordAt(bytes, at + 8, 4), wordAt(bytes, at + 12, 4));
    xor(h2Low, h2High);
    rotate(31);
    add(h1Low, h1High);
    timesFive(0x38495ab5);
    [h2Low, h2High] = [low, high];
  }
  const rest = length - at;
  if (rest > 8) {
    mixSecond(wordAt(bytes, at + 8, rest - 8), wordAt(bytes, at + 12, rest - 12));
    h2Low ^= low;
    h2High ^= high;
  }
  if (rest > 0) {
    mixFirst(wordAt(bytes, at, rest), wordAt(bytes, at + 4, rest - 4));
    h1Low ^= low;
    h1High ^= high;
  }
  finish(h1Low ^ length, h1High, h2Low ^ length, h2High, out);
}

function finish(a: number, aHigh: number, b: number, bHigh: number, out: Hash128): void {
  load(a, aHigh);
  add(b, bHigh);
  const [h1Low, h1High] = [low, high];
  add(b, bHigh);
  scramble();
  const [h2Low, h2High] = [low, high];
  load(h1Low, h1High);
  scramble();
  add(h2Low, h2High);
  out[0] = low;
  out[1] = high;
  add(h2Low, h2High);
  out[2] = low;
  out[3] = high;
}

/** Up to four bytes, little-endian; absent ones are 0. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = 0;
  for (let i = Math.min(count, 4) - 1; i >= 0; i--) word = (word << 8) | (bytes[at + i] as number);
  return word;
}

function mixFirst(wordLow: number, wordHigh: number): void {
  load(wordLow, wordHigh);
  multiply(C1_LOW, C1_HIGH);
  rotate(31);
  multiply(C2_LOW, C2_HIGH);
}

function mixSecond(wordLow: number, wordHigh: number): void {
  load(wordLow, wordHigh);
  multiply(C2_LOW, C2_HIGH);
  rotate(33);
  multiply(C1_LOW, C1_HIGH);
}

function scramble(): void {
  low ^= high >>> 1;
  multiply(F1_LOW, F1_HIGH);
  low ^= high >>> 1;
  multiply(F2_LOW, F2_HIGH);
  low ^= high >>> 1;
}

function load(wordLow: number, wordHigh: number): void {
  low = wordLow | 0;
  high = wordHigh | 0;
}

function xor(wordLow: number, wordHigh: number): void {
  low ^= wordLow;
  high ^= wordHigh;
}

function add(wordLow: number, wordHigh: number): void {
  const sum = (low >>> 0) + (wordLow >>> 0);
  high = (high + wordHigh + (sum >= 2 ** 32 ? 1 : 0)) | 0;
  low = sum | 0;
}

function timesFive(plus: number): void {
  multiply(5, 0);
  add(plus, 0);
}

/** Modulo 2^64; the low words' product is put together from 16-bit halves. */
function multiply(byLow: number, byHigh: number): void {
  const [a, b] = [low & 0xffff, low >>> 16];
  const [c, d] = [byLow & 0xffff, byLow >>> 16];
  const middle = a * d + ((a * c) >>> 16);
  const cross = b * c + (middle & 0xffff);
  const carry = b * d + Math.floor(middle / 65_536) + Math.floor(cross / 65_536);
  high = (carry + Math.imul(low, byHigh) + Math.imul(high, byLow)) | 0;
  low = Math.imul(low, byLow);
}

function rotate(bits: number): void {
  const [a, b] = bits < 32 ? [low, high] : [high, low];
  const by = bits & 31;
  low = (a << by) | (b >>> (32 - by));
  high = (b << by) | (a >>> (32 - by));
}
