import { describe, expect, it } from "vitest";
import { chooseWindowMs, phaseStartMs, windowAt } from "../src/tumbling-window.ts";

describe("the window", () => {
  it.each([
    [1000, 20],
    [6000, 20],
    [6001, 40],
    [20_000, 80],
    [48_000, 160],
    [1_000_000, 160],
  ])("for a phase of %d ms has %d s", (phaseMs, seconds) => {
    expect(chooseWindowMs(phaseMs)).toBe(seconds * 1000);
  });

  it("is half-open and aligned to the epoch", () => {
    expect(windowAt(40_000, 20_000)).toEqual({ startMs: 40_000, endMs: 60_000 });
    expect(windowAt(59_999, 20_000)).toEqual({ startMs: 40_000, endMs: 60_000 });
    expect(windowAt(60_000, 20_000)).toEqual({ startMs: 60_000, endMs: 80_000 });
  });
});

describe("a phase", () => {
  const windowMs = 20_000;

  it("begins at once in an empty window that has room", () => {
    expect(phaseStartMs(42_000, windowMs, 39_999, 5000)).toBe(42_000);
  });

  it("waits for the next window when this one holds other spans", () => {
    expect(phaseStartMs(42_000, windowMs, 40_000, 5000)).toBe(60_050);
  });

  it("waits for the next window when this one has no room left", () => {
    expect(phaseStartMs(52_000, windowMs, 39_999, 5000)).toBe(60_050);
  });
});
