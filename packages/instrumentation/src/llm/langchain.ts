/**
 * `@langchain/core` 0.3 and 1: chains, retrievers and tools as spans, by a callback handler that
 * joins those of every run. Calls of models are left to the libraries that make them; only what
 * none of those has recorded gets a span here, so nothing counts twice.
 */
import type { Attributes, Context } from "@opentelemetry/api";
import { trace } from "@opentelemetry/api";
import { guarded } from "../complain.js";
import { activeContext } from "../host-api.js";
import { observeCall } from "../observe-call.js";
import { beginAttempts } from "./call-attempts.js";
import { encloseCalls } from "./enclosing-context.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { list, loose, text } from "./loose.js";
import { beginCall } from "./model-call.js";
import { OpenSpans } from "./open-spans.js";
import { patchMethod } from "./patch-method.js";
import { RECENT_CALLS } from "./recent-responses.js";
import type { DocumentReader } from "./retrieval.js";
import { retrievalAttributes } from "./retrieval.js";
import type { StepOperation, StepSpan } from "./step-span.js";
import { beginStep } from "./step-span.js";
import type { TokenUsage } from "./token-usage.js";
import { tokens } from "./token-usage.js";

const NAME = "tidemark";
/** Runs of these kinds are steps of others that nobody asks about. */
const SILENT: ReadonlySet<unknown> = new Set(["prompt", "parser"]);

/** Similarities of documents that a vector store has found; its retriever does not hand them on. */
const scores = new WeakMap<object, number>();

/** Lets every callback manager know of the handler. */
export function patchLangchainCallbacks(exports: unknown, settings: LlmSettings): void {
  const manager = loose(exports)["CallbackManager"] as { prototype?: object } | undefined;
  const runs = new OpenSpans<Run>(({ span }) => span?.end());
  const handler = makeHandler(settings, runs);
  patchMethod(manager, "_configureSync", (_, args, original) =>
    original([withHandler(args[0], handler), ...args.slice(1)]),
  );
  // Nothing is told of a chain whose stream the app leaves: but whoever would tell is then gone.
  const left = new FinalizationRegistry<string>((runId) => {
    guarded("ending the span of a chain that was left", () => runs.take(runId)?.span?.end());
  });
  patchMethod(manager?.prototype, "handleChainStart", (_, args, original) =>
    observeCall(() => original(args), {
      succeeded: (run) => left.register(run as object, String(loose(run)["runId"])),
      failed: () => undefined,
    }),
  );
}

/** Lets the calls that are made again when they fail be one. */
export function patchLangchainCaller(exports: unknown): void {
  const caller = loose(exports)["AsyncCaller"] as { prototype?: object } | undefined;
  patchMethod(caller?.prototype, "call", (_, args, original) => inAttempts(args, 0, original));
  patchMethod(caller?.prototype, "callWithOptions", (_, args, original) =>
    inAttempts(args, 1, original),
  );
}

/** @param at which argument is the function that makes the call */
function inAttempts(args: unknown[], at: number, original: (args: unknown[]) => unknown): unknown {
  const callable = args[at];
  if (typeof callable !== "function") return original(args);
  const attempts = beginAttempts();
  const attempt = (...given: unknown[]): unknown =>
    attempts.attempt(() => (callable as (...all: unknown[]) => unknown)(...given));
  const result = original(args.with(at, attempt));
  const end = () => guarded("ending a call's attempts", () => attempts.end());
  if (result instanceof Promise) result.then(end, end);
  else end();
  return result;
}

/** Notes the similarities that vector stores compute. */
export function patchLangchainVectorStores(exports: unknown): void {
  const store = loose(exports)["VectorStore"] as { prototype?: object } | undefined;
  patchMethod(store?.prototype, "similaritySearch", (self, args, original) => {
    guarded("watching a vector store", () => watchStore(self as object));
    return original(args);
  });
}

/** The method is the subclass's own, so it is known when the first store of a class is asked. */
function watchStore(store: object): void {
  patchMethod(
    Object.getPrototypeOf(store) as object,
    "similaritySearchVectorWithScore",
    noteScores,
  );
}

