/**
 * `ai` 7: its telemetry hook runs every call that its functions for text make, whether or not the
 * app has asked for spans. Of those for vectors and objects it tells, but not how each call ends:
 * they get a model that does.
 */
import { guarded } from "../complain.js";
import { withContext } from "../host-api.js";
import { observeCall } from "../observe-call.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { loose, text } from "./loose.js";
import { OpenSpans } from "./open-spans.js";
import { beginTool } from "./step-span.js";
import { SdkCalls } from "./vercel-ai-calls.js";
import {
  patchAgent,
  patchFunctions,
  presentSignal,
  surroundFunctions,
  withSignal,
} from "./vercel-ai-functions.js";

const INTEGRATIONS = "AI_SDK_TELEMETRY_INTEGRATIONS";
const DEFAULT_PROVIDER = "AI_SDK_DEFAULT_PROVIDER";
/** Those that run their calls by the hook. */
const TEXTS: ReadonlySet<unknown> = new Set(["ai.generateText", "ai.streamText"]);
const TEXT_FUNCTIONS = ["generateText", "streamText", "experimental_streamTextLowMemory"];
const OBJECTS = ["generateObject", "streamObject"];
const VECTORS = ["embed", "embedMany"];

type AnyFunction = (...args: unknown[]) => unknown;

let isRegistered = false;

/** Registers the hook, once in a process: all copies of the package share it. */
export function patchVercelAi7(exports: unknown, settings: LlmSettings): unknown {
  if (!isRegistered) {
    isRegistered = true;
    const globals = globalThis as { [INTEGRATIONS]?: unknown[] };
    globals[INTEGRATIONS] ??= [];
    globals[INTEGRATIONS].push(integration(settings));
  }
  // Providers of the SDK's version 5 have an older name for one of the makers.
  const modelNamed = (makers: readonly string[]) => (name: string) => {
    const globals = globalThis as { [DEFAULT_PROVIDER]?: unknown };
    const provider = loose(globals[DEFAULT_PROVIDER] ?? loose(exports)["gateway"]);
    const maker = makers.find((one) => one in provider) ?? "";
    return (provider[maker] as AnyFunction).call(provider, name);
  };
  const withModel =
    (...makers: readonly string[]) =>
    (options: Loose) =>
      withObservedModel(options, settings, modelNamed(makers));
  patchAgent(exports);
  const texts = surroundFunctions(exports, TEXT_FUNCTIONS, withSignal);
  const objects = patchFunctions(texts, OBJECTS, withModel("languageModel"));
  return patchFunctions(objects, VECTORS, withModel("embeddingModel", "textEmbeddingModel"));
}

function integration(settings: LlmSettings) {
  const open = new OpenSpans<{ readonly calls: SdkCalls; readonly stream: boolean }>(({ calls }) =>
    calls.end(),
  );
  const callsOf = (event: Loose) => {
    const id = idOf(event);
    const known = open.get(id);
    if (known !== undefined) return known;
    const begun = {
      calls: new SdkCalls(settings, { ...event, abortSignal: presentSignal() }),
      stream: event["operationId"] === "ai.streamText",
    };
    open.add(id, begun);
    return begun;
  };
  const over = told("end", (event) => open.take(idOf(event))?.calls.end());
  return {
    onStart: told("start", (event) => {
      if (TEXTS.has(event["operationId"])) callsOf(event);
    }),
    onEnd: over,
    onError: over,
    onAbort: told("abort", (event) => open.take(idOf(event))?.calls.abort(event["reason"])),
    // What runs the app's own work is never guarded: its errors are the app's.
    executeLanguageModelCall: (event: unknown) => {
      const { execute, ...options } = loose(event);
      const run = execute as () => unknown;
      const found = guarded("a call of the AI SDK", () => callsOf(options));
      if (found === undefined) return run();
      const request = requestOf(options, options, "chat", found.stream);
      return found.calls.run(request, run);
    },
    executeTool: (event: unknown) => {
      const { execute, toolCall } = loose(event);
      const run = execute as () => unknown;
      const begin = () => beginTool(text(loose(toolCall)["toolName"]));
      const tool = guarded("starting a tool's span", begin);
      if (tool === undefined) return run();
      return observeCall(() => withContext(tool.context, run), {
        succeeded: () => tool.end(),
        failed: (error) => tool.fail(error, settings.errorMessages),
      });
    },
  };
}

function idOf(event: Loose): string {
  return text(event["callId"]) ?? "";
}

function told(name: string, hear: (event: Loose) => void) {
  return (event: unknown) => {
    guarded(`hearing of the AI SDK's ${name}`, () => hear(loose(event)));
  };
}

function requestOf(
  model: Loose,
  options: Loose,
  operation: "chat" | "embeddings",
  stream: boolean,
) {
  return {
    provider: model["provider"],
    model: model["modelId"],
    operation,
    stream,
    options,
    maxTokens: options["maxOutputTokens"],
    temperature: options["temperature"],
  } as const;
}

function withObservedModel(
  options: Loose,
  settings: LlmSettings,
  modelNamed: (name: string) => unknown,
): Loose {
  const { isEnabled, integrations } = loose(
    options["telemetry"] ?? options["experimental_telemetry"],
  );
  // Where the app has telemetry off, or names who is told, the hook is not told either.
  if (isEnabled === false || integrations !== undefined) return options;
  const { model } = options;
  const named = typeof model === "string" ? modelNamed(model) : model;
  // What is no model is the SDK's to refuse.
  if (typeof named !== "object" || named === null) return options;
  const calls = new SdkCalls(settings, options);
  return { ...options, model: observedModel(named, options, calls) };
}

/** A model that is the app's in everything, and whose calls are recorded. */
function observedModel(model: object, options: Loose, calls: SdkCalls): object {
  const calling =
    (operation: "chat" | "embeddings", stream: boolean) =>
    (method: AnyFunction) =>
    (about: unknown) =>
      calls.run(
        requestOf(loose(model), options, operation, stream),
        () => method.call(model, about),
        loose(about)["values"],
      );
  const methods = new Map<PropertyKey, (method: AnyFunction) => AnyFunction>([
    ["doGenerate", calling("chat", false)],
    ["doStream", calling("chat", true)],
    ["doEmbed", calling("embeddings", false)],
  ]);
  return new Proxy(Object.create(null) as object, {
    has: (_, key) => Reflect.has(model, key),
    getPrototypeOf: () => Reflect.getPrototypeOf(model),
    set: (_, key, value) => Reflect.set(model, key, value),
    get: (_, key) => {
      const value: unknown = Reflect.get(model, key, model);
      if (typeof value !== "function" || key === "constructor") return value;
      return methods.get(key)?.(value as AnyFunction) ?? (value as AnyFunction).bind(model);
    },
  });
}
