/** Which of the formats a scraper gets, by what it accepts. */
import type { MetricFamily } from "../metric-family.js";
import { CONTENT_TYPES, formatMetrics } from "./open-metrics.js";
import { encodeMetrics, PROTOBUF_CONTENT_TYPE } from "./prometheus-protobuf.js";

/** An answer to a scrape, made part by part while it is sent. */
export interface Exposition {
  readonly body: Iterable<string | Uint8Array>;
  readonly contentType: string;
}

/**
 * The families in the format that an `Accept` header asks for most, else in Prometheus' text.
 * @param startMs since when points count that do not say it; protobuf alone has a place for it, as
 *   text would have a further series for each
 */
export function exposeMetrics(
  families: readonly MetricFamily[],
  accept: string,
  startMs: number,
): Exposition {
  const format = preferredFormat(accept);
  if (format === "protobuf") {
    return { body: encodeMetrics(families, startMs), contentType: PROTOBUF_CONTENT_TYPE };
  }
  return { body: formatMetrics(families, format), contentType: CONTENT_TYPES[format] };
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-accept, as far as our own formats are concerned. */
function preferredFormat(accept: string): "protobuf" | keyof typeof CONTENT_TYPES {
  let best: ReturnType<typeof preferredFormat> = "prometheus";
  let bestQuality = 0;
  for (const range of accept.split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const format = formatOf(type, parameters);
    const quality = Number(/^q=(.*)$/.exec(parameters.at(-1) ?? "")?.[1] ?? 1);
    if (format === undefined || !(quality > bestQuality)) continue;
    [best, bestQuality] = [format, quality];
  }
  return best;
}

function formatOf(type: string, parameters: readonly string[]) {
  if (type === "text/plain") return "prometheus";
  if (type === "application/openmetrics-text") return "openMetrics";
  if (type !== "application/vnd.google.protobuf") return undefined;
  const isOurs =
    parameters.includes("proto=io.prometheus.client.metricfamily") &&
    parameters.includes("encoding=delimited");
  return isOurs ? "protobuf" : undefined;
}
