/**
 * A server that speaks the APIs of several providers, word by word by a script: it waits, writes a
 * chunk, waits, and so on. What it does is chosen by the name of the model that is asked for.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds before the first chunk with content, and between two of them. */
export const FIRST_MS = 60;
export const GAP_MS = 20;
const STALL_MS = 1500;
const LAST_MS = 25;
/** What every answer says, and what it costs. */
export const WORDS = ["The ", "sky ", "is ", "blue", "."];
/** What models say that are asked for an object. */
const OBJECT = ['{"city"', ":", '"x"}'];
export const THOUGHT = "hm";
export const USAGE = { input: 100, cached: 40, output: 20, reasoning: 5 } as const;

type Json = Record<string, unknown>;

/** One way of speaking: whole answers, and the chunks of streams. */
interface Dialect {
  readonly matches: RegExp;
  readonly whole: (model: string, body: Json) => Json;
  /** Before the content, content by content, and behind it. */
  readonly start: (model: string) => Json[];
  readonly thought: (text: string, model: string) => Json | undefined;
  readonly word: (text: string, model: string) => Json;
  readonly end: (model: string, body: Json) => Json[];
  readonly write: (chunk: Json) => string;
  readonly last: string;
}

const sse = (chunk: Json) => `data: ${JSON.stringify(chunk)}\n\n`;
const named = (chunk: Json) => `event: ${String(chunk["type"])}\n${sse(chunk)}`;
const line = (chunk: Json) => `${JSON.stringify(chunk)}\n`;
const said = WORDS.join("");
const wordsOf = (model: string) => (model.includes("object") ? OBJECT : WORDS);

const openaiUsage = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  prompt_tokens_details: { cached_tokens: USAGE.cached },
  completion_tokens_details: { reasoning_tokens: USAGE.reasoning },
};
const responsesUsage = {
  input_tokens: USAGE.input,
  output_tokens: USAGE.output,
  total_tokens: USAGE.input + USAGE.output,
  input_tokens_details: { cached_tokens: USAGE.cached },
  output_tokens_details: { reasoning_tokens: USAGE.reasoning },
};
const anthropicUsage = {
  input_tokens: USAGE.input - USAGE.cached - 10,
  cache_read_input_tokens: USAGE.cached,
  cache_creation_input_tokens: 10,
};
const anthropicOutput = {
  output_tokens: USAGE.output,
  output_tokens_details: { thinking_tokens: USAGE.reasoning },
};
const geminiUsage = {
  promptTokenCount: USAGE.input,
  cachedContentTokenCount: USAGE.cached,
  candidatesTokenCount: USAGE.output - USAGE.reasoning,
  thoughtsTokenCount: USAGE.reasoning,
  totalTokenCount: USAGE.input + USAGE.output,
};
const ollamaUsage = { prompt_eval_count: USAGE.input, eval_count: USAGE.output };
const cohereUsage = {
  billed_units: { input_tokens: 90, output_tokens: 18 },
  tokens: { input_tokens: USAGE.input, output_tokens: USAGE.output },
  cached_tokens: USAGE.cached,
};

const TOOL_MESSAGE = {
  role: "assistant",
  content: null,
  tool_calls: [
    { id: "call-1", type: "function", function: { name: "lookUp", arguments: '{"city":"x"}' } },
  ],
};

const toolCallsOf = (model: string) => {
  const [first, count = "1"] = /tool-first(?:-(\d))?/.exec(model) ?? [];
  return first === undefined ? 0 : Number(count);
};
const toolResultsIn = (body: Json) => JSON.stringify(body).split('"role":"tool"').length - 1;

const choice = (model: string, delta: Json, finish: string | null = null): Json => ({
  id: "answer-1",
  object: "chat.completion.chunk",
  created: 1,
  model,
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const gemini = (model: string, part: Json, rest: Json = {}): Json => ({
  responseId: "answer-1",
  modelVersion: model,
  candidates: [{ index: 0, content: { role: "model", parts: [part] }, ...rest }],
});
const responseOf = (model: string): Json => ({
  id: "answer-1",
  object: "response",
  created_at: 1,
  status: "completed",
  model,
  output: [
    {
      id: "m1",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: said, annotations: [] }],
    },
  ],
  usage: responsesUsage,
});

