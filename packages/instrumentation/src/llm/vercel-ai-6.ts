/**
 * `ai` 6: its functions tell a tracer of every call, but only where the app asks for that. Where it
 * says nothing of telemetry they get a tracer of ours, which makes our spans of what it is told.
 */
import type { Span } from "@opentelemetry/api";
import { INVALID_SPAN_CONTEXT, SpanStatusCode } from "@opentelemetry/api";
import { GEN_AI } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import { withContext } from "../host-api.js";
import { patchExport } from "../stage-exports.js";
import type { Attempting } from "./call-attempts.js";
import { beginAttempts } from "./call-attempts.js";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, signalOf } from "./model-call.js";
import { patchMethod } from "./patch-method.js";
import { beginTool } from "./step-span.js";
import { vectorsIn } from "./texts.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";

const FUNCTIONS = [
  "generateText",
  "streamText",
  "generateObject",
  "streamObject",
  "embed",
  "embedMany",
];
const CALL = /^ai\.\w+\.do(Generate|Stream|Embed)$/;
const TOOL = "ai.toolCall";
/** How often the SDK tries again unless the app says otherwise. */
const RETRIES = 2;

type AnyFunction = (...args: unknown[]) => unknown;
type Work = (span: Span) => unknown;

/** The attempts at one call, and how many more of them the SDK would make. */
interface Retried {
  readonly attempts: Attempting;
  left: number;
}

/** The exports with functions that tell of their calls. */
export function patchVercelAi6(
  exports: unknown,
  settings: LlmSettings,
  providerOf: (name: string) => string,
): unknown {
  const told = (options: unknown) => {
    if (typeof options !== "object" || options === null) return options;
    const telling = () => withTelemetry(loose(options), settings, providerOf);
    return guarded("listening to the AI SDK", telling) ?? options;
  };
  const agent = loose(exports)["ToolLoopAgent"] as { prototype?: object } | undefined;
  patchMethod(agent?.prototype, "prepareCall", (_, args, original) => {
    const prepared = original(args);
    return prepared instanceof Promise ? prepared.then(told) : prepared;
  });
  let patched = exports;
  for (const name of FUNCTIONS) {
    const result = patchExport(patched, name, (original) => wrapped(original, told));
    if ("exports" in result) patched = result.exports;
  }
  return patched;
}

const wrappers = new WeakMap<AnyFunction, AnyFunction>();

function wrapped(original: AnyFunction, told: (options: unknown) => unknown): AnyFunction {
  const known = wrappers.get(original);
  if (known !== undefined) return known;
  const wrapper = new Proxy(original, {
    apply: (target, self, [options, ...rest]: unknown[]) =>
      Reflect.apply(target, self, [told(options), ...rest]),
  });
  wrappers.set(original, wrapper);
  wrappers.set(wrapper, wrapper);
  return wrapper;
}

function withTelemetry(
  options: Loose,
  settings: LlmSettings,
  providerOf: (name: string) => string,
): unknown {
  // What the app says of telemetry, for or against it, is its own to say.
  if (options["experimental_telemetry"] !== undefined) return options;
  const tracer = tracerOf(options, settings, providerOf);
  const content = { recordInputs: false, recordOutputs: false };
  return { ...options, experimental_telemetry: { isEnabled: true, ...content, tracer } };
}

/** A tracer for what one of the SDK's functions does, which may be several calls. */
function tracerOf(options: Loose, settings: LlmSettings, providerOf: (name: string) => string) {
  const maxRetries = number(options["maxRetries"]) ?? RETRIES;
  const waiting: Retried[] = [];
  let isOver = false;
  const giveUp = () => {
    isOver = true;
    for (const { attempts } of waiting.splice(0)) attempts.end();
  };
  const startActiveSpan = (name: string, about: unknown, work: Work): unknown => {
    const attributes = loose(loose(about)["attributes"]);
    if (name === TOOL) return runTool(text(attributes["ai.toolCall.name"]), settings, work);
    const [, kind] = CALL.exec(name) ?? [];
    if (kind === undefined) return work(spanThat({ end: giveUp }));
    // Calls run in parallel only where they embed; the first to fail is the first to try again.
    const retried = waiting.shift() ?? { attempts: beginAttempts(), left: maxRetries };
    const attempted = (error?: unknown) => {
      const isRetried = !isOver && loose(error)["isRetryable"] === true && retried.left-- > 0;
      if (isRetried) waiting.push(retried);
      else retried.attempts.end();
    };
    return retried.attempts.attempt(() => {
      const describe = () => requestOf(attributes, kind, options, providerOf);
      const call = beginCall(describe, settings);
      return call === undefined ? work(spanThat({})) : runCall(call, kind, work, attempted);
    });
  };
  return { startActiveSpan, startSpan: () => spanThat({}) };
}

function requestOf(
  attributes: Loose,
  kind: string,
  options: Loose,
  providerOf: (name: string) => string,
): CallRequest {
  const maxTokens = number(attributes["ai.settings.maxOutputTokens"]);
  const temperature = number(attributes["ai.settings.temperature"]);
  return {
    provider: providerOf(text(attributes["ai.model.provider"]) ?? ""),
    operation: kind === "Embed" ? "embeddings" : "chat",
    model: text(attributes["ai.model.id"]),
    stream: kind === "Stream",
    args: [options],
    signal: signalOf({ signal: options["abortSignal"] }),
    attributes: {
      ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }),
      ...(temperature !== undefined && { [GEN_AI.temperature]: temperature }),
    },
  };
}

