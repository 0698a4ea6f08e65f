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
import { beginAttempts } from "./call-attempts.js";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, signalOf } from "./model-call.js";
import { patchMethod } from "./patch-method.js";
import { beginTool } from "./step-span.js";
import { vectorsIn } from "./texts.js";
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

/** The exports with functions that tell of their calls. */
export function patchVercelAi6(
  exports: unknown,
  settings: LlmSettings,
  providerOf: (name: string) => string,
): unknown {
  const told = (options: unknown) => withTelemetry(loose(options), settings, providerOf);
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
  const attempts = beginAttempts();
  let retries = number(options["maxRetries"]) ?? RETRIES;
  const failed = (error: unknown) => {
    if (loose(error)["isRetryable"] !== true || retries-- <= 0) attempts.end();
  };
  const startActiveSpan = (name: string, about: unknown, work: Work): unknown => {
    const attributes = loose(loose(about)["attributes"]);
    if (name === TOOL) return runTool(text(attributes["ai.toolCall.name"]), settings, work);
    const [, kind] = CALL.exec(name) ?? [];
    if (kind === undefined) return work(spanThat({ end: () => attempts.end() }));
    return attempts.attempt(() => {
      const describe = () => requestOf(attributes, kind, options, providerOf);
      const call = beginCall(describe, settings);
      return call === undefined ? work(spanThat({})) : runCall(call, kind, work, failed);
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
  failed: (error: unknown) => void,
): Promise<unknown> {
  // What the SDK states of a whole answer; a stream is read as it comes.
  const setAttributes = (stated: unknown) => {
    if (kind !== "Stream") readAttributes(call, loose(stated));
  };
  let done: unknown;
  try {
    done = await call.within(() => work(spanThat({ setAttributes })));
  } catch (error) {
    guarded("ending a call of the AI SDK", () => {
      call.fail(error);
      failed(error);
    });
    throw error;
  }
  if (kind === "Stream") return guarded("watching a stream", () => watched(call, done)) ?? done;
  guarded("ending a call of the AI SDK", () => {
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

function readAttributes(call: ModelCall, stated: Loose): void {
  const reason = text(stated["ai.response.finishReason"]);
  call.note({
    id: text(stated["ai.response.id"]),
    model: text(stated["ai.response.model"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: {
      input: tokens(stated["ai.usage.inputTokens"]) ?? tokens(stated["ai.usage.tokens"]),
      output: tokens(stated["ai.usage.outputTokens"]),
      cacheRead: tokens(stated["ai.usage.inputTokenDetails.cacheReadTokens"]),
      cacheWrite: tokens(stated["ai.usage.inputTokenDetails.cacheWriteTokens"]),
      reasoning: tokens(stated["ai.usage.outputTokenDetails.reasoningTokens"]),
    },
  });
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
  if (content !== undefined) call.tick(content);
  else if (type === "error") call.fail(part["error"]);
  else if (type === "response-metadata") {
    call.note({ id: text(part["id"]), model: text(part["modelId"]) });
  } else if (type === "finish") {
    const { inputTokens, outputTokens } = loose(part["usage"]);
    const [read, written] = [loose(inputTokens), loose(outputTokens)];
    const reason = text(loose(part["finishReason"])["unified"]) ?? text(part["finishReason"]);
    call.note({
      finishReasons: reason === undefined ? [] : [reason],
      usage: {
        input: tokens(read["total"]) ?? tokens(inputTokens),
        output: tokens(written["total"]) ?? tokens(outputTokens),
        cacheRead: tokens(read["cacheRead"]),
        cacheWrite: tokens(read["cacheWrite"]),
        reasoning: tokens(written["reasoning"]),
      },
    });
  }
  return false;
}

/** A span that only listens; the SDK asks it for nothing. */
function spanThat(
  listens: Partial<Pick<Span, "end" | "recordException">> & {
    setAttributes?: (stated: unknown) => void;
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
    setAttributes: heard("attributes", listens.setAttributes),
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