const COMPLETIONS: Dialect = {
  matches: /\/chat\/completions/,
  whole: (model, body) => ({
    ...choice(model, {}),
    object: "chat.completion",
    choices: [
      // A model that calls a tool first, or so many times, answers when it has the tool's results.
      toolResultsIn(body) < toolCallsOf(model)
        ? { index: 0, message: TOOL_MESSAGE, finish_reason: "tool_calls" }
        : {
            index: 0,
            message: { role: "assistant", content: wordsOf(model).join("") },
            finish_reason: "stop",
          },
    ],
    usage: openaiUsage,
  }),
  start: (model) => [choice(model, { role: "assistant", content: "" })],
  thought: (text, model) => choice(model, { reasoning_content: text }),
  word: (text, model) => choice(model, { content: text }),
  end: (model, body) => [
    choice(model, {}, "stop"),
    ...((body["stream_options"] as Json | undefined)?.["include_usage"]
      ? [{ ...choice(model, {}), choices: [], usage: openaiUsage }]
      : []),
  ],
  write: sse,
  last: "data: [DONE]\n\n",
};

const DIALECTS: readonly Dialect[] = [
  {
    // Mistral tells the usage of a stream unasked, with the reason why it ended.
    ...COMPLETIONS,
    matches: /^\/mistral\/.*\/chat\/completions/,
    end: (model) => [{ ...choice(model, {}, "stop"), usage: openaiUsage }],
  },
  COMPLETIONS,
  {
    matches: /\/responses/,
    whole: responseOf,
    start: (model) => [
      { type: "response.created", response: { ...responseOf(model), status: "in_progress" } },
      { type: "response.output_item.added", output_index: 0, item: { type: "message" } },
    ],
    thought: (delta) => ({ type: "response.reasoning_summary_text.delta", delta }),
    word: (delta) => ({
      type: "response.output_text.delta",
      item_id: "m1",
      output_index: 0,
      content_index: 0,
      delta,
    }),
    end: (model) => [{ type: "response.completed", response: responseOf(model) }],
    write: named,
    last: "",
  },
  {
    matches: /\/v1\/messages/,
    whole: (model) => ({
      id: "answer-1",
      type: "message",
      role: "assistant",
      model,
      content: [{ type: "text", text: said }],
      stop_reason: "end_turn",
      usage: { ...anthropicUsage, ...anthropicOutput },
    }),
    start: (model) => [
      {
        type: "message_start",
        message: {
          id: "answer-1",
          type: "message",
          role: "assistant",
          model,
          content: [],
          stop_reason: null,
          usage: { ...anthropicUsage, output_tokens: 1 },
        },
      },
      { type: "ping" },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ],
    thought: (thinking) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "thinking_delta", thinking },
    }),
    word: (text) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "text_delta", text },
    }),
    end: () => [
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: anthropicOutput,
      },
      { type: "message_stop" },
    ],
    write: named,
    last: "",
  },
  {
    matches: /:(?:streamG|g)enerateContent/,
    whole: (model) => ({
      ...gemini(model, { text: said }, { finishReason: "STOP" }),
      usageMetadata: geminiUsage,
    }),
    start: () => [],
    thought: (text, model) => gemini(model, { text, thought: true }),
    word: (text, model) => gemini(model, { text }),
    end: (model) => [
      {
        ...gemini(model, { text: "" }, { finishReason: "STOP" }),
        usageMetadata: geminiUsage,
      },
    ],
    write: sse,
    last: "",
  },
  {
    matches: /\/api\/chat/,
    whole: (model) => ({
      model,
      message: { role: "assistant", content: said },
      done: true,
      done_reason: "stop",
      ...ollamaUsage,
    }),
    start: () => [],
    thought: (thinking, model) => ({
      model,
      message: { role: "assistant", content: "", thinking },
      done: false,
    }),
    word: (content, model) => ({ model, message: { role: "assistant", content }, done: false }),
    end: (model) => [
      {
        model,
        message: { role: "assistant", content: "" },
        done: true,
        done_reason: "stop",
        ...ollamaUsage,
      },
    ],
    write: line,
    last: "",
  },
  {
    matches: /\/v2\/chat/,
    whole: () => ({
      id: "answer-1",
      finish_reason: "COMPLETE",
      message: { role: "assistant", content: [{ type: "text", text: said }] },
      usage: cohereUsage,
    }),
    start: () => [
      { type: "message-start", id: "answer-1", delta: { message: { role: "assistant" } } },
      {
        type: "content-start",
        index: 0,
        delta: { message: { content: { type: "text", text: "" } } },
      },
    ],
    thought: () => undefined,
    word: (text) => ({
      type: "content-delta",
      index: 0,
      delta: { message: { content: { text } } },
    }),
    end: () => [
      { type: "content-end", index: 0 },
      { type: "message-end", delta: { finish_reason: "COMPLETE", usage: cohereUsage } },
    ],
    write: named,
    last: "",
  },
];

