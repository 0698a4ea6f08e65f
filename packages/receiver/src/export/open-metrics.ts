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

/** Writes the families; those without points are left out. */
export function formatMetrics(
  families: readonly MetricFamily[],
  format: keyof typeof CONTENT_TYPES,
): string {
  const openMetrics = format === "openMetrics";
  const lines: string[] = [];
  for (const { definition, points } of families) {
    if (points.length === 0) continue;
    const { prometheus: name, kind, brief, unit } = definition;
    // OpenMetrics names the family without the suffix that its counter samples carry.
    const family = openMetrics && kind === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# TYPE ${family} ${kind}`);
    const word = unitWord(unit);
    if (openMetrics && word !== "" && family.endsWith(`_${word}`)) {
      lines.push(`# UNIT ${family} ${word}`);
    }
    lines.push(`# HELP ${family} ${escapeHelp(brief)}`);
    for (const point of points) {
      // Only OpenMetrics has a place for exemplars.
      if ("bounds" in point) lines.push(...histogramLines(name, point, openMetrics));
      else lines.push(numberLine(name, point, openMetrics && kind === "counter"));
    }
  }
  if (openMetrics) lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function numberLine(
  name: string,
  { labels, value, exemplar }: NumberPoint,
  exemplars: boolean,
): string {
  const suffix = exemplars ? formatExemplar(exemplar) : "";
  return `${name}${formatLabels(labels)} ${formatNumber(value)}${suffix}`;
}

function formatExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  const { traceId, spanId, timeMs } = exemplar;
  const labels = formatLabels({ trace_id: traceId, span_id: spanId });
  return ` # ${labels} ${formatNumber(exemplarNumber(exemplar))} ${timeMs / 1000}`;
}

function histogramLines(name: string, point: HistogramPoint, exemplars: boolean): string[] {
  const { labels, bounds, counts, sum, count } = point;
  const lines: string[] = [];
  let cumulative = 0;
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    cumulative += counts[bucket] ?? 0;
    const le = formatNumber(bounds[bucket] ?? Number.POSITIVE_INFINITY);
    const suffix = exemplars ? formatExemplar(point.exemplars?.[bucket]) : "";
    lines.push(`${name}_bucket${formatLabels({ ...labels, le })} ${cumulative}${suffix}`);
  }
  lines.push(`${name}_sum${formatLabels(labels)} ${formatNumber(sum)}`);
  lines.push(`${name}_count${formatLabels(labels)} ${count}`);
  return lines;
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
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
  return value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
