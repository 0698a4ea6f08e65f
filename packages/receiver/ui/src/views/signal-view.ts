/** One signal: live beside reference, the tests in plain words, over time, for whom, in which traces. */
import type { OriginFacts, ReferenceFacts, SignalDocument, VerdictFacts } from "../documents.js";
import type { Child, Element } from "../element.js";
import { h } from "../element.js";
import { categoriesPicture } from "../pictures/categories.js";
import { cumulativePicture, densityPicture } from "../pictures/curves.js";
import {
  distancePicture,
  missingPicture,
  quantilesPicture,
  ridgesPicture,
  rowsPicture,
  sharesPicture,
} from "../pictures/over-time.js";
import { stripPicture } from "../pictures/strip.js";
import {
  ago,
  count,
  duration,
  METHOD_WORDS,
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
  qualityList,
  segmentTable,
  signalName,
  table,
  traceUrl,
} from "./parts.js";

/** Categories whose shares are shown over time; the API sends so many. */
const SHARES_SHOWN = 6;
const EXEMPLARS_SHOWN = 12;
const SEGMENTS_NAMED = 6;

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
      ...[signalName(signal), " ", chip(state), h("small", { class: "since" }, since)],
    ),
    h("p", { class: "lead" }, shown ? withoutName(signal, shown.sentence) : waiting(document)),
    h("div", { class: "wide-strip" }, stripPicture(document.runs, document)),
    ...pictures(document, setting, shown),
    traces(document, setting),
    verdicts.length === 0 ? null : tests(document),
    ...overTime(document, setting, shown),
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
      ? "Once there are enough values over enough time they become the reference, and every window is compared with them. A reference made of training data needs no learning: tidemark baseline build."
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
      h(
        "p",
        { class: "hint" },
        "Bands of 95 % over the whole curve, the error of the summaries included. The gap is what the test measures.",
      ),
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
  return `This window has ${plural(liveCount, "value")}; a verdict takes ${count(needed)}. Longer windows may have enough.`;
}

function traces(document: SignalDocument, setting: Setting): Element {
  const { exemplars, links, state, nowMs } = document;
  const grafana = grafanaUrl(links, document);
  const outside = (href: string, text: string) =>
    h("a", { class: "button", href, rel: "noreferrer" }, text);
  const buttons =
    grafana === null ? null : h("p", { class: "buttons" }, outside(grafana, "Grafana"));
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

function tests({ verdicts, window, nowMs, reference }: SignalDocument): Element {
  const shown = verdicts.find((one) => one.window === window) ?? verdicts[0];
  const heads = ["Window", "State", "Distance", "Too far above", "p", "PSI", "Live", "Reference"];
  const rows = verdicts.map((one) => {
    const { statistic, threshold, pValue, psi, liveCount, referenceCount } = one;
    const numbers = [statistic, threshold, pValue, psi].map(number);
    return h(
      "tr",
      { class: one.window === window ? "current" : undefined },
      h("th", { scope: "row" }, one.window),
      h("td", null, chip(one.state)),
      ...[...numbers, count(liveCount), count(referenceCount)].map((text) =>
        h("td", { class: "number" }, text),
      ),
    );
  });
  const provisional =
    "The reference is provisional: it was learned over less than a day and may not know every hour.";
  return card(
    "Tests",
    {},
    table("Tests", heads, rows, "tests"),
    shown ? h("dl", { class: "words" }, ...inWords(shown)) : null,
    reference?.provisional ? h("p", { class: "hint" }, provisional) : null,
    shown
      ? h("p", { class: "hint" }, `The last window with values ended ${ago(shown.endMs, nowMs)}.`)
      : null,
  );
}

/** The numbers of a verdict, explained. */
function inWords(one: VerdictFacts): Element[] {
  const entry = (term: string, ...text: readonly Child[]) => [
    h("dt", null, term),
    h("dd", null, ...text),
  ];
  const error = one.errorBound
    ? ` The summaries may be off by ${number(one.errorBound)} at most.`
    : "";
  return [
    ...entry(
      `Distance ${number(one.statistic)}`,
      `${METHOD_WORDS[one.method] ?? one.method}.${error}`,
    ),
    ...entry(
      `Too far above ${number(one.threshold)}`,
      `${number(one.floor)} is the effect that nobody wants to be told about; the rest is what chance may add with ${count(one.liveCount)} live and ${count(one.referenceCount)} reference values.`,
    ),
    ...entry(
      `p = ${number(one.pValue)}`,
      `how likely a distance like this one would be if the true one were within that effect. An alarm takes less than ${number(one.alpha)}, which follows from the promised rate of false alarms.`,
    ),
    ...(one.psi === null
      ? []
      : entry(
          `PSI ${number(one.psi)}`,
          "population stability index, shown for comparison; it decides nothing.",
        )),
  ];
}

/** Two columns of pictures, each as high as it comes. */
function overTime(
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
      ? distanceOverTime(known, shown, width)
      : null,
    known && ridges(known, shown, width),
  ];
  return [h("div", { class: "half stack" }, left), h("div", { class: "half stack" }, right)];
}

/** Which segments made it so. */
function originParts({ origin }: SignalDocument): Element[] {
  if (origin === null) return [];
  const { property, before, after, rankings } = origin;
  const rows = typeof property === "number" ? `at or below ${number(property)}` : `“${property}”`;
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
  width: number,
): Element {
  const { floor = null, threshold = null } = shown ?? {};
  const hint =
    "The line is the threshold of the last window; stretches with fewer values scatter more. " +
    "Drag over a picture to look closer.";
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
