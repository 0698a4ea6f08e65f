/** One model: what moved, since when, and all of its signals over time. */
import type { ModelDocument, SignalRow } from "../documents.js";
import { STATES } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { previewPicture } from "../pictures/preview.js";
import { stripPicture, timeAxis } from "../pictures/strip.js";
import { toSignal } from "../place.js";
import {
  ago,
  change,
  count,
  learningWords,
  percent,
  plural,
  STATE_WORDS,
  time,
  times,
  withoutName,
} from "../words.js";
import type { Setting } from "./parts.js";
import {
  card,
  chip,
  grafanaUrl,
  link,
  notice,
  qualityList,
  ratioBar,
  segmentTable,
  signalName,
} from "./parts.js";

const MOVED_SHOWN = 6;
const HELD = "still in alarm: it ends after two windows below the floor";

/** What of the model is shown now: rows beyond `rows` come a moment later. */
export interface ModelSetting extends Setting {
  readonly rows: number;
  /** Part of a name; only signals that have it are listed. */
  readonly filter: string;
}

/** The view. */
export function modelView(document: ModelDocument, setting: ModelSetting): Element[] {
  const { signals, quality, segment } = document;
  return [
    h(
      "h1",
      null,
      headline(document),
      segment === "" ? null : h("span", { class: "of-segment" }, ` in ${segment}`),
    ),
    h("p", { class: "lead" }, lead(document)),
    signals.length === 0
      ? notice(
          "No signals yet",
          h("p", null, "Spans have named this model, but none of them carries a value to watch."),
        )
      : null,
    ...whatMoved(document, setting),
    signals.length === 0 ? null : timeline(document, setting),
    quality.length === 0
      ? null
      : card(
          "Quality of the data",
          { class: "wide", id: "quality" },
          qualityList(quality),
          h("p", { class: "hint" }, "Since the model was first seen."),
        ),
  ].filter((part) => part !== null);
}

/** What moved and for whom: beside each other where it is one signal, and there are segments. */
function whatMoved(document: ModelDocument, setting: Setting): (Element | null)[] {
  const { signals, segmentRanking } = document;
  const moved = signals.filter(({ state }) => state === "drifted" || state === "warning");
  const isBeside = moved.length === 1 && segmentRanking.length > 0;
  const beside = isBeside ? "half" : "wide";
  return [
    moved.length === 0 ? null : movedList(moved, document, setting, beside),
    segmentRanking.length === 0
      ? null
      : card("For whom", { class: beside }, segmentTable(setting, segmentRanking)),
  ];
}

/** What has happened, in one line. */
export function headline({ signals, segmentRanking }: ModelDocument): string {
  const of = (state: string) => signals.filter((one) => one.state === state).length;
  const [drifted, warning] = [of("drifted"), of("warning")];
  if (drifted > 0) return `${drifted} of ${plural(signals.length, "signal")} drifted`;
  const [worst] = segmentRanking;
  if (worst?.state === "drifted")
    return `${plural(worst.drifted, "signal")} drifted in ${worst.segment}`;
  if (warning > 0) return `${plural(warning, "signal")} may be moving`;
  if (of("silent") > 0) return `${of("silent")} of ${plural(signals.length, "signal")} fell silent`;
  if (signals.length > 0 && of("learning") === signals.length) return "Learning what is normal";
  const judged = signals.filter(({ state }) => state === "stable").length;
  if (judged === 0) return "Nothing could be judged yet";
  return judged === signals.length
    ? "All signals are as the reference"
    : `${judged} of ${plural(signals.length, "signal")} are as the reference`;
}

function lead({
  signals,
  segment,
  predictions,
  errors,
  window,
  nowMs,
  links,
  model,
  fromMs,
  toMs,
  quality,
}: ModelDocument): (Element | string)[] {
  const since = beginningOf(signals);
  const failed = errors > 0 ? `, ${percent(errors / Math.max(1, predictions))} of them failed` : "";
  const grafana = grafanaUrl(links, { model, signal: "", fromMs, toMs });
  // Calls are counted for the model as a whole.
  const made = segment === "" ? `${plural(predictions, "prediction")} counted${failed}. ` : "";
  return [
    since === undefined ? "" : `Since ${time(since, nowMs)}, ${ago(since, nowMs)}. `,
    `Windows of ${window}. ${made}`,
    ...(quality.length === 0
      ? []
      : [h("a", { href: "#quality" }, `${plural(quality.length, "finding")} on quality`), ". "]),
    ...(grafana === null ? [] : [h("a", { href: grafana, rel: "noreferrer" }, "Open in Grafana")]),
  ];
}

