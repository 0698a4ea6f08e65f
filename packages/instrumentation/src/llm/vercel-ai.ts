/** `ai` 7: its telemetry hook tells of every call, whether or not the app has asked for spans. */
import type { Attributes } from "@opentelemetry/api";
import { GEN_AI } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { list, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall } from "./model-call.js";
import { OpenSpans } from "./open-spans.js";
import { beginTool } from "./step-span.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";
import { patchVercelAi6 } from "./vercel-ai-6.js";

const INTEGRATIONS = "AI_SDK_TELEMETRY_INTEGRATIONS";
const MS_PER_S = 1000;

/** The SDK's names for providers, by how they begin, and OpenTelemetry's. */
const PROVIDERS: readonly (readonly [prefix: string, provider: string])[] = [
  ["google.vertex", "gcp.vertex_ai"],
  ["google", "gcp.gemini"],
  ["amazon-bedrock", "aws.bedrock"],
  ["azure", "azure.ai.openai"],
  ["mistral", "mistral_ai"],
  ["xai", "x_ai"],
];

let isRegistered = false;

/**
 * Registers the hook, once in a process: all copies of the package share it. That of version 6
 * tells of no failures: see `vercel-ai-6.ts`.
 */
export function patchVercelAi(exports: unknown, settings: LlmSettings): unknown {
  if (loose(exports)["registerTelemetry"] === undefined) {
    return patchVercelAi6(exports, settings, providerOf);
  }
  if (isRegistered) return exports;
  isRegistered = true;
  const globals = globalThis as { [INTEGRATIONS]?: unknown[] };
  globals[INTEGRATIONS] ??= [];
  globals[INTEGRATIONS].push(integration(settings));
  return exports;
}

function integration(settings: LlmSettings) {
  const calls = new OpenSpans<ModelCall>((call) => call.end("abandoned"));
  const tools = new OpenSpans<ReturnType<typeof beginTool>>((tool) => tool?.end());
  const begin = (event: unknown, key: unknown, operation: CallRequest["operation"]) => {
    const call = beginCall(() => requestOf(loose(event), operation), settings);
    if (call !== undefined) calls.add(text(key) ?? "", call);
  };
  const fail = (event: unknown) => {
    const { callId, error } = loose(event);
    calls.take(text(callId) ?? "")?.fail(error ?? event);
  };
  return guardAll({
    onLanguageModelCallStart: (event) => begin(event, loose(event)["callId"], "chat"),
    onLanguageModelCallEnd: (event) => {
      const call = calls.take(text(loose(event)["callId"]) ?? "");
      if (call === undefined) return;
      readCall(call, loose(event));
      call.describe(event);
      call.end();
    },
    onEmbedStart: (event) => begin(event, loose(event)["embedCallId"], "embeddings"),
    onEmbedEnd: (event) => {
      const call = calls.take(text(loose(event)["embedCallId"]) ?? "");
      if (call === undefined) return;
      readEmbeddings(call, loose(event));
      call.describe(event);
      call.end();
    },
    onToolExecutionStart: (event) => {
      const { toolName, toolCallId } = loose(loose(event)["toolCall"]);
      tools.add(text(toolCallId) ?? "", beginTool(text(toolName)));
    },
    onToolExecutionEnd: (event) => {
      const { toolCall, toolOutput } = loose(event);
      const tool = tools.take(text(loose(toolCall)["toolCallId"]) ?? "");
      const { type, error } = loose(toolOutput);
      if (type === "tool-error") tool?.fail(error, settings.errorMessages);
      else tool?.end();
    },
    onAbort: (event) => calls.take(text(loose(event)["callId"]) ?? "")?.end("aborted"),
    onStepError: fail,
    onError: fail,
    executeLanguageModelCall: (event) => {
      const { callId, execute } = loose(event);
      const call = calls.get(text(callId) ?? "");
      const run = execute as () => unknown;
      return call === undefined ? run() : call.within(run);
    },
  });
}

/** What wraps the app's own work is never guarded: its errors are the app's. */
function guardAll(hooks: Readonly<Record<string, (event: unknown) => unknown>>) {
  return Object.fromEntries(
    Object.entries(hooks).map(([name, hook]) => [
      name,
      name.startsWith("execute")
        ? hook
        : (event: unknown) => void guarded(`the AI SDK's ${name}`, () => hook(event)),
    ]),
  );
}

function requestOf(event: Loose, operation: CallRequest["operation"]): CallRequest {
  const maxTokens = number(event["maxOutputTokens"]);
  const temperature = number(event["temperature"]);
  return {
    provider: providerOf(text(event["provider"]) ?? ""),
    operation,
    model: text(event["modelId"]),
    stream: false,
    args: [event],
    attributes: {
      ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }),
      ...(temperature !== undefined && { [GEN_AI.temperature]: temperature }),
    },
  };
}

function providerOf(name: string): string {
  const known = PROVIDERS.find(([prefix]) => name.startsWith(prefix));
  return known ? known[1] : (name.split(".", 1)[0] ?? name);
}

function readCall(call: ModelCall, event: Loose): void {
  const reason = text(event["finishReason"]);
  call.note({
    id: text(event["responseId"]),
    model: text(event["modelId"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(loose(event["usage"])),
    attributes: timesOf(loose(event["performance"])),
  });
}

/** The SDK has measured what we would; it counts text, reasoning and tool calls as output too. */
function timesOf({ timeToFirstOutputMs, timeBetweenOutputChunksMs }: Loose): Attributes {
  const firstMs = number(timeToFirstOutputMs);
  const betweenMs = number(loose(timeBetweenOutputChunksMs)["avg"]);
  if (firstMs === undefined) return {};
  return {
    [GEN_AI.stream]: true,
    [GEN_AI.timeToFirstChunk]: firstMs / MS_PER_S,
    ...(betweenMs !== undefined && { [GEN_AI.timePerOutputChunk]: betweenMs / MS_PER_S }),
  };
}

function usageOf(usage: Loose): TokenUsage {
  const { cacheReadTokens, cacheWriteTokens } = loose(usage["inputTokenDetails"]);
  return {
    input: tokens(usage["inputTokens"]),
    output: tokens(usage["outputTokens"]),
    cacheRead: tokens(cacheReadTokens),
    cacheWrite: tokens(cacheWriteTokens),
    reasoning: tokens(loose(usage["outputTokenDetails"])["reasoningTokens"]),
  };
}

function readEmbeddings(call: ModelCall, event: Loose): void {
  const { length } = list(list(event["embeddings"])[0]);
  call.note({
    usage: { input: tokens(loose(event["usage"])["tokens"]) },
    ...(length > 0 && { attributes: { [GEN_AI.embeddingDimensions]: length } }),
  });
}
