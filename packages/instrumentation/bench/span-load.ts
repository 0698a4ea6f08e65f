/**
 * A process that makes spans of 15 attributes, as fast as it can, and sends them to `SINK`: with
 * the SDK's span processor and exporter, or with this package's. It works when it is told to, so
 * that both can take turns, and answers with its CPU time.
 */
import { createRequire } from "node:module";
import type { Attributes } from "@opentelemetry/api";
import { ROOT_CONTEXT, trace } from "@opentelemetry/api";

/** What the parent asks for. */
export interface SpanLoadOrder {
  readonly spans: number;
}

/** What it gets: CPU time of the whole process, a span's share of it, and the memory in use. */
export interface SpanLoadReport {
  readonly cpuUs: number;
  readonly heapMb: number;
}

const [kind, url] = process.argv.slice(2) as ["stock" | "direct" | "own", string];
const makers = { stock, direct, own };
const { start, flush } = await makers[kind]();
/** As many spans as a busy server ends between two turns of its event loop. */
const SPANS_A_TURN = 64;
/** Nothing may be lost for want of an answer: a span that is thrown away is a cheap one. */
const SPANS_A_FLUSH = 2048;
let sequence = 0;

process.on("message", (order: SpanLoadOrder) => void work(order));
process.send?.("ready");

async function work({ spans }: SpanLoadOrder): Promise<void> {
  const before = process.cpuUsage();
  for (let index = 0; index < spans; index++) {
    start("inference weather", attributes()).end();
    if (index % SPANS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    if (index % SPANS_A_FLUSH === SPANS_A_FLUSH - 1) await flush();
  }
  await flush();
  const { user, system } = process.cpuUsage(before);
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const report: SpanLoadReport = {
    cpuUs: (user + system) / spans,
    heapMb: (heapUsed + external) / 2 ** 20,
  };
  process.send?.(report);
}

function attributes(): Attributes {
  const x = ++sequence / 7;
  return {
    "ml.stage": "inference",
    "ml.model.name": "weather",
    "ml.model.version": "3",
    "ml.model.framework": "onnxruntime",
    "ml.task": "regression",
    "ml.batch.size": 1,
    "ml.input.shape.features": "1x4",
    "ml.output.shape.temp_max": "1x1",
    "ml.feature.precipitation": x,
    "ml.feature.wind": x + 0.25,
    "ml.feature.temp_min": x + 0.5,
    "ml.feature.season": sequence % 4,
    "ml.prediction.value": x + 0.125,
    "ml.inference.queue.duration": 1 / x,
    "ml.segment.region": "north",
  };
}

async function stock() {
  const require = createRequire(import.meta.url);
  const sdk = createRequire(require.resolve("@opentelemetry/sdk-node"))(
    "@opentelemetry/sdk-trace",
  ) as typeof import("@opentelemetry/sdk-trace");
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces` });
  const spanProcessors = [new sdk.BatchSpanProcessor({ exporter })];
  return ofProvider(new sdk.TracerProvider({ spanProcessors }));
}

/** The SDK's spans, this package's way out. */
async function direct() {
  const processor = await directProcessor();
  const require = createRequire(import.meta.url);
  const sdk = createRequire(require.resolve("@opentelemetry/sdk-node"))(
    "@opentelemetry/sdk-trace",
  ) as typeof import("@opentelemetry/sdk-trace");
  return ofProvider(new sdk.TracerProvider({ spanProcessors: [processor] }));
}

/** This package's spans and way out. */
async function own() {
  const processor = await directProcessor();
  const { ownSpans } = await import("../dist/otlp/own-span.js");
  const spans = ownSpans(processor);
  return {
    start: (name: string, given: Attributes) =>
      spans.startSpan(name, { attributes: given }, ROOT_CONTEXT),
    flush: () => processor.forceFlush(),
  };
}

function ofProvider(provider: import("@opentelemetry/sdk-trace").TracerProvider) {
  const tracer = provider.getTracer("@tidemark/instrumentation");
  trace.setGlobalTracerProvider(provider);
  return {
    start: (name: string, given: Attributes) =>
      tracer.startSpan(name, { attributes: given }, ROOT_CONTEXT),
    flush: () => provider.forceFlush(),
  };
}

async function directProcessor() {
  const { Deliveries } = await import("../dist/deliveries.js");
  const { DirectSpanProcessor } = await import("../dist/otlp/direct-span-processor.js");
  const { OtlpSender } = await import("../dist/otlp/otlp-sender.js");
  const settings = await import("../dist/otlp/otlp-settings.js");
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url };
  const sender = settings.senderSettings(env);
  if (!sender) throw new Error(`${url} is no address`);
  const deliveries = new Deliveries(url);
  const batches = settings.batchSettings(env, 1000);
  return new DirectSpanProcessor(batches, new OtlpSender(sender, deliveries), deliveries);
}
