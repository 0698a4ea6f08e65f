/** OpenTelemetry's own exporters over HTTP, for JSON and for certificates. */
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detachedAgent } from "./detached-agent.js";
import type { SpanExporter } from "./sdk-parts.js";

/** An exporter; with certificates it makes its own connections. */
export function stockExporter(json: boolean, certificates: boolean): SpanExporter {
  const options = certificates ? {} : { httpAgentOptions: detachedAgent };
  return json ? new JsonExporter(options) : new ProtobufExporter(options);
}
