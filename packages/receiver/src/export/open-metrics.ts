/**
 * Metric families as text for a scrape: OpenMetrics 1.0 where the scraper asks for it, otherwise
 * Prometheus' own text format 0.0.4.
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { Exemplar } from "../exemplar.js";
import { exemplarNumber } from "../exemplar.js";
import type { HistogramPoint, Labels, MetricFamily, NumberPoint } from "../metric-family.js";

/** The content type of each format. */
export const CONTENT_TYPES = {
  openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
} as const;

/** Characters after which a part is complete. */
const PART_LENGTH = 16_384;

/** Writes the families part by part; those without points are left out. */
export function* formatMetrics(
  families: readonly MetricFamily[],
  format: keyof typeof CONTENT_TYPES,
): Generator<string> {
  const openMetrics = format === "openMetrics";
  let part = "";
  for (const { definition, points } of families) {
    const { prometheus: name, kind } = definition;
    let head = familyHead(definition, openMetrics);
    for (const point of points) {
      // Only OpenMetrics has a place for exemplars.
      part +=
        "bounds" in point
          ? head + histogramLines(name, point, openMetrics)
          : head + numberLine(name, point, openMetrics && kind === "counter");
      head = "";
      if (part.length < PART_LENGTH) continue;
      yield part;
      part = "";
    }
  }
  yield openMetrics ? `${part}# EOF\n` : part;
}

function familyHead(
  { prometheus: name, kind, brief, unit }: MetricFamily["definition"],
  openMetrics: boolean,
): string {
  // OpenMetrics names the family without the suffix that its counter samples carry.
  const family = openMetrics && kind === "counter" ? name.replace(/_total$/, "") : name;
  const word = unitWord(unit);
  const hasUnit = openMetrics && word !== "" && family.endsWith(`_${word}`);
  const unitLine = hasUnit ? `# UNIT ${family} ${word}\n` : "";
  return `# TYPE ${family} ${kind}\n${unitLine}# HELP ${family} ${escapeHelp(brief)}\n`;
}

function numberLine(
  name: string,
  { labels, value, exemplar }: NumberPoint,
  exemplars: boolean,
): string {
  const suffix = exemplars ? formatExemplar(exemplar) : "";
  return `${name}${braced(formatLabels(labels))} ${formatNumber(value)}${suffix}\n`;
}

function formatExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  const { traceId, spanId, timeMs } = exemplar;
  const labels = braced(formatLabels({ trace_id: traceId, span_id: spanId }));
  return ` # ${labels} ${formatNumber(exemplarNumber(exemplar))} ${timeMs / 1000}`;
}

function histogramLines(name: string, point: HistogramPoint, exemplars: boolean): string {
  const { bounds, counts, sum, count } = point;
  const labels = formatLabels(point.labels);
  const bucketLabels = labels === "" ? "" : `${labels},`;
  let lines = "";
  let cumulative = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    cumulative += counts[bucket] ?? 0;
    const le = formatNumber(bounds[bucket] ?? Number.POSITIVE_INFINITY);
    const suffix = exemplars ? formatExemplar(point.exemplars?.[bucket]) : "";
    lines += `${name}_bucket{${bucketLabels}le="${le}"} ${cumulative}${suffix}\n`;
  }
  lines += `${name}_sum${braced(labels)} ${formatNumber(sum)}\n`;
  return `${lines}${name}_count${braced(labels)} ${count}\n`;
}

/** Between the braces. */
function formatLabels(labels: Labels): string {
  let pairs = "";
  for (const key in labels) {
    pairs += `${pairs === "" ? "" : ","}${key}="${escapeLabel(labels[key] as string)}"`;
  }
  return pairs;
}

function braced(pairs: string): string {
  return pairs === "" ? "" : `{${pairs}}`;
}

function formatNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

function unitWord(unit: string): string {
  if (unit === "s") return "seconds";
  return unit === "By" ? "bytes" : "";
}

function escapeLabel(value: string): string {
  if (!/[\\\n"]/.test(value)) return value;
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
