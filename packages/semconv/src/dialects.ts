/**
 * What spans of language models, retrievals and evaluations say in the dialects that are in use,
 * as one table: an attribute, the concept that it stands for, and in which form.
 *
 * Sources: OpenTelemetry's semantic conventions 1.45 (frozen) and semantic-conventions-genai (what
 * comes next), openinference-semantic-conventions, Traceloop's semantic-conventions-ai, the AI SDK
 * (6, and 7 with its legacy form), and Langfuse's OpenTelemetry attributes.
 */
import { GEN_AI } from "./gen-ai.js";

/** Who writes an attribute. Where several do, the first one of this list is named. */
export type Dialect =
  | "tidemark"
  | "gen_ai"
  | "openinference"
  | "traceloop"
  | "vercel_ai"
  | "langfuse";

/** What an attribute says of its span. */
export type Concept =
  | "activity"
  | "level"
  | "model"
  | "responseModel"
  | "responseId"
  | "provider"
  | "inputTokens"
  | "outputTokens"
  | "totalTokens"
  | "cacheReadTokens"
  | "cacheWriteTokens"
  | "reasoningTokens"
  | "usageDetails"
  | "cost"
  | "inputCost"
  | "outputCost"
  | "currency"
  | "costSource"
  | "costDetails"
  | "timeToFirstToken"
  | "firstTokenAt"
  | "timeBetweenTokens"
  | "finishReason"
  | "embeddingDimensions"
  | "retrievalDocuments"
  | "retrievalScore"
  | "evaluationName"
  | "evaluationScore"
  | "evaluationLabel"
  | "dataSource"
  | "tenant"
  | "predictionId"
  | "promptVersion";

/** What says nothing of a call unless there is one: its span is not looked at for these alone. */
export const COMPANION_CONCEPTS: ReadonlySet<Concept> = new Set([
  "level",
  "tenant",
  "predictionId",
  "promptVersion",
]);

/**
 * How the value is written: in milliseconds instead of seconds; as JSON in a string; as a time of
 * day (ISO 8601, perhaps as a JSON string).
 */
export type DialectForm = "ms" | "json" | "time";

/** One row of the table. */
export interface DialectAttribute {
  readonly name: string;
  /** For the elements of a list that is written out: the name is what comes before the index. */
  readonly ending?: string;
  readonly dialect: Dialect;
  readonly concept: Concept;
  readonly form?: DialectForm;
}

type Row = readonly [name: string, concept: Concept, form?: DialectForm | "list", ending?: string];

function rows(dialect: Dialect, table: readonly Row[]): DialectAttribute[] {
  return table.map(([name, concept, form, ending]) => {
    const written = form === undefined || form === "list" ? {} : { form };
    return { name, dialect, concept, ...written, ...(ending && { ending }) };
  });
}

/**
 * The table. Of several attributes of one span with the same concept, the first one in this order
 * counts; so a library that writes two dialects at once is counted once.
 */
