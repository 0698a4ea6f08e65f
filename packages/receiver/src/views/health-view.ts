/** How the receiver itself is. */
import type { HealthDocument, HealthMetric } from "#ui/documents.js";
import packageFile from "../../package.json" with { type: "json" };
import type { MetricFamily } from "../metric-family.js";
import type { ViewSources } from "./view-sources.js";
import { windowNames } from "./view-sources.js";

/** The receiver's own metrics begin like this. */
const OWN = "tidemark.receiver.";

/** The numbers that the metrics have, for people. */
export function healthDocument(sources: ViewSources): HealthDocument {
  return {
    nowMs: sources.now(),
    startedMs: sources.startedMs,
    version: packageFile.version,
    ready: sources.ready(),
    memoryBytes: process.memoryUsage.rss(),
    windows: windowNames(sources),
    links: sources.links,
    metrics: sources.metrics().flatMap(healthMetrics),
  };
}

function healthMetrics({ definition, points }: MetricFamily): HealthMetric[] {
  const { name, brief, unit, kind } = definition;
  if (!name.startsWith(OWN) || kind === "histogram") return [];
  const numbers = [...points].flatMap((point) => ("value" in point ? [point] : []));
  return [{ name, brief, unit, kind, points: numbers }];
}
