import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ATTRIBUTES, CALL_SIGNALS, DIALECT_ATTRIBUTES, METRICS } from "../src/index.ts";
import { dialectsPage, PAGE } from "./dialects-page.ts";

/** What a page says, whatever width a formatter gives its tables. */
const words = (text: string) => text.replaceAll(/[ -]+/g, " ");

describe("the table of dialects", () => {
  it("has each attribute once, and gives none a second meaning", () => {
    const names = DIALECT_ATTRIBUTES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    // What we write ourselves is in OpenTelemetry's own words, or in ours.
    const own = new Set<string>(Object.values(ATTRIBUTES).map(({ name }) => name));
    const written = DIALECT_ATTRIBUTES.filter(({ name }) => own.has(name));
    const dialects = new Set(written.map(({ dialect }) => dialect));
    expect([...dialects].toSorted()).toEqual(["gen_ai", "tidemark"]);
  });

  it("is what the page in the docs says; node packages/semconv/test/dialects-page.ts writes it", () => {
    expect(words(readFileSync(PAGE, "utf8"))).toBe(words(dialectsPage()));
  });

  it("gives signals names of their own, which no feature can have", () => {
    const names = Object.values(CALL_SIGNALS).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^(?:feature|prediction)\./.test(name))).toEqual([]);
  });

  it("does not export one metric under two definitions", () => {
    const names = Object.values(METRICS).map(({ prometheus }) => prometheus);
    expect(new Set(names).size).toBe(names.length);
  });
});
