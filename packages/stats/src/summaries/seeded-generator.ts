// Seeded pseudo-random numbers: this package draws none that its caller has not seeded. As in
// SplitMix (Steele, Lea, Flood, OOPSLA 2014), a counter goes through a mixer, here twice and with a
// key from the seed; on 32 bits, with constants found by Chris Wellons' hash prospector
// (https://github.com/skeeto/hash-prospector). Repeats itself after 2^31 draws.

/** A stream of pseudo-random numbers whose state is one integer. */
export class SeededGenerator {
  /** Draws taken so far, modulo 2^32; may be restored. */
  drawn: number;
  readonly #key: number;

  /** @param seed any integer up to 2^53 in magnitude */
  constructor(seed: number, drawn = 0) {
    this.#key = mix(Math.floor(seed / 2 ** 32) ^ 0x5bf03635) ^ mix(seed | 0);
    this.drawn = drawn;
  }

  /** Uniform on (0, 1), never either: 53 bits from two words. */
  uniform(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 2 ** 26 + low + 0.5) / 2 ** 53;
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  #word(): number {
    this.drawn = (this.drawn + 1) >>> 0;
    return mix(mix(Math.imul(this.drawn, 0x9e3779b9) ^ this.#key) + this.#key);
  }
}

function mix(word: number): number {
  let x = word | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