export const DIALECT_ATTRIBUTES: readonly DialectAttribute[] = [
  ...rows("tidemark", [
    ["ml.tenant", "tenant"],
    ["ml.prediction.id", "predictionId"],
  ]),
  ...rows("gen_ai", [
    ["gen_ai.operation.name", "activity"],
    ["gen_ai.request.model", "model"],
    ["gen_ai.response.model", "responseModel"],
    ["gen_ai.response.id", "responseId"],
    ["gen_ai.provider.name", "provider"],
    ["gen_ai.system", "provider"],
    ["gen_ai.usage.input_tokens", "inputTokens"],
    ["gen_ai.usage.output_tokens", "outputTokens"],
    ["gen_ai.usage.cache_read.input_tokens", "cacheReadTokens"],
    ["gen_ai.usage.cache_write.input_tokens", "cacheWriteTokens"],
    ["gen_ai.usage.cache_creation.input_tokens", "cacheWriteTokens"],
    ["gen_ai.usage.reasoning.output_tokens", "reasoningTokens"],
    ["gen_ai.response.time_to_first_chunk", "timeToFirstToken"],
    // Named like metrics, and on spans: so does version 7 of the AI SDK.
    ["gen_ai.client.inference.time_to_first_chunk", "timeToFirstToken"],
    ["gen_ai.client.operation.time_to_first_chunk", "timeToFirstToken"],
    ["gen_ai.server.time_to_first_token", "timeToFirstToken"],
    ["gen_ai.client.inference.time_per_output_chunk", "timeBetweenTokens"],
    ["gen_ai.client.operation.time_per_output_chunk", "timeBetweenTokens"],
    ["gen_ai.server.time_per_output_token", "timeBetweenTokens"],
    ["gen_ai.response.finish_reasons", "finishReason"],
    // What Anthropic's own client writes in its place.
    ["anthropic.message.stop_reason", "finishReason"],
    // https://github.com/open-telemetry/semantic-conventions-genai: the open proposal for cost.
    ["gen_ai.usage.cost.amount", "cost"],
    ["gen_ai.usage.cost", "cost"],
    ["gen_ai.usage.cost.currency", "currency"],
    ["gen_ai.usage.cost.source", "costSource"],
    ["gen_ai.embeddings.dimension.count", "embeddingDimensions"],
    ["gen_ai.retrieval.documents", "retrievalDocuments", "json"],
    ["gen_ai.data_source.id", "dataSource"],
    ["gen_ai.prompt.version", "promptVersion"],
    ["gen_ai.evaluation.name", "evaluationName"],
    ["gen_ai.evaluation.score.value", "evaluationScore"],
    ["gen_ai.evaluation.score.label", "evaluationLabel"],
  ]),
  ...rows("traceloop", [
    ["llm.request.type", "activity"],
    ["traceloop.span.kind", "activity"],
    ["gen_ai.usage.prompt_tokens", "inputTokens"],
    ["gen_ai.usage.completion_tokens", "outputTokens"],
    ["gen_ai.usage.total_tokens", "totalTokens"],
    ["llm.usage.total_tokens", "totalTokens"],
    ["gen_ai.usage.cache_read_input_tokens", "cacheReadTokens"],
    ["gen_ai.usage.cache_creation_input_tokens", "cacheWriteTokens"],
    ["gen_ai.usage.reasoning_tokens", "reasoningTokens"],
    ["llm.response.finish_reason", "finishReason"],
    ["db.query.result.score", "retrievalScore"],
    ["db.query.result.distance", "retrievalScore"],
    ["traceloop.association.properties.tenant_id", "tenant"],
    ["traceloop.prompt.version", "promptVersion"],
  ]),
  ...rows("openinference", [
    ["openinference.span.kind", "activity"],
    ["llm.request.model_name", "model"],
    ["llm.model_name", "model"],
    ["embedding.model_name", "model"],
    ["reranker.model_name", "model"],
    ["llm.response.model_name", "responseModel"],
    ["llm.provider", "provider"],
    ["llm.system", "provider"],
    ["llm.token_count.prompt", "inputTokens"],
    ["llm.token_count.completion", "outputTokens"],
    ["llm.token_count.total", "totalTokens"],
    ["llm.token_count.prompt_details.cache_read", "cacheReadTokens"],
    ["llm.token_count.prompt_details.cache_write", "cacheWriteTokens"],
    ["llm.token_count.completion_details.reasoning", "reasoningTokens"],
    ["llm.finish_reason", "finishReason"],
    // Phoenix gives costs in US dollars.
    ["llm.cost.total", "cost"],
    ["llm.cost.prompt", "inputCost"],
    ["llm.cost.completion", "outputCost"],
    ["llm.prompt_template.version", "promptVersion"],
    ["retrieval.documents.", "retrievalScore", "list", ".document.score"],
    ["reranker.output_documents.", "retrievalScore", "list", ".document.score"],
    ["evaluation.name", "evaluationName"],
    ["evaluation.score", "evaluationScore"],
    ["evaluation.label", "evaluationLabel"],
    ["annotation.name", "evaluationName"],
    ["annotation.score", "evaluationScore"],
    ["annotation.label", "evaluationLabel"],
  ]),
  ...rows("vercel_ai", [
    ["ai.operationId", "activity"],
    ["ai.model.id", "model"],
    ["ai.response.model", "responseModel"],
    ["ai.response.id", "responseId"],
    ["ai.model.provider", "provider"],
    ["ai.usage.inputTokens", "inputTokens"],
    ["ai.usage.promptTokens", "inputTokens"],
    ["ai.usage.tokens", "inputTokens"],
    ["ai.usage.outputTokens", "outputTokens"],
    ["ai.usage.completionTokens", "outputTokens"],
    ["ai.usage.totalTokens", "totalTokens"],
    ["ai.usage.inputTokenDetails.cacheReadTokens", "cacheReadTokens"],
    ["ai.usage.cachedInputTokens", "cacheReadTokens"],
    ["ai.usage.inputTokenDetails.cacheWriteTokens", "cacheWriteTokens"],
    ["ai.usage.outputTokenDetails.reasoningTokens", "reasoningTokens"],
    ["ai.usage.reasoningTokens", "reasoningTokens"],
    ["ai.response.msToFirstChunk", "timeToFirstToken", "ms"],
    ["ai.response.finishReason", "finishReason"],
  ]),
  ...rows("langfuse", [
    ["langfuse.observation.type", "activity"],
    ["langfuse.observation.level", "level"],
    ["langfuse.observation.model.name", "model"],
    ["langfuse.observation.usage_details", "usageDetails", "json"],
    ["langfuse.observation.cost_details", "costDetails", "json"],
    ["langfuse.observation.completion_start_time", "firstTokenAt", "time"],
    ["langfuse.observation.prompt.version", "promptVersion"],
  ]),
];

