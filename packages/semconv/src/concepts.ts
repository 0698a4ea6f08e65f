/** How the values of a signal are summed up and tested. */
export type SignalKind = "numeric" | "category" | "rate";

/** What one signal of a model call is; the same whoever emitted the span. */
export interface CallSignal {
  /** What people call it, in labels, verdicts and reference files. */
  readonly name: string;
  readonly as: SignalKind;
  /** UCUM unit of the values; empty for those that have none. */
  readonly unit: string;
  readonly brief: string;
}

function signal(name: string, as: SignalKind, unit: string, brief: string): CallSignal {
  return { name, as, unit, brief };
}

/** The signals that the receiver makes of calls of language models, retrievals and evaluations. */
export const CALL_SIGNALS = {
  inputTokens: signal("usage.input_tokens", "numeric", "{token}", "tokens read, cached ones too"),
  outputTokens: signal("usage.output_tokens", "numeric", "{token}", "tokens written"),
  cacheReadTokens: signal(
    "usage.cache_read_tokens",
    "numeric",
    "{token}",
    "input tokens that came from the provider's cache",
  ),
  cacheWriteTokens: signal(
    "usage.cache_write_tokens",
    "numeric",
    "{token}",
    "input tokens that went into the provider's cache",
  ),
  reasoningTokens: signal(
    "usage.reasoning_tokens",
    "numeric",
    "{token}",
    "output tokens that nobody reads",
  ),
  cost: signal("usage.cost", "numeric", "", "what the call cost, in the currency it was given in"),
  timeToFirstToken: signal(
    "response.time_to_first_token",
    "numeric",
    "s",
    "from the request to the first chunk of a stream",
  ),
  timeBetweenTokens: signal(
    "response.time_between_tokens",
    "numeric",
    "s",
    "between two chunks of a stream",
  ),
  duration: signal("response.duration", "numeric", "s", "of the whole call"),
  error: signal("response.error", "rate", "", "calls whose span has the status error"),
  finishReason: signal("response.finish_reason", "category", "", "why the model stopped"),
  responseModel: signal("response.model", "category", "", "the model that answered"),
  embeddingDimensions: signal("embedding.dimensions", "numeric", "", "length of a vector"),
  retrievalCount: signal("retrieval.documents", "numeric", "", "documents found by one retrieval"),
  retrievalScore: signal("retrieval.score", "numeric", "", "similarity of each document found"),
  evaluationScore: signal("evaluation.score.", "numeric", "", "what an evaluator of a name gave"),
  evaluationLabel: signal("evaluation.label.", "category", "", "the same in words"),
  evaluationRate: signal("evaluation.rate.", "rate", "", "answers with feedback that is all alike"),
} as const satisfies Record<string, CallSignal>;

/** One of {@link CALL_SIGNALS}. */
export type CallSignalKey = keyof typeof CALL_SIGNALS;

/** The signal of how traffic is made up of the segments of an attribute, before its name. */
export const SEGMENT_MIX = "segment.";

/** Tokens of a call that are added up, and what the label of their counter says. */
export const TOKEN_TYPES = {
  inputTokens: "input",
  outputTokens: "output",
  cacheReadTokens: "cache_read",
  cacheWriteTokens: "cache_write",
  reasoningTokens: "reasoning",
} as const satisfies Partial<Record<CallSignalKey, string>>;
