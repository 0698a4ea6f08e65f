/** One signal's distribution over time: one ridge above the other, the newest at the front. */
import type { NumericComparison } from "../comparison.js";
import type { Slice } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { round } from "../scale.js";
import { number, time } from "../words.js";
import { atomSpacing, atomTicks, isAtomic } from "./atoms.js";
import type { Plot } from "./frame.js";
import { area, framed, line, plotOf } from "./frame.js";
import type { Range } from "./over-time.js";
import { isAbove, tipOf } from "./over-time.js";

/** From one ridge to the next, and how high the highest rises: curves may overlap, bars may not. */
const OF_CURVES = { step: 26, rise: 58 };
const OF_BARS = { step: 40, rise: 36 };
/** Of bars before curves. */
const BAR_RISE = 22;
const TOP = 12;
/** Room for the time beside each. */
const LEFT = 104;
/** Of the bar of a value that many rows share, and of the mark of the reference's share. */
const BAR = 5;
const MARK = 12;

/** How high things are, above the base of a ridge. */
interface Heights {
  readonly density: (value: number) => number;
  readonly share: (value: number) => number;
}

/** The ridges; the reference is drawn dashed on each. */
export function ridgesPicture(
  slices: readonly Slice[],
  comparison: NumericComparison,
  threshold: number | null,
  range: Range,
  width: number,
): Element {
  const ridges = slices.filter(({ density }) => density !== null);
  const { x, atoms } = comparison;
  const { step, rise } = atomSpacing(comparison) === undefined ? OF_CURVES : OF_BARS;
  const height = TOP + rise + Math.max(0, ridges.length - 1) * step + 50;
  const plot = plotOf(width, height, [x[0] as number, x.at(-1) as number], [0, 1], LEFT);
  const heights = heightsOf(ridges, comparison);
  const marks = ridges.flatMap((slice, i) => {
    const base = TOP + rise + i * step;
    const drifted = isAbove(slice, threshold) ? "ridge-drifted" : "ridge";
    const tip = tipOf(slice, range, `distance ${number(slice.distance)}`).text;
    return [
      ...(isAtomic(comparison) ? [] : curves(plot, base, slice, comparison, heights, drifted, tip)),
      ...bars(plot, base, slice, comparison, heights, drifted, tip),
      atoms.length > 0
        ? h("line", { class: "axis", x1: LEFT, x2: plot.right, y1: base, y2: base })
        : null,
      h(
        "text",
        { class: "ridge-text", x: LEFT - 8, y: base - 2, "text-anchor": "end" },
        time(slice.startMs, range.nowMs),
      ),
    ];
  });
  return framed(
    {
      plot,
      label: "The distribution over time, oldest first",
      xTicks: atomTicks(plot, comparison),
      yTicks: [],
      className: "ridges",
    },
    ...marks,
  );
}

/** On one scale where the values are single ones, as in the picture of the density. */
function heightsOf(ridges: readonly Slice[], comparison: NumericComparison): Heights {
  const { referenceCurve, atoms } = comparison;
  const unit = atomSpacing(comparison);
  const dense = [...referenceCurve.density, ...ridges.flatMap(({ density }) => density ?? [])];
  const shares = [
    ...atoms.map(({ reference }) => reference),
    ...ridges.flatMap((slice) => slice.atoms ?? []),
  ];
  const [densest, most] = [Math.max(...dense, 1e-300), Math.max(...shares, 1e-300)];
  if (unit === undefined) {
    return {
      density: (value) => (value * OF_CURVES.rise) / densest,
      share: (value) => (value * BAR_RISE) / most,
    };
  }
  const highest = Math.max(densest * unit, most);
  return {
    density: (value) => (value * unit * OF_BARS.rise) / highest,
    share: (value) => (value * OF_BARS.rise) / highest,
  };
}

function curves(
  plot: Plot,
  base: number,
  { density }: Slice,
  { x, referenceCurve }: NumericComparison,
  heights: Heights,
  className: string,
  tip: string,
): Element[] {
  const at = x.map(plot.x);
  const y = (values: readonly number[]) =>
    values.map((value) => round(base - heights.density(value)));
  const floor = at.map(() => base);
  const live = y(density ?? []);
  return [
    h("path", { class: `${className}-fill`, d: area(at, floor, live), "data-tip": tip }),
    h("path", { class: "ridge-reference", d: line(at, y(referenceCurve.density)) }),
    h("path", { class: `${className}-line`, d: line(at, live) }),
  ];
}

function bars(
  plot: Plot,
  base: number,
  slice: Slice,
  { atoms }: NumericComparison,
  heights: Heights,
  className: string,
  tip: string,
): Element[] {
  return atoms.flatMap((atom, i) => {
    const x = plot.x(atom.value);
    const height = round(heights.share(slice.atoms?.[i] ?? 0));
    const mark = round(base - heights.share(atom.reference));
    return [
      h("rect", {
        class: `${className}-bar`,
        x: x - BAR / 2,
        width: BAR,
        y: base - height,
        height,
        "data-tip": tip,
      }),
      h("line", {
        class: "ridge-mark",
        x1: x - MARK / 2,
        x2: x + MARK / 2,
        y1: mark,
        y2: mark,
      }),
    ];
  });
}
