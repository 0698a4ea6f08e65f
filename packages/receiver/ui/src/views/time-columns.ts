/** One signal over time, and for whom: two columns of pictures. */
import type { OriginFacts, ReferenceFacts, SignalDocument, VerdictFacts } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import {
  distancePicture,
  missingPicture,
  quantilesPicture,
  ridgesPicture,
  rowsPicture,
  sharesPicture,
} from "../pictures/over-time.js";
import { number, percent } from "../words.js";
import type { Setting } from "./parts.js";
import { card, cardWidth, qualityList, segmentTable } from "./parts.js";

/** Categories whose shares are shown over time; the API sends so many. */
const SHARES_SHOWN = 6;
const SEGMENTS_NAMED = 6;

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
      : card("For whom", {}, ...originParts(document), segmentTable(setting, segmentRanking, true)),
    known && hasMissing(known)
      ? card("Missing values", {}, missingPicture(slices, known.reference, document, width))
      : null,
    known && card("Values", {}, rowsPicture(slices, document, width)),
    quality.length === 0 ? null : card("Quality of the data", {}, qualityList(quality)),
  ];
  const right = [
    known?.slices.some(({ distance }) => distance !== null)
      ? distanceOverTime(known, shown, { ...setting, width })
      : null,
    known && ridges(known, shown, width),
  ];
  return [h("div", { class: "half stack" }, left), h("div", { class: "half stack" }, right)];
}

/** Which segments made it so. */
function originParts({ origin }: SignalDocument): Element[] {
  if (origin === null) return [];
  const { property, before, after, rankings } = origin;
  const isNumber = typeof property === "number";
  const rows = isNumber ? `at or below ${number(property)}` : `“${property}”`;
  const moved = `${percent(before)} of rows were ${rows} in the reference, now ${percent(after)}.`;
  return [h("p", null, moved), ...rankings.map((ranking) => rankingText(ranking, after - before))];
}

function rankingText({ attribute, segments }: Ranking, change: number): Element {
  const shares = segments.slice(0, SEGMENTS_NAMED).map(({ name, contribution }) => {
    return `${name} ${Math.round((contribution / change) * 100)} %`;
  });
  return h("p", { class: "hint" }, `Of that change by ${attribute}: ${shares.join(", ")}`);
}

type Ranking = OriginFacts["rankings"][number];
type Known = SignalDocument & { readonly reference: ReferenceFacts };

function hasMissing({ reference, slices }: Known): boolean {
  return reference.missingRate > 0 || slices.some(({ missing }) => missing > 0);
}

function lawOverTime(document: Known, width: number): Element | null {
  const { comparison, slices, reference } = document;
  if (comparison?.kind === "categorical" && slices.some(({ shares }) => shares !== null)) {
    const names = comparison.categories.slice(0, SHARES_SHOWN).map(({ name }) => name);
    const picture = sharesPicture(slices, names, document, width);
    return card("Shares over time", {}, picture, shareLegend(names));
  }
  if (!slices.some(({ quantiles }) => quantiles !== null)) return null;
  const hint =
    "Boxes: the middle 50 % and 90 % of each stretch, and the median. " +
    "Dashed: the same of the reference.";
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
  return card("The distribution over time", {}, picture);
}

function shareLegend(names: readonly string[]): Element {
  return h(
    "p",
    { class: "legend" },
    [...names, "(others)"].map((name, i) =>
      h(
        "span",
        { class: "legend-entry" },
        h("span", { class: `swatch share-${i}`, "aria-hidden": "true" }),
        name,
      ),
    ),
  );
}
