/**
 * OpenTelemetry's whole SDK, for whatever the environment asks beyond the default. It is not among
 * what is put together at the build, and has a copy of the API of its own.
 */
import * as api from "@opentelemetry/api";
import { NodeSDK, startNodeSdk } from "@opentelemetry/sdk-node";
import { DetachedExporter } from "./detached-exporter.js";
import type { DirectSpanProcessor } from "./otlp/direct-span-processor.js";

/** The way out for spans that is ours; undefined leaves it to the SDK. */
export type Exit = DirectSpanProcessor | DetachedExporter | undefined;

/** The copy of the API that this SDK registers itself with. */
export const API_OF_SDK: object = api;

/** Starts the SDK as variables say. */
export function startFullSdk(exit: Exit, serviceName: string | undefined): NodeSDK {
  const sdk = new NodeSDK({
    ...(exit instanceof DetachedExporter
      ? { traceExporter: exit }
      : exit && { spanProcessors: [exit] }),
    ...(serviceName !== undefined && { serviceName }),
  });
  sdk.start();
  return sdk;
}

/** Starts the SDK as the file that `OTEL_CONFIG_FILE` names says. */
export function startSdkFromFile(): { shutdown(): Promise<void> } {
  return startNodeSdk();
}
