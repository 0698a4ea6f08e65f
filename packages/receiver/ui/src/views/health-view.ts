/** How the receiver itself is: what came in, what became of it, and what it holds. */
import type { HealthDocument, HealthMetric } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { bytes, count, duration } from "../words.js";
import { card } from "./parts.js";

/** Outcomes that are worth a look. */
const TROUBLE = /refus|reject|drop|fail|invalid|overflow|damage|abort|lost|error/;

/** The view. */
export function healthView(status: HealthDocument): Element[] {
  const { version, startedMs, nowMs, ready, memoryBytes, metrics } = status;
  const filled = metrics.filter(({ points }) => points.length > 0);
  return [
    h("h1", null, ready ? "The receiver is at work" : "The receiver is starting"),
    h(
      "p",
      { class: "lead" },
      `Version ${version}, up ${duration(nowMs - startedMs)}, ${bytes(memoryBytes)} of memory.`,
    ),
    ...filled.map(metricCard),
    filled.length === 0 ? h("p", null, "It has counted nothing yet.") : null,
  ].filter((part) => part !== null);
}

function metricCard({ name, brief, unit, points }: HealthMetric): Element {
  const show = (value: number) => (unit === "By" ? bytes(value) : count(value));
  const rows = points.map(({ labels, value }) => {
    const text = Object.values(labels).filter(Boolean).join(", ") || "all";
    const isTrouble = value > 0 && TROUBLE.test(text);
    return h(
      "tr",
      { class: isTrouble ? "trouble" : undefined },
      h("th", { scope: "row" }, isTrouble ? "▲ " : null, text),
      h("td", { class: "number" }, show(value)),
    );
  });
  return card(
    brief,
    { class: "third" },
    h("table", null, h("tbody", null, rows)),
    h("p", { class: "hint" }, h("code", null, name)),
  );
}
