import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteInterner, INTERN_FULL, INTERN_INVALID } from "../src/observe/byte-interner.ts";

/** Interns bytes that lie somewhere within others. */
function internAt(strings: ByteInterner, bytes: Uint8Array, offset: number): number {
  const around = new Uint8Array(bytes.length + offset + 3).fill(0x61);
  around.set(bytes, offset);
  return strings.intern(new DataView(around.buffer), offset, bytes.length);
}

describe("ByteInterner", () => {
  it("gives equal ids to equal strings, wherever they lie, and to no others", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }),
      // Much alike: they differ in one place, or in length alone.
      fc.string({ unit: fc.constantFrom("a", "b", "\0"), maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.integer({ min: 0, max: 9 }))), (texts) => {
        const strings = new ByteInterner(64);
        const ids = new Map<string, number>();
        for (const [string, offset] of texts.slice(0, 64)) {
          const bytes = new TextEncoder().encode(string);
          const id = internAt(strings, bytes, offset);
          expect(id).toBe(ids.get(string) ?? ids.size);
          expect(strings.text(id)).toBe(string);
          ids.set(string, id);
        }
      }),
    );
  });

  it("keeps the longest strings, and as many as it has room for", () => {
    const strings = new ByteInterner(40);
    const long = (id: number) => new Uint8Array(256).fill(0x30 + id);
    for (let id = 0; id < 40; id++) expect(internAt(strings, long(id), 1)).toBe(id);
    for (let id = 0; id < 40; id++) expect(internAt(strings, long(id), 2)).toBe(id);
    expect(internAt(strings, long(40), 0)).toBe(INTERN_FULL);
    expect(internAt(new ByteInterner(1), new Uint8Array(257).fill(0x61), 0)).toBe(INTERN_FULL);
  });

  it("refuses what is not UTF-8, also when it is as long as a string it knows", () => {
    const strings = new ByteInterner(4);
    expect(internAt(strings, new Uint8Array(8), 0)).toBe(0);
    expect(internAt(strings, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80), 0)).toBe(INTERN_INVALID);
    expect(internAt(strings, Uint8Array.of(0xff), 0)).toBe(INTERN_INVALID);
  });
});
