/**
 * The views as one file that needs nothing else: no script, no request, no font. It opens from a
 * disk, in a mail, and where a build server lets no script run.
 */
import type { CompareDocument } from "./comparison.js";
import type { ModelDocument, SignalDocument } from "./documents.js";
import type { Element } from "./element.js";
import { h, toHtml } from "./element.js";
import { placeOf } from "./place.js";
import { compareView } from "./views/compare-view.js";
import { headline, modelView } from "./views/model-view.js";
import type { Setting } from "./views/parts.js";
import { signalView } from "./views/signal-view.js";
import { between, day, time } from "./words.js";

/** As wide as a page of a report is drawn, in units. */
const WIDTH = 1200;
const ROWS_MAX = 100_000;

/** The style that is written into the file, and what the policy knows it by. */
export interface ReportStyle {
  readonly css: string;
  /** `sha256-…` of the text, as a Content Security Policy wants it. */
  readonly hash: string;
}

/** A model over a range, and its signals one by one. */
export function modelReport(
  model: ModelDocument,
  signals: readonly SignalDocument[],
  style: ReportStyle,
): string {
  const told = new Set(signals.map(({ signal }) => signal));
  const setting: Setting = {
    place: placeOf(""),
    href: ({ signal }) => (told.has(signal) ? `#${encodeURIComponent(signal)}` : undefined),
    isReport: true,
    width: WIDTH,
  };
  const name = [model.model, model.version, model.segment].filter(Boolean).join(" · ");
  const range = between(model.fromMs, model.toMs, 0);
  const sections = signals.map((one) =>
    h("section", { class: "view", id: one.signal }, ...signalView(one, setting)),
  );
  const overview = modelView(model, { ...setting, rows: ROWS_MAX, filter: "" });
  const head = h(
    "p",
    { class: "report-head" },
    `${name} · ${range} · written ${stamp(model.nowMs)}`,
  );
  return fileOf(`${name}: ${headline(model)}`, style, [
    head,
    h("div", { class: "view" }, ...overview),
    ...sections,
  ]);
}

/** One set of data beside another. */
export function compareReport(compared: CompareDocument, style: ReportStyle): string {
  const head = h("p", { class: "report-head" }, `written ${stamp(compared.nowMs)}`);
  return fileOf(compared.headline, style, [
    head,
    h("div", { class: "view" }, ...compareView(compared, WIDTH)),
  ]);
}

function stamp(ms: number): string {
  return `${day(ms)} ${time(ms, ms)}`;
}

function fileOf(title: string, { css, hash }: ReportStyle, body: readonly Element[]): string {
  const policy = `default-src 'none'; style-src '${hash}'; base-uri 'none'; form-action 'none'`;
  const head = h(
    "head",
    null,
    h("meta", { charset: "utf-8" }),
    h("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
    h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    h("meta", { name: "color-scheme", content: "light dark" }),
    h("title", null, title),
    h("style", null, css),
  );
  const page = h("body", null, h("div", { id: "page" }, h("main", { class: "report" }, ...body)));
  return `<!doctype html>\n${toHtml(h("html", { lang: "en" }, head, page))}\n`;
}
