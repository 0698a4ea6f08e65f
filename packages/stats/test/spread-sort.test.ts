import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadSort } from "../src/summaries/spread-sort.ts";
import { draws, seededRandom } from "./seeded-random.ts";

const random = seededRandom(40);
const laws: Record<string, () => number> = {
  uniform: random.uniform,
  normal: random.normal,
  cauchy: () => Math.tan(Math.PI * (random.uniform() - 0.5)),
  "log-normal over many decades": () => Math.exp(40 * random.normal()),
  "few values": () => random.integer(5) - 2,
  "zero-inflated": () => (random.uniform() < 0.7 ? 0 : random.normal()),
  constant: () => 3,
  "the largest doubles": () => (random.uniform() - 0.5) * 2 * Number.MAX_VALUE,
  subnormal: () => random.integer(1000) * Number.MIN_VALUE,
};

describe("spreadSort", () => {
  it("sorts as the native sort does, whatever the law and the length", () => {
    for (const [name, law] of Object.entries(laws)) {
      for (const length of [0, 1, 2, 47, 48, 49, 180, 1000, 4096, 4097]) {
        const values = draws(length, law);
        const expected = values.toSorted();
        spreadSort(values);
        expect(values, `${name}, ${length}`).toEqual(expected);
      }
    }
  });

  it("sorts any doubles", () => {
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 400 }), (list) => {
        // The two zeros are equal, and the native sort alone tells them apart.
        const values = Float64Array.from(list, (x) => x + 0);
        const expected = values.toSorted();
        spreadSort(values);
        expect(values).toEqual(expected);
      }),
    );
  });
});
