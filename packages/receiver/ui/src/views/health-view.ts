/** How the receiver itself is: what came in, what became of it, and what it holds. */
import type { HealthDocument, HealthMetric } from "../documents.js";
import type { Element } from "../element.js";
import { h } from "../element.js";
import { bytes, count, duration, plural } from "../words.js";
import { card } from "./parts.js";

/** Counters and outcomes that are worth a look once there are any. */
const TROUBLE = /refus|reject|drop|fail|invalid|overflow|damage|abort|lost|error|\b[45]\d\d\b/;
/** Gauges that are 1 while all is well. */
const WELL = /\.valid$/;

/** The view: what deserves a look comes first. */
export function healthView(status: HealthDocument): Element[] {
  const { version, startedMs, nowMs, ready, memoryBytes, metrics } = status;
  const filled = metrics.filter(({ points }) => points.length > 0);
  const troubled = filled.filter((metric) =>
    metric.points.some((point) => isTrouble(metric, point)),
  );
  const marked =
    troubled.length === 0
      ? ""
      : ` ${plural(troubled.length, "counter")} to look at, marked ▲ and shown first.`;
  return [
    h("h1", null, ready ? "The receiver is at work" : "The receiver is starting"),
    h(
      "p",
      { class: "lead" },
      `Version ${version}, up ${duration(nowMs - startedMs)}, ${bytes(memoryBytes)} of memory.`,
      marked,
    ),
    ...troubled.map(metricCard),
    ...filled.filter((metric) => !troubled.includes(metric)).map(metricCard),
    filled.length === 0 ? h("p", null, "It has counted nothing yet.") : null,
  ].filter((part) => part !== null);
}

function isTrouble({ name }: HealthMetric, { labels, value }: HealthPoint): boolean {
  if (WELL.test(name)) return value === 0;
  return value > 0 && TROUBLE.test([name, ...Object.values(labels)].join(" "));
}

type HealthPoint = HealthMetric["points"][number];

function metricCard(metric: HealthMetric): Element {
  const { name, brief, unit, points } = metric;
  const show = (value: number) => (unit === "By" ? bytes(value) : count(value));
  const rows = points.map((point) => {
    const text = Object.values(point.labels).filter(Boolean).join(", ") || "in all";
    const isMarked = isTrouble(metric, point);
    return h(
      "tr",
      { class: isMarked ? "trouble" : undefined },
      h("th", { scope: "row" }, isMarked ? "▲ " : null, text),
      h("td", { class: "number" }, show(point.value)),
    );
  });
  return card(
    brief,
    { class: "third" },
    h("table", null, h("tbody", null, rows)),
    h("p", { class: "hint" }, h("code", null, name)),
  );
}
