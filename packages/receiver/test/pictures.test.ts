/** Pictures as elements: nothing is cut, nothing lies over another, and heights say what they mean. */
import { describe, expect, it } from "vitest";
import type { NumericComparison } from "../ui/src/comparison.ts";
import type { Slice } from "../ui/src/documents.ts";
import type { Element } from "../ui/src/element.ts";
import { cumulativePicture, densityPicture } from "../ui/src/pictures/curves.ts";
import { textWidth } from "../ui/src/pictures/frame.ts";
import { distancePicture, quantilesPicture } from "../ui/src/pictures/over-time.ts";
import { ridgesPicture } from "../ui/src/pictures/ridges.ts";
import { placeOf } from "../ui/src/place.ts";
import { cardWidth } from "../ui/src/views/parts.ts";

const HOUR_MS = 3_600_000;
const RANGE = { fromMs: 0, toMs: 12 * HOUR_MS, nowMs: 12 * HOUR_MS };
const WIDTHS = [240, 480, 700, 1400];
const POINTS = 129;
const REFERENCE_SHARES = [0.25, 0.25, 0.25, 0.25];

function all(element: Element, tag: string): Element[] {
  const inside = element.children.flatMap((child) =>
    typeof child === "string" ? [] : all(child, tag),
  );
  return element.tag === tag ? [element, ...inside] : inside;
}

/** Where a text begins and ends, and its line. */
function extentOf(text: Element): { from: number; to: number; y: number; words: string } {
  const words = text.children.filter((child) => typeof child === "string").join("");
  const { x, y, "text-anchor": anchor = "start" } = text.attributes;
  const width = textWidth(words);
  const shift = { start: 0, middle: width / 2, end: width }[String(anchor)] ?? 0;
  return { from: Number(x) - shift, to: Number(x) - shift + width, y: Number(y), words };
}

/** Values of [0, high], evenly spread but for `atoms` at 0, 1, 2 and so on. */
function comparisonOf(high: number, atoms: readonly number[], shift = 0): NumericComparison {
  const x = Array.from({ length: POINTS }, (_, i) => (i / (POINTS - 1)) * high);
  const rest = 1 - atoms.reduce((sum, share) => sum + share, 0);
  const density = x.map(() => rest / high);
  const cumulative = x.map((_, i) => i / (POINTS - 1));
  const curve = {
    density,
    densityLow: density,
    densityHigh: density,
    cumulative,
    cumulativeLow: cumulative,
    cumulativeHigh: cumulative,
  };
  const side = { label: "reference", count: 1000, startMs: null, endMs: null };
  return {
    kind: "numeric",
    reference: side,
    live: { ...side, label: "last 5m" },
    x: x.map((at) => at + shift),
    referenceCurve: curve,
    liveCurve: curve,
    distance: 0.1,
    distanceAt: shift + high / 2,
    medians: { reference: 1, live: 1 },
    atoms: atoms.map((share, value) => ({ value, reference: share, live: share })),
    outside: { reference: 0, live: 0 },
  };
}

function slice(hour: number, atoms: readonly number[]): Slice {
  return {
    startMs: hour * HOUR_MS,
    endMs: (hour + 1) * HOUR_MS,
    count: 1000,
    missing: 0,
    distance: 0.1,
    quantiles: [999_998, 999_999, 1_000_000, 1_000_001, 1_000_002],
    density: Array.from({ length: POINTS }, () => 0),
    atoms,
    shares: null,
  };
}

describe("Pictures", () => {
  it("have room, also while a window has no size yet", () => {
    const setting = { place: placeOf(""), href: () => undefined, isReport: false };
    for (const width of [-32, 0, 320]) {
      expect(cardWidth({ ...setting, width }, 2)).toBeGreaterThan(0);
    }
  });

  it.each(WIDTHS)("cut no text at a width of %d", (width) => {
    const reference = {
      name: "r",
      count: 1,
      provisional: false,
      missingRate: 0,
      quantiles: [999_998, 999_999, 1_000_000, 1_000_001, 1_000_002],
    };
    const slices = [slice(0, []), slice(11, [])];
    const pictures = [
      densityPicture(comparisonOf(50, []), width),
      densityPicture(comparisonOf(3, REFERENCE_SHARES), width),
      cumulativePicture(comparisonOf(50, [], 1_000_000), width),
      distancePicture(slices, 0.1, 0.2, RANGE, width),
      quantilesPicture(slices, reference, RANGE, width),
    ];
    for (const text of pictures.flatMap((picture) => all(picture, "text"))) {
      const { from, to, words } = extentOf(text);
      expect(from, words).toBeGreaterThanOrEqual(0);
      expect(to, words).toBeLessThanOrEqual(width + 0.1);
    }
  });

  it.each(WIDTHS)("write no tick over another at a width of %d", (width) => {
    for (const shift of [0, 1_000_000, 1_700_000_000_000]) {
      const picture = cumulativePicture(comparisonOf(50, [], shift), width);
      const ticks = all(picture, "text").map(extentOf);
      const lowest = Math.max(...ticks.map(({ y }) => y));
      const below = ticks.filter(({ y }) => y === lowest).toSorted((a, b) => a.from - b.from);
      expect(below.length).toBeGreaterThan(0);
      for (const [i, { from, words }] of below.entries()) {
        expect(from, words).toBeGreaterThanOrEqual(below[i - 1]?.to ?? 0);
      }
    }
  });

  it.each(WIDTHS)("write no share over another at a width of %d", (width) => {
    const picture = densityPicture(comparisonOf(4, [0.3, 0.3, 0.3, 0.1]), width);
    const labels = all(picture, "text")
      .filter(({ attributes }) => attributes["class"] === "atom-text")
      .map(extentOf);
    for (const one of labels) {
      const over = labels.filter(
        (other) => other !== one && other.from < one.to && one.from < other.to,
      );
      expect(over.filter(({ y }) => Math.abs(y - one.y) < 12)).toEqual([]);
    }
  });

  it("draw counts and the rest of their law on one scale", () => {
    // A tenth of the rows is spread over ten units: a hundredth in each.
    const picture = densityPicture(comparisonOf(10, [0.4, 0.3, 0.2]), 600);
    const heights = all(picture, "rect")
      .filter(({ attributes }) => attributes["class"] === "live-bar")
      .map(({ attributes }) => Number(attributes["height"]));
    const [first = 0, second = 0] = heights;
    expect(first / second).toBeCloseTo(4 / 3, 1);
    const curve = all(picture, "path").find(
      ({ attributes }) => attributes["class"] === "live-line",
    );
    const [, y = ""] = /^M\S+ (\S+?)L/.exec(String(curve?.attributes["d"])) ?? [];
    const axis = all(picture, "line").find(({ attributes }) => attributes["class"] === "axis");
    const height = Number(axis?.attributes["y1"]) - Number(y);
    expect(first / height).toBeGreaterThan(30);
    expect(first / height).toBeLessThan(50);
  });

  it("show over time what has become of values that rows share", () => {
    const comparison = comparisonOf(3, REFERENCE_SHARES);
    const slices = [slice(0, REFERENCE_SHARES), slice(1, [0.7, 0.1, 0.1, 0.1])];
    const picture = ridgesPicture(slices, comparison, 0.2, RANGE, 600);
    const heights = all(picture, "rect").map(({ attributes }) => Number(attributes["height"]));
    expect(heights).toHaveLength(8);
    expect((heights[4] as number) / (heights[0] as number)).toBeCloseTo(0.7 / 0.25, 1);
  });
});
