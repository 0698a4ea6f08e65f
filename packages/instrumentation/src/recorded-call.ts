/** A call of the host's that is recorded as one span, whatever library it belongs to. */
import type { Attributes, Context, Span } from "@opentelemetry/api";
import { createContextKey } from "@opentelemetry/api";
import type { Stage } from "@tidemark/semconv";
import { ATTRIBUTES, stageSpanName } from "@tidemark/semconv";
import { guarded } from "./complain.js";
import { withOpenSource } from "./feature-source.js";
import { activeContext, contextOf, startSpan, withContext } from "./host-api.js";
import { observeCall } from "./observe-call.js";
import { requestScope } from "./request-scope.js";
import { failSpan } from "./span-error.js";

/** Set within a model's call: what the model calls in turn is the same inference. */
const WITHIN_INFERENCE = createContextKey("tidemark.within-inference");
/** Set within a library's call, which may use a runtime for its models and for its arithmetic. */
const WITHIN_LIBRARY = createContextKey("tidemark.within-library");

/** What a call's span says, as far as that is known when it starts. */
export interface CallDescription {
  readonly stage: Stage;
  /** The model's name, in the span's name too. */
  readonly model: string | undefined;
  /** In the span's name in place of the model's. */
  readonly subject?: string | undefined;
  readonly attributes?: Attributes;
  /** For a feature retrieval: what it reads from is still to be found out. */
  readonly openSource?: boolean;
  /** The context for what is called; the active one if nothing else is said. */
  readonly within?: (context: Context) => Context;
  /** What the result says, and the context of what was called; errors in it are contained. */
  readonly result?: (result: unknown, inner: Context) => Attributes | undefined;
  /** Told when the call is over, however it ended, after its span has. */
  readonly over?: () => void;
  readonly startTimeMs?: number;
}

/** A call being recorded. */
interface StartedCall {
  readonly span: Span;
  readonly context: Context;
  readonly description: CallDescription;
}

/** Whether a model's call is under way, so that calls of its parts are not told apart. */
export function isWithinInference(context: Context): boolean {
  return context.getValue(WITHIN_INFERENCE) === true;
}

/** The context for what a library calls: runs of sessions in it are not told apart. */
export function withinLibrary(context: Context): Context {
  return context.setValue(WITHIN_LIBRARY, true);
}

/** Whether a library's call is under way, or a model's. */
export function isWithinLibrary(context: Context): boolean {
  return context.getValue(WITHIN_LIBRARY) === true || isWithinInference(context);
}

/** Calls `call` as it is, in a span of what `describe` says; undefined records nothing. */
export function recordCall(
  describe: (context: Context) => CallDescription | undefined,
  call: () => unknown,
): unknown {
  const started = guarded("starting a span", () => start(describe));
  if (started === undefined) return call();
  const { span, context, description } = started;
  const end = () => {
    span.end();
    if (description.over) guarded("ending a span", description.over);
  };
  return observeCall(() => withContext(context, call), {
    succeeded(result) {
      const found = guarded("reading a result", () => description.result?.(result, context));
      if (found) span.setAttributes(found);
      end();
    },
    failed(error) {
      failSpan(span, error, false);
      end();
    },
  });
}

function start(
  describe: (context: Context) => CallDescription | undefined,
): StartedCall | undefined {
  const active = activeContext();
  const description = describe(active);
  if (description === undefined) return undefined;
  const span = spanOf(description, active);
  if (span === undefined) return undefined;
  let context = contextOf(span, description.within?.(active) ?? active);
  if (description.openSource) context = withOpenSource(context, span);
  if (description.stage === "inference") context = context.setValue(WITHIN_INFERENCE, true);
  return { span, context, description };
}

/** Starts the span of a call, with what is known of the request around it. */
export function spanOf(description: CallDescription, context: Context): Span | undefined {
  const { stage, model, attributes, startTimeMs } = description;
  const subject = "subject" in description ? description.subject : model;
  return startSpan(
    stageSpanName(stage, subject),
    {
      attributes: {
        [ATTRIBUTES.stage.name]: stage,
        ...(model !== undefined && { [ATTRIBUTES.modelName.name]: model }),
        ...attributes,
        ...requestScope(context)?.attributes,
      },
      ...(startTimeMs !== undefined && { startTime: startTimeMs }),
    },
    context,
  );
}
