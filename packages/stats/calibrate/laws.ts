/** The laws that signals are drawn from: unit scale, and as varied as real ones. */
import type { SeededRandom } from "../test/seeded-random.ts";

export type Law = (random: SeededRandom) => number;

/** Laws without atoms: on them every test but Wasserstein's is distribution-free. */
export const CONTINUOUS: Readonly<Record<string, Law>> = {
  normal: (random) => random.normal(),
  uniform: (random) => random.uniform(),
  lognormal: (random) => Math.exp(random.normal()),
  bimodal: (random) => random.normal() + (random.uniform() < 0.3 ? 6 : 0),
  "heavy-tailed (Student, 3)": (random) => student(random, 3),
};

/** Laws with atoms. */
export const ATOMIC: Readonly<Record<string, Law>> = {
  "zero-inflated": (random) => (random.uniform() < 0.6 ? 0 : random.uniform()),
  "five integers": (random) => random.integer(5),
  "rounded to .1": (random) => Math.round(10 * random.normal()) / 10,
};

/** Standard deviations, for shifts by a multiple of them. */
export const SIGMA: Readonly<Record<string, number>> = {
  normal: 1,
  uniform: Math.sqrt(1 / 12),
  lognormal: Math.sqrt((Math.E - 1) * Math.E),
  bimodal: Math.sqrt(1 + 36 * 0.3 * 0.7),
  "heavy-tailed (Student, 3)": Math.sqrt(3),
};

function student(random: SeededRandom, freedom: number): number {
  let square = 0;
  for (let i = 0; i < freedom; i++) square += random.normal() ** 2;
  return random.normal() / Math.sqrt(square / freedom);
}

/**
 * Live laws at a Kolmogorov-Smirnov distance of exactly `distance` from the reference, as the
 * distribution function of U = F(X) under the live law: u -> G(F^-1(u)).
 */
export function boundaryLaws(
  distance: number,
  shifted: (u: number) => number,
): Record<string, (u: number) => number> {
  const half = (1 - 2 * distance) / 2;
  return {
    shift: shifted,
    // The lowest `distance` of mass has moved to the top.
    plateau: (u) => (u < 1 - distance ? Math.max(0, u - distance) : 2 * u - 1),
    // Mass moves from the outer ends inwards: below by `distance`, then above by it.
    "two plateaus": (u) => {
      if (u <= distance) return 0;
      if (u <= 0.5 - distance / 2) return u - distance;
      if (u < 0.5 + distance / 2) return 0.5 - distance * 1.5 + 3 * (u - 0.5 + distance / 2);
      return u < 1 - distance ? u + distance : 1;
    },
    // An interval is empty and its mass lies evenly above it.
    "emptied bin": (u) => {
      if (u <= half) return u;
      if (u <= half + distance) return half;
      return half + ((u - half - distance) * (1 - half)) / (1 - half - distance);
    },
    // A share of all rows has become one value, at the 70th percentile.
    spike: (u) => (1 - distance / 0.7) * u + (u >= 0.7 ? distance / 0.7 : 0),
  };
}
