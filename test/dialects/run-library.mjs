// node run-library.mjs NAME MODEL_SERVER SINK: uses one library as its documentation says, with one
// plain answer, one stream and, over OpenAI, one embedding; all below a span of the application.
import { createRequire } from "node:module";
import { metrics, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { CLAUDE, MODEL } from "./model-server.mjs";

const [, , name, models, sink] = process.argv;
const require = createRequire(import.meta.url);
const PROMPT = "When does the tide turn?";
const EMBEDDER = "text-embedding-3-small";
const openAiOptions = { apiKey: "none", baseURL: `${models}/v1` };
const messages = [{ role: "user", content: PROMPT }];

const exporter = new OTLPTraceExporter({ url: sink });

async function provide(spanProcessor = new BatchSpanProcessor(exporter)) {
  const resource = resourceFromAttributes({ "service.name": "tide-clock" });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [spanProcessor] });
  provider.register();
  return provider;
}

async function callOpenAi(client) {
  await client.chat.completions.create({ model: MODEL, messages });
  const options = { stream: true, stream_options: { include_usage: true } };
  const stream = await client.chat.completions.create({ model: MODEL, messages, ...options });
  for await (const _ of stream);
  await client.embeddings.create({ model: EMBEDDER, input: PROMPT, encoding_format: "float" });
}

async function callAnthropic(client) {
  const request = { model: CLAUDE, max_tokens: 100, messages };
  await client.messages.create(request);
  for await (const _ of await client.messages.create({ ...request, stream: true }));
}

/** Instrumentations that replace methods of a client's class. */
async function instrumented(Instrumentation, module) {
  const instrumentation = new Instrumentation();
  instrumentation.setTracerProvider(trace.getTracerProvider());
  instrumentation.manuallyInstrument(module);
  return instrumentation;
}

async function callAiSdk(ai, model, embedder, telemetry) {
  await ai.generateText({ model, prompt: PROMPT, ...telemetry });
  const { textStream } = ai.streamText({ model, prompt: PROMPT, ...telemetry });
  for await (const _ of textStream);
  await ai.embed({ model: embedder, value: PROMPT, ...telemetry });
}

const LIBRARIES = {
  "tidemark-openai": async () => {
    const OpenAI = require("openai");
    return () => callOpenAi(new OpenAI(openAiOptions));
  },
  "tidemark-anthropic": async () => {
    // A client that emits no spans of its own.
    const Anthropic = require("@anthropic-ai/sdk");
    const client = new Anthropic({ apiKey: "none", baseURL: models, openTelemetry: false });
    return () => callAnthropic(client);
  },
  "gen-ai-openai": async () => {
    await provide();
    const { OpenAIInstrumentation } = require("@opentelemetry/instrumentation-openai");
    const instrumentation = new OpenAIInstrumentation();
    instrumentation.setTracerProvider(trace.getTracerProvider());
    instrumentation.setMeterProvider(metrics.getMeterProvider());
    const OpenAI = require("openai");
    return () => callOpenAi(new OpenAI(openAiOptions));
  },
  "openinference-openai": async () => {
    await provide();
    const { OpenAIInstrumentation } = require("@arizeai/openinference-instrumentation-openai");
    const OpenAI = require("openai");
    await instrumented(OpenAIInstrumentation, OpenAI);
    return () => callOpenAi(new OpenAI(openAiOptions));
  },
  "openinference-anthropic": async () => {
    await provide();
    const scope = "@arizeai/openinference-instrumentation-anthropic";
    const { AnthropicInstrumentation } = require(scope);
    const Anthropic = require("@anthropic-ai/sdk");
    await instrumented(AnthropicInstrumentation, Anthropic);
    return () => callAnthropic(new Anthropic({ apiKey: "none", baseURL: models }));
  },
  "traceloop-openai": async () => {
    await provide();
    const { OpenAIInstrumentation } = require("@traceloop/instrumentation-openai");
    const { OpenAI } = require("openai");
    await instrumented(OpenAIInstrumentation, OpenAI);
    return () => callOpenAi(new OpenAI(openAiOptions));
  },
  "traceloop-anthropic": async () => {
    await provide();
    const { AnthropicInstrumentation } = require("@traceloop/instrumentation-anthropic");
    // It knows no later version of the client, and this one emits no spans of its own.
    const Anthropic = require("anthropic-ai-sdk-0.60");
    await instrumented(AnthropicInstrumentation, Anthropic);
    return () => callAnthropic(new Anthropic({ apiKey: "none", baseURL: models }));
  },
  "anthropic-native": async () => {
    await provide();
    const Anthropic = require("@anthropic-ai/sdk");
    return () => callAnthropic(new Anthropic({ apiKey: "none", baseURL: models }));
  },
  "ai-6": async () => {
    await provide();
    const ai = await import("ai-6");
    const { createOpenAI } = await import("ai-sdk-openai-3");
    const openai = createOpenAI(openAiOptions);
    const telemetry = { experimental_telemetry: { isEnabled: true } };
    return () => callAiSdk(ai, openai.chat(MODEL), openai.embedding(EMBEDDER), telemetry);
  },
  "ai-7": async () => {
    await provide();
    const ai = await import("ai");
    const { createOpenAI } = await import("@ai-sdk/openai");
    const { OpenTelemetry } = await import("@ai-sdk/otel");
    ai.registerTelemetry(new OpenTelemetry());
    const openai = createOpenAI(openAiOptions);
    return () => callAiSdk(ai, openai.chat(MODEL), openai.embedding(EMBEDDER), {});
  },
  "langfuse-openai": async () => {
    const { LangfuseSpanProcessor } = await import("@langfuse/otel");
    await provide(new LangfuseSpanProcessor({ exporter, publicKey: "pk", secretKey: "sk" }));
    const { observeOpenAI } = await import("@langfuse/openai");
    const { default: OpenAI } = await import("openai");
    return () => callOpenAi(observeOpenAI(new OpenAI(openAiOptions)));
  },
};

const use = await LIBRARIES[name]();
await trace.getTracer("tide-clock").startActiveSpan("answer", async (span) => {
  await use();
  span.end();
});
const provider = trace.getTracerProvider();
await (provider.getDelegate?.() ?? provider).forceFlush();
