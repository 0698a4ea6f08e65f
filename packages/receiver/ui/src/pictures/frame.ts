/** What pictures with axes have in common. Lengths are sixteenths of the size of the text. */
import type { Element } from "../element.js";
import { h } from "../element.js";
import type { Scale, Tick } from "../scale.js";
import { linear, round, timeTicks } from "../scale.js";

/** Room beside the plot. */
const LEFT = 46;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 26;
/** Ticks further apart than this are easy to tell apart. */
const TICK_WIDTH = 76;
/** About the width of a character on an axis. */
const CHARACTER = 6.6;

/** Where the plot is, and how values map into it. */
export interface Plot {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Scale;
  readonly y: Scale;
}

/** What is drawn around the marks. */
export interface Frame {
  readonly plot: Plot;
  /** What the picture shows, for those who do not see it. */
  readonly label: string;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
  readonly className?: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** The plot of a picture: x and y are [from, to] in values; `left` is the room beside it. */
export function plotOf(
  width: number,
  height: number,
  x: readonly [number, number],
  y: readonly [number, number],
  left = LEFT,
): Plot {
  const [right, bottom] = [width - RIGHT, height - BOTTOM];
  return {
    width,
    height,
    left,
    right,
    top: TOP,
    bottom,
    x: linear(x[0], x[1], left, right),
    y: linear(y[0], y[1], bottom, TOP),
  };
}

/** Room that the texts of a vertical axis take. */
export function roomFor(yTicks: readonly Tick[]): number {
  return Math.max(LEFT, ...yTicks.map(({ text }) => textWidth(text) + 10));
}

/** About the room that a text takes. */
export function textWidth(text: string): number {
  return text.length * CHARACTER;
}

/** How many ticks have room beside each other. */
export function tickRoom(plot: Plot): number {
  return Math.max(2, Math.floor((plot.right - plot.left) / TICK_WIDTH));
}

/** The picture. */
export function framed(frame: Frame, ...marks: readonly (Element | null)[]): Element {
  const { plot, label, xTicks, yTicks, className = "", attributes = {} } = frame;
  const { width, height, left, right, bottom, y } = plot;
  return h(
    "svg",
    {
      class: `picture ${className}`,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label,
      ...attributes,
    },
    h(
      "g",
      { class: "grid", "aria-hidden": "true" },
      yTicks.flatMap(({ at, text }) => [
        h("line", { x1: left, x2: right, y1: y(at), y2: y(at) }),
        h("text", { x: left - 6, y: y(at) + 4, "text-anchor": "end" }, text),
      ]),
      xLabels(xTicks, plot),
    ),
    ...marks,
    h("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
  );
}

/** At an edge a text is moved in, so that nothing is cut; none is written over another. */
function xLabels(xTicks: readonly Tick[], { x, width, bottom }: Plot): Element[] {
  let takenTo = 0;
  return xTicks.flatMap(({ at, text }) => {
    const half = textWidth(text) / 2;
    const middle = round(Math.max(half, Math.min(x(at), width - half)));
    if (middle - half < takenTo) return [];
    takenTo = middle + half + CHARACTER / 2;
    return [h("text", { x: middle, y: bottom + 18, "text-anchor": "middle" }, text)];
  });
}

/** A picture over time: it says which range it shows, so that a part of it can be chosen. */
export function framedTime(
  frame: Omit<Frame, "xTicks">,
  ...marks: readonly (Element | null)[]
): Element {
  const { plot } = frame;
  const { from, to } = plot.x;
  const range = { "data-from": from, "data-to": to };
  const edges = { "data-left": plot.left / plot.width, "data-right": plot.right / plot.width };
  const attributes = { ...frame.attributes, ...range, ...edges };
  const all = { ...frame, attributes, xTicks: timeTicks(from, to, tickRoom(plot)) };
  return framed({ ...all, className: `over-time ${frame.className ?? ""}` }, ...marks);
}

/** A path through points. */
export function line(x: readonly number[], y: readonly number[]): string {
  return x.map((at, i) => `${i === 0 ? "M" : "L"}${at} ${y[i]}`).join("");
}

/** A closed path between two lines over the same points. */
export function area(
  x: readonly number[],
  low: readonly number[],
  high: readonly number[],
): string {
  const back = x.map((at, i) => `L${at} ${low[i]}`).toReversed();
  return `${line(x, high)}${back.join("")}Z`;
}

/** Invisible columns that say what is in them when they are pointed at. */
export function tips(
  plot: Plot,
  columns: readonly { readonly from: number; readonly to: number; readonly text: string }[],
): Element {
  const { top, bottom, x } = plot;
  return h(
    "g",
    { class: "tips", "aria-hidden": "true" },
    columns.map(({ from, to, text }) => {
      const [start, end] = [x(from), x(to)];
      const width = Math.max(1, round(end - start));
      return h("rect", { x: start, y: top, width, height: bottom - top, "data-tip": text });
    }),
  );
}
