/** Tokens of one call, as OpenTelemetry counts them: input with what came from a cache. */
export interface TokenUsage {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  /** Of the input: read from the provider's cache, and written into it. */
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
  /** Of the output: what the model has thought and not said. */
  readonly reasoning?: number | undefined;
}

/** A whole number of tokens, or undefined: what a provider does not say is never 0. */
export function tokens(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** The sum of what is known; undefined when nothing is. */
export function sumOf(...parts: readonly (number | undefined)[]): number | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0);
}

/** Later parts of a usage that is told in several chunks replace earlier ones. */
export function mergeUsage(before: TokenUsage, later: TokenUsage): TokenUsage {
  return {
    input: later.input ?? before.input,
    output: later.output ?? before.output,
    cacheRead: later.cacheRead ?? before.cacheRead,
    cacheWrite: later.cacheWrite ?? before.cacheWrite,
    reasoning: later.reasoning ?? before.reasoning,
  };
}