/** Runs one attempt; of a stream, the SDK gets one that is watched. */
async function runCall(
  call: ModelCall,
  kind: string,
  work: Work,
  attempted: (error?: unknown) => void,
): Promise<unknown> {
  let done: unknown;
  try {
    done = await call.within(() => work(spanThat({})));
  } catch (error) {
    guarded("ending a call of the AI SDK", () => {
      // An answer that is not what was asked for has been paid for all the same.
      readAnswer(call, loose(error));
      call.fail(error);
      attempted(error);
    });
    throw error;
  }
  // What fails from here on, as a stream may, is not tried again.
  guarded("ending the attempts at a call", () => attempted());
  if (kind === "Stream") return guarded("watching a stream", () => watched(call, done)) ?? done;
  guarded("ending a call of the AI SDK", () => {
    readAnswer(call, loose(done));
    const { length } = vectorsIn(done)[0] ?? [];
    if (length > 0) call.note({ attributes: { [GEN_AI.embeddingDimensions]: length } });
    call.describe(done);
    call.end();
  });
  return done;
}

/** Calls of tools do not throw: they set the status. */
async function runTool(
  name: string | undefined,
  settings: LlmSettings,
  work: Work,
): Promise<unknown> {
  const tool = guarded("starting a tool's span", () => beginTool(name));
  let error: unknown;
  const span = spanThat({
    recordException: (thrown) => {
      error = thrown;
    },
    setStatus: ({ code }) => {
      if (code === SpanStatusCode.ERROR) error ??= "error";
    },
  });
  try {
    return await (tool === undefined ? work(span) : withContext(tool.context, () => work(span)));
  } finally {
    if (error === undefined) tool?.end();
    else tool?.fail(error, settings.errorMessages);
  }
}

/** A whole answer, or the last part of a streamed one, as models give it to the SDK. */
function readAnswer(call: ModelCall, answer: Loose): void {
  const { response, responseData, finishReason, usage } = answer;
  const { id, modelId } = loose(response ?? responseData);
  const reason = text(loose(finishReason)["unified"]) ?? text(finishReason);
  call.note({
    id: text(id),
    model: text(modelId),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(loose(usage)),
  });
}

/** In parts, as of models, or flat, as the SDK hands it on with an error. */
function usageOf({ inputTokens, outputTokens, tokens: embedded, ...flat }: Loose): TokenUsage {
  const [read, written] = [loose(inputTokens), loose(outputTokens)];
  return {
    input: tokens(read["total"]) ?? tokens(inputTokens) ?? tokens(embedded),
    output: tokens(written["total"]) ?? tokens(outputTokens),
    cacheRead: tokens(read["cacheRead"]) ?? tokens(flat["cachedInputTokens"]),
    cacheWrite: tokens(read["cacheWrite"]),
    reasoning: tokens(written["reasoning"]) ?? tokens(flat["reasoningTokens"]),
  };
}

/** What a call of a stream has returned, with a stream that shows its parts as they pass. */
function watched(call: ModelCall, done: unknown): unknown {
  const { result } = loose(done);
  const source = loose(result)["stream"];
  if (!(source instanceof ReadableStream)) {
    call.end("incomplete");
    return done;
  }
  const reader = (source as ReadableStream<unknown>).getReader();
  const observer = call.observer((part) => readPart(call, loose(part)));
  const ended: typeof observer.ended = (...how) => {
    guarded("ending a stream's span", () => observer.ended(...how));
  };
  const stream = new ReadableStream<unknown>(
    {
      pull: async (controller) => {
        try {
          const { done: isOver, value } = await reader.read();
          if (isOver) {
            ended("done");
            controller.close();
            return;
          }
          guarded("reading a chunk", () => observer.chunk(value));
          controller.enqueue(value);
        } catch (error) {
          ended("failed", error);
          controller.error(error);
        }
      },
      cancel: (reason) => {
        ended("stopped");
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  call.endWithout(stream);
  return { ...(done as object), result: { ...(result as object), stream } };
}

const CONTENT: Readonly<Record<string, ChunkContent>> = {
  "text-delta": "text",
  "reasoning-delta": "reasoning",
  "tool-input-delta": "tool_call",
  "tool-call": "tool_call",
};

/** A part of a language model's stream, in the SDK's own form; it hides nothing from the app. */
function readPart(call: ModelCall, part: Loose): boolean {
  const type = text(part["type"]) ?? "";
  const content = CONTENT[type];
  if (content !== undefined) {
    // Some models begin with an empty text.
    if (type === "tool-call" || holds(part["delta"])) call.tick(content);
  } else if (type === "error") call.fail(part["error"]);
  else if (type === "response-metadata") readAnswer(call, { response: part });
  else if (type === "finish") readAnswer(call, part);
  return false;
}

/** A span that only listens; the SDK asks it for nothing. */
function spanThat(
  listens: Partial<Pick<Span, "end" | "recordException">> & {
    setStatus?: (status: { readonly code: SpanStatusCode }) => void;
  },
): Span {
  const heard =
    (name: string, listen: ((...said: never[]) => void) | undefined) =>
    (...said: unknown[]) => {
      if (listen) guarded(`hearing the AI SDK's ${name}`, () => listen(...(said as never[])));
      return span;
    };
  const span = {
    spanContext: () => INVALID_SPAN_CONTEXT,
    isRecording: () => true,
    setAttribute: () => span,
    setAttributes: () => span,
    addEvent: () => span,
    addLink: () => span,
    addLinks: () => span,
    updateName: () => span,
    setStatus: heard("status", listens.setStatus),
    recordException: heard("exception", listens.recordException),
    end: heard("end", listens.end),
  };
  return span;
}
