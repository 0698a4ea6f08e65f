// Answers like OpenAI and Anthropic do, with the same usage each time: 120 tokens in, 20 of them
// from the cache, and 30 out, 10 of them reasoning. A stream's first chunk comes after 40 ms, and a
// whole answer after 20. What else it does, the prompt asks for: a tool, a failure, a refusal.
import type { ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export const MODEL = "gpt-4o-mini";
export const CLAUDE = "claude-sonnet-4-5";
export const EMBEDDER = "text-embedding-3-small";
/** The first attempt at this one fails, and the next does not. */
export const FLAKY = "When does it turn again?";
export const REFUSED = "Turn the tide.";
const ANSWER_MS = 20;
const FIRST_CHUNK_MS = 40;
const CHUNK_MS = 5;

const openAiUsage = {
  prompt_tokens: 120,
  completion_tokens: 30,
  total_tokens: 150,
  prompt_tokens_details: { cached_tokens: 20 },
  completion_tokens_details: { reasoning_tokens: 10 },
};
// Anthropic's input_tokens leave out what came from the cache.
const anthropicUsage = {
  input_tokens: 100,
  output_tokens: 30,
  cache_read_input_tokens: 20,
  cache_creation_input_tokens: 0,
};
const WORDS = ["The", " tide", " turns", " at", " noon."];
const TOOL = { name: "high_water", input: { port: "Husum" } };

type Json = Readonly<Record<string, unknown>>;
/** @returns how long a stream's first chunk took, in milliseconds */
type Api = (body: Json, response: ServerResponse, id: string) => Promise<number>;

/** What one model has been asked. */
export interface Served {
  readonly requests: number;
  /** How many of them were answered. */
  readonly answers: number;
  /** How long that took, all answers together, and a stream up to its first chunk. */
  readonly ms: number;
  readonly firstChunkMs: number;
}

/** Listens on a free port of loopback; `served` goes by the model's name. */
export async function startModelServer() {
  const served: Record<string, Served> = {};
  const answer = async (model: string, work: () => Promise<number>) => {
    const startedMs = performance.now();
    const firstMs = await work();
    const { requests, answers, ms, firstChunkMs } = served[model] ?? NOTHING;
    const sum = ms + performance.now() - startedMs;
    const first = firstChunkMs + firstMs;
    served[model] = { requests, answers: answers + 1, ms: sum, firstChunkMs: first };
  };
  let answered = 0;
  let hasFailed = false;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString();
      const body = JSON.parse(text || "{}") as Json;
      const model = String(body["model"]);
      const api = APIS[request.url?.replace(/\?.*/, "") ?? ""];
      const before = served[model] ?? NOTHING;
      served[model] = { ...before, requests: before.requests + 1 };
      const asks = (prompt: string) => text.includes(JSON.stringify(prompt));
      if (api === undefined) {
        refuse(response, 404);
      } else if (asks(REFUSED)) {
        refuse(response, 400);
      } else if (asks(FLAKY) && !hasFailed) {
        hasFailed = true;
        refuse(response, 500);
      } else {
        void answer(model, () => api(body, response, `answer-${++answered}`));
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, served, close: () => server.close() };
}

const NOTHING: Served = { requests: 0, answers: 0, ms: 0, firstChunkMs: 0 };
const APIS: Readonly<Record<string, Api>> = {
  "/v1/chat/completions": async (body, response, id) => {
    const head = { id, created: 1, model: MODEL };
    if (!body["stream"]) {
      const [message, finish_reason] = wantsTool(body, "tool")
        ? [{ role: "assistant", content: null, tool_calls: [openAiToolCall] }, "tool_calls"]
        : [{ role: "assistant", content: WORDS.join("") }, "stop"];
      const choices = [{ index: 0, message, finish_reason }];
      await wait(ANSWER_MS);
      return json(response, { ...head, object: "chat.completion", choices, usage: openAiUsage });
    }
    const chunk = (delta: Json, finish: string | null = null) => ({
      ...head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    const chunks = [
      ...WORDS.map((content) => chunk({ role: "assistant", content })),
      chunk({}, "stop"),
      { ...head, object: "chat.completion.chunk", choices: [], usage: openAiUsage },
    ];
    return stream(response, [...chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`), DONE]);
  },
  "/v1/embeddings": async (_, response) => {
    await wait(ANSWER_MS);
    return json(response, {
      object: "list",
      model: EMBEDDER,
      data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2, 0.3, 0.4] }],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    });
  },
  "/v1/messages": async (body, response, id) => {
    const head = { id, type: "message", role: "assistant", model: CLAUDE };
    if (!body["stream"]) {
      const [content, stop_reason] = wantsTool(body, "tool_result")
        ? [{ type: "tool_use", id: "toolu_1", ...TOOL }, "tool_use"]
        : [{ type: "text", text: WORDS.join("") }, "end_turn"];
      const end = { stop_reason, stop_sequence: null, usage: anthropicUsage };
      await wait(ANSWER_MS);
      return json(response, { ...head, content: [content], ...end });
    }
    const start = { ...head, content: [], stop_reason: null, stop_sequence: null };
    const text = { type: "content_block_start", index: 0, content_block: TEXT };
    const events = [
      {
        type: "message_start",
        message: { ...start, usage: { ...anthropicUsage, output_tokens: 1 } },
      },
      text,
      ...WORDS.map((word) => ({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text: word },
      })),
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        usage: { output_tokens: 30 },
      },
      { type: "message_stop" },
    ];
    const line = (event: { readonly type: string }) =>
      `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    return stream(response, events.map(line));
  },
};

const DONE = "data: [DONE]\n\n";
const TEXT = { type: "text", text: "" };
const openAiToolCall = {
  id: "call_1",
  type: "function",
  function: { name: TOOL.name, arguments: JSON.stringify(TOOL.input) },
};

/** A model that may call a tool does so first, and answers when it has been told the result. */
function wantsTool({ tools, messages }: Json, result: string): boolean {
  return tools !== undefined && !JSON.stringify(messages).includes(`"${result}"`);
}

/** Clients of both wait for as long as the header says before they try again. */
function refuse(response: ServerResponse, status: number): void {
  const error = { type: "invalid_request_error", message: `the tide answers ${status}` };
  response.writeHead(status, { "content-type": "application/json", "retry-after-ms": "1" });
  response.end(JSON.stringify({ type: "error", error }));
}

function json(response: ServerResponse, body: Json): number {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  return 0;
}

async function stream(response: ServerResponse, parts: readonly string[]): Promise<number> {
  const startedMs = performance.now();
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  await wait(FIRST_CHUNK_MS);
  const firstMs = performance.now() - startedMs;
  for (const [index, part] of parts.entries()) {
    if (index > 0) await wait(CHUNK_MS);
    response.write(part);
  }
  response.end();
  return firstMs;
}
