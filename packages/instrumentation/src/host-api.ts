/**
 * The OpenTelemetry API as the process has it, whichever 1.x copy set it up. An API copy refuses a
 * global that an older copy registered, so the copy that this package resolves may be blind to the
 * provider of an app that pins an older one; the registered objects themselves work with either.
 * Context keys are `Symbol.for` keys and therefore shared by all copies.
 */
import type {
  Context,
  ContextManager,
  Span,
  SpanOptions,
  Tracer,
  TracerProvider,
} from "@opentelemetry/api";
import { createContextKey, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { INSTRUMENTATION_SCOPE } from "@tidemark/semconv";

const GLOBAL_API = Symbol.for("opentelemetry.js.api.1");

interface RegisteredApi {
  readonly version?: string;
  readonly trace?: TracerProvider;
  readonly context?: ContextManager;
}

function registeredApi(): RegisteredApi | undefined {
  return (globalThis as { [GLOBAL_API]?: RegisteredApi })[GLOBAL_API];
}

/** The global tracer provider, or undefined while nobody has set one. */
export function registeredProvider(): TracerProvider | undefined {
  return registeredApi()?.trace;
}

/** The active context, or the root when there is no context manager. */
export function activeContext(): Context {
  return registeredApi()?.context?.active() ?? ROOT_CONTEXT;
}

/** The active span, if there is one. */
export function activeSpan(): Span | undefined {
  return trace.getSpan(activeContext());
}

/** Runs `work` in a context; without a context manager it simply runs. */
export function withContext<T>(context: Context, work: () => T): T {
  const manager = registeredApi()?.context;
  return manager === undefined ? work() : manager.with(context, work);
}

/** Under this key OpenTelemetry's SDK notes that nothing is to be recorded. */
const SUPPRESSED = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const suppressing = ROOT_CONTEXT.setValue(SUPPRESSED, true);

/** Runs `work` so that no span is recorded of it, such as the sending of spans. */
export function withoutTracing<T>(work: () => T): T {
  return withContext(suppressing, work);
}

/** Whether nothing is to be recorded in this context. */
export function isSuppressed(context: Context): boolean {
  return context.getValue(SUPPRESSED) === true;
}

/** Whether a child of the context's span may be recorded; by the usual samplers, which ask it. */
export function mayRecord(context: Context): boolean {
  if (registeredProvider() === undefined) return false;
  const span = trace.getSpan(context);
  if (span === undefined || span.isRecording()) return true;
  // One that came with a request is not recorded here, but may be sampled.
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** The name under which this package's spans are recorded. */
export const SCOPE = INSTRUMENTATION_SCOPE;

/** Starts spans, as a tracer does. */
export type SpanStarter = Pick<Tracer, "startSpan">;

let tracer: SpanStarter | undefined;
let tracerOwner: TracerProvider | undefined;

/** Has this package's spans made by `starter` as long as the provider of now is registered. */
export function startSpansWith(starter: SpanStarter): void {
  tracerOwner = registeredProvider();
  tracer = starter;
}

/** Starts a span of this package, or returns undefined when nothing would record it. */
export function startSpan(name: string, options: SpanOptions, context: Context): Span | undefined {
  const provider = registeredProvider();
  if (provider === undefined) return undefined;
  if (provider !== tracerOwner || tracer === undefined) {
    tracerOwner = provider;
    tracer = provider.getTracer(SCOPE);
  }
  return tracer.startSpan(name, options, context);
}

/** The context in which spans become children of `span`. */
export function contextOf(span: Span, context: Context): Context {
  return trace.setSpan(context, span);
}
