/** The span of one call of a model, from the request to the end of its answer. */
import type { Attributes, Context, Span } from "@opentelemetry/api";
import { SpanKind } from "@opentelemetry/api";
import type { StreamOutcome } from "@tidemark/semconv";
import { ATTRIBUTES, GEN_AI } from "@tidemark/semconv";
import { guarded } from "../complain.js";
import { contextOf, startSpan, withContext } from "../host-api.js";
import { observeCall } from "../observe-call.js";
import { requestScope } from "../request-scope.js";
import { presentAttempts } from "./call-attempts.js";
import { errorType, failCall, isAbort } from "./call-error.js";
import type { ChunkContent } from "./chunk-clock.js";
import { ChunkClock } from "./chunk-clock.js";
import type { AnswerDescriber } from "./content-describer.js";
import { callContext } from "./enclosing-context.js";
import type { LlmSettings } from "./llm-settings.js";
import { loose, text } from "./loose.js";
import { RECENT_CALLS } from "./recent-responses.js";
import type { StreamObserver } from "./stream-observer.js";
import { vectorsIn } from "./texts.js";
import type { TokenEstimate } from "./token-estimate.js";
import type { TokenUsage } from "./token-usage.js";
import { mergeUsage } from "./token-usage.js";

/** What is known of a call before it is made. */
export interface CallRequest {
  readonly provider: string;
  readonly operation: "chat" | "text_completion" | "embeddings" | "generate_content";
  readonly model: string | undefined;
  readonly stream: boolean;
  /** The arguments of the library's method; what the configuration's paths lead into. */
  readonly args: readonly unknown[];
  /** With which the app may call it off. */
  readonly signal?: AbortSignal | undefined;
  readonly attributes?: Attributes;
  /** In milliseconds since 1970, of a call that is already over. */
  readonly startedAt?: number;
}

/** What an answer, or a chunk of one, says besides its content. */
export interface CallResponse {
  readonly id?: string | undefined;
  readonly model?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  readonly usage?: TokenUsage | undefined;
  readonly attributes?: Attributes | undefined;
}

/** Finish reasons of one answer; there is one for each alternative that was asked for. */
const FINISH_REASONS_MAX = 8;

/**
 * Calls whose answer may be dropped by the app without being read to its end: when the garbage
 * collector takes the answer, nobody will end it.
 */
const unread = new FinalizationRegistry<ModelCall>((call) => {
  guarded("ending the span of a stream that nobody read", () => call.end("abandoned"));
});

/** One call; every method is harmless once it has ended. */
export class ModelCall {
  readonly span: Span;
  private readonly context: Context;
  private readonly request: Omit<CallRequest, "args" | "signal">;
  /** What listens to it may hold the answer, which must be free to be collected. */
  private readonly signal: WeakRef<AbortSignal> | undefined;
  private readonly settings: LlmSettings;
  private readonly clock: ChunkClock;
  private readonly finishReasons: string[] = [];
  private readonly answer: AnswerDescriber | undefined;
  private readonly estimate: TokenEstimate | undefined;
  private usage: TokenUsage = {};
  private id: string | undefined;
  private model: string | undefined;
  private ended = false;
  private readonly attempts = presentAttempts<ModelCall>();

  constructor(
    span: Span,
    context: Context,
    request: CallRequest,
    settings: LlmSettings,
    startedMs: number,
  ) {
    // The arguments hold the prompt, which is the app's to let go.
    const { args: _, signal, ...kept } = request;
    this.span = span;
    this.signal = signal && new WeakRef(signal);
    this.context = context;
    this.request = kept;
    this.settings = settings;
    this.clock = new ChunkClock(startedMs);
    this.answer = settings.describer?.answer();
    this.estimate = request.stream ? settings.estimate(request.args) : undefined;
  }

  /** Whether it asks this of that model. */
  isOf(operation: CallRequest["operation"], model: string | undefined): boolean {
    return this.request.operation === operation && this.request.model === model;
  }

  /** Runs `work` with the call's span as the active one, so that its HTTP spans are below it. */
  within<T>(work: () => T): T {
    return withContext(this.context, work);
  }

  /** A chunk with content has come. */
  tick(content: ChunkContent): void {
    this.clock.tick(content);
  }

