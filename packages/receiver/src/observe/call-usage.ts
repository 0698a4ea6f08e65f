/** Tokens and cost of one call, as all dialects are to say them: input with what was cached. */
import type { Concept, PricedUsage } from "@tidemark/semconv";
import { CACHE_EXCLUSIVE_PROVIDERS, CACHE_EXCLUSIVE_SCOPES } from "@tidemark/semconv";
import type { CallParts } from "./call-parts.js";
import { jsonNumbers, sidesOf } from "./json-details.js";
import type { ValueReader } from "./value-reader.js";

/** What a call has used; undefined where its span does not say. NaN where it says no number. */
export interface CallUsage {
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
  readonly cacheReadTokens: number | undefined;
  readonly cacheWriteTokens: number | undefined;
  readonly reasoningTokens: number | undefined;
  readonly cost: number | undefined;
  /** ISO 4217; dollars unless said otherwise, which is what all libraries mean. */
  readonly currency: string;
}

const CURRENCY = /^[A-Z]{3}$/;

/** Reads the usage of a span of a scope. */
export function usageOf(parts: CallParts, values: ValueReader, scope: string): CallUsage {
  const at = (concept: Concept) => parts.of(concept).at[0];
  const number = (concept: Concept) => {
    const index = at(concept);
    return index === undefined ? undefined : values.number(index);
  };
  const details = (concept: Concept) => {
    const index = at(concept);
    const text = index === undefined ? undefined : values.longText(index);
    return text === undefined ? new Map<string, number>() : (jsonNumbers(text) ?? new Map());
  };
  const text = (concept: Concept) => {
    const index = at(concept);
    return index === undefined ? "" : (values.text(index) ?? "");
  };
  const used = details("usageDetails");
  const sides = sidesOf(used);
  const part = (pattern: RegExp) => [...used].find(([name]) => pattern.test(name))?.[1];
  const cacheReadTokens = number("cacheReadTokens") ?? part(/cache.*read|cached/);
  const cacheWriteTokens = number("cacheWriteTokens") ?? part(/cache.*(?:creation|write)/);
  const cached = (cacheReadTokens || 0) + (cacheWriteTokens || 0);
  const given = number("inputTokens");
  const outputTokens = number("outputTokens") ?? known(sides.output);
  const all = number("totalTokens");
  const leavesOut =
    given !== undefined &&
    (CACHE_EXCLUSIVE_SCOPES.has(scope) ||
      (CACHE_EXCLUSIVE_PROVIDERS.has(text("provider")) && cached > given) ||
      (cached > 0 && all === given + (outputTokens ?? 0) + cached));
  const currency = text("currency").toUpperCase();
  return {
    inputTokens: leavesOut ? given + cached : (given ?? known(sides.input)),
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    reasoningTokens: number("reasoningTokens") ?? part(/reasoning/),
    cost:
      number("cost") ??
      sum(number("inputCost"), number("outputCost")) ??
      total(details("costDetails"), used.size > 0),
    currency: CURRENCY.test(currency) ? currency : "USD",
  };
}

/** The same as price tables count it. */
export function pricedUsage(usage: Omit<CallUsage, "cost" | "currency">): PricedUsage {
  return {
    input: usage.inputTokens,
    output: usage.outputTokens,
    cacheRead: usage.cacheReadTokens,
    cacheWrite: usage.cacheWriteTokens,
    reasoning: usage.reasoningTokens,
  };
}

function known(number: number): number | undefined {
  return Number.isNaN(number) ? undefined : number;
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
}

/** What is called total, or else all parts; a call without usage is not said to be free. */
function total(costs: ReadonlyMap<string, number>, isUsed: boolean): number | undefined {
  if (costs.size === 0) return undefined;
  const all = costs.get("total") ?? [...costs.values()].reduce((a, b) => a + b, 0);
  return all === 0 && !isUsed ? undefined : all;
}
