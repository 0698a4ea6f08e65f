/**
 * `@aws-sdk/client-bedrock-runtime` 3: Converse and InvokeModel, each whole and streamed. What
 * InvokeModel returns is bytes in the format of the model's maker: only usage is looked for in it.
 */
import { GEN_AI } from "@tidemark/semconv";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, list, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, recordCall, signalOf } from "./model-call.js";
import { patchMethod } from "./patch-method.js";
import { observeStream } from "./stream-observer.js";
import type { TokenUsage } from "./token-usage.js";
import { sumOf, tokens } from "./token-usage.js";

interface Command {
  readonly operation: CallRequest["operation"];
  readonly stream: boolean;
  readonly read: (call: ModelCall, answer: Loose) => void;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  ConverseCommand: { operation: "chat", stream: false, read: readConverse },
  ConverseStreamCommand: {
    operation: "chat",
    stream: true,
    read: (call, answer) => follow(call, answer["stream"], readConverseEvent),
  },
  InvokeModelCommand: { operation: "text_completion", stream: false, read: readInvoke },
  InvokeModelWithResponseStreamCommand: {
    operation: "text_completion",
    stream: true,
    read: (call, answer) => follow(call, answer["body"], readInvokeEvent),
  },
};

/** A body that is longer is not read for its usage: it is an image. */
const BODY_BYTES_MAX = 1 << 20;
/** With the last chunk of a stream Bedrock states what was used. */
const METRICS = "amazon-bedrock-invocationMetrics";
/** Chunks of Anthropic's models that hold nothing the model has made. */
const EMPTY_CHUNK = /^.{0,40}"type":"(?:message_|content_block_st|ping)/;
const HEAD_BYTES = 80;
const EMBEDDING = /embed/;

/** Patches the client of one copy of the package. */
export function patchBedrock(exports: unknown, settings: LlmSettings): void {
  const { BedrockRuntimeClient: client } = loose(exports);
  const classes = Object.entries(COMMANDS).flatMap(([name, command]) => {
    const found = loose(exports)[name];
    return typeof found === "function" ? [[found, command] as const] : [];
  });
  patchMethod((client as { prototype: object }).prototype, "send", (_, args, original) => {
    const command = classes.find(([type]) => args[0] instanceof type)?.[1];
    if (command === undefined) return original(args);
    const call = beginCall(() => requestOf(command, args), settings);
    if (call === undefined) return original(args);
    return recordCall(
      call,
      () => original(args),
      (answer) => command.read(call, loose(answer)),
    );
  });
}

function requestOf({ operation, stream }: Command, args: readonly unknown[]): CallRequest {
  const input = loose(loose(args[0])["input"]);
  const model = text(input["modelId"])?.replace(/^arn:.*\//, "");
  const maxTokens = number(loose(input["inferenceConfig"])["maxTokens"]);
  const embeds = operation === "text_completion" && EMBEDDING.test(model ?? "");
  return {
    provider: "aws.bedrock",
    operation: embeds ? "embeddings" : operation,
    model,
    stream,
    args: [input, ...args.slice(1)],
    signal: signalOf({ signal: loose(args[1])["abortSignal"] }),
    attributes: { ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }) },
  };
}

function follow(
  call: ModelCall,
  stream: unknown,
  read: (call: ModelCall, event: Loose) => void,
): void {
  const observer = call.observer((event) => {
    read(call, loose(event));
    return false;
  });
  call.follow(stream, (iterable) => observeStream(iterable, observer));
}

function readConverse(call: ModelCall, answer: Loose): void {
  const reason = text(answer["stopReason"]);
  call.note({
    id: text(loose(answer["$metadata"])["requestId"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(answer["usage"]),
  });
  call.end();
}

function readConverseEvent(call: ModelCall, event: Loose): void {
  const content = contentOf(event);
  if (content !== undefined) call.tick(content);
  const reason = text(loose(event["messageStop"])["stopReason"]);
  if (reason !== undefined) call.note({ finishReasons: [reason] });
  if (holds(event["metadata"])) call.note({ usage: usageOf(loose(event["metadata"])["usage"]) });
}

function contentOf(event: Loose): ChunkContent | undefined {
  if (holds(loose(loose(event["contentBlockStart"])["start"])["toolUse"])) return "tool_call";
  const delta = loose(loose(event["contentBlockDelta"])["delta"]);
  if (holds(delta["text"])) return "text";
  if (holds(delta["toolUse"])) return "tool_call";
  return holds(delta["reasoningContent"]) ? "reasoning" : undefined;
}

/** As at Anthropic, what was cached is counted apart. */
function usageOf(value: unknown): TokenUsage | undefined {
  if (!holds(value)) return undefined;
  const usage = loose(value);
  const fresh = tokens(usage["inputTokens"]);
  const cacheRead = tokens(usage["cacheReadInputTokens"]);
  const cacheWrite = tokens(usage["cacheWriteInputTokens"]);
  return {
    input: fresh === undefined ? undefined : sumOf(fresh, cacheRead, cacheWrite),
    output: tokens(usage["outputTokens"]),
    cacheRead,
    cacheWrite,
  };
}

function readInvoke(call: ModelCall, answer: Loose): void {
  const body = jsonIn(answer["body"]);
  const usage = loose(body["usage"]);
  const fresh = tokens(usage["input_tokens"]) ?? tokens(usage["inputTokens"]);
  const cacheRead = tokens(usage["cache_read_input_tokens"]);
  const cacheWrite = tokens(usage["cache_creation_input_tokens"]);
  const counted = fresh ?? tokens(usage["prompt_tokens"]) ?? tokens(body["inputTextTokenCount"]);
  const reason = text(body["stop_reason"]) ?? text(body["stopReason"]);
  const { length } = list(body["embedding"]);
  call.note({
    id: text(loose(answer["$metadata"])["requestId"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: {
      input: counted === undefined ? undefined : sumOf(counted, cacheRead, cacheWrite),
      output:
        tokens(usage["output_tokens"]) ??
        tokens(usage["outputTokens"]) ??
        tokens(usage["completion_tokens"]),
      cacheRead,
      cacheWrite,
    },
    ...(length > 0 && { attributes: { [GEN_AI.embeddingDimensions]: length } }),
  });
  call.end();
}

function readInvokeEvent(call: ModelCall, event: Loose): void {
  const { bytes } = loose(event["chunk"]);
  if (!(bytes instanceof Uint8Array)) return;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLast = buffer.includes(METRICS);
  if (!isLast && !EMPTY_CHUNK.test(buffer.toString("latin1", 0, HEAD_BYTES))) call.tick("text");
  if (!isLast) return;
  const metrics = loose(jsonIn(bytes)[METRICS]);
  const fresh = tokens(metrics["inputTokenCount"]);
  const cacheRead = tokens(metrics["cacheReadInputTokenCount"]);
  const cacheWrite = tokens(metrics["cacheWriteInputTokenCount"]);
  call.note({
    finishReasons: ["stop"],
    usage: {
      input: fresh === undefined ? undefined : sumOf(fresh, cacheRead, cacheWrite),
      output: tokens(metrics["outputTokenCount"]),
      cacheRead,
      cacheWrite,
    },
  });
}

function jsonIn(body: unknown): Loose {
  if (!(body instanceof Uint8Array) || body.byteLength > BODY_BYTES_MAX) return {};
  try {
    return loose(JSON.parse(Buffer.from(body).toString()));
  } catch {
    return {};
  }
}
