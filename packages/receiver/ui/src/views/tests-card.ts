/** The tests behind a verdict: their numbers, and what these mean. */
import type { SignalDocument, VerdictFacts } from "../documents.js";
import type { Child, Element } from "../element.js";
import { h } from "../element.js";
import { ago, count, distance, METHOD_WORDS, number, pValueText } from "../words.js";
import { card, chip, table } from "./parts.js";

/** The numbers of every window length, and those of the one that is shown in words. */
export function testsCard({ verdicts, window, nowMs, reference }: SignalDocument): Element {
  const shown = verdicts.find((one) => one.window === window) ?? verdicts[0];
  const heads = ["Window", "State", "Distance", "Too far above", "p", "PSI", "Live", "Reference"];
  const rows = verdicts.map((one) => {
    const { statistic, threshold, pValue, psi, liveCount, referenceCount } = one;
    const numbers = [distance(statistic), distance(threshold), pValueText(pValue), distance(psi)];
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
    "The reference is provisional: " +
    "it was learned over less than a day and may not know every hour.";
  return card(
    "Tests",
    {},
    table("Tests", heads, rows, "tests", 2),
    shown ? h("dl", { class: "words" }, ...inWords(shown)) : null,
    reference?.provisional ? h("p", { class: "hint" }, provisional) : null,
    shown
      ? h("p", { class: "hint" }, `The last window with values ended ${ago(shown.endMs, nowMs)}.`)
      : null,
  );
}

/** The numbers of a verdict, explained. */
function inWords(one: VerdictFacts): Element[] {
  const error = one.errorBound
    ? ` The summaries may be off by ${number(one.errorBound)} at most.`
    : "";
  return [
    ...entry(
      `Distance ${distance(one.statistic)}`,
      `${METHOD_WORDS[one.method] ?? one.method}.${error}`,
    ),
    ...entry(
      `Too far above ${distance(one.threshold)}`,
      `${distance(one.floor)} is the effect that nobody wants to be told about; the rest is what ` +
        `chance may add with ${count(one.liveCount)} live and ${count(one.referenceCount)} ` +
        "reference values.",
    ),
    ...entry(
      one.pValue === 0 ? `p ${pValueText(0)}` : `p = ${pValueText(one.pValue)}`,
      "how likely a distance like this one would be if the true one were within that effect. " +
        `An alarm takes less than ${number(one.alpha)}, which follows from the promised rate of ` +
        "false alarms.",
    ),
    ...(one.psi === null
      ? []
      : entry(
          `PSI ${distance(one.psi)}`,
          "population stability index, shown for comparison; it decides nothing.",
        )),
  ];
}

function entry(term: string, ...text: readonly Child[]): Element[] {
  return [h("dt", null, term), h("dd", null, ...text)];
}
