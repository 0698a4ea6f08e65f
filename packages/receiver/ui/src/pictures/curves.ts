/** Live beside reference: the densities, and the cumulative curves with their bands. */
import type { NumericComparison } from "../comparison.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { ticks } from "../scale.js";
import { number, percent } from "../words.js";
import { atomBars, atomSpacing, atomTicks, highestAtom, isAtomic } from "./atoms.js";
import type { Plot } from "./frame.js";
import { area, framed, line, plotOf, textWidth, tickRoom, tips } from "./frame.js";

/** Columns that say their numbers. */
const COLUMNS = 64;

/**
 * The densities. Values that many rows share are bars of their shares: on the same scale where they
 * are what the values are made of, on one of their own where they are exceptions.
 */
export function densityPicture(comparison: NumericComparison, width: number): Element {
  const { x, referenceCurve, liveCurve, atoms } = comparison;
  const spacing = atomSpacing(comparison);
  const unit = spacing ?? 1;
  const most = Math.max(...referenceCurve.density, ...liveCurve.densityHigh) * unit;
  const highest = (spacing === undefined ? most : Math.max(highestAtom(atoms), most)) * 1.12 || 1;
  const ofShares = spacing === undefined ? [] : ticks(0, highest, 4);
  const yTicks = ofShares.map(({ at }) => ({ at, text: percent(at) }));
  const range = [x[0] as number, x.at(-1) as number] as const;
  const plot = plotOf(width, heightFor(width), range, [0, highest]);
  const at = x.map(plot.x);
  const y = (values: readonly number[]) => values.map((value) => plot.y(value * unit));
  const own = (plot.bottom - plot.top - 18) / highestAtom(atoms);
  const ofShare = (share: number) => (spacing ? plot.y(share) : plot.bottom - share * own);
  const floor = at.map(() => plot.bottom);
  const [reference, live] = [y(referenceCurve.density), y(liveCurve.density)];
  const band = area(at, y(liveCurve.densityLow), y(liveCurve.densityHigh));
  return framed(
    {
      plot,
      label: describe(comparison),
      xTicks: atomTicks(plot, comparison),
      yTicks,
      className: "density",
    },
    ...(isAtomic(comparison)
      ? []
      : [
          h("path", { class: "reference-fill", d: area(at, floor, reference) }),
          h("path", { class: "live-band", d: band }),
          h("path", { class: "reference-line", d: line(at, reference) }),
          h("path", { class: "live-line", d: line(at, live) }),
        ]),
    curveTips(plot, comparison),
    atomBars(plot, comparison, ofShare),
  );
}

/** The cumulative curves, and where they are furthest apart. */
export function cumulativePicture(comparison: NumericComparison, width: number): Element {
  const { x, referenceCurve, liveCurve, distance, distanceAt } = comparison;
  const plot = plotOf(width, heightFor(width), [x[0] as number, x.at(-1) as number], [0, 1]);
  const at = x.map(plot.x);
  const y = (values: readonly number[]) => values.map(plot.y);
  const near = nearest(x, distanceAt);
  const [low, high] = [referenceCurve.cumulative[near] ?? 0, liveCurve.cumulative[near] ?? 0];
  const gapX = plot.x(Math.min(Math.max(distanceAt, plot.x.from), plot.x.to));
  const isRight = gapX > (plot.left + plot.right) / 2;
  // Both curves rise: nothing of them is above and left of the gap, or below and right of it.
  const sides = [referenceCurve, liveCurve];
  const above = Math.max(...sides.map(({ cumulativeHigh }) => cumulativeHigh[near] ?? 1));
  const below = Math.min(...sides.map(({ cumulativeLow }) => cumulativeLow[near] ?? 0));
  const [top, bottom] = [plot.y(above) - 6, plot.y(below) + 14];
  const words = `gap ${number(distance)} at ${number(distanceAt)}`;
  const room = textWidth(words);
  const textX = isRight ? gapX - 8 - room : Math.min(gapX + 8, width - room);
  const textY = isRight ? Math.max(top, plot.top + 10) : Math.min(bottom, plot.bottom - 6);
  return framed(
    {
      plot,
      label: describe(comparison),
      xTicks: ticks(plot.x.from, plot.x.to, tickRoom(plot)),
      yTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => ({ at: share, text: percent(share) })),
      className: "cumulative",
    },
    h("path", {
      class: "reference-band",
      d: area(at, y(referenceCurve.cumulativeLow), y(referenceCurve.cumulativeHigh)),
    }),
    h("path", {
      class: "live-band",
      d: area(at, y(liveCurve.cumulativeLow), y(liveCurve.cumulativeHigh)),
    }),
    h("path", { class: "reference-line", d: line(at, y(referenceCurve.cumulative)) }),
    h("path", { class: "live-line", d: line(at, y(liveCurve.cumulative)) }),
    h("line", { class: "gap", x1: gapX, x2: gapX, y1: plot.y(low), y2: plot.y(high) }),
    h("text", { class: "gap-text", x: Math.max(0, textX), y: textY }, words),
    curveTips(plot, comparison),
  );
}

function heightFor(width: number): number {
  return Math.round(Math.min(300, Math.max(190, width * 0.46)));
}

function describe({ reference, live, distance, distanceAt }: NumericComparison): string {
  return (
    `${live.label} (${live.count} values) beside ${reference.label} (${reference.count}): ` +
    `the cumulative curves differ most by ${number(distance)}, at ${number(distanceAt)}`
  );
}

function curveTips(plot: Plot, comparison: NumericComparison): Element {
  const { x, referenceCurve, liveCurve, reference } = comparison;
  const step = Math.ceil(x.length / COLUMNS);
  const columns = [];
  for (let i = 0; i + step < x.length; i += step) {
    const value = x[i + Math.floor(step / 2)] as number;
    const [before, now] = [referenceCurve.cumulative[i] ?? 0, liveCurve.cumulative[i] ?? 0];
    const known = `${percent(before)} of ${reference.label}`;
    const text = `${percent(now)} at or below ${number(value)}; ${known}`;
    columns.push({ from: x[i] as number, to: x[i + step] as number, text });
  }
  return tips(plot, columns);
}

function nearest(values: readonly number[], wanted: number): number {
  let best = 0;
  for (const [i, value] of values.entries()) {
    if (Math.abs(value - wanted) < Math.abs((values[best] as number) - wanted)) best = i;
  }
  return best;
}
