/** One signal: live beside reference, tests, over time, for whom, and in which traces. */
import type { CategoricalComparison, NumericComparison } from "../comparison.js";
import type { SignalDocument, VerdictFacts } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { atomSpacing, isAtomic } from "../pictures/atoms.js";
import { CATEGORIES_DRAWN, categoriesPicture } from "../pictures/categories.js";
import { cumulativePicture, densityPicture } from "../pictures/curves.js";
import { stripPicture, timeAxis } from "../pictures/strip.js";
import { ago, count, learningWords, number, percent, plural, time, withoutName } from "../words.js";
import type { Setting } from "./parts.js";
import {
  card,
  cardWidth,
  chip,
  grafanaUrl,
  legend,
  notice,
  signalName,
  table,
  traceUrl,
} from "./parts.js";
import { testsCard } from "./tests-card.js";
import { timeColumns } from "./time-columns.js";

const EXEMPLARS_SHOWN = 12;
const LEARNING =
  "Once there are enough values over enough time they become the reference, and every window is " +
  "compared with them. A reference made of training data needs no learning: " +
  "tidemark baseline build.";
const NOTHING_BEFORE =
  "What this signal is to stand beside has no values of it. Choose another range or version.";
const NOTHING_LIVE =
  "This signal has no values in this range that could be compared. Choose a longer range.";
const CUMULATIVE_HINT =
  "Bands of 95 % over the whole curve, the error of the summaries included. " +
  "The gap is the Kolmogorov-Smirnov distance.";

/** The view. */
export function signalView(document: SignalDocument, setting: Setting): Element[] {
  const { signal, state, sinceMs, nowMs, verdicts, window } = document;
  const shown = verdicts.find((verdict) => verdict.window === window);
  const since =
    sinceMs !== null && sinceMs > 0 ? ` since ${time(sinceMs, nowMs)}, ${ago(sinceMs, nowMs)}` : "";
  return [
    h(
      setting.isReport ? "h2" : "h1",
      { class: "title" },
      signalName(signal),
      " ",
      chip(state),
      h("small", { class: "since" }, since),
    ),
    h("p", { class: "lead" }, ...lead(document, shown)),
    h("div", { class: "wide-strip" }, stripPicture(document.runs, document), timeAxis(document)),
    ...pictures(document, setting, shown),
    traces(document),
    verdicts.length === 0 ? null : testsCard(document),
    ...timeColumns(document, setting, shown),
    document.changes.length === 0 ? null : changes(document),
  ].filter((part) => part !== null);
}

function lead(document: SignalDocument, shown: VerdictFacts | undefined): (Element | string)[] {
  const { signal, nowMs, links } = document;
  const grafana = grafanaUrl(links, document);
  return [
    shown ? `${withoutName(signal, shown.sentence, nowMs)}. ` : `${waiting(document)} `,
    ...(grafana === null ? [] : [h("a", { href: grafana, rel: "noreferrer" }, "Open in Grafana")]),
  ];
}

/** What is lacking for a verdict. */
function waiting({ learning, reference }: SignalDocument): string {
  if (learning) return `Learning what is normal: ${learningWords(learning)}.`;
  return reference ? "No window has ended yet." : "There is nothing to compare it with.";
}

function pictures(
  document: SignalDocument,
  setting: Setting,
  shown: VerdictFacts | undefined,
): Element[] {
  const { comparison, nowMs } = document;
  if (comparison === null) return [nothingToCompare(document, setting)];
  const head = legend(comparison.reference, comparison.live, nowMs);
  const tooFew =
    shown?.state === "insufficient" ? h("p", { class: "hint" }, insufficientText(shown)) : null;
  if (comparison.kind === "categorical") {
    const picture = categoriesPicture(comparison, cardWidth(setting));
    return [card("Categories", { class: "wide" }, head, tooFew, picture, leftOut(comparison))];
  }
  const { outside } = comparison;
  const hidden = Math.max(outside.live, outside.reference);
  return [
    card(
      isAtomic(comparison) ? "Values" : "Density",
      { class: "half" },
      head,
      tooFew,
      densityPicture(comparison, cardWidth(setting, 2)),
      h(
        "p",
        { class: "hint" },
        [
          barsText(comparison),
          hidden > 0.001 ? `Not shown: the ${percent(hidden)} that lie furthest out. ` : "",
          isAtomic(comparison) ? "" : "The band is where the density lies with 95 % confidence.",
        ].join(""),
      ),
    ),
    card(
      "Cumulative share",
      { class: "half" },
      head,
      cumulativePicture(comparison, cardWidth(setting, 2)),
      h("p", { class: "hint" }, CUMULATIVE_HINT),
    ),
  ];
}

