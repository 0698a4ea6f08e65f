/**
 * `@mistralai/mistralai` 1 and 2. The spans that version 2 makes itself hold prompts and answers,
 * so under our SDK they are muted (see `switch-provider.ts`), and these take their place.
 */
import { GEN_AI } from "@tidemark/semconv";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { signalOf } from "./model-call.js";
import type { CallReading } from "./patch-call.js";
import { patchCall } from "./patch-call.js";
import { patchGetter } from "./patch-method.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";

/** Members of the client, and which of their methods call a model, streamed or not. */
const MEMBERS: readonly {
  readonly name: string;
  readonly operation: CallRequest["operation"];
  readonly whole: readonly string[];
  readonly streamed: readonly string[];
}[] = [
  {
    name: "chat",
    operation: "chat",
    whole: ["complete", "parse"],
    streamed: ["stream", "parseStream"],
  },
  { name: "fim", operation: "text_completion", whole: ["complete"], streamed: ["stream"] },
  { name: "agents", operation: "chat", whole: ["complete"], streamed: ["stream"] },
  { name: "embeddings", operation: "embeddings", whole: ["create"], streamed: [] },
];

/** Patches the classes behind the members of the client, when an app first asks for them. */
export function patchMistral(exports: unknown, settings: LlmSettings): void {
  const client = loose(exports)["Mistral"] as { prototype?: object } | undefined;
  for (const { name, operation, whole, streamed } of MEMBERS) {
    patchGetter(client?.prototype, name, (member) => {
      const prototype = Object.getPrototypeOf(member) as object;
      for (const [methods, stream] of [
        [whole, false],
        [streamed, true],
      ] as const) {
        const reading: CallReading = {
          request: (args) => requestOf(args, operation, stream),
          answer: readAnswer,
          chunk: (call, event) => readChunk(call, loose(event["data"])),
        };
        for (const method of methods) patchCall(prototype, method, settings, reading);
      }
    });
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
    provider: "mistral_ai",
    operation,
    model: text(body["model"]),
    stream,
    args,
    signal: signalOf(loose(args[1])["fetchOptions"]) ?? signalOf(args[1]),
    attributes: { ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }) },
  };
}

function readChunk(call: ModelCall, chunk: Loose): void {
  for (const choice of list(chunk["choices"])) {
    const content = deltaContent(loose(loose(choice)["delta"]));
    if (content !== undefined) call.tick(content);
  }
  readAnswer(call, chunk);
}

function deltaContent({ content, toolCalls }: Loose): ChunkContent | undefined {
  const parts = list(content).map((part) => loose(part)["type"]);
  if (parts.length > 0) return parts.every((type) => type === "thinking") ? "reasoning" : "text";
  if (holds(content)) return "text";
  return holds(toolCalls) ? "tool_call" : undefined;
}

function readAnswer(call: ModelCall, answer: Loose): void {
  const { length } = list(loose(list(answer["data"])[0])["embedding"]);
  call.note({
    id: text(answer["id"]),
    model: text(answer["model"]),
    finishReasons: list(answer["choices"]).flatMap(
      (choice) => text(loose(choice)["finishReason"]) ?? [],
    ),
    usage: usageOf(answer["usage"]),
    ...(length > 0 && { attributes: { [GEN_AI.embeddingDimensions]: length } }),
  });
}

function usageOf(value: unknown): TokenUsage | undefined {
  if (!holds(value)) return undefined;
  const usage = loose(value);
  // What the library has no name for, it hands on under the API's.
  const read = loose(usage["prompt_tokens_details"] ?? usage["prompt_token_details"]);
  const written = loose(usage["completion_tokens_details"]);
  return {
    input: tokens(usage["promptTokens"]),
    output: tokens(usage["completionTokens"]),
    cacheRead: tokens(read["cached_tokens"]) ?? tokens(usage["num_cached_tokens"]),
    reasoning: tokens(written["reasoning_tokens"]),
  };
}