function noteScores(_: unknown, args: unknown[], original: (args: unknown[]) => unknown) {
  const result = original(args);
  if (!(result instanceof Promise)) return result;
  return result.then((found: unknown) => {
    for (const pair of list(found)) {
      const [document, score] = list(pair);
      if (typeof document === "object" && document !== null && typeof score === "number") {
        scores.set(document, score);
      }
    }
    return found;
  });
}

/** Handlers are a list, a manager, or not there. */
function withHandler(handlers: unknown, handler: Loose): unknown {
  if (handlers === undefined || handlers === null) return [handler];
  if (Array.isArray(handlers))
    return handlers.includes(handler) ? handlers : [...handlers, handler];
  const manager = handlers as {
    readonly handlers?: readonly unknown[];
    addHandler?: (added: unknown, inherit: boolean) => void;
  };
  if (!manager.handlers?.includes(handler)) manager.addHandler?.(handler, true);
  return handlers;
}

interface Run {
  /** The app's context when it began, and that of what runs below it. */
  readonly active: Context;
  readonly context: Context;
  readonly span?: StepSpan | undefined;
}

function makeHandler(settings: LlmSettings, runs: OpenSpans<Run>): Loose {
  const calls = new OpenSpans<CallRun>(() => undefined);
  const begin = (
    operation: StepOperation | undefined,
    name: string | undefined,
    runId: unknown,
    parentId: unknown,
  ) => {
    const active = activeContext();
    const context = runs.get(String(parentId))?.context ?? active;
    const span = operation && beginStep(operation, name, context);
    runs.add(String(runId), { active, span, context: span?.context ?? context });
  };
  const end = (runId: unknown, attributes?: Attributes) =>
    runs.take(String(runId))?.span?.end(attributes);
  const fail = (error: unknown, runId: unknown) =>
    runs.take(String(runId))?.span?.fail(error, settings.errorMessages);
  encloseCalls((active) => enclosing(active, runs.values()));
  const beginModel = (...[model, , runId, parentId, extra, , metadata]: unknown[]) => {
    const { cached, invocation_params: params } = loose(extra);
    // Version 0.3 says so of every call that has a cache; one not found there begins once more.
    if (cached === true) return;
    const context = runs.get(String(parentId))?.context ?? activeContext();
    const since = { startedAt: Date.now(), callsBefore: RECENT_CALLS.count };
    const told = { ...loose(params), ...loose(metadata) };
    calls.add(String(runId), { context, ...since, ...modelOf(model, told) });
  };
  const hooks: Readonly<Record<string, (...args: unknown[]) => void>> = {
    handleChainStart: (chain, _inputs, runId, parentId, _tags, _metadata, type, name) =>
      begin(SILENT.has(type) ? undefined : "invoke_workflow", nameOf(name, chain), runId, parentId),
    handleChainEnd: (_outputs, runId) => end(runId),
    handleChainError: fail,
    handleToolStart: (tool, _input, runId, parentId, _tags, _metadata, name) =>
      begin("execute_tool", nameOf(name, tool), runId, parentId),
    handleToolEnd: (_output, runId) => end(runId),
    handleToolError: fail,
    handleRetrieverStart: (retriever, _query, runId, parentId, _tags, _metadata, name) =>
      begin("retrieval", nameOf(name, retriever), runId, parentId),
    handleRetrieverEnd: (documents, runId) => end(runId, retrievalAttributes(documents, DOCUMENTS)),
    handleRetrieverError: fail,
    handleChatModelStart: beginModel,
    handleLLMStart: beginModel,
    handleLLMEnd: (output, runId, _parentId, _tags, extra) => {
      const run = calls.take(String(runId));
      // What a cache has answered is no call.
      if (run !== undefined && loose(extra)["cached"] !== true) {
        endModel(run, loose(output), settings);
      }
    },
    handleLLMError: (_error, runId) => void calls.take(String(runId)),
  };
  const guardedHooks = Object.entries(hooks).map(([name, hook]) => [
    name,
    (...args: unknown[]) => {
      guarded(`LangChain's ${name}`, () => hook(...args));
    },
  ]);
  const handler: Record<string, unknown> = {
    name: NAME,
    // Spans must begin before what runs below them, so these are called at once and not queued.
    awaitHandlers: true,
    raiseError: false,
    lc_serializable: false,
    copy: () => handler,
    ...(Object.fromEntries(guardedHooks) as Loose),
  };
  return handler;
}