  /** Takes over what an answer or a chunk says; what a later chunk says replaces it. */
  note({ id, model, finishReasons, usage, attributes }: CallResponse): void {
    if (id !== undefined) this.id = id;
    if (model !== undefined) this.model = model;
    if (usage !== undefined) this.usage = mergeUsage(this.usage, usage);
    for (const reason of finishReasons ?? []) {
      if (this.finishReasons.length < FINISH_REASONS_MAX) this.finishReasons.push(reason);
    }
    if (attributes !== undefined) this.span.setAttributes(attributes);
  }

  /** A whole answer has come: it is described, where that is asked for. */
  describe(answer: unknown): void {
    const { describer } = this.settings;
    if (describer === undefined || this.request.stream) return;
    if (this.request.operation !== "embeddings") this.answer?.whole(answer);
    else this.span.setAttributes(describer.embeddings(vectorsIn(answer)));
  }

  /** Ends the call when `answer` is collected; takes the place of what was said before. */
  endWithout(answer: unknown): void {
    unread.unregister(this);
    if (this.ended || typeof answer !== "object" || answer === null) return;
    unread.register(answer, this, this);
  }

  /** The app reads its answer: it will end the call itself. */
  claimed(): void {
    unread.unregister(this);
  }

  /** Takes charge of a stream; ends the call when that is impossible. */
  follow(stream: unknown, observe: (stream: object) => boolean): void {
    if (typeof stream !== "object" || stream === null || !observe(stream)) {
      this.end("incomplete");
      return;
    }
    this.endWithout(stream);
  }

  /** What a stream's chunks are shown to; `read` notes what one says. */
  observer(read: (chunk: unknown) => boolean, signal = this.signal?.deref()): StreamObserver {
    return {
      opened: (iterator) => this.endWithout(iterator),
      chunk: (value) => {
        this.answer?.chunk(value);
        this.estimate?.chunk(value);
        return read(value);
      },
      ended: (how, error) => {
        // Some libraries abort their own request when reading it fails.
        if (how === "failed") this.fail(error);
        else if (how === "stopped") this.end("stopped");
        else if (signal?.aborted && this.finishReasons.length === 0) this.endAborted(signal);
        else this.end(this.finishReasons.length > 0 ? "completed" : "incomplete");
      },
    };
  }

  /** The call, or reading its stream, has thrown. */
  fail(error: unknown): void {
    if (this.ended) return;
    if (isAbort(error, this.signal?.deref())) {
      this.end("aborted");
      return;
    }
    const { attempts } = this;
    if (attempts && !attempts.over) {
      attempts.failed = { call: this, error };
      const type = { [ATTRIBUTES.errorType.name]: errorType(error) };
      this.span.addEvent(GEN_AI.failedAttemptEvent, type);
      return;
    }
    failCall(this.span, error, this.settings.errorMessages);
    this.end("failed");
  }

  /** Ends the span; `outcome` is stated of streams, and of calls that the app has called off. */
  end(outcome: StreamOutcome = "completed"): void {
    if (this.ended) return;
    this.ended = true;
    unread.unregister(this);
    guarded("stating a call's end", () => this.state(outcome));
    RECENT_CALLS.add(this.id);
    this.span.end();
  }

  /** Sets what has been noted on the span, without ending it. */
  state(outcome: StreamOutcome): void {
    const { span, request, settings } = this;
    if (!span.isRecording()) return;
    const model = this.model ?? request.model;
    const { input, output } = this.estimate ?? {};
    const isEstimate = this.usage.output === undefined && output !== undefined;
    const usage = isEstimate ? { input: this.usage.input ?? input, output } : this.usage;
    span.setAttributes({
      ...this.clock.attributes(),
      ...(request.operation === "embeddings" ? {} : this.answer?.attributes()),
      ...responseAttributes(this.id, this.model, this.finishReasons),
      ...usageAttributes(usage),
      ...(isEstimate && { [GEN_AI.usageEstimated]: true }),
      ...settings.costAttributes(request.provider, model, usage),
    });
    if (request.stream || outcome === "aborted") {
      span.setAttribute(GEN_AI.streamOutcome, outcome);
    }
  }

