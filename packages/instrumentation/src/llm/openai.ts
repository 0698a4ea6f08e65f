/**
 * `openai` 4 to 7, and whatever speaks its API: chat, responses, text completions, embeddings.
 * `parse`, `stream` and `runTools` call `create` themselves, so `create` is all that is patched.
 */
import type { Attributes } from "@opentelemetry/api";
import { GEN_AI } from "@tidemark/semconv";
import { recordApiPromise } from "./api-promise.js";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, serverAttributes, signalOf } from "./model-call.js";
import { patchMethod } from "./patch-method.js";
import { observeStream } from "./stream-observer.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";

/** Who serves an API of this kind, by the end of the host's name. */
const HOSTS: readonly (readonly [suffix: string, provider: string])[] = [
  ["openai.azure.com", "azure.ai.openai"],
  ["cognitiveservices.azure.com", "azure.ai.openai"],
  ["services.ai.azure.com", "azure.ai.inference"],
  ["api.groq.com", "groq"],
  ["api.x.ai", "x_ai"],
  ["api.deepseek.com", "deepseek"],
  ["api.perplexity.ai", "perplexity"],
  ["api.mistral.ai", "mistral_ai"],
  ["generativelanguage.googleapis.com", "gcp.gemini"],
];

/** One of the client's resources, and how its answers are read. */
interface Resource {
  readonly path: readonly string[];
  readonly operation: CallRequest["operation"];
  readonly read: (call: ModelCall, answer: Loose) => void;
  readonly readChunk: (call: ModelCall, chunk: Loose) => void;
}

const RESOURCES: readonly Resource[] = [
  { path: ["Chat", "Completions"], operation: "chat", read: readChat, readChunk: readChatChunk },
  { path: ["Responses"], operation: "chat", read: readResponse, readChunk: readResponseEvent },
  {
    path: ["Completions"],
    operation: "text_completion",
    read: readChat,
    readChunk: readCompletionChunk,
  },
  { path: ["Embeddings"], operation: "embeddings", read: readEmbeddings, readChunk: () => {} },
];

/** Patches the classes of one copy of the package. */
export function patchOpenai(exports: unknown, settings: LlmSettings): void {
  const client = loose(exports)["OpenAI"] ?? loose(exports)["default"] ?? exports;
  for (const resource of RESOURCES) {
    let owner: unknown = client;
    for (const step of resource.path) owner = (owner as Loose | undefined)?.[step];
    const prototype = (owner as { prototype?: object } | undefined)?.prototype;
    patchMethod(prototype, "create", (self, args, call) =>
      record(resource, settings, self, args, call),
    );
  }
}

function record(
  resource: Resource,
  settings: LlmSettings,
  self: unknown,
  args: unknown[],
  call: (args: unknown[]) => unknown,
) {
  const body = loose(args[0]);
  const { stream, asked } = streamOf(resource, body, settings);
  const started = beginCall(() => requestOf(resource, self, args, stream), settings);
  if (started === undefined) return call(args);
  const sent = asked ? [withUsage(body), ...args.slice(1)] : args;
  return recordApiPromise(
    started,
    () => call(sent),
    (modelCall, answer) => {
      if (stream) {
        followStream(modelCall, answer, resource, asked);
        return;
      }
      resource.read(modelCall, loose(answer));
      modelCall.end();
    },
  );
}

function requestOf(
  { operation }: Resource,
  self: unknown,
  args: unknown[],
  stream: boolean,
): CallRequest {
  const body = loose(args[0]);
  const client = loose(loose(self)["_client"]);
  return {
    provider: providerOf(client),
    operation,
    model: text(body["model"]) ?? text(client["deploymentName"]),
    stream,
    args,
    signal: signalOf(args[1]),
    attributes: { ...requestAttributes(body), ...serverAttributes(client["baseURL"]) },
  };
}

/** The one method that iteration, `tee()` and `toReadableStream()` go through is `iterator`. */
function followStream(call: ModelCall, stream: unknown, resource: Resource, asked: boolean): void {
  const signal = loose(loose(stream)["controller"])["signal"] as AbortSignal | undefined;
  const observer = call.observer((value) => {
    const chunk = loose(value);
    resource.readChunk(call, chunk);
    // The chunk that only we have asked for: apps read `choices[0]` without looking.
    return asked && list(chunk["choices"]).length === 0 && holds(chunk["usage"]);
  }, signal);
  const key = typeof loose(stream)["iterator"] === "function" ? "iterator" : Symbol.asyncIterator;
  call.follow(stream, (object) => observeStream(object, observer, key));
}

