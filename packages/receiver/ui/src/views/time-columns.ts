/** One signal over time, and for whom: two columns of pictures. */
import type { ReferenceFacts, SignalDocument, VerdictFacts } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { isAtomic } from "../pictures/atoms.js";
import {
  distancePicture,
  missingPicture,
  quantilesPicture,
  rowsPicture,
  sharesPicture,
} from "../pictures/over-time.js";
import { ridgesPicture } from "../pictures/ridges.js";
import { number, percent } from "../words.js";
import type { Setting } from "./parts.js";
import { card, cardWidth, qualityList, segmentTable } from "./parts.js";

/** Categories whose shares are shown over time; the API sends so many. */
const SHARES_SHOWN = 6;
/** Other cards that are about as high as one of ridges. */
const RIDGES_CARDS = 3;

/** Two columns of pictures, each as high as it comes. */
export function timeColumns(
  document: SignalDocument,
  setting: Setting,
  shown: VerdictFacts | undefined,
): Element[] {
  const { slices, reference, segmentRanking, quality } = document;
  const width = cardWidth(setting, 2);
  const known = reference === null || slices.length === 0 ? null : { ...document, reference };
  const left = [
    known && lawOverTime(known, width),
    segmentRanking.length === 0
      ? null
      : card(
          "For whom",
          {},
          ...originParts(document),
          segmentTable(setting, segmentRanking, byOrigin(document)),
        ),
    known && hasMissing(known)
      ? card("Missing values", {}, missingPicture(slices, known.reference, document, width))
      : null,
    known && card("Values counted", {}, rowsPicture(slices, document, width)),
    quality.length === 0 ? null : card("Quality of the data", {}, qualityList(quality)),
  ];
  const right = [
    known?.slices.some(({ distance }) => distance !== null)
      ? distanceOverTime(known, shown, { ...setting, width })
      : null,
    known && ridges(known, shown, width),
  ];
  const [first, second] = balanced(left.filter(isCard), right.filter(isCard));
  return [h("div", { class: "half stack" }, first), h("div", { class: "half stack" }, second)];
}

/** Which segments made it so. */
function originParts({ origin }: SignalDocument): Element[] {
  if (origin === null) return [];
  const { property, before, after } = origin;
  const isNumber = typeof property === "number";
  const rows = isNumber ? `at or below ${number(property)}` : `“${property}”`;
  const moved = `${percent(before)} of rows were ${rows} in the reference, now ${percent(after)}.`;
  return [h("p", null, moved)];
}

function isCard(one: Element | null | undefined | false): one is Element {
  return Boolean(one);
}

/** Two columns of about as many cards; ridges are as high as three of them. */
function balanced(left: readonly Element[], right: readonly Element[]): [Element[], Element[]] {
  const high = right.length > 1 ? RIDGES_CARDS - 1 : 0;
  const moved = Math.max(0, Math.floor((left.length - right.length - high) / 2));
  const kept = left.length - moved;
  return [left.slice(0, kept), [...right, ...left.slice(kept)]];
}

/** By segment, which share of the change it makes. */
function byOrigin({ origin }: SignalDocument): ReadonlyMap<string, number> {
  const { before = 0, after = 0, rankings = [] } = origin ?? {};
  return new Map(
    rankings.flatMap(({ attribute, segments }) =>
      segments.map(({ name, contribution }) => {
        return [`${attribute}=${name}`, contribution / (after - before)] as const;
      }),
    ),
  );
}

type Known = SignalDocument & { readonly reference: ReferenceFacts };

function hasMissing({ reference, slices }: Known): boolean {
  return reference.missingRate > 0 || slices.some(({ missing }) => missing > 0);
}

function lawOverTime(document: Known, width: number): Element | null {
  const { comparison, slices, reference } = document;
  if (comparison?.kind === "categorical" && slices.some(({ shares }) => shares !== null)) {
    const names = comparison.categories.slice(0, SHARES_SHOWN).map(({ name }) => name);
    const picture = sharesPicture(slices, names, document, width);
    const others = slices.some(({ shares }) => (shares?.[names.length] ?? 0) > 0);
    return card("Shares over time", {}, picture, shareLegend(names, others));
  }
  if (!slices.some(({ quantiles }) => quantiles !== null)) return null;
  const hint =
    "Boxes: the middle 50 % and 90 % of each stretch, and the median. " +
    "Grey and dashed: the same of the reference.";
  const picture = quantilesPicture(slices, reference, document, width);
  return card("Quantiles over time", {}, picture, h("p", { class: "hint" }, hint));
}

function distanceOverTime(
  document: Known,
  shown: VerdictFacts | undefined,
  { width, isReport }: Pick<Setting, "width" | "isReport">,
): Element {
  const { floor = null, threshold = null } = shown ?? {};
  const hint =
    "The line is the threshold of the last window; stretches with fewer values scatter more." +
    (isReport ? "" : " Drag over a picture to look closer.");
  const picture = distancePicture(document.slices, floor, threshold, document, width);
  return card("Distance over time", {}, picture, h("p", { class: "hint" }, hint));
}

function ridges(document: Known, shown: VerdictFacts | undefined, width: number): Element | null {
  const { comparison, slices } = document;
  const drawn = slices.filter(({ density }) => density !== null);
  if (comparison?.kind !== "numeric" || drawn.length < 2) return null;
  const picture = ridgesPicture(slices, comparison, shown?.threshold ?? null, document, width);
  const signs = [
    isAtomic(comparison) ? "" : "Dashed: the reference. ",
    comparison.atoms.length > 0 ? "Lines across bars: the reference. " : "",
    "Orange: further from it than the last window may be.",
  ];
  const hint = h("p", { class: "hint" }, signs.join(""));
  return card("The distribution over time", {}, picture, hint);
}

function shareLegend(names: readonly string[], withOthers: boolean): Element {
  return h(
    "p",
    { class: "legend" },
    [...names, ...(withOthers ? ["(others)"] : [])].map((name, i) =>
      h(
        "span",
        { class: "legend-entry" },
        h("span", { class: `swatch share-${i}`, "aria-hidden": "true" }),
        name,
      ),
    ),
  );
}