/** What an event of a span tells by its name. */
export interface DialectEvent {
  readonly name: string;
  readonly dialect: Dialect;
  /** `firstToken`: its time is that of the first token; the others hold attributes of the table. */
  readonly tells: "firstToken" | "evaluation" | "retrieval";
}

/** The events of spans that are read; attributes of others are not. */
export const DIALECT_EVENTS: readonly DialectEvent[] = [
  { name: GEN_AI.evaluationEvent, dialect: "gen_ai", tells: "evaluation" },
  { name: "First Token Stream Event", dialect: "openinference", tells: "firstToken" },
  { name: "ai.stream.firstChunk", dialect: "vercel_ai", tells: "firstToken" },
  { name: "db.query.result", dialect: "traceloop", tells: "retrieval" },
];

/** What a span is, for the purpose of counting: only calls have usage of their own. */
export type Activity = "inference" | "embeddings" | "retrieval" | "other";

/** The value of the concept `level` that says that a call failed; its span may say nothing. */
export const FAILED_LEVEL = "ERROR";

/** Under this name spans of our own instrumentation come. */
export const INSTRUMENTATION_SCOPE = "@tidemark/instrumentation";

/**
 * The values of the attributes with the concept `activity`. `other` is whatever repeats the usage
 * of the calls below it, or has none: agents, workflows, chains, tools.
 */
export const ACTIVITIES: Readonly<Record<string, Activity>> = {
  chat: "inference",
  generate_content: "inference",
  text_completion: "inference",
  fetch_response: "other",
  embeddings: "embeddings",
  retrieval: "retrieval",
  execute_tool: "other",
  create_agent: "other",
  invoke_agent: "other",
  agent_step: "other",
  invoke_workflow: "other",
  plan: "other",
  completion: "inference",
  embedding: "embeddings",
  rerank: "retrieval",
  workflow: "other",
  task: "other",
  agent: "other",
  tool: "other",
  LLM: "inference",
  EMBEDDING: "embeddings",
  RETRIEVER: "retrieval",
  RERANKER: "retrieval",
  CHAIN: "other",
  TOOL: "other",
  AGENT: "other",
  GUARDRAIL: "other",
  EVALUATOR: "other",
  PROMPT: "other",
  UNKNOWN: "other",
  "ai.generateText.doGenerate": "inference",
  "ai.streamText.doStream": "inference",
  "ai.generateObject.doGenerate": "inference",
  "ai.streamObject.doStream": "inference",
  "ai.embed.doEmbed": "embeddings",
  "ai.embedMany.doEmbed": "embeddings",
  "ai.rerank.doRerank": "retrieval",
  "ai.generateText": "other",
  "ai.streamText": "other",
  "ai.generateObject": "other",
  "ai.streamObject": "other",
  "ai.embed": "other",
  "ai.embedMany": "other",
  "ai.rerank": "other",
  "ai.toolCall": "other",
  generation: "inference",
  retriever: "retrieval",
  span: "other",
  event: "other",
  chain: "other",
  evaluator: "other",
  guardrail: "other",
};

/**
 * Activities that are an attempt each: when one fails, the library may make another, with a span of
 * its own, and the span around them says how the call ended.
 */
export const ATTEMPTS: ReadonlySet<string> = new Set([
  "ai.generateText.doGenerate",
  "ai.streamText.doStream",
  "ai.generateObject.doGenerate",
  "ai.streamObject.doStream",
  "ai.embed.doEmbed",
  "ai.embedMany.doEmbed",
  "ai.rerank.doRerank",
]);

/** Why a model stopped, in the words of each provider, as one word. */
export const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  STOP: "stop",
  COMPLETE: "stop",
  max_tokens: "length",
  MAX_TOKENS: "length",
  tool_use: "tool_calls",
  tool_call: "tool_calls",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  SAFETY: "content_filter",
  refusal: "content_filter",
};

/** Providers whose own count of input tokens leaves out those that were read from the cache. */
export const CACHE_EXCLUSIVE_PROVIDERS: ReadonlySet<string> = new Set([
  "anthropic",
  "Anthropic",
  "anthropic.messages",
]);

/** Scopes that pass such a provider's count on as it is. */
export const CACHE_EXCLUSIVE_SCOPES: ReadonlySet<string> = new Set([
  "@traceloop/instrumentation-anthropic",
  "opentelemetry.instrumentation.anthropic",
]);
