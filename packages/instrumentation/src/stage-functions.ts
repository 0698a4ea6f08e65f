/** Wraps the functions that the configuration declares to be stages: each call is a span. */
import type { Attributes } from "@opentelemetry/api";
import { ATTRIBUTES, GEN_AI, stageSpanName } from "@tidemark/semconv";
import { guarded } from "./complain.js";
import type { StageConfig } from "./config-schema.js";
import { withOpenSource } from "./feature-source.js";
import { activeContext, contextOf, startSpan, withContext } from "./host-api.js";
import { loose } from "./llm/loose.js";
import { retrievalAttributes } from "./llm/retrieval.js";
import type { ModelVersions } from "./model-versions.js";
import { observeCall } from "./observe-call.js";
import type { PathUses } from "./path-uses.js";
import type { RequestScope } from "./request-scope.js";
import { requestScope, withRequestScope } from "./request-scope.js";
import { failSpan } from "./span-error.js";
import type { ValuePath } from "./value-path.js";
import { memberAt, valueAt } from "./value-path.js";
import { watchGenerator } from "./watch-generator.js";

type AnyFunction = (...args: unknown[]) => unknown;

/** A stage, and what all stages of the process share. */
export interface StageContext {
  readonly stage: StageConfig;
  readonly versions: ModelVersions;
  readonly errorMessages: boolean;
  readonly paths: PathUses;
}

/**
 * A stand-in for `original` that behaves like it in every way (name, properties, `this`, `new`) and
 * records a span for each call.
 */
export function wrapStage(original: AnyFunction, context: StageContext): AnyFunction {
  return new Proxy(original, {
    apply(target, self, args: unknown[]) {
      return recordStage(context, args, () => Reflect.apply(target, self, args));
    },
  });
}

function recordStage(context: StageContext, args: unknown[], call: () => unknown): unknown {
  const started = guarded("starting a stage's span", () => startStage(context, args));
  if (started === undefined) return call();
  const { span, active, scope } = started;
  return observeCall(() => withContext(active, call), {
    succeeded(result) {
      const isGenerator = watchGenerator(result, {
        within: (step) => withContext(active, step),
        ended: () => guarded("ending a stage", () => span.end()),
        failed: (error) =>
          guarded("ending a stage", () => {
            failSpan(span, error, context.errorMessages);
            span.end();
          }),
      });
      if (isGenerator) return;
      const found = guarded("reading a result", () => requestAttributes(context, "result", result));
      if (found) {
        Object.assign(scope.attributes, found);
        span.setAttributes(found);
      }
      if (context.stage.retrieval) {
        const documents = guarded("reading documents", () => documentsOf(context.stage, result));
        if (documents) span.setAttributes(documents);
      }
      span.end();
    },
    failed(error) {
      failSpan(span, error, context.errorMessages);
      span.end();
    },
  });
}

function startStage(context: StageContext, args: unknown[]) {
  const { stage } = context;
  const outer = activeContext();
  const outerScope = requestScope(outer);
  const scope: RequestScope = outerScope ?? { attributes: {} };
  const subject = stage.stage === "feature_retrieval" ? stage.source : stage.model;
  const name = stageSpanName(stage.stage, subject);
  const found = guarded("reading arguments", () => requestAttributes(context, "args", args));
  Object.assign(scope.attributes, found);
  const attributes = { ...stageAttributes(context), ...scope.attributes };
  const span = startSpan(name, { attributes }, outer);
  if (span === undefined) return undefined;
  const inner = outerScope === undefined ? withRequestScope(outer, scope) : outer;
  const active = contextOf(span, inner);
  const open = stage.stage === "feature_retrieval" && stage.source === undefined;
  return { span, scope, active: open ? withOpenSource(active, span) : active };
}

function stageAttributes({ stage, versions }: StageContext): Attributes {
  const version = stage.model === undefined ? undefined : versions.of(stage.model);
  return {
    [ATTRIBUTES.stage.name]: stage.stage,
    ...(stage.source !== undefined && { [ATTRIBUTES.featureSource.name]: stage.source }),
    ...(stage.model !== undefined && { [ATTRIBUTES.modelName.name]: stage.model }),
    ...(version !== undefined && { [ATTRIBUTES.modelVersion.name]: version }),
  };
}

/** Segments, tenant and prediction id, as far as they are found in `root`. */
function requestAttributes(
  { stage, paths }: StageContext,
  root: ValuePath["root"],
  value: unknown,
): Attributes {
  const attributes: Attributes = {};
  const owner = `${stage.module} ${stage.export}`;
  const put = (attribute: string, path: ValuePath | undefined, key: string) => {
    if (path?.root !== root) return;
    const found = valueAt(path, value);
    if (found !== undefined) attributes[attribute] = found;
    paths.note(path, found !== undefined, owner, key);
  };
  for (const [name, path] of Object.entries(stage.segment)) {
    put(ATTRIBUTES.segment.name + name, path, `segment.${name}`);
  }
  put(ATTRIBUTES.tenant.name, stage.tenant, "tenant");
  put(ATTRIBUTES.predictionId.name, stage.predictionId, "predictionId");
  return attributes;
}

/** What a stage that retrieves documents has found. */
function documentsOf({ retrieval, source }: StageConfig, result: unknown): Attributes {
  if (retrieval === undefined) return {};
  const { documents, score, text } = retrieval;
  const found = retrievalAttributes(memberAt(documents, result), {
    score: (document) => loose(document)[score],
    text: (document) => loose(document)[text],
  });
  return { ...found, ...(source !== undefined && { [GEN_AI.dataSource]: source }) };
}