/** When the first of the worst began; undefined while nothing is the matter. */
function beginningOf(signals: readonly SignalRow[]): number | undefined {
  const worst = (["drifted", "warning", "silent"] as const).find((state) =>
    signals.some((row) => row.state === state),
  );
  const begun = signals
    .filter(({ state, sinceMs }) => state === worst && sinceMs !== null)
    .map(({ sinceMs }) => sinceMs as number);
  return begun.length > 0 ? Math.min(...begun) : undefined;
}

/** What moved, with a sentence each. */
function movedList(
  moved: readonly SignalRow[],
  { nowMs }: ModelDocument,
  setting: Setting,
  className: string,
): Element {
  const more = moved.length - MOVED_SHOWN;
  return h(
    "ol",
    { class: `moved ${className}`, "aria-label": "What moved" },
    moved.slice(0, MOVED_SHOWN).map((row) =>
      h(
        "li",
        { key: row.signal },
        link(
          setting,
          (place) => toSignal(place, row.signal),
          { class: `card moved-card edge-${row.state}` },
          h("span", { class: "moved-head" }, signalName(row.signal), chip(row.state)),
          row.preview ? previewPicture(row.preview) : null,
          h("span", { class: "moved-sentence" }, withoutName(row.signal, row.sentence, nowMs)),
          h(
            "span",
            { class: "moved-facts" },
            row.sinceMs === null ? null : h("span", null, `since ${time(row.sinceMs, nowMs)}`),
            mediansText(row),
            h("span", null, `${times(row.ratio)} the threshold`),
            h("span", null, `${count(row.liveCount)} values`),
            isHeld(row) ? h("span", null, HELD) : null,
          ),
        ),
      ),
    ),
    more > 0 ? h("li", { class: "more" }, `and ${more} more below`) : null,
  );
}

/** How much, in the unit of the values. */
function mediansText({ preview }: SignalRow): Element | null {
  const { reference, live } = preview?.medians ?? { reference: 0, live: 0 };
  const text = change(reference, live);
  return text === "" ? null : h("span", null, `median ${text}`);
}

/** An alarm that its last window would not have begun. */
function isHeld({ state, ratio }: SignalRow): boolean {
  return state === "drifted" && ratio !== null && ratio < 1;
}

/** All signals over the range, worst first. */
function timeline(document: ModelDocument, setting: ModelSetting): Element {
  const { signals, window } = document;
  const wanted = signals.filter(({ signal }) =>
    signal.toLowerCase().includes(setting.filter.toLowerCase()),
  );
  const most = Math.max(...signals.map(({ ratio }) => ratio ?? 0), 1);
  const shown = wanted.slice(0, setting.rows);
  const states = STATES.filter((state) =>
    signals.some((row) => row.state === state || row.runs.some((run) => run.state === state)),
  );
  return card(
    "All signals over time",
    { class: "timeline" },
    h(
      "div",
      { class: "timeline-tools" },
      h(
        "p",
        { class: "legend" },
        states.map((state) => chip(state)),
      ),
      signals.length > 12 && !setting.isReport
        ? h("input", {
            type: "search",
            "data-filter": "",
            "aria-label": "Filter signals by name",
            placeholder: `Filter ${signals.length} signals`,
            value: setting.filter,
          })
        : null,
    ),
    h(
      "div",
      { class: "rows", role: "list", "aria-label": `Verdicts of windows of ${window}` },
      axis(document),
      shown.map((row) => signalLine(row, document, setting, most)),
    ),
    wanted.length === 0
      ? h("p", { class: "hint" }, `No signal's name contains “${setting.filter}”.`)
      : null,
  );
}

/** The times above the strips. */
function axis(document: ModelDocument): Element {
  return h(
    "div",
    { class: "row axis-row", role: "presentation", "aria-hidden": "true" },
    h("span", { class: "row-name" }),
    timeAxis(document),
    h("span", { class: "row-ratio" }),
    h("span", { class: "row-state" }),
  );
}

function signalLine(
  row: SignalRow,
  document: ModelDocument,
  setting: Setting,
  most: number,
): Element {
  return h(
    "div",
    { class: "row", role: "listitem", key: row.signal },
    link(
      setting,
      (place) => toSignal(place, row.signal),
      { class: "row-name", "data-tip": row.signal },
      signalName(row.signal),
    ),
    stripPicture(row.runs, document),
    row.learning ? learningText(row) : h("span", { class: "row-ratio" }, ratioBar(row.ratio, most)),
    h("span", { class: "row-state" }, chip(row.state)),
  );
}

function learningText({ learning }: SignalRow): Element {
  const text = learning ? learningWords(learning) : "";
  return h("span", { class: "row-ratio", "data-tip": STATE_WORDS.learning.meaning }, text);
}
