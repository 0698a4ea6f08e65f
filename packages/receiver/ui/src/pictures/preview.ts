/** Live beside reference as a picture without axes, for a first glance. */
import type { Preview } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { round } from "../scale.js";
import { area, line } from "./frame.js";

const WIDTH = 300;
const HEIGHT = 64;

/** The picture; the sentence beside it says the same. */
export function previewPicture({ kind, reference, live }: Preview): Element {
  const highest = Math.max(...reference, ...live, 1e-300);
  const y = (value: number) => round(HEIGHT - 1 - (value / highest) * (HEIGHT - 4));
  const attributes = { class: "preview", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" };
  const base = h("line", { class: "axis", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 });
  if (kind === "curves") {
    const x = reference.map((_, i) => round((i / (reference.length - 1)) * WIDTH));
    const floor = x.map(() => HEIGHT - 1);
    const [before, now] = [reference.map(y), live.map(y)];
    return h(
      "svg",
      { ...attributes, preserveAspectRatio: "none" },
      h("path", { class: "reference-fill", d: area(x, floor, before) }),
      h("path", { class: "live-fill", d: area(x, floor, now) }),
      h("path", { class: "reference-line", d: line(x, before) }),
      h("path", { class: "live-line", d: line(x, now) }),
      base,
    );
  }
  const step = WIDTH / reference.length;
  const bar = (className: string, left: number, value: number) =>
    h("rect", {
      class: className,
      x: round(left),
      y: y(value),
      width: round(step * 0.36),
      height: HEIGHT - 1 - y(value),
    });
  return h(
    "svg",
    { ...attributes, preserveAspectRatio: "none" },
    reference.flatMap((value, i) => [
      bar("reference-bar", i * step + step * 0.12, value),
      bar("live-bar", i * step + step * 0.5, live[i] ?? 0),
    ]),
    base,
  );
}
