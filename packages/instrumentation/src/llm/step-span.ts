/** Spans of what is not a call of a model: tools, chains, retrievals. They state no usage. */
import type { Attributes, Context, Span } from "@opentelemetry/api";
import { GEN_AI } from "@tidemark/semconv";
import { activeContext, contextOf, startSpan } from "../host-api.js";
import { requestScope } from "../request-scope.js";
import { failCall } from "./call-error.js";

/** What a span of this kind covers, in OpenTelemetry's words. */
export type StepOperation = "execute_tool" | "invoke_workflow" | "retrieval";

const NAME_ATTRIBUTE: Readonly<Record<StepOperation, string>> = {
  execute_tool: GEN_AI.toolName,
  invoke_workflow: GEN_AI.workflowName,
  retrieval: GEN_AI.dataSource,
};

/** A started one. */
export interface StepSpan {
  readonly context: Context;
  readonly span: Span;
  end(attributes?: Attributes): void;
  fail(error: unknown, withMessage: boolean): void;
}

/** Starts one below `context`; undefined when nothing would record it. */
export function beginStep(
  operation: StepOperation,
  name: string | undefined,
  context = activeContext(),
): StepSpan | undefined {
  const attributes: Attributes = {
    [GEN_AI.operation]: operation,
    ...(name !== undefined && { [NAME_ATTRIBUTE[operation]]: name }),
    ...requestScope(context)?.attributes,
  };
  const title = name === undefined ? operation : `${operation} ${name}`;
  const span = startSpan(title, { attributes }, context);
  if (span === undefined) return undefined;
  return {
    span,
    context: contextOf(span, context),
    end: (more) => {
      if (more) span.setAttributes(more);
      span.end();
    },
    fail: (error, withMessage) => {
      failCall(span, error, withMessage);
      span.end();
    },
  };
}

/** A tool's. */
export function beginTool(name: string | undefined): StepSpan | undefined {
  return beginStep("execute_tool", name);
}
