/** Small pieces that several views share. */
import type { Side } from "../comparison.js";
import type { Links, QualityRow, SegmentRow, SignalState } from "../documents.js";
import type { Child, Element } from "../element.js";
import { h } from "../element.js";
import type { Place } from "../place.js";
import {
  between,
  count,
  plural,
  QUALITY_WORDS,
  STATE_WORDS,
  splitSignal,
  times,
} from "../words.js";

/** What a view needs to know beside its document. */
export interface Setting {
  /** Where one is. */
  readonly place: Place;
  /** The address of a place; undefined where nothing leads there, as in most of a report. */
  readonly href: (place: Place) => string | undefined;
  /** The pictures stand in a report, which nobody can steer. */
  readonly isReport: boolean;
  /** Room for a picture as wide as the page, in units. */
  readonly width: number;
}

/** Below this, everything stands in one column. */
const NARROW = 820;
const GAP = 20;
const PADDING = 18;

/** Room for a picture in a card of which `columns` stand beside each other. */
export function cardWidth({ width }: Setting, columns = 1): number {
  const beside = width < NARROW ? 1 : columns;
  return Math.round((width - GAP * (beside - 1)) / beside - 2 * PADDING);
}

/** A link to another place; plain text where nothing leads there. */
export function link(
  { place, href }: Setting,
  target: (place: Place) => Place,
  attributes: Record<string, string | boolean | undefined>,
  ...children: readonly (Child | readonly Child[])[]
): Element {
  const address = href(target(place));
  if (address === undefined) return h("span", { class: attributes["class"] }, ...children);
  return h("a", { ...attributes, href: address }, ...children);
}

/** A state as sign and word. */
export function chip(state: SignalState): Element {
  const { sign, name, meaning } = STATE_WORDS[state];
  return h(
    "span",
    { class: `chip state-${state}`, "data-tip": meaning },
    h("span", { class: "sign", "aria-hidden": "true" }, sign),
    ` ${name}`,
  );
}

/** A signal's name with its kind set back. */
export function signalName(name: string): Element {
  const { group, rest } = splitSignal(name);
  return h(
    "span",
    { class: "signal-name" },
    group ? h("span", { class: "group" }, `${group}.`) : null,
    rest,
  );
}

/** A section of the page. */
export function card(
  title: Child,
  attributes: Record<string, string>,
  ...children: readonly (Child | readonly Child[])[]
): Element {
  const { class: className = "", ...rest } = attributes;
  return h("section", { class: `card ${className}`, ...rest }, h("h2", null, title), ...children);
}

/** What the colours of a comparison mean. */
export function legend(reference: Side, live: Side, nowMs: number): Element {
  const when = (side: Side) =>
    side.startMs === null || side.endMs === null
      ? ""
      : `, ${between(side.startMs, side.endMs, nowMs)}`;
  const entry = (className: string, side: Side) =>
    h(
      "span",
      { class: "legend-entry" },
      h("span", { class: `swatch ${className}`, "aria-hidden": "true" }),
      h("strong", null, side.label),
      ` ${plural(side.count, "value")}${when(side)}`,
    );
  return h("p", { class: "legend" }, entry("reference", reference), entry("live", live));
}

/** A table that is moved sideways where it has no room. */
export function table(
  label: string,
  heads: readonly string[],
  rows: readonly Element[],
  className = "",
): Element {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      { class: className },
      h("thead", null, h("tr", null, ...heads.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", null, rows),
    ),
  );
}

/** The segments of a model, worst first. */
export function segmentTable(
  setting: Setting,
  rows: readonly SegmentRow[],
  ofSignal: boolean,
): Element {
  const most = Math.max(...rows.map(({ ratio }) => ratio ?? 0), 1);
  const heads = ["Segment", "State", ...(ofSignal ? [] : ["Drifted"]), "Distance over threshold"];
  const lines = rows.map((row) => {
    const name = link(setting, (place) => ({ ...place, segment: row.segment }), {}, row.segment);
    return h(
      "tr",
      { key: row.segment },
      h("th", { scope: "row" }, name),
      h("td", null, chip(row.state)),
      ofSignal ? null : h("td", null, `${row.drifted} of ${row.signals}`),
      h("td", null, ratioBar(row.ratio, most), ofSignal ? null : h("small", null, ` ${row.worst}`)),
    );
  });
  return table("Segments", heads, lines, "segments");
}

/** Statistic over threshold as a bar; the line is where drift begins. */
export function ratioBar(ratio: number | null, most: number): Element {
  const width = 96;
  const scale = Math.max(most, 1.2);
  const limit = width / scale;
  return h(
    "span",
    { class: "ratio" },
    h(
      "svg",
      { viewBox: `0 0 ${width} 12`, class: "ratio-bar", "aria-hidden": "true" },
      h("rect", { class: "ratio-track", x: 0, y: 4, width, height: 4 }),
      h("rect", {
        class: (ratio ?? 0) > 1 ? "ratio-above" : "ratio-below",
        x: 0,
        y: 2,
        height: 8,
        width: Math.min(width, ((ratio ?? 0) / scale) * width),
      }),
      h("line", { class: "ratio-limit", x1: limit, x2: limit, y1: 0, y2: 12 }),
    ),
    h("span", { class: "ratio-text" }, times(ratio)),
  );
}

/** What breaks the schema. */
export function qualityList(rows: readonly QualityRow[]): Element {
  return h(
    "ul",
    { class: "quality" },
    rows.map(({ signal, kind, count: found }) =>
      h(
        "li",
        null,
        h("strong", null, count(found)),
        ` ${QUALITY_WORDS[kind] ?? kind}: `,
        signalName(signal),
      ),
    ),
  );
}

/** A message in place of a picture: what is missing, and what to do. */
export function notice(title: string, ...children: readonly (Child | readonly Child[])[]): Element {
  return h("div", { class: "notice", role: "status" }, h("h2", null, title), ...children);
}

/** Jaeger's page of one trace; null where Jaeger is not configured. */
export function traceUrl({ jaeger }: Links, traceId: string): string | null {
  return jaeger === null
    ? null
    : `${jaeger.replace(/\/$/, "")}/trace/${encodeURIComponent(traceId)}`;
}

/** Grafana's dashboard of one model and signal; null where Grafana is not configured. */
export function grafanaUrl(
  { grafana }: Links,
  { model, signal, fromMs, toMs }: { model: string; signal: string; fromMs: number; toMs: number },
): string | null {
  if (grafana === null) return null;
  const query = new URLSearchParams({ "var-model": model, from: String(fromMs), to: String(toMs) });
  if (signal !== "") query.set("var-signal", signal);
  return `${grafana.replace(/\/$/, "")}/d/tidemark-model?${query}`;
}
