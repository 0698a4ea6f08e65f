/** The calls of models that the AI SDK makes, as its versions have them in common. */
import { GEN_AI } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import type { Attempting } from "./call-attempts.js";
import { beginAttempts } from "./call-attempts.js";
import { isTimeLimit } from "./call-error.js";
import type { ChunkContent } from "./chunk-clock.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { holds, loose, number, text } from "./loose.js";
import type { CallRequest, ModelCall } from "./model-call.js";
import { beginCall } from "./model-call.js";
import type { StreamObserver } from "./stream-observer.js";
import { observeStream } from "./stream-observer.js";
import { vectorsIn } from "./texts.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";

/** How often the SDK tries again unless the app says otherwise. */
const RETRIES = 2;

/** The SDK's names for providers, by how they begin, and OpenTelemetry's. */
const PROVIDERS: readonly (readonly [prefix: string, provider: string])[] = [
  ["google.vertex", "gcp.vertex_ai"],
  ["google", "gcp.gemini"],
  ["amazon-bedrock", "aws.bedrock"],
  ["azure", "azure.ai.openai"],
  ["mistral", "mistral_ai"],
  ["xai", "x_ai"],
];

/** What the SDK says of a call before it makes it. */
export interface SdkRequest {
  readonly provider: unknown;
  readonly model: unknown;
  readonly operation: CallRequest["operation"];
  readonly stream: boolean;
  /** The options of the app's call, or what the SDK tells of them. */
  readonly options: Loose;
  readonly maxTokens: unknown;
  readonly temperature: unknown;
}

/** The attempts at one call, and how many more of them the SDK would make. */
interface Retried {
  readonly attempts: Attempting;
  readonly key: unknown;
  left: number;
}

/**
 * The calls of one of its functions: in steps or in parallel, and again where one has failed. What
 * is the app's is held weakly: the SDK may never say that the function is over.
 */
export class SdkCalls {
  private readonly settings: LlmSettings;
  private readonly retries: number;
  private readonly signal: WeakRef<AbortSignal> | undefined;
  private readonly waiting: Retried[] = [];
  private latest: { call: WeakRef<ModelCall>; attempts: Attempting } | undefined;
  private isOver = false;

  /** @param options of the function, of which `maxRetries` and `abortSignal` matter here */
  constructor(settings: LlmSettings, { maxRetries, abortSignal }: Loose) {
    this.settings = settings;
    this.retries = number(maxRetries) ?? RETRIES;
    this.signal = abortSignal instanceof AbortSignal ? new WeakRef(abortSignal) : undefined;
  }

  /**
   * Makes a call, or tries again one that has failed: of those that run in parallel the one of the
   * same `key`. Of a stream, the SDK gets the very one that the model has returned, observed.
   */
  run(request: SdkRequest, work: () => unknown, key?: unknown): Promise<unknown> {
    const retried = this.waitingFor(key);
    return retried.attempts.attempt(async () => {
      const call = beginCall(() => requestOf(request, this.signal?.deref()), this.settings);
      if (call === undefined) return work();
      this.latest = { call: new WeakRef(call), attempts: retried.attempts };
      let done: unknown;
      try {
        done = await call.within(work);
      } catch (error) {
        guarded("ending a call of the AI SDK", () => this.failed(call, error, retried));
        throw error;
      }
      guarded("ending a call of the AI SDK", () => this.answered(call, done, retried));
      return done;
    });
  }

  /** The function has ended: nothing is tried again. */
  end(): void {
    this.isOver = true;
    for (const { attempts } of this.waiting.splice(0)) attempts.end();
  }

  /** The app has called the function off, or it has run into a time limit. */
  abort(reason: unknown): void {
    this.end();
    const call = this.latest?.call.deref();
    this.latest?.attempts.end();
    if (isTimeLimit(reason)) call?.fail(reason);
    else call?.end("aborted");
  }

