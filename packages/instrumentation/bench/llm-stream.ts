/**
 * What a streamed chunk costs more when its call is recorded: the same stream of chat completion
 * chunks is read to its end plain and patched, in turns, in one process; figures are medians over
 * rounds. Run with `pnpm bench:llm-stream`.
 */
import { parseArgs } from "node:util";
import { trace } from "@opentelemetry/api";
import { NoopSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { LlmSettings } from "../dist/llm/llm-settings.js";
import { patchOpenai } from "../dist/llm/openai.js";

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
patchOpenai({ OpenAI: patched }, new LlmSettings({ errorMessages: false, llm: config }));

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

const plainUs: number[] = [];
const addedUs: number[] = [];
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
  const first = await read(plain);
  const added = (await read(patched)) - first;
  if (round < 0) continue;
  plainUs.push(first);
  addedUs.push(added);
}
const added = median(addedUs);
const figures = {
  plain: { value: Number(median(plainUs).toFixed(3)), unit: "us" },
  added: {
    value: Number(added.toFixed(3)),
    unit: "us",
    goal: `<= ${GOAL_US}`,
    holds: added <= GOAL_US,
  },
};
console.log(JSON.stringify({ bench: "llm-stream", node: process.versions.node, figures }));

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number;
}
