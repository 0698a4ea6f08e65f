/**
 * `ai` 6: its functions tell a tracer of every call, but only where the app asks for that. Where it
 * says nothing of telemetry they get a tracer of ours, which makes our spans of what it is told.
 */
import type { Span } from "@opentelemetry/api";
import { INVALID_SPAN_CONTEXT, SpanStatusCode } from "@opentelemetry/api";
import { guarded } from "../complain.js";
import { withContext } from "../host-api.js";
import type { LlmSettings } from "./llm-settings.js";
import type { Loose } from "./loose.js";
import { loose, text } from "./loose.js";
import { patchMethod } from "./patch-method.js";
import { beginTool } from "./step-span.js";
import { SdkCalls } from "./vercel-ai-calls.js";
import { patchAgent, patchFunctions, presentSignal, withOptions } from "./vercel-ai-functions.js";

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

type Work = (span: Span) => unknown;

/** The exports with functions that tell of their calls. */
export function patchVercelAi6(exports: unknown, settings: LlmSettings): unknown {
  const told = (options: Loose) => withTelemetry(options, settings, options["abortSignal"]);
  const toldOfAgent = (options: Loose) => withTelemetry(options, settings, presentSignal());
  patchAgent(exports);
  const agent = loose(exports)["ToolLoopAgent"] as { prototype?: object } | undefined;
  // What it returns is what the agent's functions are given, but for the app's signal.
  patchMethod(agent?.prototype, "prepareCall", (_, args, original) => {
    const prepared = original(args);
    return prepared instanceof Promise
      ? prepared.then((it) => withOptions(it, toldOfAgent))
      : prepared;
  });
  return patchFunctions(exports, FUNCTIONS, told);
}

function withTelemetry(options: Loose, settings: LlmSettings, abortSignal: unknown): Loose {
  // What the app says of telemetry, for or against it, is its own to say.
  if (options["experimental_telemetry"] !== undefined) return options;
  const tracer = tracerOf({ ...options, abortSignal }, settings);
  const content = { recordInputs: false, recordOutputs: false };
  return { ...options, experimental_telemetry: { isEnabled: true, ...content, tracer } };
}

/** A tracer for what one of the SDK's functions does, which may be several calls. */
function tracerOf(options: Loose, settings: LlmSettings) {
  const calls = new SdkCalls(settings, options);
  const startActiveSpan = (name: string, about: unknown, work: Work): unknown => {
    const attributes = loose(loose(about)["attributes"]);
    if (name === TOOL) return runTool(text(attributes["ai.toolCall.name"]), settings, work);
    const [, kind] = CALL.exec(name) ?? [];
    if (kind === undefined) return work(spanThat({ end: () => calls.end() }));
    const request = {
      provider: attributes["ai.model.provider"],
      model: attributes["ai.model.id"],
      operation: kind === "Embed" ? "embeddings" : "chat",
      stream: kind === "Stream",
      options,
      maxTokens: attributes["ai.settings.maxOutputTokens"],
      temperature: attributes["ai.settings.temperature"],
    } as const;
    return calls.run(request, () => work(spanThat({})));
  };
  return { startActiveSpan, startSpan: () => spanThat({}) };
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