  /** Some libraries end a stream quietly when it is aborted, for a time limit too. */
  private endAborted(signal: AbortSignal): void {
    const own = this.signal?.deref();
    this.fail((own?.aborted ? own : signal).reason);
  }
}

/**
 * Starts the span of a call that `describe` describes; undefined when nothing would record it, or
 * it cannot be told from the arguments what is called.
 */
export function beginCall(
  describe: () => CallRequest,
  settings: LlmSettings,
  context = callContext(),
): ModelCall | undefined {
  const startedMs = performance.now();
  return guarded("starting a model call's span", () =>
    startCall(describe(), settings, startedMs, context),
  );
}

/**
 * Calls a method that returns an answer, or a promise of one, which `read` reads and ends.
 * @param answerOf finds it in what is returned
 */
export function recordCall(
  call: ModelCall,
  work: () => unknown,
  read: (answer: unknown) => void,
  answerOf: (returned: unknown) => unknown = (returned) => returned,
): unknown {
  return observeCall(() => call.within(work), {
    succeeded: (returned) => {
      const answer = answerOf(returned);
      call.describe(answer);
      read(answer);
    },
    failed: (error) => call.fail(error),
  });
}

/** The signal among a method's options. */
export function signalOf(options: unknown): AbortSignal | undefined {
  const { signal } = loose(options);
  return signal instanceof AbortSignal ? signal : undefined;
}

function startCall(
  request: CallRequest,
  settings: LlmSettings,
  startedMs: number,
  active: Context,
): ModelCall | undefined {
  const { operation, model } = request;
  const again = failedCall(request);
  if (again !== undefined) return again;
  const attributes: Attributes = {
    [GEN_AI.operation]: operation,
    [GEN_AI.provider]: request.provider,
    ...(model !== undefined && { [GEN_AI.requestModel]: model }),
    ...(request.stream && { [GEN_AI.stream]: true }),
    ...request.attributes,
    ...requestScope(active)?.attributes,
    ...settings.requestAttributes(request.args),
  };
  const name = model === undefined ? operation : `${operation} ${model}`;
  const options = {
    attributes,
    kind: SpanKind.CLIENT,
    ...(request.startedAt !== undefined && { startTime: request.startedAt }),
  };
  const span = startSpan(name, options, active);
  if (span === undefined) return undefined;
  return new ModelCall(span, contextOf(span, active), request, settings, startedMs);
}

/** The call that this is a further attempt at. */
function failedCall({ operation, model }: CallRequest): ModelCall | undefined {
  const attempts = presentAttempts<ModelCall>();
  const call = attempts?.failed?.call;
  if (attempts === undefined || call === undefined || !call.isOf(operation, model))
    return undefined;
  attempts.failed = undefined;
  return call;
}

/** `server.address` and `server.port` of an API's base URL. */
export function serverAttributes(baseUrl: unknown): Attributes {
  const url = text(baseUrl);
  if (url === undefined || !URL.canParse(url)) return {};
  const { hostname, port, protocol } = new URL(url);
  const standard = protocol === "http:" ? 80 : 443;
  return {
    [GEN_AI.serverAddress]: hostname.replace(/^\[(.*)\]$/, "$1"),
    [GEN_AI.serverPort]: port === "" ? standard : Number(port),
  };
}

function responseAttributes(
  id: string | undefined,
  model: string | undefined,
  finishReasons: readonly string[],
): Attributes {
  return {
    ...(id !== undefined && { [GEN_AI.responseId]: id }),
    ...(model !== undefined && { [GEN_AI.responseModel]: model }),
    ...(finishReasons.length > 0 && { [GEN_AI.finishReasons]: [...finishReasons] }),
  };
}

function usageAttributes(usage: TokenUsage): Attributes {
  const { input, output, cacheRead, cacheWrite, reasoning } = usage;
  return {
    ...(input !== undefined && { [GEN_AI.inputTokens]: input }),
    ...(output !== undefined && { [GEN_AI.outputTokens]: output }),
    ...(cacheRead !== undefined && { [GEN_AI.cacheReadTokens]: cacheRead }),
    ...(cacheWrite !== undefined && { [GEN_AI.cacheWriteTokens]: cacheWrite }),
    ...(reasoning !== undefined && { [GEN_AI.reasoningTokens]: reasoning }),
  };
}
