/** One set of data beside another: which signals differ, and how. */
import type { CompareDocument, ComparedRow } from "../comparison.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { isAtomic } from "../pictures/atoms.js";
import { categoriesPicture } from "../pictures/categories.js";
import { cumulativePicture, densityPicture } from "../pictures/curves.js";
import { placeOf } from "../place.js";
import { count, distance, pValueText, withoutName } from "../words.js";
import type { Setting } from "./parts.js";
import { card, cardWidth, chip, legend, ratioBar, signalName, table } from "./parts.js";

/** The view. */
export function compareView(compared: CompareDocument, width: number): Element[] {
  const setting = { place: placeOf(""), href: () => undefined, isReport: true, width };
  return [
    h("h1", { class: "title" }, compared.headline),
    h("div", { class: "card" }, overview(compared.signals)),
    ...compared.signals.flatMap((row) => pictures(row, compared.nowMs, setting)),
  ];
}

function overview(signals: readonly ComparedRow[]): Element {
  const most = Math.max(...signals.map(({ ratio }) => ratio ?? 0), 1);
  const heads = ["Signal", "State", "Distance over threshold", "p", "PSI", "Reference", "Current"];
  const rows = signals.map((row) =>
    h(
      "tr",
      null,
      h("th", { scope: "row" }, nameOf(row)),
      h("td", null, chip(row.state)),
      h("td", null, ratioBar(row.ratio, most)),
      ...[
        pValueText(row.pValue),
        distance(row.psi),
        count(row.referenceCount),
        count(row.currentCount),
      ].map((text) => h("td", { class: "number" }, text)),
    ),
  );
  return table("All signals", heads, rows, "", 3);
}

function nameOf({ signal, of }: ComparedRow): Element {
  if (of !== "values") return h("span", null, `${signal} (${of})`);
  return h("a", { href: `#${encodeURIComponent(signal)}` }, signalName(signal));
}

function pictures(one: ComparedRow, nowMs: number, setting: Setting): Element[] {
  const { comparison, signal, sentence, state } = one;
  if (one.of !== "values") return [];
  const title = h("h2", { class: "title", id: signal }, signalName(signal), " ", chip(state));
  const lead = h("p", { class: "lead" }, withoutName(signal, sentence, nowMs));
  if (comparison === null) return [title, lead];
  const head = legend(comparison.reference, comparison.live, nowMs);
  if (comparison.kind === "categorical") {
    return [
      title,
      lead,
      card("Categories", {}, head, categoriesPicture(comparison, cardWidth(setting))),
    ];
  }
  const width = cardWidth(setting, 2);
  return [
    title,
    lead,
    card(
      isAtomic(comparison) ? "Values" : "Density",
      { class: "half" },
      head,
      densityPicture(comparison, width),
    ),
    card("Cumulative share", { class: "half" }, head, cumulativePicture(comparison, width)),
  ];
}
