/** One signal: live beside reference, tests, over time, for whom, and in which traces. */
import type { SignalDocument, VerdictFacts } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { categoriesPicture } from "../pictures/categories.js";
import { cumulativePicture, densityPicture } from "../pictures/curves.js";
import { stripPicture } from "../pictures/strip.js";
import {
  ago,
  count,
  duration,
  number,
  percent,
  plural,
  STATE_WORDS,
  time,
  withoutName,
} from "../words.js";
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
    h("p", { class: "lead" }, shown ? withoutName(signal, shown.sentence) : waiting(document)),
    h("div", { class: "wide-strip" }, stripPicture(document.runs, document)),
    ...pictures(document, setting, shown),
    traces(document, setting),
    verdicts.length === 0 ? null : testsCard(document),
    ...timeColumns(document, setting, shown),
    document.changes.length === 0 ? null : changes(document),
  ].filter((part) => part !== null);
}

/** What is lacking for a verdict. */
function waiting({ learning, reference }: SignalDocument): string {
  if (learning) {
    const { learned, needed, learnedSpanMs, neededSpanMs } = learning;
    return (
      `Learning what is normal: ${count(learned)} of ${count(needed)} values, ` +
      `over ${duration(learnedSpanMs)} of ${duration(neededSpanMs)}. It takes both.`
    );
  }
  return reference ? "No window has ended yet." : "There is nothing to compare it with.";
}

function pictures(
  document: SignalDocument,
  setting: Setting,
  shown: VerdictFacts | undefined,
): Element[] {
  const { comparison, nowMs, state, learning } = document;
  if (comparison === null) {
    const title = learning ? "Still learning" : STATE_WORDS[state].name;
    const text = learning
      ? LEARNING
      : "There are no live values of this signal in this range to compare. Choose a longer range.";
    return [
      notice(
        title.charAt(0).toUpperCase() + title.slice(1),
        h("p", null, text),
        learning ? meter(learning.learned / learning.needed) : null,
      ),
    ];
  }
  const head = legend(comparison.reference, comparison.live, nowMs);
  const tooFew =
    shown?.state === "insufficient" ? h("p", { class: "hint" }, insufficientText(shown)) : null;
  if (comparison.kind === "categorical") {
    return [
      card(
        "Categories",
        { class: "wide" },
        head,
        tooFew,
        categoriesPicture(comparison, cardWidth(setting)),
      ),
    ];
  }
  const { outside, atoms } = comparison;
  const hidden = Math.max(outside.live, outside.reference);
  return [
    card(
      "Density",
      { class: "half" },
      head,
      tooFew,
      densityPicture(comparison, cardWidth(setting, 2)),
      h(
        "p",
        { class: "hint" },
        [
          atoms.length > 0 ? "Bars are values that many rows share. " : "",
          hidden > 0.001 ? `Not shown: the ${percent(hidden)} that lie furthest out. ` : "",
          "The band is where the density lies with 95 % confidence.",
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

function traces(document: SignalDocument, setting: Setting): Element {
  const { exemplars, links, state, nowMs } = document;
  const grafana = grafanaUrl(links, document);
  const buttons =
    grafana === null
      ? null
      : h(
          "p",
          { class: "buttons" },
          h("a", { class: "button", href: grafana, rel: "noreferrer" }, "Grafana"),
        );
  const title = state === "drifted" ? "Predictions behind this drift" : "Predictions behind this";
  if (exemplars.length === 0) {
    return card(
      title,
      { id: "traces", class: "wide traces" },
      h(
        "p",
        { class: "hint" },
        state === "drifted" || state === "warning"
          ? "No trace has been kept with this verdict yet."
          : "Traces are kept with windows in alarm.",
      ),
      buttons,
    );
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
    links.jaeger === null && setting.place !== null
      ? h("p", { class: "hint" }, "service.links.jaeger in the configuration makes these links.")
      : null;
  const list = table("Traces", ["Value", "When", "Trace"], rows);
  return card(title, { id: "traces" }, list, hint, buttons);
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
          h("span", null, withoutName(signal, one.sentence)),
        ),
      ),
    ),
  );
}
