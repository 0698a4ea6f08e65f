/** The receiver's configuration: the file as it is, or with endpoints to send to added. */
import { readFileSync, writeFileSync } from "node:fs";
import { parseDocument } from "yaml";

/** OTLP base URLs; where there is none, nothing is sent. */
export interface Destinations {
  readonly tracesUrl: string | undefined;
  readonly metricsUrl: string | undefined;
  /** What the receiver's page links to. */
  readonly jaegerUrl?: string | undefined;
}

/** Metrics arrive while one is watching; the receiver's default is 15 s. */
const PUSH_INTERVAL = "1s";

/** The file to start the receiver with; `composed` is written when there are destinations. */
export function receiverConfig(base: string, composed: string, to: Destinations): string {
  if (!to.tracesUrl && !to.metricsUrl && !to.jaegerUrl) return base;
  writeFileSync(composed, withDestinations(readFileSync(base, "utf8"), to));
  return composed;
}

/** The text with an exporter and a place in its pipeline for each destination. */
export function withDestinations(
  yaml: string,
  { tracesUrl, metricsUrl, jaegerUrl }: Destinations,
): string {
  const document = parseDocument(yaml);
  if (tracesUrl !== undefined) {
    const exporter = "otlp_http/traces";
    document.setIn(["exporters", exporter], { endpoint: tracesUrl });
    document.setIn(["service", "pipelines", "traces", "exporters"], [exporter]);
  }
  if (metricsUrl !== undefined) {
    const exporter = "otlp_http/metrics";
    const settings = { endpoint: metricsUrl, interval: PUSH_INTERVAL };
    document.setIn(["exporters", exporter], settings);
    document.addIn(["service", "pipelines", "metrics", "exporters"], exporter);
  }
  if (jaegerUrl !== undefined) document.setIn(["service", "links", "jaeger"], jaegerUrl);
  return document.toString();
}
