/** How the receiver itself is. */
import type { StatusDocument, StatusMetric } from "#ui/documents.js";
import packageFile from "../../package.json" with { type: "json" };
import type { MetricFamily } from "../metric-family.js";
import type { ViewSources } from "./view-sources.js";
import { windowNames } from "./view-sources.js";

/** The receiver's own metrics begin like this. */
const OWN = "tidemark.receiver.";

/** The numbers that the metrics have, for people. */
export function statusDocument(sources: ViewSources): StatusDocument {
  return {
    nowMs: sources.now(),
    startedMs: sources.startedMs,
    version: packageFile.version,
    ready: sources.ready(),
    memoryBytes: process.memoryUsage.rss(),
    windows: windowNames(sources),
    links: sources.links,
    metrics: sources.metrics().flatMap(statusMetrics),
  };
}

function statusMetrics({ definition, points }: MetricFamily): StatusMetric[] {
  const { name, brief, unit, kind } = definition;
  if (!name.startsWith(OWN) || kind === "histogram") return [];
  const numbers = points.flatMap((point) => ("value" in point ? [point] : []));
  return [{ name, brief, unit, kind, points: numbers }];
}