function streamOf(resource: Resource, body: Loose, { config }: LlmSettings) {
  const stream = body["stream"] === true;
  const asks = resource.operation === "text_completion" || resource.path[0] === "Chat";
  const asked = stream && asks && config.streamUsage && body["stream_options"] === undefined;
  return { stream, asked };
}

function withUsage(body: Loose): Loose {
  return { ...body, stream_options: { include_usage: true } };
}

function providerOf(client: Loose): string {
  const url = text(client["baseURL"]) ?? "";
  const host = URL.canParse(url) ? new URL(url).hostname : "";
  const known = HOSTS.find(([suffix]) => host === suffix || host.endsWith(`.${suffix}`));
  if (known) return known[1];
  return "apiVersion" in client || "deploymentName" in client ? "azure.ai.openai" : "openai";
}

function requestAttributes(body: Loose): Attributes {
  const maxTokens =
    number(body["max_completion_tokens"]) ??
    number(body["max_tokens"]) ??
    number(body["max_output_tokens"]);
  const temperature = number(body["temperature"]);
  return {
    ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }),
    ...(temperature !== undefined && { [GEN_AI.temperature]: temperature }),
  };
}

function readChat(call: ModelCall, answer: Loose): void {
  const finishReasons = list(answer["choices"]).flatMap(
    (choice) => text(loose(choice)["finish_reason"]) ?? [],
  );
  const usage = usageOf(answer["usage"]);
  call.note({ id: text(answer["id"]), model: text(answer["model"]), finishReasons, usage });
}

function readChatChunk(call: ModelCall, chunk: Loose): void {
  for (const choice of list(chunk["choices"])) {
    const content = deltaContent(loose(loose(choice)["delta"]));
    if (content !== undefined) call.tick(content);
  }
  readChat(call, chunk);
}

/** What a part of an answer holds; the role alone, or an empty text, is nothing. */
function deltaContent(delta: Loose): ChunkContent | undefined {
  if (holds(delta["content"]) || holds(delta["refusal"])) return "text";
  if (holds(delta["tool_calls"]) || holds(delta["function_call"])) return "tool_call";
  // What DeepSeek, vLLM and OpenRouter call it; OpenAI does not show it here.
  return holds(delta["reasoning_content"]) || holds(delta["reasoning"]) ? "reasoning" : undefined;
}

function readCompletionChunk(call: ModelCall, chunk: Loose): void {
  for (const choice of list(chunk["choices"])) {
    if (holds(loose(choice)["text"])) call.tick("text");
  }
  readChat(call, chunk);
}

function readResponse(call: ModelCall, answer: Loose): void {
  const status = text(answer["status"]);
  const incomplete = text(loose(answer["incomplete_details"])["reason"]);
  const calls = list(answer["output"]).some((item) => loose(item)["type"] === "function_call");
  const reason = status === "completed" ? (calls ? "tool_calls" : "stop") : (incomplete ?? status);
  call.note({
    id: text(answer["id"]),
    model: text(answer["model"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(answer["usage"]),
  });
}

/** Deltas by the part of their event's name that says what they are of. */
const DELTAS: readonly (readonly [part: string, content: ChunkContent])[] = [
  ["reasoning", "reasoning"],
  ["_call", "tool_call"],
  ["output_text", "text"],
  ["refusal", "text"],
];
const ENDS = new Set(["response.completed", "response.incomplete", "response.failed"]);

function readResponseEvent(call: ModelCall, event: Loose): void {
  const type = text(event["type"]) ?? "";
  if (type.endsWith(".delta")) {
    const found = DELTAS.find(([part]) => type.includes(part));
    if (found) call.tick(found[1]);
  } else if (ENDS.has(type)) {
    readResponse(call, loose(event["response"]));
  }
}

function readEmbeddings(call: ModelCall, answer: Loose): void {
  const dimensions = loose(loose(list(answer["data"])[0])["embedding"])["length"];
  call.note({
    model: text(answer["model"]),
    usage: usageOf(answer["usage"]),
    ...(typeof dimensions === "number" && {
      attributes: { [GEN_AI.embeddingDimensions]: dimensions },
    }),
  });
}

/** Both APIs' names; input includes what was cached, output what was reasoned. */
function usageOf(value: unknown): TokenUsage | undefined {
  if (!holds(value)) return undefined;
  const usage = loose(value);
  const input = loose(usage["prompt_tokens_details"] ?? usage["input_tokens_details"]);
  const output = loose(usage["completion_tokens_details"] ?? usage["output_tokens_details"]);
  return {
    input: tokens(usage["prompt_tokens"] ?? usage["input_tokens"]),
    output: tokens(usage["completion_tokens"] ?? usage["output_tokens"]),
    cacheRead: tokens(input["cached_tokens"]),
    reasoning: tokens(output["reasoning_tokens"]),
  };
}