  private waitingFor(key: unknown): Retried {
    const index = this.waiting.findIndex((retried) => retried.key === key);
    const [found] = index < 0 ? [] : this.waiting.splice(index, 1);
    if (this.waiting.length === 0) this.signal?.deref()?.removeEventListener("abort", this.onAbort);
    return found ?? { attempts: beginAttempts(), key, left: this.retries };
  }

  private readonly onAbort = () => {
    guarded("giving up a call of the AI SDK", () => this.end());
  };

  private failed(call: ModelCall, error: unknown, retried: Retried): void {
    // An answer that is not what was asked for has been paid for all the same.
    readAnswer(call, loose(error));
    call.fail(error);
    if (loose(error)["isRetryable"] === true && retried.left-- > 0) this.wait(retried);
    else retried.attempts.end();
  }

  private wait(retried: Retried): void {
    const signal = this.signal?.deref();
    if (this.isOver || signal?.aborted) {
      retried.attempts.end();
      return;
    }
    this.waiting.push(retried);
    signal?.addEventListener("abort", this.onAbort, { once: true });
  }

  private answered(call: ModelCall, done: unknown, retried: Retried): void {
    const { result, stream = loose(result)["stream"] } = loose(done);
    if (stream !== undefined) {
      call.follow(stream, (it) => observeStream(it, this.observer(call, retried)));
      return;
    }
    retried.attempts.end();
    readAnswer(call, loose(done));
    const { length } = vectorsIn(done)[0] ?? [];
    if (length > 0) call.note({ attributes: { [GEN_AI.embeddingDimensions]: length } });
    call.describe(done);
    call.end();
  }

  /** An error may come as a part of a stream, whose end then says what becomes of it. */
  private observer(call: ModelCall, retried: Retried): StreamObserver {
    let failure: { readonly error: unknown } | undefined;
    const observer = call.observer((value) => {
      const part = loose(value);
      if (part["type"] === "error") failure ??= { error: part["error"] };
      else readPart(call, part);
      return false;
    });
    return {
      ...observer,
      ended: (how, reason) => {
        // The SDK leaves such a stream for the same call made again, and gives an error as reason.
        if (failure && how === "stopped" && reason instanceof Error) {
          call.fail(failure.error);
          retried.left = this.retries;
          this.wait(retried);
          return;
        }
        retried.attempts.end();
        if (failure) call.fail(failure.error);
        else observer.ended(how, reason);
      },
    };
  }
}

function requestOf(request: SdkRequest, signal: AbortSignal | undefined): CallRequest {
  const maxTokens = number(request.maxTokens);
  const temperature = number(request.temperature);
  return {
    provider: providerOf(text(request.provider) ?? ""),
    operation: request.operation,
    model: text(request.model),
    stream: request.stream,
    args: [request.options],
    signal,
    attributes: {
      ...(maxTokens !== undefined && { [GEN_AI.maxTokens]: maxTokens }),
      ...(temperature !== undefined && { [GEN_AI.temperature]: temperature }),
    },
  };
}

function providerOf(name: string): string {
  const known = PROVIDERS.find(([prefix]) => name.startsWith(prefix));
  return known ? known[1] : (name.split(".", 1)[0] ?? name);
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

const CONTENT: Readonly<Record<string, ChunkContent>> = {
  "text-delta": "text",
  "reasoning-delta": "reasoning",
  "tool-input-delta": "tool_call",
  "tool-call": "tool_call",
};

/** A part of a language model's stream, in the SDK's own form. */
function readPart(call: ModelCall, part: Loose): void {
  const type = text(part["type"]) ?? "";
  const content = CONTENT[type];
  if (content !== undefined) {
    // Some models begin with an empty text.
    if (type === "tool-call" || holds(part["delta"])) call.tick(content);
  } else if (type === "response-metadata") readAnswer(call, { response: part });
  else if (type === "finish") readAnswer(call, part);
}