const VECTOR = [0.6, 0.8, 0];
const EMBEDDINGS: readonly (readonly [RegExp, (model: string) => Json])[] = [
  [
    /\/v1\/embeddings/,
    (model) => ({
      object: "list",
      id: "answer-1",
      model,
      data: [{ object: "embedding", index: 0, embedding: VECTOR }],
      usage: { prompt_tokens: 7, completion_tokens: 0, total_tokens: 7 },
    }),
  ],
  [/:batchEmbedContents|:embedContent/, () => ({ embeddings: [{ values: VECTOR }] })],
  [/\/api\/embed/, (model) => ({ model, embeddings: [VECTOR], prompt_eval_count: 7 })],
  [
    /\/v[12]\/embed/,
    () => ({
      id: "answer-1",
      response_type: "embeddings_by_type",
      texts: [],
      embeddings: { float: [VECTOR] },
      meta: { billed_units: { input_tokens: 7 } },
    }),
  ],
];

/** Starts the server; `requests` counts them by model. */
export async function startModelServer() {
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    answer(request, response, requests).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  requests: Map<string, number>,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  const body = text === "" ? {} : (JSON.parse(text) as Json);
  const path = request.url ?? "";
  const inPath = /\/(?:models|deployments)\/([^:/]+)/.exec(path)?.[1];
  const model = decodeURIComponent((body["model"] as string | undefined) ?? inPath ?? "");
  const attempt = (requests.get(model) ?? 0) + 1;
  requests.set(model, attempt);
  const isAgain = model.includes("once") && attempt > 1;
  const failing = [
    model.includes("odd-fail") && attempt % 2 === 1,
    model.includes("two-fail") && attempt <= 2,
    model.includes("busy"),
  ];
  if (failing.includes(true)) {
    response.setHeader("retry-after-ms", model.includes("busy") ? String(STALL_MS) : "10");
    json(response, 429, { error: { message: "try again" } });
    return;
  }
  const vector = EMBEDDINGS.find(([matches]) => matches.test(path));
  if (vector && !model.includes("refuse")) {
    json(response, 200, vector[1](model));
    return;
  }
  const dialect = DIALECTS.find(({ matches }) => matches.test(path));
  if (!dialect) {
    json(response, 404, { error: { message: `no such path: ${path}` } });
  } else if (model.includes("refuse")) {
    json(response, 400, { error: { message: `cannot answer: ${text}` } });
  } else if (model.includes("retry") && attempt === 1) {
    json(response, 500, { error: { message: "try again" } });
  } else if (model.includes("never")) {
    // The app's own time limit is what ends this one.
    await sleep(STALL_MS);
    response.destroy();
  } else if (body["stream"] === true || path.includes(":stream")) {
    await stream(response, dialect, isAgain ? "again" : model, body);
  } else {
    json(response, 200, dialect.whole(model, body));
  }
}

async function stream(
  response: ServerResponse,
  dialect: Dialect,
  model: string,
  body: Json,
): Promise<void> {
  const { start, thought, word, end, write, last } = dialect;
  const type = write === line ? "application/x-ndjson" : "text/event-stream";
  response.writeHead(200, { "content-type": type });
  response.flushHeaders();
  const send = (chunks: readonly Json[]) => {
    for (const chunk of chunks) response.write(write(chunk));
  };
  send(start(model));
  await sleep(FIRST_MS);
  const thinking = model.includes("think") ? thought(THOUGHT, model) : undefined;
  const words = wordsOf(model).map((text) => word(text, model));
  for (const [index, chunk] of [...(thinking ? [thinking] : []), ...words].entries()) {
    if (index > 0) await sleep(GAP_MS);
    if (response.destroyed) return;
    if (model.includes("drop") && index === 2) {
      response.socket?.destroy();
      return;
    }
    if (model.includes("stall") && index === 2) {
      // Long enough for the app to let go; an open socket would keep it from ending.
      await sleep(STALL_MS);
      response.socket?.destroy();
      return;
    }
    if (model.includes("say-error") && index === 2) {
      send([{ error: { message: "overloaded", type: "server_error" } }]);
      break;
    }
    send([chunk]);
  }
  if (model.includes("cut")) {
    response.end();
    return;
  }
  send(end(model, body));
  // As from afar, in a packet of its own: some libraries know it only so.
  await sleep(LAST_MS);
  response.end(last);
}

function json(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
