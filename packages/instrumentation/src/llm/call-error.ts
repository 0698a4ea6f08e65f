/** Why a call of a model failed, in one word; the message stays out, it may quote the prompt. */
import type { Span } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";
import { failSpan } from "../span-error.js";
import { loose } from "./loose.js";

const CODE = /^[A-Z][A-Z0-9_]{2,63}$/;
const DEPTH_MAX = 4;

/** Marks a span as failed, with the most telling type. */
export function failCall(span: Span, error: unknown, withMessage: boolean): void {
  failSpan(span, error, withMessage);
  span.setAttribute(ATTRIBUTES.errorType.name, errorType(error));
}

/** Classes that say less than the names of their errors, such as `TimeoutError`. */
const VAGUE: ReadonlySet<string> = new Set(["", "Error", "DOMException"]);

/**
 * A socket's or a system's code where there is one in the chain of causes, such as `ECONNRESET`;
 * else the name of the error's class.
 */
export function errorType(error: unknown): string {
  let cause: unknown = error;
  for (let depth = 0; depth < DEPTH_MAX && cause !== undefined; depth++) {
    const { code } = loose(cause);
    if (typeof code === "string" && CODE.test(code)) return code;
    cause = loose(cause)["cause"];
  }
  if (!(error instanceof Error)) return typeof error;
  const { name } = error.constructor;
  return VAGUE.has(name) ? error.name : name;
}

/** Whether the app itself has called it off; running into a time limit is not that. */
export function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return !isTimeLimit(signal.reason);
  const name = errorType(error);
  return name === "APIUserAbortError" || loose(error)["name"] === "AbortError";
}

/** Whether that is why a signal has aborted. */
export function isTimeLimit(reason: unknown): boolean {
  return loose(reason)["name"] === "TimeoutError";
}
