/** One signal over time: quantiles or shares, distance, missing values and rows. */
import type { ReferenceFacts, SignalDocument, Slice } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { round, ticks } from "../scale.js";
import { between, count, number, percent } from "../words.js";
import type { Plot } from "./frame.js";
import { framedTime, plotOf, roomFor, tips } from "./frame.js";

/** What is shown, and when now is. */
export type Range = Pick<SignalDocument, "fromMs" | "toMs" | "nowMs">;

/** Quantiles of every slice on top of the reference's, which are bands over all of the range. */
export function quantilesPicture(
  slices: readonly Slice[],
  reference: ReferenceFacts,
  range: Range,
  width: number,
): Element {
  const shown = slices.filter(({ quantiles }) => quantiles !== null);
  const bounds = shown.flatMap(({ quantiles }) => quantiles ?? []);
  const expected = (reference.quantiles ?? []).map((value) => value ?? 0);
  const all = [...bounds, ...expected];
  const [low, high] = widened(Math.min(...all), Math.max(...all));
  const yTicks = ticks(low, high, 5);
  const plot = plotOf(width, 220, [range.fromMs, range.toMs], [low, high], roomFor(yTicks));
  const label = `Quantiles over time; the reference's median is ${number(expected[2] ?? null)}`;
  return framedTime(
    { plot, label, yTicks, className: "quantiles" },
    referenceBand(plot, expected[0], expected[4]),
    referenceBand(plot, expected[1], expected[3]),
    h(
      "g",
      null,
      shown.flatMap((slice) => quantileBox(plot, slice)),
    ),
    h(
      "g",
      null,
      expected.map((value, i) => {
        const y = plot.y(value);
        const className = i === 2 ? "reference-median" : "reference-quantile";
        return h("line", { class: className, x1: plot.left, x2: plot.right, y1: y, y2: y });
      }),
    ),
    tips(
      plot,
      shown.map((slice) => tipOf(slice, range, quantileText(slice))),
    ),
  );
}

/** How far each slice is from the reference, beside what counts as too far. */
export function distancePicture(
  slices: readonly Slice[],
  floor: number | null,
  threshold: number | null,
  range: Range,
  width: number,
): Element {
  const shown = slices.filter(({ distance }) => distance !== null);
  const highest = Math.max(
    ...shown.map(({ distance }) => distance ?? 0),
    (threshold ?? 0) * 1.25,
    0.1,
  );
  const plot = plotOf(width, 150, [range.fromMs, range.toMs], [0, highest * 1.05]);
  const limit = (value: number | null, className: string) =>
    value === null
      ? null
      : h("line", {
          class: className,
          x1: plot.left,
          x2: plot.right,
          y1: plot.y(value),
          y2: plot.y(value),
        });
  const text = (value: number | null, words: string) =>
    value === null
      ? null
      : h(
          "text",
          { class: "limit-text", x: plot.left + 4, y: plot.y(value) - 4, "text-anchor": "start" },
          words,
        );
  return framedTime(
    { plot, label: "Distance from the reference over time", yTicks: ticks(0, highest, 4) },
    h(
      "g",
      null,
      shown.map((slice) =>
        bar(plot, slice, slice.distance ?? 0, isAbove(slice, threshold) ? "bar-drifted" : "bar"),
      ),
    ),
    limit(floor, "floor-line"),
    limit(threshold, "threshold-line"),
    text(threshold, `too far: above ${number(threshold)}`),
    tips(
      plot,
      shown.map((slice) => tipOf(slice, range, `distance ${number(slice.distance)}`)),
    ),
  );
}

/** The share of rows without a value, beside the reference's. */
export function missingPicture(
  slices: readonly Slice[],
  reference: ReferenceFacts,
  range: Range,
  width: number,
): Element {
  const highest = Math.max(...slices.map(missingRate), reference.missingRate, 0.01) * 1.15;
  const plot = plotOf(width, 130, [range.fromMs, range.toMs], [0, highest]);
  const y = plot.y(reference.missingRate);
  const axis = ticks(0, highest, 3).map(({ at }) => ({ at, text: percent(at) }));
  return framedTime(
    {
      plot,
      label: `Missing values over time; ${percent(reference.missingRate)} in the reference`,
      yTicks: axis,
    },
    h(
      "g",
      null,
      slices.map((slice) => bar(plot, slice, missingRate(slice), "bar")),
    ),
    h("line", { class: "reference-median", x1: plot.left, x2: plot.right, y1: y, y2: y }),
    tips(
      plot,
      slices.map((slice) => tipOf(slice, range, `${percent(missingRate(slice))} missing`)),
    ),
  );
}

