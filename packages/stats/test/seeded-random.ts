// Deterministic pseudo-random laws for tests.

export interface SeededRandom {
  /** Uniform on (0, 1). */
  uniform(): number;
  normal(): number;
  integer(below: number): number;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const word = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return (x ^ (x >>> 15)) >>> 0;
  };
  const uniform = (): number => (word() + 0.5) / 2 ** 32;
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (below) => Math.floor(uniform() * below),
  };
}

/** `length` draws of `law`. */
export function draws(length: number, law: () => number): Float64Array {
  return Float64Array.from({ length }, law);
}
