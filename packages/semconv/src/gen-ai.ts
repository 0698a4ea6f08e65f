/**
 * What our own spans of language models say. The names are those of OpenTelemetry's semantic
 * conventions where they have one; those below `ml.` are ours, for what they have no word for.
 */
export const GEN_AI = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  stream: "gen_ai.request.stream",
  maxTokens: "gen_ai.request.max_tokens",
  temperature: "gen_ai.request.temperature",
  promptVersion: "gen_ai.prompt.version",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_creation.input_tokens",
  /** The same in semantic-conventions-genai; what Anthropic's own client writes. */
  cacheWriteTokensNext: "gen_ai.usage.cache_write.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  /** True when a tokenizer in the app has counted, because the provider did not say. */
  usageEstimated: "ml.usage.estimated",
  costAmount: "gen_ai.usage.cost.amount",
  costCurrency: "gen_ai.usage.cost.currency",
  /** Which price table; `unknown` when no table has the model, and then there is no amount. */
  costSource: "gen_ai.usage.cost.source",
  /** Seconds to the first chunk with content: text, reasoning or a part of a tool call. */
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  /** Seconds between two chunks with content, the mean of the call. */
  timePerOutputChunk: "gen_ai.client.operation.time_per_output_chunk",
  /** `text`, `reasoning` or `tool_call`: what the first chunk with content held. */
  firstContent: "ml.response.first_content",
  /** Seconds to the first chunk of text, where reasoning or a tool call came before it. */
  timeToFirstText: "ml.response.time_to_first_text",
  /** Chunks with content. */
  chunks: "ml.response.chunks",
  /** Seconds, the longest time between two chunks with content. */
  chunkGapMax: "ml.response.chunk_gap.max",
  /** How a stream ended: one of {@link STREAM_OUTCOMES}. */
  streamOutcome: "ml.response.outcome",
  embeddingDimensions: "gen_ai.embeddings.dimension.count",
  toolName: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  workflowName: "gen_ai.workflow.name",
  agentName: "gen_ai.agent.name",
  dataSource: "gen_ai.data_source.id",
  retrievalDocuments: "gen_ai.retrieval.documents",
  retrievalTopK: "gen_ai.retrieval.top_k",
  /** The event: an attempt at a call that was made again, or could have been, has failed. */
  failedAttemptEvent: "ml.call.attempt_failed",
  /** The event, of a span or as a log record, that holds the attributes below. */
  evaluationEvent: "gen_ai.evaluation.result",
  evaluationName: "gen_ai.evaluation.name",
  evaluationScore: "gen_ai.evaluation.score.value",
  evaluationLabel: "gen_ai.evaluation.score.label",
  serverAddress: "server.address",
  serverPort: "server.port",
} as const;

/**
 * How a stream ended: `completed` by the provider, who said why; `incomplete`, it ended without
 * saying why; `stopped`, the app read no further; `aborted` by the app's signal; `failed`;
 * `abandoned`, the app dropped it unread.
 */
export const STREAM_OUTCOMES = [
  "completed",
  "incomplete",
  "stopped",
  "aborted",
  "failed",
  "abandoned",
] as const;

/** One of {@link STREAM_OUTCOMES}. */
export type StreamOutcome = (typeof STREAM_OUTCOMES)[number];

/**
 * Features that content is described by, below `ml.feature.`: each of a text's after `prompt_` or
 * `answer_`, those of an embedding by number.
 */
export const TEXT_FEATURES = {
  text: {
    chars: "chars",
    words: "words",
    sentences: "sentences",
    wordLength: "word_length",
    sentenceWords: "sentence_words",
    unknownShare: "unknown_share",
    language: "language",
    refusal: "refusal",
    json: "json",
  },
  embedding: "embedding_",
  /** Of all documents that one retrieval has found. */
  contextChars: "context_chars",
} as const;
