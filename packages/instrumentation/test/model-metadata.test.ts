import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OnnxFormatError, readModelBytes, readModelFile } from "../src/onnx/model-metadata.js";
import { regressor } from "./onnx-models.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidemark-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const FACTS = { props: { model_name: "weather", note: "Größe 日本" }, modelVersion: 300 };

/** Both ways of reading must agree. */
function read(bytes: Uint8Array) {
  const path = join(folder, "model.onnx");
  writeFileSync(path, bytes);
  const fromFile = readModelFile(path);
  expect(fromFile).toEqual(readModelBytes(bytes));
  return fromFile;
}

describe("the reader of ONNX metadata", () => {
  test("reads what a model says about itself", () => {
    expect(read(regressor(FACTS))).toEqual({
      props: new Map(Object.entries(FACTS.props)),
      modelVersion: 300,
      producerName: "tidemark-test",
      domain: "test.tidemark",
    });
  });

  test("steps over a graph that is larger than what it reads at once", () => {
    const graph = field(7, new Uint8Array(1_000_000).fill(0xff));
    const name = field(14, concat(field(1, text("model_name")), field(2, text("large"))));
    expect(read(concat(graph, name, graph, field(5, 7))).props.get("model_name")).toBe("large");
    expect(read(concat(graph, name, graph, field(5, 7))).modelVersion).toBe(7);
  });

  test("reads entries that straddle the end of what it reads at once", () => {
    for (let padding = 65_500; padding < 65_560; padding++) {
      const entry = field(14, concat(field(1, text("k")), field(2, text("value"))));
      const bytes = concat(field(7, new Uint8Array(padding)), entry);
      expect(readModelBytes(bytes).props.get("k")).toBe("value");
      if (padding % 10 === 0) expect(read(bytes).props.get("k")).toBe("value");
    }
  });

  test("the last entry of a key holds, and an entry without a key is left out", () => {
    const entry = (key: string, value: string) =>
      field(14, concat(field(1, text(key)), field(2, text(value))));
    const { props } = read(concat(entry("a", "1"), entry("", "x"), entry("a", "2")));
    expect([...props]).toEqual([["a", "2"]]);
  });

  test("steps over an entry that is too long to be meant for reading", () => {
    const value = field(2, new Uint8Array(100_000).fill(97));
    const long = field(14, concat(field(1, text("log")), value));
    const { props } = read(
      concat(long, field(14, concat(field(1, text("k")), field(2, text("v"))))),
    );
    expect([...props]).toEqual([["k", "v"]]);
  });

  test("keeps a bounded number of entries", () => {
    const entries = Array.from({ length: 1000 }, (_, index) =>
      field(14, concat(field(1, text(`k${index}`)), field(2, text("v")))),
    );
    expect(read(concat(...entries)).props.size).toBe(256);
  });

  test.each([
    ["nothing", new Uint8Array(0), /empty/],
    ["a length past the end", Uint8Array.of(0x3a, 0x7f, 1, 2), /past the end/],
    ["a length of 2^63", Uint8Array.of(0x3a, 255, 255, 255, 255, 255, 255, 255, 255, 127), /past/],
    ["a number without end", new Uint8Array(20).fill(0xff), /more than ten bytes/],
    ["a number that is cut off", Uint8Array.of(0x28, 0x80), /ends within/],
    ["a group", Uint8Array.of(0x3b), /wire type 3/],
    ["field number 0", Uint8Array.of(0x02, 0x00), /field number/],
    ["a fixed64 that is cut off", Uint8Array.of(0x09, 1, 2), /past the end/],
    ["an entry that is broken", field(14, Uint8Array.of(0x0a, 0x10)), /past the end/],
  ])("refuses %s in words", (_, bytes, message) => {
    expect(() => readModelBytes(bytes)).toThrow(message);
    expect(() => readModelBytes(bytes)).toThrow(OnnxFormatError);
  });

  test("a model that is cut off anywhere is read or refused, never worse", () => {
    const whole = regressor(FACTS);
    for (let length = 1; length < whole.length; length++) readOrRefuse(whole.subarray(0, length));
  });

  test("any bytes are read or refused, never worse", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readOrRefuse(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test("a model with any one byte changed is read or refused, never worse", () => {
    const whole = regressor(FACTS);
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        (at, byte) => {
          const bytes = whole.slice();
          bytes[at] = byte;
          readOrRefuse(bytes);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function readOrRefuse(bytes: Uint8Array): void {
  try {
    readModelBytes(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(OnnxFormatError);
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** A field with a length-delimited value, or a varint. */
function field(number: number, value: Uint8Array | number): Uint8Array {
  if (typeof value === "number") return Uint8Array.of(...varint(number * 8), ...varint(value));
  return concat(Uint8Array.of(...varint(number * 8 + 2), ...varint(value.length)), value);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
