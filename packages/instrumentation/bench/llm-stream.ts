/**
 * What a streamed chunk costs more when its call is recorded: the same stream of chat completion
 * chunks is read to its end plain and patched, in turns, in one process; and so is a web stream
 * that is piped, as the AI SDK does. Figures are medians over rounds. Run with
 * `pnpm bench:llm-stream`.
 */
import { parseArgs } from "node:util";
import { trace } from "@opentelemetry/api";
import { NoopSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { LlmSettings } from "../dist/llm/llm-settings.js";
import { patchOpenai } from "../dist/llm/openai.js";
import { SdkCalls } from "../dist/llm/vercel-ai-calls.js";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "41" },
    chunks: { type: "string", default: "20000" },
  },
});
const ROUNDS = Number(options.rounds);
const CHUNKS = Number(options.chunks);
const WARM_UP_ROUNDS = 5;
const GOAL_US = 2;
const US_PER_MS = 1000;

/** What `openai` returns of a method, as far as it matters: a promise that parses when asked. */
class ApiPromise {
  responsePromise: Promise<object> = Promise.resolve({ response: {} });
  parseResponse: (props: object) => Promise<unknown> = () => Promise.resolve(new Stream());
  asResponse = (): Promise<object> => this.responsePromise;

  // oxlint-disable-next-line unicorn/no-thenable -- that is what it is
  then(resolve: (value: unknown) => unknown, reject: (error: unknown) => unknown): unknown {
    const parsed = this.responsePromise.then((props) => this.parseResponse(props));
    return parsed.then(resolve, reject);
  }
}

/** Its stream: an async generator, parsing JSON for each chunk as the library does. */
class Stream {
  controller = new AbortController();

  async *iterator() {
    for (let index = 0; index < CHUNKS; index++) {
      yield JSON.parse(chunkText(index)) as object;
    }
  }

  [Symbol.asyncIterator]() {
    return this.iterator();
  }
}

function chunkText(index: number): string {
  const last = index === CHUNKS - 1;
  const delta = last ? {} : { content: `word${index} ` };
  return JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: last ? "stop" : null }],
  });
}

function makeClient() {
  class Completions {
    create(_body: object): ApiPromise {
      return new ApiPromise();
    }
  }
  return { Chat: { Completions } };
}

trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new NoopSpanProcessor()] }));
const plain = makeClient();
const patched = makeClient();
const config = { streamUsage: false, estimateTokens: false };
const settings = new LlmSettings({ errorMessages: false, llm: config });
patchOpenai({ OpenAI: patched }, settings);

/** @returns microseconds a chunk */
async function read(client: ReturnType<typeof makeClient>): Promise<number> {
  const completions = new client.Chat.Completions();
  const stream = (await completions.create({ model: "gpt-4o-mini", stream: true })) as Stream;
  let count = 0;
  const startedMs = performance.now();
  for await (const chunk of stream) if (chunk) count++;
  if (count !== CHUNKS) throw new Error(`read ${count} of ${CHUNKS} chunks`);
  return ((performance.now() - startedMs) * US_PER_MS) / CHUNKS;
}

/** Parts as models give them to the AI SDK. */
function partStream(): ReadableStream<object> {
  let index = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (index === CHUNKS) controller.close();
      else controller.enqueue({ type: "text-delta", id: "1", delta: `word${index++} ` });
    },
  });
}

/** @returns microseconds a chunk */
async function readPiped(isRecorded: boolean): Promise<number> {
  const answer = { stream: partStream() };
  if (isRecorded) {
    const about = { provider: "openai", model: "gpt-4o-mini", maxTokens: 1, temperature: 1 };
    const request = { ...about, operation: "chat", stream: true, options: {} } as const;
    await new SdkCalls(settings, {}).run(request, async () => answer);
  }
  let count = 0;
  const startedMs = performance.now();
  for await (const part of answer.stream.pipeThrough(new TransformStream())) if (part) count++;
  if (count !== CHUNKS) throw new Error(`read ${count} of ${CHUNKS} parts`);
  return ((performance.now() - startedMs) * US_PER_MS) / CHUNKS;
}

const times: Record<"plain" | "added" | "piped" | "addedPiped", number[]> = {
  plain: [],
  added: [],
  piped: [],
  addedPiped: [],
};
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
  const first = await read(plain);
  const added = (await read(patched)) - first;
  const piped = await readPiped(false);
  const addedPiped = (await readPiped(true)) - piped;
  if (round < 0) continue;
  for (const [name, value] of Object.entries({ plain: first, added, piped, addedPiped })) {
    times[name as keyof typeof times].push(value);
  }
}
const us = (name: keyof typeof times) => Number(median(times[name]).toFixed(3));
const within = (name: keyof typeof times) => {
  return { value: us(name), unit: "us", goal: `<= ${GOAL_US}`, holds: us(name) <= GOAL_US };
};
const figures = {
  plain: { value: us("plain"), unit: "us" },
  added: within("added"),
  plain_piped: { value: us("piped"), unit: "us" },
  added_piped: within("addedPiped"),
};
console.log(JSON.stringify({ bench: "llm-stream", node: process.versions.node, figures }));

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
