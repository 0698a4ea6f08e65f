import { Tensor } from "onnxruntime-common";
import { describe, expect, test } from "vitest";
import { asOneRow, asTensor, rowsOf, sampleRows, shapeOf } from "../src/tensor-rows.js";

function table(tensor: Tensor): unknown[][] {
  const seen = asTensor(tensor);
  const rows = seen && rowsOf(seen);
  if (rows === undefined) throw new Error("no rows");
  return Array.from({ length: rows.rows }, (_, row) =>
    Array.from({ length: rows.columns }, (__, column) => rows.cell(row, column)),
  );
}

describe("a tensor's rows", () => {
  test.each([
    [
      "float32",
      new Tensor("float32", [1.5, Number.NaN, 3, 4], [2, 2]),
      [
        [1.5, Number.NaN],
        [3, 4],
      ],
    ],
    ["float64", new Tensor("float64", [Number.POSITIVE_INFINITY], [1]), [[Number.NaN]]],
    ["int64", new Tensor("int64", [1n, -2n], [2]), [[1], [-2]]],
    ["bool", new Tensor("bool", [true, false], [1, 2]), [[true, false]]],
    ["uint8", new Tensor("uint8", [255], []), [[255]]],
    ["string", new Tensor("string", ["a", "b"], [2, 1]), [["a"], ["b"]]],
    ["three dimensions", new Tensor("int32", [1, 2, 3, 4], [1, 2, 2]), [[1, 2, 3, 4]]],
    ["no rows", new Tensor("float32", [], [0, 4]), []],
  ])("%s", (_, tensor, expected) => {
    expect(table(tensor)).toEqual(expected);
  });

  test("half precision is decoded, subnormals and signs included", () => {
    const bits = [0x3c00, 0xc000, 0x3555, 0x0001, 0x8000, 0x7bff, 0x7c00, 0x7e00];
    const data = Uint16Array.from(bits);
    const rows = rowsOf({ type: "float16", dims: [8, 1], data });
    const values = bits.map((_, row) => rows?.cell(row, 0));
    expect(values).toEqual([1, -2, 0.333251953125, 2 ** -24, -0, 65504, Number.NaN, Number.NaN]);
  });

  test("values on another device are left there", () => {
    const data = { length: 1 };
    expect(rowsOf({ type: "float32", dims: [1], data, location: "gpu-buffer" })).toBeUndefined();
  });

  test("data that does not fit the shape is not read", () => {
    expect(rowsOf({ type: "float32", dims: [2, 2], data: [1, 2, 3] })).toBeUndefined();
    expect(rowsOf({ type: "int4", dims: [1], data: [1] })).toBeUndefined();
  });

  test("can be one row where there is no batch", () => {
    const rows = rowsOf({ type: "float32", dims: [4], data: [1, 2, 3, 4] });
    const one = rows && asOneRow(rows);
    expect([one?.rows, one?.columns, one?.cell(0, 2)]).toEqual([1, 4, 3]);
  });

  test("shapes are written as the convention says", () => {
    expect(shapeOf({ type: "float32", dims: [32, 4], data: [] })).toBe("32x4");
    expect(shapeOf({ type: "float32", dims: [], data: [1] })).toBe("scalar");
  });
});

describe("sampled rows", () => {
  test("are all rows of a small batch", () => {
    expect(sampleRows(3, 5)).toEqual([0, 1, 2]);
    expect(sampleRows(0, 5)).toEqual([]);
  });

  test("of a large one are distinct, ascending and within it", () => {
    for (let round = 0; round < 200; round++) {
      const rows = sampleRows(120, 100);
      expect(new Set(rows).size).toBe(100);
      expect(rows).toEqual(rows.toSorted((a, b) => a - b));
      expect(rows.every((row) => row >= 0 && row < 120)).toBe(true);
    }
  });

  test("contain every row equally often", () => {
    const counts = Array.from({ length: 20 }, () => 0);
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    for (let round = 0; round < 20_000; round++) {
      for (const row of sampleRows(20, 5, random)) counts[row] = (counts[row] as number) + 1;
    }
    // 5,000 each; four standard deviations of a binomial with p = 1/4 are 245.
    for (const count of counts) expect(Math.abs(count - 5000)).toBeLessThan(245);
  });
});
