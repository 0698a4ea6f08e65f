// Answers like OpenAI and Anthropic do, with the same usage each time: 120 tokens in, 20 of them
// from the cache, and 30 out, 10 of them reasoning. A stream's first chunk comes after 40 ms.
import { createServer } from "node:http";

export const MODEL = "gpt-4o-mini";
export const CLAUDE = "claude-sonnet-4-5";
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

/** Listens on a free port of loopback. */
export async function startModelServer() {
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString() || "{}");
      const answer = answers[request.url?.replace(/\?.*/, "") ?? ""];
      if (answer) void answer(body, response);
      else response.writeHead(404).end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

const answers = {
  "/v1/chat/completions": (body, response) => {
    const head = { id: "chatcmpl-1", created: 1, model: MODEL };
    if (!body.stream) {
      const message = { role: "assistant", content: WORDS.join("") };
      const choices = [{ index: 0, message, finish_reason: "stop" }];
      return json(response, { ...head, object: "chat.completion", choices, usage: openAiUsage });
    }
    const chunk = (delta, finish = null) => ({
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
  "/v1/embeddings": (_, response) =>
    json(response, {
      object: "list",
      model: "text-embedding-3-small",
      data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2, 0.3, 0.4] }],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    }),
  "/v1/messages": (body, response) => {
    const head = { id: "msg_1", type: "message", role: "assistant", model: CLAUDE };
    if (!body.stream) {
      const content = [{ type: "text", text: WORDS.join("") }];
      const end = { stop_reason: "end_turn", stop_sequence: null };
      return json(response, { ...head, content, ...end, usage: anthropicUsage });
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
    const line = (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    return stream(response, events.map(line));
  },
};

const DONE = "data: [DONE]\n\n";
const TEXT = { type: "text", text: "" };

function json(response, body) {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function stream(response, parts) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  await wait(FIRST_CHUNK_MS);
  for (const part of parts) {
    response.write(part);
    await wait(CHUNK_MS);
  }
  response.end();
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