interface CallRun {
  readonly context: Context;
  readonly startedAt: number;
  /** Calls that had ended when it began. */
  readonly callsBefore: number;
  readonly provider: string;
  readonly model: string | undefined;
}

/** LangSmith's words for providers, and OpenTelemetry's. */
const PROVIDERS: Readonly<Record<string, string>> = {
  azure: "azure.ai.openai",
  google_genai: "gcp.gemini",
  google_vertexai: "gcp.vertex_ai",
  amazon_bedrock: "aws.bedrock",
  mistral: "mistral_ai",
  xai: "x_ai",
};

function modelOf(model: unknown, told: unknown) {
  const metadata = loose(told);
  const provider = text(metadata["ls_provider"]) ?? nameOf(undefined, model) ?? "langchain";
  return {
    provider: PROVIDERS[provider] ?? provider,
    model: text(metadata["ls_model_name"]) ?? text(metadata["model"]),
  };
}

/** A span for a call that no library has recorded: it is made when it is over. */
function endModel(run: CallRun, output: Loose, settings: LlmSettings): void {
  const generation = loose(list(list(output["generations"])[0])[0]);
  const message = loose(generation["message"]);
  const metadata = loose(message["response_metadata"]);
  const id = text(metadata["id"]) ?? text(message["id"]);
  if (RECENT_CALLS.has(id, run.callsBefore)) return;
  const { provider, model, startedAt } = run;
  const call = beginCall(
    () => ({ provider, operation: "chat", model, stream: false, args: [], startedAt }),
    settings,
    run.context,
  );
  const reason = text(metadata["finish_reason"]) ?? text(metadata["stop_reason"]);
  call?.note({
    id,
    model: text(metadata["model_name"]) ?? text(metadata["model"]),
    finishReasons: reason === undefined ? [] : [reason],
    usage: usageOf(loose(message["usage_metadata"])),
  });
  call?.end();
}

function usageOf(usage: Loose): TokenUsage {
  const input = loose(usage["input_token_details"]);
  return {
    input: tokens(usage["input_tokens"]),
    output: tokens(usage["output_tokens"]),
    cacheRead: tokens(input["cache_read"]),
    cacheWrite: tokens(input["cache_creation"]),
    reasoning: tokens(loose(usage["output_token_details"])["reasoning"]),
  };
}

/**
 * The run that a call of a model is made in. LangChain has no context of OpenTelemetry's, but calls
 * the handler in that of the app: so it is the latest open run that began in the same one. Where
 * the app has none, and runs of several traces are open, nobody can tell.
 */
function enclosing(active: Context, open: Iterable<Run>): Context {
  let found: Run | undefined;
  const traces = new Set<string | undefined>();
  for (const run of open) {
    if (run.active !== active) continue;
    traces.add(trace.getSpanContext(run.context)?.traceId);
    found = run;
  }
  const isSure = trace.getSpan(active) !== undefined || traces.size === 1;
  return found !== undefined && isSure ? found.context : active;
}

/** A name of the app's own, or that of the class. */
function nameOf(given: unknown, serialized: unknown): string | undefined {
  const { name, id } = loose(serialized);
  return text(given) ?? text(name) ?? text(list(id).at(-1));
}

const DOCUMENTS: DocumentReader = {
  text: (document) => loose(document)["pageContent"],
  score: (document) => {
    const { score, relevance_score: relevance } = loose(loose(document)["metadata"]);
    return scores.get(document as object) ?? score ?? relevance;
  },
};
