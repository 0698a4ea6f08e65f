/** `ollama` 0.5 and 0.6: chat, generate, and embeddings. */
import { GEN_AI } from "@tidemark/semconv";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, recordCall, serverAttributes } from "./model-call.js";
import { patchMethod } from "./patch-method.js";
import { observeStream } from "./stream-observer.js";
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
    patchMethod(prototype, name, (self, args, original) => {
      const request = loose(args[0]);
      const stream = request["stream"] === true;
      const describe = (): CallRequest => ({
        provider: "ollama",
        operation,
        model: text(request["model"]),
        stream,
        args,
        attributes: serverAttributes(loose(loose(self)["config"])["host"]),
      });
      const call = beginCall(describe, settings);
      if (call === undefined) return original(args);
      return recordCall(
        call,
        () => original(args),
        (answer) => {
          if (!stream) {
            readAnswer(call, loose(answer));
            call.end();
            return;
          }
          const observer = call.observer(
            (chunk) => readChunk(call, loose(chunk)),
            (loose(answer)["abortController"] as AbortController | undefined)?.signal,
          );
          call.follow(answer, (iterable) => observeStream(iterable, observer));
        },
      );
    });
  }
}

function readChunk(call: ModelCall, chunk: Loose): boolean {
  const content = contentOf(loose(chunk["message"] ?? chunk));
  if (content !== undefined) call.tick(content);
  if (chunk["done"] === true) readAnswer(call, chunk);
  return false;
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
