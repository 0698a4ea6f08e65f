/** How a failure is stated on a span. Messages may quote a user's data, so they are opt-in. */
import type { Span } from "@opentelemetry/api";
import { SpanStatusCode } from "@opentelemetry/api";
import { ATTRIBUTES } from "@tidemark/semconv";

const MESSAGE_LENGTH_MAX = 500;

/** Marks the span as failed, with the error's type, and its message where that is allowed. */
export function failSpan(span: Span, error: unknown, withMessage: boolean): void {
  const type = error instanceof Error ? error.name || error.constructor.name : typeof error;
  span.setAttribute(ATTRIBUTES.errorType.name, type);
  const message = error instanceof Error ? error.message : String(error);
  span.setStatus(
    withMessage
      ? { code: SpanStatusCode.ERROR, message: message.slice(0, MESSAGE_LENGTH_MAX) }
      : { code: SpanStatusCode.ERROR },
  );
}
