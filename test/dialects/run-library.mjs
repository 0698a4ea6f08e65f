// node run-library.mjs NAME MODEL_SERVER SINK: has one conversation by one library, used as its
// documentation says, below a span of the application. It prints how many milliseconds the calls of
// each model have taken: {"gpt-4o-mini": 250, …}. A name that begins with "tidemark+" leaves the
// SDK to the flag that loads our instrumentation, so that both see each call.
import { createRequire } from "node:module";
import { metrics, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { callAiSdk, callAnthropic, callLangChain, callOpenAi } from "./conversation.mjs";
import { EMBEDDER, MODEL } from "./model-server.ts";

const [, , name, models, sink] = process.argv;
const [library, isBesideOurs] = name.startsWith("tidemark+") ? [name.slice(9), true] : [name];
const require = createRequire(import.meta.url);
const openAiOptions = { apiKey: "none", baseURL: `${models}/v1` };
const anthropicOptions = { apiKey: "none", baseURL: models };
const exporter = new OTLPTraceExporter({ url: sink });

async function provide(spanProcessor = new BatchSpanProcessor(exporter)) {
  if (isBesideOurs) return;
  const resource = resourceFromAttributes({ "service.name": "tide-clock" });
  const provider = new NodeTracerProvider({ resource, spanProcessors: [spanProcessor] });
  provider.register();
}

/** Instrumentations that replace methods of a client's class. */
async function instrumented(Instrumentation, module) {
  const instrumentation = new Instrumentation();
  instrumentation.setTracerProvider(trace.getTracerProvider());
  instrumentation.manuallyInstrument(module);
  return instrumentation;
}

async function useAiSdk(ai, createOpenAI, options = {}) {
  const openai = createOpenAI(openAiOptions);
  return () => callAiSdk(ai, openai.chat(MODEL), openai.embedding(EMBEDDER), options);
}

async function useLangChain(Instrumentation) {
  await provide();
  const manager = await import("@langchain/core/callbacks/manager");
  if (Instrumentation?.name) {
    const instrumentation = new Instrumentation();
    instrumentation.setTracerProvider(trace.getTracerProvider());
    instrumentation.manuallyInstrument?.(manager);
  }
  const { ChatOpenAI, OpenAIEmbeddings } = await import("@langchain/openai");
  const options = { apiKey: "none", configuration: { baseURL: openAiOptions.baseURL } };
  const model = new ChatOpenAI({ model: MODEL, ...options });
  return () => callLangChain(model, new OpenAIEmbeddings({ model: EMBEDDER, ...options }));
}

const LIBRARIES = {
  "tidemark-openai": async () => {
    const OpenAI = require("openai");
    return () => callOpenAi(new OpenAI(openAiOptions));
  },
  "tidemark-anthropic": async () => {
    // A client that emits no spans of its own.
    const Anthropic = require("@anthropic-ai/sdk");
    return () => callAnthropic(new Anthropic({ ...anthropicOptions, openTelemetry: false }));
  },
  "tidemark-ai-6": async () => {
    const { ai, createOpenAI } = await import("./ai-6/ai.mjs");
    return useAiSdk(ai, createOpenAI);
  },
  "tidemark-ai-7": async () => {
    const ai = await import("ai");
    const { createOpenAI } = await import("@ai-sdk/openai");
    return useAiSdk(ai, createOpenAI);
  },
  "tidemark-langchain": () => useLangChain(),
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
    return () => callAnthropic(new Anthropic(anthropicOptions));
  },
  "openinference-langchain": async () => {
    const module = "@arizeai/openinference-instrumentation-langchain";
    const { LangChainInstrumentation } = await import(module);
    return useLangChain(LangChainInstrumentation);
  },
  "openinference-vercel": async () => {
    const { OpenInferenceBatchSpanProcessor } = await import("@arizeai/openinference-vercel");
    await provide(new OpenInferenceBatchSpanProcessor({ exporter }));
    const ai = await import("ai");
    const { OpenTelemetry } = await import("@ai-sdk/otel");
    ai.registerTelemetry(new OpenTelemetry({ usage: true, embedding: true }));
    const { createOpenAI } = await import("@ai-sdk/openai");
    return useAiSdk(ai, createOpenAI);
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
    return () => callAnthropic(new Anthropic(anthropicOptions));
  },
  "traceloop-langchain": async () => {
    const { LangChainInstrumentation } = await import("@traceloop/instrumentation-langchain");
    return useLangChain(LangChainInstrumentation);
  },
  "anthropic-native": async () => {
    await provide();
    const Anthropic = require("@anthropic-ai/sdk");
    return () => callAnthropic(new Anthropic(anthropicOptions));
  },
  "ai-6": async () => {
    await provide();
    const telemetry = { experimental_telemetry: { isEnabled: true } };
    const { ai, createOpenAI } = await import("./ai-6/ai.mjs");
    return useAiSdk(ai, createOpenAI, telemetry);
  },
  "ai-7": async () => {
    await provide();
    const ai = await import("ai");
    const { OpenTelemetry } = await import("@ai-sdk/otel");
    ai.registerTelemetry(new OpenTelemetry());
    const { createOpenAI } = await import("@ai-sdk/openai");
    return useAiSdk(ai, createOpenAI);
  },
  "langfuse-openai": async () => {
    const { LangfuseSpanProcessor } = await import("@langfuse/otel");
    await provide(new LangfuseSpanProcessor({ exporter, publicKey: "pk", secretKey: "sk" }));
    const { observeOpenAI } = await import("@langfuse/openai");
    const { default: OpenAI } = await import("openai");
    return () => callOpenAi(observeOpenAI(new OpenAI(openAiOptions)));
  },
};

const converse = await LIBRARIES[library]();
await trace.getTracer("tide-clock").startActiveSpan("answer", async (span) => {
  console.log(JSON.stringify(await converse()));
  span.end();
});
const provider = trace.getTracerProvider();
await (provider.getDelegate?.() ?? provider).forceFlush();
