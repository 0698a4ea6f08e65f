/**
 * `@google/genai` 1 to 3. Patched are the methods below the public ones: of automatic function
 * calls and continuations each is a call of its own.
 */
import { GEN_AI } from "@tidemark/semconv";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, recordCall, signalOf } from "./model-call.js";
import type { Original } from "./patch-method.js";
import { patchMethod } from "./patch-method.js";
import { observeIterator } from "./stream-observer.js";
import type { TokenUsage } from "./token-usage.js";
import { sumOf, tokens } from "./token-usage.js";

/** Patches the class of one copy of the package. */
export function patchGoogleGenai(exports: unknown, settings: LlmSettings): void {
  const models = loose(exports)["Models"] as { prototype?: object } | undefined;
  const patch = (
    method: string,
    operation: CallRequest["operation"],
    stream: boolean,
    read: (call: ModelCall, answer: unknown) => void,
  ) =>
    patchMethod(models?.prototype, method, (self, args, original: Original) => {
      const call = beginCall(() => requestOf(self, args, operation, stream), settings);
      if (call === undefined) return original(args);
      return recordCall(
        call,
        () => original(args),
        (answer) => read(call, answer),
      );
    });
  patch("generateContentInternal", "generate_content", false, (call, answer) => {
    readResponse(call, loose(answer));
    call.end();
  });
  patch("generateContentStreamInternal", "generate_content", true, (call, answer) => {
    const observer = call.observer((chunk) => readChunk(call, loose(chunk)));
    call.follow(answer, (iterator) => observeIterator(iterator, observer));
  });
  // Version 1.0 has only the public one.
  const embed =
    "embedContentInternal" in (models?.prototype ?? {}) ? "embedContentInternal" : "embedContent";
  patch(embed, "embeddings", false, (call, answer) => {
    readEmbeddings(call, loose(answer));
    call.end();
  });
}

function requestOf(
  self: unknown,
  args: readonly unknown[],
  operation: CallRequest["operation"],
  stream: boolean,
): CallRequest {
  const params = loose(args[0]);
  const config = loose(params["config"]);
  const client = loose(self)["apiClient"] as { isVertexAI?: () => boolean } | undefined;
  const maxTokens = number(config["maxOutputTokens"]);
  const temperature = number(config["temperature"]);
  return {
    provider: client?.isVertexAI?.() ? "gcp.vertex_ai" : "gcp.gemini",
    operation,
    model: text(params["model"])?.replace(/^models\//, ""),
    stream,
    args,
    signal: signalOf({ signal: config["abortSignal"] }),
    attributes: {
      ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }),
      ...(temperature !== undefined && { [GEN_AI.temperature]: temperature }),
    },
  };
}

function readResponse(call: ModelCall, response: Loose): void {
  call.note({
    id: text(response["responseId"]),
    model: text(response["modelVersion"]),
    finishReasons: list(response["candidates"]).flatMap(
      (candidate) => text(loose(candidate)["finishReason"]) ?? [],
    ),
    usage: usageOf(response["usageMetadata"]),
  });
}

function readChunk(call: ModelCall, chunk: Loose): boolean {
  for (const candidate of list(chunk["candidates"])) {
    for (const value of list(loose(loose(candidate)["content"])["parts"])) {
      const part = loose(value);
      if (holds(part["functionCall"])) call.tick("tool_call");
      else if (holds(part["text"])) call.tick(part["thought"] === true ? "reasoning" : "text");
      else continue;
      break;
    }
  }
  readResponse(call, chunk);
  return false;
}

function readEmbeddings(call: ModelCall, response: Loose): void {
  const embeddings = list(response["embeddings"]).map(loose);
  const { length } = list(embeddings[0]?.["values"]);
  const counts = embeddings.map(({ statistics }) => tokens(loose(statistics)["tokenCount"]));
  const usage = { input: tokens(loose(response["usageMetadata"])["promptTokenCount"]) };
  call.note({
    usage: { input: usage.input ?? sumOf(...counts) },
    ...(length > 0 && { attributes: { [GEN_AI.embeddingDimensions]: length } }),
  });
}

/** Candidates leave out what was thought; OpenTelemetry's output does not. */
function usageOf(value: unknown): TokenUsage | undefined {
  if (!holds(value)) return undefined;
  const usage = loose(value);
  const reasoning = tokens(usage["thoughtsTokenCount"]);
  return {
    input: sumOf(tokens(usage["promptTokenCount"]), tokens(usage["toolUsePromptTokenCount"])),
    output: sumOf(tokens(usage["candidatesTokenCount"]), reasoning),
    cacheRead: tokens(usage["cachedContentTokenCount"]),
    reasoning,
  };
}
