/** The suite's own binary and JSON forms, on which all that it sends and compares depends. */

import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { BinaryError, decodeBinary, encodeBinary, varint } from "./otlp/binary.ts";
import { canonical } from "./otlp/canonical.ts";
import { fromJson, toJson } from "./otlp/json.ts";
import { gzipBomb, paddedLength, paddedMessage } from "./oversize-bodies.ts";
import { attribute, sampleSpan, traceRequest } from "./sample-requests.ts";

const REQUEST = traceRequest([
  sampleSpan({
    attributes: [
      attribute("int", { intValue: -(2n ** 63n) }),
      attribute("double", { doubleValue: Number.NEGATIVE_INFINITY }),
      attribute("bytes", { bytesValue: Buffer.from([0, 255]) }),
      attribute("list", { arrayValue: { values: [{ boolValue: false }, {}] } }),
      attribute("pairs", { kvlistValue: { values: [attribute("a", { stringValue: "🌊" })] } }),
    ],
    flags: 4_294_967_295,
    status: { code: 2, message: "no" },
  }),
]);

describe("The encodings", () => {
  it("keep a message through the binary form", () => {
    const bytes = encodeBinary("TraceRequest", REQUEST);
    expect(decodeBinary("TraceRequest", bytes)).toEqual(REQUEST);
  });

  it("keep a message through JSON", () => {
    const text = JSON.stringify(toJson("TraceRequest", REQUEST));
    expect(fromJson("TraceRequest", JSON.parse(text) as Record<string, unknown>)).toEqual(REQUEST);
  });

  it("write a known span as the specification's encoding guide does", () => {
    const bytes = encodeBinary("Span", { spanId: Buffer.from([1, 2]), kind: 300, flags: 1 });
    expect(bytes.toString("hex")).toBe("1202010230ac02850101000000");
    expect(varint(-1).toString("hex")).toBe("ffffffffffffffffff01");
  });

  it("refuse bytes that are cut off or of another wire type", () => {
    const cut = encodeBinary("Span", { name: "name" }).subarray(0, -1);
    expect(() => decodeBinary("Span", cut)).toThrow(BinaryError);
    expect(() => decodeBinary("Span", Buffer.from("2801", "hex"))).toThrow(/wire type 0/);
  });

  it("have one text for messages that mean the same, and another for others", () => {
    const text = canonical({ kind: 2, name: "", status: {}, events: [] });
    expect(text).toBe(canonical({ name: "", kind: 2 }));
    expect(canonical({ boolValue: false })).not.toBe(canonical({}));
    expect(canonical({ doubleValue: Number.NaN })).not.toBe(canonical({ doubleValue: 0 }));
  });

  it("make bodies of the size they say, and a bomb that any gunzip takes", () => {
    const padded = Buffer.concat([...paddedMessage(2 * 1024 ** 2)]);
    expect(padded.length).toBe(paddedLength(2 * 1024 ** 2));
    const bomb = gzipBomb(2);
    expect(gunzipSync(bomb).equals(padded)).toBe(true);
    expect(bomb.length).toBeLessThan(padded.length / 500);
  });
});
