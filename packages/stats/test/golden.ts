import { readFileSync } from "node:fs";

/** Reads a file that golden/write.py has written; the tests name the shape they expect. */
export function golden(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`golden/${name}`, import.meta.url), "utf8"));
}

/** |actual / expected - 1|, or |actual| when 0 is expected. */
export function relativeError(actual: number, expected: number): number {
  return expected === 0 ? Math.abs(actual) : Math.abs(actual / expected - 1);
}
