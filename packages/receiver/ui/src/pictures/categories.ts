/** Two mixes of categories as paired bars, the most changed first. */
import type { CategoricalComparison } from "../comparison.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { linear } from "../scale.js";
import { percent } from "../words.js";

const ROW = 34;
const BAR = 11;
const TOP = 4;
/** Categories that are drawn; of more, those that changed most. */
export const CATEGORIES_DRAWN = 20;
/** Characters of a name that have room; the whole name is in the tip. */
const UNIT_PER_CHARACTER = 7.2;

/** The bars. */
export function categoriesPicture(comparison: CategoricalComparison, width: number): Element {
  const shown = comparison.categories.slice(0, CATEGORIES_DRAWN);
  const longest = Math.max(...shown.map(({ name }) => name.length), 4);
  const left = Math.min(width * 0.34, longest * UNIT_PER_CHARACTER + 14);
  const right = width - 104;
  const most = Math.max(...shown.map((one) => Math.max(one.reference, one.liveHigh)), 0.01);
  const x = linear(0, most, left, right);
  const height = TOP + shown.length * ROW + 4;
  const label = shown
    .slice(0, 6)
    .map((one) => `${one.name}: ${percent(one.reference)}, now ${percent(one.live)}`);
  const rows = shown.map((one, i) => {
    const y = TOP + i * ROW;
    const middle = y + 2 + BAR + 1 + BAR / 2;
    const [low, high] = [x(one.liveLow), x(one.liveHigh)];
    const tip =
      `${one.name}: ${percent(one.live)}, with 95 % confidence ${percent(one.liveLow)} to ` +
      `${percent(one.liveHigh)}; ${percent(one.reference)} of ${comparison.reference.label}`;
    return h(
      "g",
      { class: "category", "data-tip": tip },
      h("rect", { class: "hit", x: 0, y, width, height: ROW }),
      h("text", { x: left - 8, y: y + BAR + 7, "text-anchor": "end" }, cut(one.name, left)),
      h("rect", {
        class: "reference-bar",
        x: left,
        y: y + 2,
        width: x(one.reference) - left,
        height: BAR,
      }),
      h("rect", {
        class: "live-bar",
        x: left,
        y: y + 3 + BAR,
        width: x(one.live) - left,
        height: BAR,
      }),
      h("path", {
        class: "whisker",
        d: `M${low} ${middle}H${high}M${low} ${middle - 3}v6M${high} ${middle - 3}v6`,
      }),
      h(
        "text",
        { class: "share", x: width - 4, y: y + BAR + 7, "text-anchor": "end" },
        `${percent(one.reference)} → ${percent(one.live)}`,
      ),
    );
  });
  return h(
    "svg",
    {
      class: "picture categories",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label.join("; "),
    },
    ...rows,
  );
}

function cut(name: string, room: number): string {
  const characters = Math.max(4, Math.floor((room - 14) / UNIT_PER_CHARACTER));
  return name.length <= characters ? name : `${name.slice(0, characters - 1)}…`;
}
