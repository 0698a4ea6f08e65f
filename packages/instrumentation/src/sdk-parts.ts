/** Interfaces of the SDK, as far as its entry package shows them. */
import type { NodeSDK } from "@opentelemetry/sdk-node";

type SdkOptions = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>;

/** The SDK's interface of span exporters. */
export type SpanExporter = NonNullable<SdkOptions["traceExporter"]>;

/** The SDK's interface of span processors. */
export type SpanProcessor = NonNullable<SdkOptions["spanProcessors"]>[number];
