// The samples of golden/samples.py: the same doubles, so that the golden JSON holds none of them.

/** One side of a golden case. */
export interface SampleSpec {
  readonly law: keyof typeof LAWS;
  readonly length: number;
  readonly seed: number;
  readonly scale: number;
  readonly shift: number;
}

type Uniform = () => number;

const LAWS = {
  uniform: (uniform: Uniform) => uniform(),
  bell,
  heavy: (uniform: Uniform) => {
    const x = 2 * uniform() - 1;
    return x / (1 - Math.abs(x));
  },
  skewed: (uniform: Uniform) => {
    const u = uniform();
    return u / (1 - u);
  },
  zeros: (uniform: Uniform) => {
    const u = uniform();
    return u < 0.7 ? 0 : u;
  },
  twoHumps: (uniform: Uniform) => {
    const side = uniform() < 0.5 ? -3 : 3;
    return bell(uniform) + side;
  },
  digits: (uniform: Uniform) => Math.floor(10 * uniform()),
  flags: (uniform: Uniform) => Math.floor(2 * uniform()),
  tenths: (uniform: Uniform) => Math.floor(30 * uniform()) / 10,
  constant: () => 4,
};

/** `length` draws of a law, times `scale`, plus `shift`. */
export function goldenSample({ law, length, seed, scale, shift }: SampleSpec): Float64Array {
  const uniform = stream(seed);
  return Float64Array.from({ length }, () => LAWS[law](uniform) * scale + shift);
}

/** Whole weights 1 to 5. */
export function goldenWeights(length: number): number[] {
  return Array.from({ length }, (_, i) => ((i * 7) % 5) + 1);
}

/** Whole counts from 0 to `most`, each third cell rare. */
export function goldenCounts(cells: number, seed: number, most: number): number[] {
  const uniform = stream(seed);
  return Array.from({ length: cells }, (_, i) => {
    const u = uniform();
    return Math.floor((i % 3 === 2 ? u * u * 0.01 : u) * (most + 1));
  });
}

function bell(uniform: Uniform): number {
  let total = 0;
  for (let i = 0; i < 12; i++) total += uniform();
  return total - 6;
}

function stream(seed: number): Uniform {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 4294967296;
  };
  for (let i = 0; i < 4; i++) uniform();
  return uniform;
}
