/**
 * What features are read from, where nobody has declared it: the first database or service that a
 * feature retrieval asks, as OpenTelemetry's instrumentations of clients name it.
 * https://opentelemetry.io/docs/specs/semconv/db/database-spans/
 */
import type { Context, Span, SpanOptions } from "@opentelemetry/api";
import { createContextKey, SpanKind } from "@opentelemetry/api";
import { ATTRIBUTES, stageSpanName } from "@tidemark/semconv";

const RETRIEVAL = createContextKey("tidemark.feature-retrieval");
/** The first that is there; the older names are those of the conventions before 2024. */
const SOURCE_NAMES = ["db.system.name", "db.system", "server.address", "net.peer.name"];

interface Retrieval {
  readonly span: Span;
  found: boolean;
}

/** The context of a feature retrieval whose source is to be found out. */
export function withOpenSource(context: Context, span: Span): Context {
  const retrieval: Retrieval = { span, found: false };
  return context.setValue(RETRIEVAL, retrieval);
}

/** Looks at a span that somebody starts: a client's within a retrieval says what it asks. */
export function noteSource(context: Context, options: SpanOptions | undefined): void {
  if (options?.kind !== SpanKind.CLIENT) return;
  const retrieval = context.getValue(RETRIEVAL) as Retrieval | undefined;
  if (retrieval === undefined || retrieval.found) return;
  const name = SOURCE_NAMES.find((each) => typeof options.attributes?.[each] === "string");
  if (name === undefined) return;
  retrieval.found = true;
  const source = options.attributes?.[name] as string;
  retrieval.span.setAttribute(ATTRIBUTES.featureSource.name, source);
  retrieval.span.updateName(stageSpanName("feature_retrieval", source));
}
