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
/** Rows of a list that may have thousands. */
const ROWS_SHOWN = 12;
/** Room for a picture on the smallest screen; a window that has no size yet says less. */
const PICTURE_MIN = 240;

/** Room for a picture in a card of which `columns` stand beside each other. */
export function cardWidth({ width }: Setting, columns = 1): number {
  const beside = width < NARROW ? 1 : columns;
  const room = Math.round((width - GAP * (beside - 1)) / beside - 2 * PADDING);
  return Math.max(PICTURE_MIN, room);
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

/** A table that is moved sideways where it has no room; its last columns may be numbers. */
export function table(
  label: string,
  heads: readonly string[],
  rows: readonly Element[],
  className = "",
  numbersFrom = heads.length,
): Element {
  const head = (text: string, i: number) =>
    h("th", { scope: "col", class: i < numbersFrom ? undefined : "number" }, text);
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      { class: className },
      h("thead", null, h("tr", null, ...heads.map(head))),
      h("tbody", null, rows),
    ),
  );
}

/**
 * The segments of a model, worst first, with what has moved most in each; or those of one signal,
 * with the share that each has in its change: above 1 where others make up for it.
 */
export function segmentTable(
  setting: Setting,
  ranking: readonly SegmentRow[],
  shares?: ReadonlyMap<string, number>,
): Element {
  const ofSignal = shares !== undefined;
  const isShared = ranking.some(({ segment }) => shares?.has(segment));
  const shareOf = ({ segment }: SegmentRow) => shares?.get(segment) ?? 0;
  const rows = ranking.toSorted((a, b) => shareOf(b) - shareOf(a));
  const most = Math.max(...rows.map(({ ratio }) => ratio ?? 0), 1);
  const heads = [
    "Segment",
    "State",
    ...(ofSignal ? [] : ["Drifted"]),
    ...(isShared ? ["Of the change"] : []),
    "Distance over threshold",
  ];
  const line = (row: SegmentRow) => {
    const name = link(setting, (place) => ({ ...place, segment: row.segment }), {}, row.segment);
    return h(
      "tr",
      { key: row.segment },
      h("th", { scope: "row" }, name),
      h("td", null, chip(row.state)),
      ofSignal ? null : h("td", null, `${row.drifted} of ${row.signals}`),
      isShared ? h("td", null, `${Math.round(shareOf(row) * 100)} %`) : null,
      h("td", null, ratioBar(row.ratio, most), ofSignal ? null : h("small", null, ` ${row.worst}`)),
    );
  };
  const list = (some: readonly SegmentRow[]) =>
    table("Segments", heads, some.map(line), "segments");
  return h("div", null, ...withRest(rows, list));
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

/** What breaks the schema, the most frequent first. */
export function qualityList(rows: readonly QualityRow[]): Element {
  return h("div", null, ...withRest(rows, findings));
}

function findings(rows: readonly QualityRow[]): Element {
  const lines = rows.map(({ signal, kind, count: found }) => {
    const [noun, fault] = QUALITY_WORDS[kind] ?? ["value", kind];
    const amount = h("strong", null, plural(found, noun));
    return h("li", null, amount, ` ${fault}: `, signalName(signal));
  });
  return h("ul", { class: "quality" }, lines);
}

/** The first rows, and all others where they can be opened. */
function withRest<T>(rows: readonly T[], list: (some: readonly T[]) => Element): Element[] {
  const rest = rows.slice(ROWS_SHOWN);
  if (rest.length === 0) return [list(rows)];
  const summary = h("summary", null, `${count(rest.length)} more`);
  return [list(rows.slice(0, ROWS_SHOWN)), h("details", { class: "rest" }, summary, list(rest))];
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
