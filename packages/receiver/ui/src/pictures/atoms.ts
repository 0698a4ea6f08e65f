/** Values that many rows share: bars of their shares beside, or in place of, a density. */
import type { Atom, NumericComparison } from "../comparison.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import type { Tick } from "../scale.js";
import { ticks } from "../scale.js";
import { number, percent } from "../words.js";
import type { Plot } from "./frame.js";
import { textWidth, tickRoom } from "./frame.js";

/** Of one bar, in units. */
const WIDTH_MIN = 3;
const WIDTH_MAX = 26;
/** Of a bar that stands alone before a density. */
const WIDTH_ALONE = 5;
/** A law of fewer such values is one of continuous values with an exception. */
const REGULAR_MIN = 3;
const LINE = 15;

/**
 * How far such values are from each other; undefined where they are exceptions. The density of the
 * others is then drawn as the share within such a distance, on the same scale as the bars.
 */
export function atomSpacing(comparison: NumericComparison): number | undefined {
  const { atoms, x } = comparison;
  if (atoms.length < REGULAR_MIN && !isAtomic(comparison)) return undefined;
  const gaps = atoms.slice(1).map(({ value }, i) => value - (atoms[i]?.value ?? 0));
  return Math.min(...gaps, (x.at(-1) as number) - (x[0] as number));
}

/** Whether there is nothing but such values. */
export function isAtomic({ atoms }: NumericComparison): boolean {
  const all = (side: "reference" | "live") => atoms.reduce((sum, atom) => sum + atom[side], 0);
  return Math.min(all("reference"), all("live")) > 0.98;
}

/** The highest share of one of them. */
export function highestAtom(atoms: readonly Atom[]): number {
  return Math.max(...atoms.map((atom) => Math.max(atom.reference, atom.live)), 0.01);
}

/** Ticks of the values themselves: counts have none between them. */
export function atomTicks(plot: Plot, comparison: NumericComparison): Tick[] {
  const { atoms } = comparison;
  const room = tickRoom(plot);
  const own = atoms.map(({ value }) => ({ at: value, text: number(value) }));
  if (isAtomic(comparison) && own.length <= 2 * room) return own;
  const all = ticks(plot.x.from, plot.x.to, room);
  const isWhole = atoms.length > 0 && atoms.every(({ value }) => Number.isInteger(value));
  if (!isWhole || atomSpacing(comparison) === undefined) return all;
  return all.filter(({ at }) => Number.isInteger(at)).map(({ at }) => ({ at, text: number(at) }));
}

/** A pair of bars for each, as high as `y` says of a share. */
export function atomBars(
  plot: Plot,
  comparison: NumericComparison,
  y: (share: number) => number,
): Element {
  const { atoms } = comparison;
  const spacing = atomSpacing(comparison);
  const slot = spacing === undefined ? 0 : plot.x(plot.x.from + spacing) - plot.left;
  // Bars stay beside the axis.
  const room = atoms.flatMap(({ value }) => [
    plot.x(value) - plot.left,
    plot.right - plot.x(value),
  ]);
  const wanted = Math.min(WIDTH_MAX, slot * 0.36, ...room);
  const width = spacing === undefined ? WIDTH_ALONE : Math.floor(Math.max(WIDTH_MIN, wanted));
  const isRoomy = atoms.every((atom) => spacing === undefined || labelWidth(atom) <= slot);
  const bars = atoms.flatMap((atom) => {
    const x = plot.x(atom.value);
    const bar = (className: string, left: number, share: number) =>
      h("rect", {
        class: className,
        x: left,
        y: y(share),
        width,
        height: Math.max(0, plot.bottom - y(share)),
        "data-tip": textOf(atom),
      });
    return [bar("reference-bar", x - width, atom.reference), bar("live-bar", x, atom.live)];
  });
  return h("g", null, bars, isRoomy ? labels(plot, atoms, spacing === undefined, y) : null);
}

/** The shares above the bars, the highest first, as far as they have room. */
function labels(
  plot: Plot,
  atoms: readonly Atom[],
  isAlone: boolean,
  y: (share: number) => number,
): Element[] {
  const placed: { readonly x: number; readonly y: number; readonly half: number }[] = [];
  return atoms
    .toSorted((a, b) => b.live + b.reference - a.live - a.reference)
    .flatMap((atom) => {
      // Where a few stand before a density, they say which value they are of.
      const text = isAlone ? textOf(atom) : sharesOf(atom);
      const half = textWidth(text) / 2 + 4;
      const wanted = isAlone ? plot.x(atom.value) + half + WIDTH_ALONE : plot.x(atom.value);
      const x = Math.max(plot.left + half, Math.min(wanted, plot.right - half));
      const top = y(Math.max(atom.reference, atom.live));
      const at = { x, y: isAlone ? top + LINE : top - 5, half };
      const isTaken = placed.some(
        (other) => Math.abs(other.x - x) < other.half + half && Math.abs(other.y - at.y) < LINE,
      );
      if (isTaken) return [];
      placed.push(at);
      return [h("text", { class: "atom-text", x, y: at.y, "text-anchor": "middle" }, text)];
    });
}

function labelWidth(atom: Atom): number {
  return textWidth(sharesOf(atom)) + 8;
}

function textOf(atom: Atom): string {
  return `${number(atom.value)}: ${sharesOf(atom)}`;
}

function sharesOf(atom: Atom): string {
  return `${percent(atom.reference)} → ${percent(atom.live)}`;
}
