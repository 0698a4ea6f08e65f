/**
 * `@anthropic-ai/sdk`. From 0.134 on its client makes spans itself, once there is a tracer
 * provider: these are used as they are, and what they lack is added to them. For older clients, and
 * those whose spans are switched off, the span is ours. `parse`, `stream` and the tool runner call
 * `create` themselves.
 */
import type { Span } from "@opentelemetry/api";
import { SpanStatusCode } from "@opentelemetry/api";
import { GEN_AI } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import { activeContext } from "../host-api.js";
import { requestScope } from "../request-scope.js";
import { observeAnswer, recordApiPromise } from "./api-promise.js";
import type { ChunkContent } from "./chunk-clock.js";
import { ChunkClock } from "./chunk-clock.js";
import type { AnswerDescriber } from "./content-describer.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall, serverAttributes, signalOf } from "./model-call.js";
import type { Original } from "./patch-method.js";
import { patchMethod } from "./patch-method.js";
import { observeStream } from "./stream-observer.js";
import type { TokenUsage } from "./token-usage.js";
import { sumOf, tokens } from "./token-usage.js";

interface ClientClass {
  readonly Messages?: { readonly prototype: object };
  readonly Beta?: { readonly Messages?: { readonly prototype: object } };
}

const PROVIDER = "anthropic";
const NAME = "Anthropic";

/** Patches the classes of one copy of the package. */
export function patchAnthropic(exports: unknown, settings: LlmSettings): void {
  const client = (loose(exports)[NAME] ?? exports) as ClientClass;
  for (const owner of [client.Messages, client.Beta?.Messages]) {
    patchMethod(owner?.prototype, "create", (self, args, original) => {
      const tracer = loose(loose(self)["_client"])["_tracer"];
      return tracer === undefined
        ? record(settings, self, args, original)
        : enrich(settings, tracer, args, original);
    });
  }
}

function record(settings: LlmSettings, self: unknown, args: unknown[], original: Original) {
  const body = loose(args[0]);
  const stream = body["stream"] === true;
  const describe = (): CallRequest => ({
    provider: PROVIDER,
    operation: "chat",
    model: text(body["model"]),
    stream,
    args,
    signal: signalOf(args[1]),
    attributes: {
      ...(number(body["max_tokens"]) !== undefined && {
        [GEN_AI.maxTokens]: number(body["max_tokens"]),
      }),
      ...serverAttributes(loose(loose(self)["_client"])["baseURL"]),
    },
  });
  const call = beginCall(describe, settings);
  if (call === undefined) return original(args);
  return recordApiPromise(
    call,
    () => original(args),
    (_, answer) => {
      if (stream) {
        const signal = signalOf(loose(answer)["controller"]);
        const observer = call.observer((event) => readEvent(call, loose(event)), signal);
        call.follow(answer, (object) => observeStream(object, observer, "iterator"));
        return;
      }
      readMessage(call, loose(answer));
      call.end();
    },
  );
}

/** The library's own span of a call, with our times, the tenant and the cost added as it ends. */
function enrich(settings: LlmSettings, tracer: unknown, args: unknown[], original: Original) {
  const clock = new ChunkClock(performance.now());
  let result: unknown;
  // A helper starts the span itself, and hands it on among the options.
  const given = loose(loose(args[1])["__span"])["span"] as Span | undefined;
  const begun = spanOf(tracer, () => {
    result = original(args);
  });
  const span = begun ?? given;
  if (span === undefined) return result;
  guarded("adding to a span of Anthropic's client", () => {
    span.setAttributes({
      ...requestScope(activeContext())?.attributes,
      ...settings.requestAttributes(args),
    });
    const isStream = loose(args[0])["stream"] === true;
    const describer = settings.describer?.answer();
    const release = beforeEnd(span, describer !== undefined && !isStream, () => {
      const { attributes = {} } = span as { attributes?: Loose };
      span.setAttributes({
        ...clock.attributes(),
        ...describer?.attributes(),
        ...settings.costAttributes(PROVIDER, modelIn(attributes), usageIn(attributes)),
      });
    });
    observeAnswer(result, (answer) => {
      if (isStream) followNative(answer, clock, describer);
      else describer?.whole(answer);
      release();
    });
  });
  return result;
}

