/**
 * What is known about the request that a prediction belongs to: its segments, tenant and prediction
 * id. A stage that finds them notes them here, and every later stage of the same request, the
 * inference above all, states them too.
 */
import type { Attributes, Context } from "@opentelemetry/api";
import { createContextKey } from "@opentelemetry/api";

const SCOPE = createContextKey("tidemark.request-scope");

/** Attributes that all stages of one request share. */
export interface RequestScope {
  readonly attributes: Attributes;
}

/** The scope of the active request, or undefined outside of every stage. */
export function requestScope(context: Context): RequestScope | undefined {
  return context.getValue(SCOPE) as RequestScope | undefined;
}

/** A context with a scope of its own, for the outermost stage. */
export function withRequestScope(context: Context, scope: RequestScope): Context {
  return context.setValue(SCOPE, scope);
}
