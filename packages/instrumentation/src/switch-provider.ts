/**
 * A tracer provider that may change what is behind it. Libraries ask for their tracer once and keep
 * it: with our SDK's own they would go on writing to it after the app has set up another.
 */
import type { Span, SpanOptions, Tracer, TracerOptions, TracerProvider } from "@opentelemetry/api";
import { INVALID_SPAN_CONTEXT, trace } from "@opentelemetry/api";

import { guarded } from "./complain.js";
import { noteSource } from "./feature-source.js";
import { activeContext } from "./host-api.js";

type Behind = TracerProvider & { forceFlush?: () => Promise<void> };
type ActiveSpanArgs = Parameters<Tracer["startActiveSpan"]>;

/**
 * Libraries whose own spans hold prompts and answers, whether or not anybody has asked for that.
 * They are silent while the SDK is ours; their calls are recorded by spans that we make of them.
 */
const MUTED: ReadonlySet<string> = new Set(["mistralai_sdk_tracer"]);

/** Hands out tracers that follow {@link SwitchProvider.switchTo}. */
export class SwitchProvider implements TracerProvider {
  /** Where spans go now. */
  current: TracerProvider;
  private readonly first: Behind;

  constructor(first: Behind) {
    this.first = first;
    this.current = first;
  }

  /** Whether spans of a tracer of that name are dropped now. */
  mutes(name: string): boolean {
    return MUTED.has(name) && this.current === this.first;
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    return new SwitchTracer(this, name, version, options);
  }

  /** From now on spans of every tracer, old and new, go to another provider. */
  switchTo(provider: TracerProvider): void {
    this.current = provider;
  }

  /** Flushes the provider that this one was made with. */
  async forceFlush(): Promise<void> {
    await this.first.forceFlush?.();
  }
}

class SwitchTracer implements Tracer {
  private readonly provider: SwitchProvider;
  private readonly identity: [string, string | undefined, TracerOptions | undefined];
  private owner: TracerProvider | undefined;
  private tracer: Tracer | undefined;

  constructor(provider: SwitchProvider, ...identity: SwitchTracer["identity"]) {
    this.provider = provider;
    this.identity = identity;
  }

  startSpan(
    name: string,
    options?: SpanOptions,
    context?: Parameters<Tracer["startSpan"]>[2],
  ): Span {
    guarded("noting a source", () => noteSource(context ?? activeContext(), options));
    if (this.provider.mutes(this.identity[0])) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    return this.behind().startSpan(name, options, context);
  }

  startActiveSpan(...args: unknown[]): never {
    // The overloads differ in where the function is; all of them are passed on as they came.
    return this.behind().startActiveSpan(...(args as ActiveSpanArgs)) as never;
  }

  private behind(): Tracer {
    const { current } = this.provider;
    if (this.tracer === undefined || this.owner !== current) {
      this.owner = current;
      this.tracer = current.getTracer(...this.identity);
    }
    return this.tracer;
  }
}