/** Times and describes a stream whose span the library ends. */
function followNative(
  stream: unknown,
  clock: ChunkClock,
  describer: AnswerDescriber | undefined,
): void {
  if (typeof stream !== "object" || stream === null) return;
  observeStream(stream, {
    opened: () => undefined,
    chunk: (event) => {
      const content = contentOf(loose(event));
      if (content !== undefined) clock.tick(content);
      describer?.chunk(event);
      return false;
    },
    ended: () => undefined,
  });
}

const watched = new WeakSet<object>();
let started: Span | undefined;

/** The span that a tracer starts while `work` runs, if it starts one. */
function spanOf(tracer: unknown, work: () => void): Span | undefined {
  guarded("watching a tracer", () => watch(tracer as { startSpan: (...args: never[]) => Span }));
  started = undefined;
  work();
  const span = started as Span | undefined;
  started = undefined;
  return span?.isRecording() ? span : undefined;
}

function watch(tracer: { startSpan: (...args: never[]) => Span }): void {
  if (watched.has(tracer)) return;
  watched.add(tracer);
  const { startSpan } = tracer;
  tracer.startSpan = function (...args) {
    started = Reflect.apply(startSpan, this, args);
    return started;
  };
}

/**
 * Does `work` before a span ends. The library ends it while it parses an answer: a span that
 * `waits` for that ends when it is released, or in the next turn.
 */
function beforeEnd(span: Span, waits: boolean, work: () => void): () => void {
  const { end } = span;
  let held: (() => void) | undefined;
  const release = () => {
    const ending = held;
    held = undefined;
    ending?.();
  };
  span.end = function (...args) {
    held = () => {
      guarded("adding to a span of Anthropic's client", work);
      Reflect.apply(end, this, args);
    };
    const { status } = span as { status?: { readonly code?: SpanStatusCode } };
    if (waits && status?.code !== SpanStatusCode.ERROR) setImmediate(release);
    else release();
  };
  return release;
}

function modelIn(attributes: Loose): string | undefined {
  return text(attributes[GEN_AI.responseModel]) ?? text(attributes[GEN_AI.requestModel]);
}

/** As the client has stated it: input with what was cached. */
function usageIn(attributes: Loose): TokenUsage {
  return {
    input: tokens(attributes[GEN_AI.inputTokens]),
    output: tokens(attributes[GEN_AI.outputTokens]),
    cacheRead: tokens(attributes[GEN_AI.cacheReadTokens]),
    cacheWrite: tokens(attributes[GEN_AI.cacheWriteTokensNext]),
    reasoning: tokens(attributes[GEN_AI.reasoningTokens]),
  };
}

function readMessage(call: ModelCall, message: Loose): void {
  const reason = text(message["stop_reason"]);
  call.note({
    id: text(message["id"]),
    model: text(message["model"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(message["usage"]),
  });
}

function readEvent(call: ModelCall, event: Loose): boolean {
  const content = contentOf(event);
  if (content !== undefined) call.tick(content);
  else if (event["type"] === "message_start") readMessage(call, loose(event["message"]));
  else if (event["type"] === "message_delta") {
    readMessage(call, { ...loose(event["delta"]), usage: event["usage"] });
  }
  return false;
}

const DELTAS: Readonly<Record<string, ChunkContent>> = {
  text_delta: "text",
  input_json_delta: "tool_call",
  thinking_delta: "reasoning",
};

/** A block of text begins empty; one of a tool call begins with the tool's name. */
function contentOf(event: Loose): ChunkContent | undefined {
  if (event["type"] === "content_block_delta") {
    return DELTAS[text(loose(event["delta"])["type"]) ?? ""];
  }
  if (event["type"] !== "content_block_start") return undefined;
  const type = text(loose(event["content_block"])["type"]) ?? "";
  return type.endsWith("tool_use") ? "tool_call" : undefined;
}

/** Anthropic counts what was cached apart; OpenTelemetry counts it as input. */
function usageOf(value: unknown): TokenUsage | undefined {
  if (!holds(value)) return undefined;
  const usage = loose(value);
  const fresh = tokens(usage["input_tokens"]);
  const cacheRead = tokens(usage["cache_read_input_tokens"]);
  const cacheWrite = tokens(usage["cache_creation_input_tokens"]);
  return {
    input: fresh === undefined ? undefined : sumOf(fresh, cacheRead, cacheWrite),
    output: tokens(usage["output_tokens"]),
    cacheRead,
    cacheWrite,
    reasoning: tokens(loose(usage["output_tokens_details"])["thinking_tokens"]),
  };
}
