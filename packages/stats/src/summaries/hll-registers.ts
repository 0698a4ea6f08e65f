// The registers of HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, 2007): register j keeps the
// largest value, one more than the leading zeros of a hash, of all rows that fall on j.
//
// In the order of a stream, the count is estimated by the historic inverse probability of every
// change (Cohen 2014, Ting 2014): standard error .8326/sqrt(k). After a merge there is no history,
// and the registers alone are used (Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches", 2017, arXiv:1702.01284, algorithm 6): 1.039/sqrt(k). Neither needs a table.

/** Values are 1 to 63: 62 leading zeros and one, or more. */
export const HLL_VALUE_MAX = 63;

const ALPHA = 1 / (2 * Math.log(2));

export class HllRegisters {
  readonly values: Uint8Array;
  /** Sum of 2^-value over all registers, those below 32 and those from 32 on: both exact. */
  sumOfSmall: number;
  sumOfLarge = 0;
  /** Registers that are 0. */
  zeros: number;
  /** The estimate by history, NaN after a merge of registers. */
  byHistory = 0;

  constructor(size: number) {
    this.values = new Uint8Array(size);
    this.sumOfSmall = size;
    this.zeros = size;
  }

  /** Takes over decoded values; `byHistory` is NaN when there is none. */
  static of(values: Uint8Array, byHistory: number): HllRegisters {
    const registers = new HllRegisters(values.length);
    registers.raise(values);
    registers.byHistory = byHistory;
    return registers;
  }

  /** Raises register `index` to `value`, if that is more than it is. */
  update(index: number, value: number): void {
    const old = this.values[index] as number;
    if (value <= old) return;
    this.byHistory += this.values.length / (this.sumOfSmall + this.sumOfLarge);
    this.#set(index, old, value);
  }

  /** Raises every register to that of another sketch; the history is lost. */
  raise(values: Uint8Array): void {
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      const old = this.values[index] as number;
      if (value > old) this.#set(index, old, value);
    }
    this.byHistory = Number.NaN;
  }

  /** The number of distinct rows. */
  estimate(): number {
    return Number.isNaN(this.byHistory) ? this.#byValues() : this.byHistory;
  }

  #set(index: number, old: number, value: number): void {
    if (old === 0) this.zeros--;
    if (old < 32) this.sumOfSmall -= 2 ** -old;
    else this.sumOfLarge -= 2 ** -old;
    if (value < 32) this.sumOfSmall += 2 ** -value;
    else this.sumOfLarge += 2 ** -value;
    this.values[index] = value;
  }

  #byValues(): number {
    const size = this.values.length;
    const counts = new Uint32Array(HLL_VALUE_MAX + 1);
    for (const value of this.values) counts[value] = (counts[value] as number) + 1;
    let z = size * tau(1 - (counts[HLL_VALUE_MAX] as number) / size);
    for (let value = HLL_VALUE_MAX - 1; value >= 1; value--) {
      z = (z + (counts[value] as number)) / 2;
    }
    z += size * sigma((counts[0] as number) / size);
    return (ALPHA * size * size) / z;
  }
}

/** x + sum over i of x^(2^i) 2^(i-1): what the registers that are 0 contribute; infinite at 1. */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let [x, y, z] = [share, 1, share];
  for (let before = Number.NaN; z !== before; ) {
    x *= x;
    before = z;
    z += x * y;
    y *= 2;
  }
  return z;
}

/** (1 - x - sum over i of (1 - x^(2^-i))^2 2^-i)/3: what those at the largest value contribute. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let [x, y, z] = [share, 1, 1 - share];
  for (let before = Number.NaN; z !== before; ) {
    x = Math.sqrt(x);
    before = z;
    y /= 2;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
