/** All models: which of them moved, and how each of them is. */
import type { ModelSummary, ModelsDocument, SignalState } from "../documents.js";
import { STATES } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { toModel } from "../place.js";
import { ago, percent, plural, STATE_WORDS, time } from "../words.js";
import type { Setting } from "./parts.js";
import { chip, link, notice } from "./parts.js";

/** The page's first view. */
export function modelsView(document: ModelsDocument, setting: Setting): Element[] {
  const { models, nowMs } = document;
  if (models.length === 0) return [nothingYet()];
  return [
    h("h1", null, headline(models)),
    h(
      "ul",
      { class: "models" },
      models.map((model) =>
        h("li", { key: `${model.model}\u0000${model.version}` }, modelCard(model, nowMs, setting)),
      ),
    ),
  ];
}

function headline(models: readonly ModelSummary[]): string {
  const of = (state: SignalState) => models.filter((one) => one.state === state).length;
  const all = plural(models.length, "model");
  if (of("drifted") > 0) return `${of("drifted")} of ${all} drifted`;
  if (of("silent") > 0) return `${of("silent")} of ${all} fell silent`;
  if (of("warning") + of("stable") > 0) return "Nothing has drifted";
  return of("learning") > 0 ? "Learning what is normal" : "Nothing could be judged yet";
}

function modelCard(model: ModelSummary, nowMs: number, setting: Setting): Element {
  const { state, counts, lastMs, sinceMs, predictions, errors, worst, segments } = model;
  const signals = STATES.flatMap((one) => (counts[one] ? [[one, counts[one]] as const] : []));
  const since =
    sinceMs !== null && sinceMs > 0
      ? `, since ${time(sinceMs, nowMs)}, ${ago(sinceMs, nowMs)}`
      : "";
  const silent = state === "silent" ? since : "";
  return link(
    setting,
    (place) => toModel(place, model.model, model.version),
    { class: `card model-card edge-${state}` },
    h(
      "span",
      { class: "model-head" },
      h("strong", { class: "model-name" }, model.model),
      model.version ? h("span", { class: "version" }, model.version) : null,
      chip(state),
    ),
    h(
      "span",
      { class: "model-worst" },
      worst.length > 0 ? `${worst.join(", ")}${since}` : `${STATE_WORDS[state].meaning}${silent}`,
    ),
    mixBar(signals),
    h(
      "span",
      { class: "model-facts" },
      [
        signals.map(([one, number]) => `${number} ${STATE_WORDS[one].name}`).join(", ") ||
          "no signals yet",
        plural(predictions, "prediction"),
        errors > 0 ? `${percent(errors / Math.max(1, predictions))} failed` : "",
        segments.length > 0 ? plural(segments.length, "segment") : "",
        lastMs === null ? "no window has ended yet" : `last window ${ago(lastMs, nowMs)}`,
      ]
        .filter((text) => text !== "")
        .map((text) => h("span", null, text)),
    ),
  );
}

function mixBar(counts: readonly (readonly [string, number])[]): Element {
  const all = counts.reduce((sum, [, number]) => sum + number, 0);
  let x = 0;
  return h(
    "svg",
    { class: "mix", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
    counts.map(([state, number]) => {
      const width = (number / Math.max(1, all)) * 100;
      const part = h("rect", {
        class: `state-${state}`,
        x,
        y: 0,
        width: Math.max(0.5, width - 0.5),
        height: 4,
      });
      x += width;
      return part;
    }),
  );
}

function nothingYet(): Element {
  return notice(
    "No predictions yet",
    h("p", null, "The receiver is ready. Models appear here with their first span."),
    h(
      "ol",
      { class: "steps" },
      step(
        "A Node app",
        h("code", null, "node --require @tidemark/instrumentation/register app.js"),
        " sends spans without a change of the code.",
      ),
      step(
        "Any OpenTelemetry client",
        "Export OTLP to ",
        h("code", null, "http://127.0.0.1:4318"),
        " (HTTP) or ",
        h("code", null, "127.0.0.1:4317"),
        " (gRPC). Spans of OpenInference, OpenLLMetry, the GenAI conventions and ours are read.",
      ),
      step(
        "Nothing comes?",
        "The receiver's health shows what was received, and what was refused and why.",
      ),
    ),
  );
}

function step(title: string, ...lines: readonly (Element | string)[]): Element {
  return h("li", null, h("strong", null, title), h("p", null, ...lines));
}
