import { describe, expect, test } from "vitest";
import { unzipMaps } from "../src/onnx/zip-map.js";

const numbers = (sequence: unknown) => Array.from(unzipMaps(sequence)?.tensor.data ?? []);

describe("a sequence of maps", () => {
  test.each([
    [
      "plain objects",
      [
        { 10: 0.25, 20: 0.75 },
        { 20: 0.5, 10: 0.5 },
      ],
    ],
    [
      "maps",
      [
        new Map([
          [10, 0.25],
          [20, 0.75],
        ]),
        new Map([
          [20, 0.5],
          [10, 0.5],
        ]),
      ],
    ],
  ])("of %s is a table with a column for each class", (_, sequence) => {
    const zipped = unzipMaps(sequence);
    expect(zipped?.classes).toEqual(["10", "20"]);
    expect(zipped?.tensor).toMatchObject({ dims: [2, 2], type: "float64" });
    expect(numbers(sequence)).toEqual([0.25, 0.75, 0.5, 0.5]);
  });

  test("has no number where a row lacks a class", () => {
    expect(numbers([{ a: 1, b: 0 }, { b: 1 }])).toEqual([1, 0, Number.NaN, 1]);
  });

  test.each([[[]], [[1, 2]], ["text"], [[{ a: "x" }]], [[{ dims: [1] }]], [null]])(
    "%j is none",
    (value) => {
      expect(unzipMaps(value)).toBeUndefined();
    },
  );
});
