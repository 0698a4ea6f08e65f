/** What the receiver is to say of the one conversation, and what it says. */
import { MODEL } from "./model-server.ts";

/** How many values each signal has. */
export type Signals = Readonly<Record<string, number>>;

/** What a library knows of the conversation. */
export interface Knowledge {
  readonly model: string;
  readonly signals: Signals;
  /** Of the embedding; undefined when the library has no span of it. */
  readonly embedding?: Signals;
}

/** What is said of one model: values by signal, calls, tokens by type, and US dollars. */
export interface Told {
  readonly signals: Signals;
  readonly calls: { readonly success: number; readonly error: number };
  readonly tokens: Readonly<Record<string, number>>;
  readonly cost: number;
  readonly seconds: number;
  readonly firstSeconds: number;
}

/** The answer, the stream, the two around a tool's result, and the one that was tried again. */
const ANSWERS = 5;
/** And the one that was refused. */
const CALLS = 6;
const CLAUDE = "claude-sonnet-4-5";

/** What every library tells of a call; the others are told by those that are listed. */
const EACH_CALL = { "response.duration": CALLS, "response.error": CALLS };
const TOKENS = { "usage.input_tokens": ANSWERS, "usage.output_tokens": ANSWERS };
const CACHED = { "usage.cache_read_tokens": ANSWERS };
const WRITTEN = { "usage.cache_write_tokens": ANSWERS };
const REASONING = { "usage.reasoning_tokens": ANSWERS };
/** Ours say it; of others it follows from their tokens. */
const COST = { "usage.cost": ANSWERS };
const REASONS = { "response.finish_reason": ANSWERS };
const NAME = { "response.model": ANSWERS };
const FIRST = { "response.time_to_first_token": 1 };
const BETWEEN = { "response.time_between_tokens": 1 };

const USAGE = { ...EACH_CALL, ...TOKENS, ...COST };
const OURS = { ...USAGE, ...CACHED, ...FIRST, ...BETWEEN, ...REASONS };

const EMBEDDED = { "response.duration": 1, "response.error": 1 };
const EMBEDDED_TOKENS = { ...EMBEDDED, "usage.input_tokens": 1, "usage.cost": 1 };
const EMBEDDED_NAME = { ...EMBEDDED_TOKENS, "response.model": 1 };
const DIMENSIONS = { "embedding.dimensions": 1 };

/** Of what is not known of each call, or of each answer: one value less. */
const butOne = (signals: Signals): Signals =>
  Object.fromEntries(Object.entries(signals).map(([signal, count]) => [signal, count - 1]));

const openAi = (signals: Signals, embedding?: Signals): Knowledge => ({
  model: MODEL,
  signals,
  ...(embedding && { embedding }),
});
const anthropic = (signals: Signals): Knowledge => ({ model: CLAUDE, signals });

const ours = openAi({ ...OURS, ...REASONING, ...NAME }, { ...EMBEDDED_NAME, ...DIMENSIONS });
const claude = anthropic({ ...USAGE, ...CACHED, ...WRITTEN, ...FIRST, ...REASONS, ...NAME });

const ai6 = openAi(
  { ...USAGE, ...CACHED, ...REASONING, ...FIRST, ...REASONS, ...NAME },
  EMBEDDED_TOKENS,
);

/** By the name of the library. */
export const EXPECTED: Readonly<Record<string, Knowledge>> = {
  "tidemark-openai": ours,
  "tidemark-anthropic": anthropic({ ...OURS, ...WRITTEN, ...NAME }),
  "tidemark-ai-6": openAi(
    { ...OURS, ...REASONING, ...NAME },
    { ...EMBEDDED_TOKENS, ...DIMENSIONS },
  ),
  "tidemark-ai-7": openAi(
    { ...OURS, ...REASONING, ...NAME },
    { ...EMBEDDED_TOKENS, ...DIMENSIONS },
  ),
  "tidemark-langchain": ours,
  "gen-ai-openai": openAi({ ...USAGE, ...REASONS, ...NAME }, EMBEDDED_NAME),
  // It has no usage of a stream, and no span of a call that is refused.
  "openinference-openai": openAi(
    { ...butOne({ ...USAGE, ...CACHED, ...REASONING }), ...REASONS },
    EMBEDDED,
  ),
  "openinference-anthropic": claude,
  "openinference-langchain": openAi({ ...USAGE, ...CACHED, ...REASONING, ...REASONS }),
  "openinference-vercel": openAi({ ...OURS, ...REASONING, ...NAME }, EMBEDDED_TOKENS),
  // As OpenInference's.
  "traceloop-openai": openAi({ ...butOne(USAGE), ...REASONS, ...NAME }),
  "traceloop-anthropic": anthropic({
    ...USAGE,
    ...CACHED,
    ...WRITTEN,
    ...butOne(REASONS),
    ...NAME,
  }),
  "traceloop-langchain": openAi({ ...USAGE, ...REASONS, ...NAME }),
  "anthropic-native": claude,
  "ai-6": ai6,
  "ai-7": openAi({ ...OURS, ...NAME }, EMBEDDED_TOKENS),
  "langfuse-openai": openAi({ ...USAGE, ...CACHED, ...REASONING, ...FIRST }, EMBEDDED),
};

