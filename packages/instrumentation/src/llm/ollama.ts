/** `ollama` 0.5 and 0.6: chat, generate, and embeddings. */
import { GEN_AI } from "@tidemark/semconv";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { serverAttributes } from "./model-call.js";
import { patchCall } from "./patch-call.js";
import { tokens } from "./token-usage.js";

const METHODS: readonly (readonly [name: string, operation: CallRequest["operation"]])[] = [
  ["chat", "chat"],
  ["generate", "text_completion"],
  ["embed", "embeddings"],
  ["embeddings", "embeddings"],
];

/** Patches the class of one copy of the package; the client that it exports is one of these. */
export function patchOllama(exports: unknown, settings: LlmSettings): void {
  const { prototype } = loose(exports)["Ollama"] as { prototype: object };
  for (const [name, operation] of METHODS) {
    patchCall(prototype, name, settings, {
      request: (args, self) => {
        const request = loose(args[0]);
        return {
          provider: "ollama",
          operation,
          model: text(request["model"]),
          stream: request["stream"] === true,
          args,
          attributes: serverAttributes(loose(loose(self)["config"])["host"]),
        };
      },
      answer: readAnswer,
      chunk: readChunk,
      signal: ({ abortController }) => (abortController as AbortController | undefined)?.signal,
    });
  }
}

function readChunk(call: ModelCall, chunk: Loose): void {
  const content = contentOf(loose(chunk["message"] ?? chunk));
  if (content !== undefined) call.tick(content);
  if (chunk["done"] === true) readAnswer(call, chunk);
}

function contentOf(part: Loose): ChunkContent | undefined {
  if (holds(part["content"]) || holds(part["response"])) return "text";
  if (holds(part["tool_calls"])) return "tool_call";
  return holds(part["thinking"]) ? "reasoning" : undefined;
}

function readAnswer(call: ModelCall, answer: Loose): void {
  const reason = text(answer["done_reason"]);
  const vector = list(answer["embedding"] ?? list(answer["embeddings"])[0]);
  call.note({
    model: text(answer["model"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: { input: tokens(answer["prompt_eval_count"]), output: tokens(answer["eval_count"]) },
    ...(vector.length > 0 && { attributes: { [GEN_AI.embeddingDimensions]: vector.length } }),
  });
}
