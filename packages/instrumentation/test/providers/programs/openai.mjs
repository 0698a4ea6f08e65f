// Calls the API in every way that an app may, and writes what the app saw as a line of JSON each.
import * as openai from "openai";

const { MODELS_URL, SECRET = "" } = process.env;
// Version 4 has no Azure before 4.43.
const { OpenAI, AzureOpenAI } = openai;
const client = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key", maxRetries: 1 });
const messages = [
  { role: "system", content: `be kind ${SECRET}` },
  { role: "user", content: `why is the sky blue ${SECRET}` },
];
const ask = (model, more = {}) => ({ model, messages, ...more });
const streamed = (model, more = {}) => ask(model, { stream: true, ...more });

const scenarios = {
  whole: async () =>
    (await client.chat.completions.create(ask("whole"))).choices[0].message.content,
  withResponse: async () => {
    const { data, response } = await client.chat.completions.create(ask("whole")).withResponse();
    return [data.id, response.status];
  },
  asResponse: async () => {
    const response = await client.chat.completions.create(ask("whole")).asResponse();
    return (await response.json()).id;
  },
  stream: async () => {
    const streams = [];
    for (let i = 0; i < 5; i++) streams.push(await read(streamed("stream")));
    return streams;
  },
  think: async () => [await read(streamed("think", { stream_options: { include_usage: true } }))],
  break: async () => {
    const stream = await client.chat.completions.create(streamed("break"));
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    return "left";
  },
  thrown: async () => {
    const stream = await client.chat.completions.create(streamed("thrown"));
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) throw new Error("mine");
  },
  abort: async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const stream = await client.chat.completions.create(streamed("abort"), options);
    let count = 0;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content && ++count === 2) controller.abort();
    }
    return count;
  },
  abortEarly: async () => {
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const promise = client.chat.completions.create(ask("never-abort"), options);
    setTimeout(() => controller.abort(), 30);
    return (await promise).id;
  },
  timeout: async () => {
    const options = { timeout: 80, maxRetries: 0 };
    return (await client.chat.completions.create(ask("never-timeout"), options)).id;
  },
  drop: () => read(streamed("drop")),
  cut: () => read(streamed("cut")),
  refuse: async () => (await client.chat.completions.create(ask("refuse"))).id,
  retry: async () => (await client.chat.completions.create(ask("retry"))).id,
  tee: async () => {
    const [left, right] = (await client.chat.completions.create(streamed("tee"))).tee();
    const texts = await Promise.all([textOf(left), textOf(right)]);
    return texts.map(({ text }) => text);
  },
  readable: async () => {
    const stream = await client.chat.completions.create(streamed("readable"));
    let bytes = 0;
    for await (const part of stream.toReadableStream()) bytes += part.length;
    return bytes > 0;
  },
  unread: async () => {
    const { completions } = client.chat;
    const unread = await (async () =>
      new WeakRef(await completions.create(streamed("stall-unread"))))();
    // Until it is collected, and a turn for what that ends.
    for (let turn = 0; turn < 50 && unread.deref() !== undefined; turn++) await collectGarbage();
    await collectGarbage();
    return "let go";
  },
  parse: async () => {
    const { chat } = client;
    if (chat.completions.parse === undefined) return "none";
    return (await chat.completions.parse(ask("parse"))).choices[0].message.content;
  },
  helper: async () => {
    const helper = client.chat.completions.stream ?? client.beta?.chat?.completions?.stream;
    if (helper === undefined) return "none";
    const owner = client.chat.completions.stream ? client.chat : client.beta.chat;
    const stream = owner.completions.stream(ask("helper"));
    return (await stream.finalChatCompletion()).choices[0].message.content;
  },
  unheard: async () => {
    const unheard = [];
    const hear = (error) => unheard.push(error.constructor.name);
    process.on("unhandledRejection", hear);
    const { completions } = client.chat;
    void (completions.parse ?? completions.create).call(completions, ask("refuse-unheard"));
    for (let turn = 0; turn < 50 && unheard.length === 0; turn++) await collectGarbage();
    process.off("unhandledRejection", hear);
    return unheard;
  },
  responses: async () => {
    if (client.responses === undefined) return "none";
    return (await client.responses.create({ model: "responses", input: SECRET })).output_text;
  },
  responsesStream: async () => {
    if (client.responses === undefined) return "none";
    const body = { model: "think-responses", input: SECRET, instructions: SECRET, stream: true };
    let text = "";
    for await (const event of await client.responses.create(body)) {
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    return text;
  },
  embeddings: async () => {
    const body = { model: "text-embedding-3-small", input: SECRET, encoding_format: "float" };
    return (await client.embeddings.create(body)).data[0].embedding.length;
  },
  azure: async () => {
    if (AzureOpenAI === undefined) return "none";
    const azure = new AzureOpenAI({
      endpoint: MODELS_URL,
      apiKey: "key",
      apiVersion: "2024-10-21",
      deployment: "azure-gpt",
    });
    return (await azure.chat.completions.create(ask("azure-gpt"))).id;
  },
};

async function read(body) {
  const startedMs = performance.now();
  return textOf(await client.chat.completions.create(body), startedMs);
}

async function textOf(stream, startedMs = 0) {
  const timesMs = [];
  let text = "";
  let empty = 0;
  for await (const chunk of stream) {
    const delta = chunk.choices[0]?.delta ?? {};
    if (chunk.choices.length === 0) empty++;
    if (delta.content || delta.reasoning_content) timesMs.push(performance.now() - startedMs);
    text += delta.content ?? "";
  }
  return { text, empty, timesMs };
}

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(scenarios)) {
  let outcome;
  try {
    outcome = { value: await scenarios[name]() };
  } catch (error) {
    outcome = { error: error.constructor.name };
  }
  console.log(JSON.stringify({ name, ...outcome }));
}

async function collectGarbage() {
  globalThis.gc?.();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