/** What both together know, ours beside another. */
export const BESIDE_OURS: Readonly<Record<string, Knowledge>> = {
  "gen-ai-openai": ours,
  "openinference-openai": ours,
  "openinference-langchain": ours,
  "traceloop-openai": ours,
  "traceloop-langchain": ours,
  "langfuse-openai": ours,
  "anthropic-native": anthropic({ ...OURS, ...WRITTEN, ...NAME }),
  "openinference-anthropic": anthropic({ ...OURS, ...WRITTEN, ...NAME }),
  // An app that has its own telemetry keeps that.
  "ai-6": ai6,
  "ai-7": openAi({ ...OURS, ...REASONING, ...NAME }, { ...EMBEDDED_TOKENS, ...DIMENSIONS }),
};

/** What the model server says of each answer, whoever reports it. */
const EACH_ANSWER: Readonly<Record<string, [type: string, tokens: number]>> = {
  "usage.input_tokens": ["input", 120],
  "usage.output_tokens": ["output", 30],
  "usage.cache_read_tokens": ["cache_read", 20],
  "usage.cache_write_tokens": ["cache_write", 0],
  "usage.reasoning_tokens": ["reasoning", 10],
};
const EMBEDDED_INPUT = 8;

/** US dollars per token; none of the answers was written into a cache. */
const PRICES: Readonly<Record<string, { input: number; cached: number; output: number }>> = {
  [MODEL]: { input: 0.15e-6, cached: 0.075e-6, output: 0.6e-6 },
  [CLAUDE]: { input: 3e-6, cached: 0.3e-6, output: 15e-6 },
};

/** What is to be told of the model, times apart, which no two conversations have in common. */
export function expectedOf({ model, signals }: Knowledge): Omit<Told, "seconds" | "firstSeconds"> {
  const tokens = Object.entries(EACH_ANSWER).flatMap(([signal, [type, each]]) => {
    const answers = signals[signal];
    return answers === undefined ? [] : [[type, answers * each] as const];
  });
  const { input, cached, output } = PRICES[model] as (typeof PRICES)[string];
  const read = signals["usage.cache_read_tokens"] === undefined ? 0 : 20;
  const each = (120 - read) * input + read * cached + 30 * output;
  return {
    signals,
    calls: { success: ANSWERS, error: (signals["response.error"] as number) - ANSWERS },
    tokens: Object.fromEntries(tokens),
    cost: rounded((signals["usage.cost"] as number) * each),
  };
}

/** What is to be told of the embedding's model. */
export function expectedEmbedding({ embedding }: Knowledge): object | undefined {
  if (embedding === undefined) return undefined;
  const isCounted = embedding["usage.input_tokens"] !== undefined;
  const tokens: Told["tokens"] = isCounted ? { input: EMBEDDED_INPUT } : {};
  const cost = isCounted ? rounded(EMBEDDED_INPUT * 0.02e-6) : 0;
  return { signals: embedding, calls: { success: 1, error: 0 }, tokens, cost };
}

/** What a receiver says of each model, through its own API. */
export async function toldBy(admin: string): Promise<Readonly<Record<string, Told>>> {
  const { signals } = (await (await fetch(`${admin}/api/v1/signals`)).json()) as {
    signals: { model: string; signal: string; learned: number }[];
  };
  const page = await (await fetch(`${admin}/metrics`)).text();
  const models = [...new Set(signals.map(({ model }) => model))];
  return Object.fromEntries(models.map((model) => [model, toldOf(model, signals, page)]));
}

function toldOf(
  model: string,
  all: readonly { readonly model: string; readonly signal: string; readonly learned: number }[],
  page: string,
): Told {
  const own = all.filter((one) => one.model === model);
  const values = (metric: string, label: string) => labelled(page, metric, model, label);
  const one = (metric: string) => Object.values(values(metric, "model_name"))[0] ?? 0;
  const { success = 0, error = 0 } = values("ml_prediction_requests_total", "status");
  return {
    signals: Object.fromEntries(own.map(({ signal, learned }) => [signal, learned])),
    calls: { success, error },
    tokens: values("gen_ai_usage_tokens_total", "token_type"),
    cost: rounded(values("gen_ai_usage_cost_total", "currency")["USD"] ?? 0),
    seconds: one("gen_ai_client_operation_duration_seconds_sum"),
    firstSeconds: one("gen_ai_client_operation_time_to_first_chunk_seconds_sum"),
  };
}

/** The samples of one metric and model, by another of its labels. */
function labelled(page: string, metric: string, model: string, label: string) {
  const lines = page.split("\n").filter((line) => {
    return line.startsWith(`${metric}{`) && line.includes(`model_name="${model}"`);
  });
  const labelOf = (line: string) => new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? "";
  const samples = lines.map((line) => [labelOf(line), Number(line.split(" ").at(-1))]);
  return Object.fromEntries(samples) as Readonly<Record<string, number>>;
}

/** To a billionth of a cent. */
function rounded(dollars: number): number {
  return Math.round(dollars * 1e11) / 1e11;
}