/** Rows over time: what everything else rests on. */
export function rowsPicture(slices: readonly Slice[], range: Range, width: number): Element {
  const highest = Math.max(...slices.map((slice) => slice.count), 1) * 1.1;
  const yTicks = ticks(0, highest, 3).filter(({ at }) => Number.isInteger(at));
  const plot = plotOf(width, 130, [range.fromMs, range.toMs], [0, highest], roomFor(yTicks));
  return framedTime(
    { plot, label: "Values over time", yTicks },
    h(
      "g",
      null,
      slices.map((slice) => bar(plot, slice, slice.count, "bar")),
    ),
    tips(
      plot,
      slices.map((slice) => tipOf(slice, range, `${count(slice.count)} values`)),
    ),
  );
}

/** Shares of the first categories, stacked; the last is all others. */
export function sharesPicture(
  slices: readonly Slice[],
  names: readonly string[],
  range: Range,
  width: number,
): Element {
  const shown = slices.filter(({ shares }) => shares !== null);
  const plot = plotOf(width, 220, [range.fromMs, range.toMs], [0, 1]);
  const all = [...names, "(others)"];
  const parts = shown.flatMap((slice) => {
    let below = 0;
    return (slice.shares ?? []).map((share, i) => {
      const top = plot.y(below + share);
      const height = plot.y(below) - top;
      below += share;
      return h("rect", {
        class: `share-${i}`,
        ...extent(plot, slice),
        y: top,
        height: Math.max(0, height),
      });
    });
  });
  return framedTime(
    {
      plot,
      label: `Shares of ${all.join(", ")} over time`,
      yTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => ({ at: share, text: percent(share) })),
      className: "shares",
    },
    h("g", null, parts),
    tips(
      plot,
      shown.map((slice) =>
        tipOf(
          slice,
          range,
          all.map((name, i) => `${name} ${percent(slice.shares?.[i] ?? 0)}`).join(", "),
        ),
      ),
    ),
  );
}

/** Where the reference's values are, over all of the range. */
function referenceBand(plot: Plot, low = 0, high = low): Element {
  const { left, right } = plot;
  const height = round(plot.y(low) - plot.y(high));
  return h("rect", {
    class: "reference-fill",
    x: left,
    width: right - left,
    y: plot.y(high),
    height,
  });
}

function quantileBox(plot: Plot, slice: Slice): Element[] {
  const [q05 = 0, q25 = 0, q50 = 0, q75 = 0, q95 = 0] = (slice.quantiles ?? []).map(plot.y);
  const { x, width } = extent(plot, slice);
  return [
    h("rect", { class: "live-outer", x, width, y: q95, height: Math.max(1, q05 - q95) }),
    h("rect", { class: "live-inner", x, width, y: q75, height: Math.max(1, q25 - q75) }),
    h("line", { class: "live-median", x1: x, x2: x + width, y1: q50, y2: q50 }),
  ];
}

function bar(plot: Plot, slice: Slice, value: number, className: string): Element {
  const y = plot.y(value);
  return h("rect", {
    class: className,
    ...extent(plot, slice),
    y,
    height: Math.max(value > 0 ? 1 : 0, round(plot.bottom - y)),
  });
}

/** A slice is drawn as wide as it is long, but for a gap; never so narrow that it is not seen. */
function extent(plot: Plot, { startMs, endMs }: Slice): { x: number; width: number } {
  const start = Math.max(plot.left, plot.x(startMs));
  const end = Math.min(plot.right, plot.x(endMs));
  const width = Math.max(2.5, end - start - (end - start > 6 ? 1 : 0));
  return { x: Math.min(start, plot.right - 2.5), width: round(width) };
}

/** Whether a slice is further away than a window may be. */
export function isAbove({ distance }: Slice, threshold: number | null): boolean {
  return distance !== null && threshold !== null && distance > threshold;
}

/** When a slice was, and how much is in it. */
export function tipOf(slice: Slice, { nowMs }: Range, text: string) {
  const { startMs, endMs, count: rows } = slice;
  return {
    from: startMs,
    to: endMs,
    text: `${between(startMs, endMs, nowMs)}: ${text}, ${count(rows)} values`,
  };
}

function quantileText({ quantiles }: Slice): string {
  const [q05, , q50, , q95] = quantiles ?? [];
  const [median, low, high] = [q50, q05, q95].map((value) => number(value ?? null));
  return `median ${median}, 90 % from ${low} to ${high}`;
}

function widened(low: number, high: number): [number, number] {
  const margin = (high - low) * 0.06 || Math.max(1, Math.abs(low)) * 0.1;
  return [low - margin, high + margin];
}

function missingRate({ missing, count: rows }: Slice): number {
  return missing / Math.max(1, missing + rows);
}
