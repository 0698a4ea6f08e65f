/** `cohere-ai` 7 and 8: chat and embeddings of both versions of its API. */
import { GEN_AI } from "@tidemark/semconv";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { signalOf } from "./model-call.js";
import { patchCall } from "./patch-call.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";

type ClientClass = new (options: { token: string }) => Record<"client" | "clientV2", object>;

const METHODS: readonly (readonly [CallRequest["operation"], string, boolean])[] = [
  ["chat", "chat", false],
  ["chat", "chatStream", true],
  ["embeddings", "embed", false],
];

/**
 * Patches the classes of one copy of the package. That of the second API is not exported, and its
 * methods are bound when a client is made; so one is made here, which never sends anything.
 */
export function patchCohere(exports: unknown, settings: LlmSettings): void {
  const Client = loose(exports)["CohereClientV2"] as ClientClass;
  const { client, clientV2 } = new Client({ token: "none" });
  for (const owner of [client, clientV2]) {
    const prototype = Object.getPrototypeOf(owner) as object;
    for (const [operation, method, stream] of METHODS) {
      patchCall(prototype, method, settings, {
        request: (args) => requestOf(args, operation, stream),
        answer: readAnswer,
        chunk: readEvent,
      });
    }
  }
}

function requestOf(
  args: readonly unknown[],
  operation: CallRequest["operation"],
  stream: boolean,
): CallRequest {
  const body = loose(args[0]);
  const maxTokens = number(body["maxTokens"]);
  return {
    provider: "cohere",
    operation,
    model: text(body["model"]),
    stream,
    args,
    signal: signalOf({ signal: loose(args[1])["abortSignal"] }),
    attributes: { ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }) },
  };
}

/** Events of the second API have a `type`, those of the first one an `eventType`. */
function readEvent(call: ModelCall, event: Loose): void {
  const type = text(event["type"]) ?? text(event["eventType"]) ?? "";
  const content = contentOf(type, event);
  if (content !== undefined) call.tick(content);
  else if (type === "message-start" || type === "stream-start") {
    call.note({ id: text(event["id"]) ?? text(event["generationId"]) });
  } else if (type === "message-end") readAnswer(call, loose(event["delta"]));
  else if (type === "stream-end") readAnswer(call, { ...loose(event["response"]), ...event });
}

function contentOf(type: string, event: Loose): ChunkContent | undefined {
  if (type === "text-generation") return holds(event["text"]) ? "text" : undefined;
  if (type.startsWith("tool-call")) return type.endsWith("-end") ? undefined : "tool_call";
  if (type === "tool-plan-delta") return "reasoning";
  if (type !== "content-delta") return undefined;
  const { text: said, thinking } = loose(loose(loose(loose(event["delta"])["message"])["content"]));
  if (holds(said)) return "text";
  return holds(thinking) ? "reasoning" : undefined;
}

function readAnswer(call: ModelCall, answer: Loose): void {
  const reason = text(answer["finishReason"]);
  const { embeddings } = answer;
  const vectors = list(Array.isArray(embeddings) ? embeddings : loose(embeddings)["float"]);
  const { length } = list(vectors[0]);
  call.note({
    id: text(answer["id"]) ?? text(answer["generationId"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(answer["usage"] ?? answer["meta"]),
    ...(length > 0 && { attributes: { [GEN_AI.embeddingDimensions]: length } }),
  });
}

/** What was billed is stated where nothing else is: it leaves out what Cohere itself adds. */
function usageOf(value: unknown): TokenUsage | undefined {
  if (!holds(value)) return undefined;
  const { tokens: all, billedUnits, cachedTokens } = loose(value);
  const counted = loose(all ?? billedUnits);
  return {
    input: tokens(counted["inputTokens"]),
    output: tokens(counted["outputTokens"]),
    cacheRead: tokens(cachedTokens),
  };
}
