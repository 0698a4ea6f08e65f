import { describe, expect, it } from "vitest";
import { adjustedPValues } from "../src/index.ts";

function expectClose(actual: number[], expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 7);
}

describe("adjustedPValues", () => {
  it("gives the published Benjamini-Hochberg values", () => {
    expectClose(
      adjustedPValues([
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262,
        0.5719, 0.6528, 0.759, 1,
      ]),
      [
        0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486,
        0.58118182, 0.714875, 0.75323077, 0.81321429, 1,
      ],
    );
    expectClose(
      adjustedPValues([0.005, 0.009, 0.019, 0.022, 0.051, 0.101, 0.361, 0.387]),
      [0.036, 0.036, 0.044, 0.044, 0.0816, 0.1346667, 0.387, 0.387],
    );
  });

  it("keeps the order given, is dearer for any dependence, and refuses what is no p-value", () => {
    expectClose(adjustedPValues([0.04, 0.01]), [0.04, 0.02]);
    expectClose(adjustedPValues([0.04, 0.01], "any"), [0.06, 0.03]);
    expect(adjustedPValues([])).toEqual([]);
    expect(() => adjustedPValues([2])).toThrow("p-value 2");
  });
});