function leftOut({ categories }: CategoricalComparison): Element | null {
  if (categories.length <= CATEGORIES_DRAWN) return null;
  const text = `The ${CATEGORIES_DRAWN} of ${categories.length} that changed most.`;
  return h("p", { class: "hint" }, text);
}

/** Why there is no picture, and what to do. */
function nothingToCompare({ learning }: SignalDocument, { place }: Setting): Element {
  if (learning) {
    const { learned, needed, learnedSpanMs, neededSpanMs } = learning;
    // It takes both, so what lags behind says how far it is.
    const share = Math.min(learned / needed, neededSpanMs > 0 ? learnedSpanMs / neededSpanMs : 1);
    return notice("Still learning", h("p", null, LEARNING), meter(share));
  }
  const isAgainst = place.against !== "" && place.against !== "reference";
  return isAgainst
    ? notice("Nothing to compare with", h("p", null, NOTHING_BEFORE))
    : notice("No values", h("p", null, NOTHING_LIVE));
}

function barsText(comparison: NumericComparison): string {
  if (comparison.atoms.length === 0) return "";
  const ownScale = atomSpacing(comparison) === undefined ? ", on a scale of their own" : "";
  return `Bars are values that many rows share${ownScale}. `;
}

function meter(share: number): Element {
  return h("progress", {
    max: 1,
    value: Math.min(1, share),
    "aria-label": "How far it has learned",
  });
}

function insufficientText({ liveCount, needed }: VerdictFacts): string {
  if (needed === null) return "The reference is too small: no window could be compared with it.";
  const values = plural(liveCount, "value");
  return (
    `This window has ${values}; a verdict takes ${count(needed)}. ` +
    "Longer windows may have enough."
  );
}

/** Only windows in alarm keep traces. */
function traces({ exemplars, links, state, nowMs }: SignalDocument): Element | null {
  const isAlarm = state === "drifted" || state === "warning";
  const title = state === "drifted" ? "Predictions behind this drift" : "Predictions behind this";
  if (exemplars.length === 0) {
    const hint = h("p", { class: "hint" }, "No trace has been kept with this verdict yet.");
    return isAlarm ? card(title, { id: "traces", class: "wide" }, hint) : null;
  }
  const rows = exemplars.slice(0, EXEMPLARS_SHOWN).map(({ traceId, spanId, value, timeMs }) => {
    const href = traceUrl(links, traceId);
    const id = h("code", null, traceId);
    return h(
      "tr",
      { key: spanId },
      h("td", null, h("strong", null, typeof value === "number" ? number(value) : value)),
      h("td", null, time(timeMs, nowMs)),
      h("td", null, href === null ? id : h("a", { href, rel: "noreferrer" }, id)),
    );
  });
  const hint =
    links.jaeger === null
      ? h("p", { class: "hint" }, "service.links.jaeger in the configuration makes these links.")
      : null;
  const list = table("Traces", ["Value", "When", "Trace"], rows);
  return card(title, { id: "traces" }, list, hint);
}

function changes({ changes: all, nowMs, signal }: SignalDocument): Element {
  return card(
    "What changed when",
    { class: "wide" },
    h(
      "ol",
      { class: "changes" },
      all.map((one) =>
        h(
          "li",
          null,
          h("time", { datetime: new Date(one.atMs).toISOString() }, time(one.atMs, nowMs)),
          h("span", { class: "window" }, one.window),
          chip(one.state),
          h("span", { class: "told" }, withoutName(signal, one.sentence, nowMs)),
        ),
      ),
    ),
  );
}
