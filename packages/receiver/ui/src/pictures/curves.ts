/** Live beside reference: the densities, and the cumulative curves with their bands. */
import type { Atom, NumericComparison } from "../comparison.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { ticks } from "../scale.js";
import { number, percent } from "../words.js";
import type { Plot } from "./frame.js";
import { area, framed, line, plotOf, tickRoom, tips } from "./frame.js";

/** Of two single values beside each other, in units. */
const ATOM_WIDTH = 5;
const ATOMS_LABELLED = 3;
/** Columns that say their numbers. */
const COLUMNS = 64;

/** The densities. Values that many rows share stand beside them as bars of their share. */
export function densityPicture(comparison: NumericComparison, width: number): Element {
  const { x, referenceCurve, liveCurve, atoms } = comparison;
  const highest = Math.max(...referenceCurve.density, ...liveCurve.densityHigh) * 1.06;
  const height = heightFor(width);
  const plot = plotOf(width, height, [x[0] as number, x.at(-1) as number], [0, highest || 1]);
  const at = x.map(plot.x);
  const y = (values: readonly number[]) => values.map(plot.y);
  const isAtomic = atoms.reduce((sum, atom) => sum + atom.live, 0) > 0.98;
  return framed(
    {
      plot,
      label: describe(comparison),
      xTicks: ticks(plot.x.from, plot.x.to, tickRoom(plot)),
      yTicks: [],
      className: "density",
    },
    ...(isAtomic
      ? []
      : [
          h("path", {
            class: "reference-fill",
            d: area(
              at,
              at.map(() => plot.bottom),
              y(referenceCurve.density),
            ),
          }),
          h("path", {
            class: "live-band",
            d: area(at, y(liveCurve.densityLow), y(liveCurve.densityHigh)),
          }),
          h("path", { class: "reference-line", d: line(at, y(referenceCurve.density)) }),
          h("path", { class: "live-line", d: line(at, y(liveCurve.density)) }),
        ]),
    atomBars(plot, atoms),
    curveTips(plot, comparison),
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
    h(
      "text",
      {
        class: "gap-text",
        x: gapX + (isRight ? -8 : 8),
        y: plot.y((low + high) / 2) + 4,
        "text-anchor": isRight ? "end" : "start",
      },
      `gap ${number(distance)} at ${number(distanceAt)}`,
    ),
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

function atomBars(plot: Plot, atoms: readonly Atom[]): Element {
  const highest = Math.max(...atoms.map((atom) => Math.max(atom.reference, atom.live)), 0.01);
  const rise = (share: number) => (share / highest) * (plot.bottom - plot.top - 18);
  const labelled = new Set(
    atoms.toSorted((a, b) => b.live + b.reference - a.live - a.reference).slice(0, ATOMS_LABELLED),
  );
  const bars = atoms.flatMap((atom) => {
    const x = plot.x(atom.value);
    const top = plot.bottom - rise(Math.max(atom.reference, atom.live));
    const isRight = x > plot.right - 80;
    const text = `${number(atom.value)}: ${percent(atom.reference)} → ${percent(atom.live)}`;
    const bar = (className: string, left: number, share: number) =>
      h("rect", {
        class: className,
        x: left,
        y: plot.bottom - rise(share),
        width: ATOM_WIDTH,
        height: rise(share),
        "data-tip": text,
      });
    return [
      bar("reference-bar", x - ATOM_WIDTH, atom.reference),
      bar("live-bar", x, atom.live),
      labelled.has(atom)
        ? h(
            "text",
            {
              class: "atom-text",
              x: x + (isRight ? -ATOM_WIDTH - 3 : ATOM_WIDTH + 3),
              y: top + 4,
              "text-anchor": isRight ? "end" : "start",
            },
            text,
          )
        : null,
    ];
  });
  return h("g", null, bars);
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
