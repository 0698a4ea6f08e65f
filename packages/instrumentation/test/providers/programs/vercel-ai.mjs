// Calls models by the AI SDK, and writes what the app saw as a line of JSON each.
import { createOpenAI } from "@ai-sdk/openai";
import * as ai from "ai";
import {
  embed,
  embedMany,
  generateObject,
  generateText,
  stepCountIs,
  streamObject,
  streamText,
  tool,
} from "ai";
import { z } from "zod";

const { MODELS_URL, SECRET = "" } = process.env;
const openai = createOpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });
const prompt = `why is the sky blue ${SECRET}`;
const lookUp = tool({
  description: SECRET,
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `${city} ${SECRET}`,
});

const quiet = { prompt, onError: () => {} };

/** A model that says more than version 7 reads ahead. */
const talkative = {
  specificationVersion: "registerTelemetry" in ai ? "v4" : "v3",
  provider: "own",
  modelId: "talkative",
  supportedUrls: {},
  doStream: async () => {
    const delta = { type: "text-delta", id: "1", delta: "x" };
    const parts = [{ type: "text-start", id: "1" }, ...Array.from({ length: 50 }, () => delta)];
    const pull = (it) => (parts.length > 0 ? it.enqueue(parts.shift()) : it.close());
    return { stream: new ReadableStream({ pull }) };
  },
};

/** Leaves an answer, and tells of the signal that it could have been called off with. */
async function leave() {
  const { signal } = new AbortController();
  const { textStream } = streamText({ model: talkative, ...quiet, abortSignal: signal });
  for await (const _ of textStream) break;
  return new WeakRef(signal);
}

function abortedSoon(reason) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 90);
  return controller.signal;
}

async function failOnTheWay(model, options) {
  const { fullStream } = streamText({ model: openai.chat(model), ...quiet, ...options });
  for await (const { type, error } of fullStream) if (type === "error") throw new Error(error);
}

async function readText(model, options) {
  let said = "";
  for await (const part of streamText({ model: openai.chat(model), ...quiet, ...options })
    .textStream)
    said += part;
  return said;
}

async function readObject(model) {
  const options = { model: openai.chat(model), output: "no-schema", ...quiet };
  const { fullStream } = streamObject(options);
  let city;
  for await (const { type, object, error } of fullStream) {
    if (type === "error") throw new Error(error);
    city = object?.city ?? city;
  }
  return city;
}

const scenarios = {
  whole: async () => (await generateText({ model: openai.chat("whole"), prompt })).text,
  stream: () => readText("stream"),
  "retry-stream": () => readText("retry-stream"),
  "say-error-once": () => readText("say-error-once", { streamRetries: 1 }),
  break: async () => {
    let first;
    for await (const part of streamText({ model: openai.chat("break"), ...quiet }).textStream) {
      first = part;
      break;
    }
    return first;
  },
  tool: async () => {
    const options = { model: openai.chat("tool-first"), prompt, tools: { lookUp } };
    return (await generateText({ ...options, stopWhen: stepCountIs(2) })).text;
  },
  abort: async () => {
    const controller = new AbortController();
    const options = { model: openai.chat("abort"), prompt, abortSignal: controller.signal };
    const { textStream } = streamText({ ...options, onError: () => {} });
    let count = 0;
    for await (const _ of textStream) if (++count === 2) controller.abort();
    return count;
  },
  left: async () => {
    const signals = [];
    for (let count = 0; count < 20; count++) signals.push(await leave());
    for (let turn = 0; turn < 10; turn++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return signals.filter((signal) => signal.deref() !== undefined).length;
  },
  // The SDK's first versions throw the reason at whoever reads a stream.
  reasons: async () => {
    const [abortSignal, later] = [abortedSoon(new Error("mine")), abortedSoon("mine")];
    const agent = new ai.ToolLoopAgent({ model: openai.chat("never-agent") });
    await Promise.allSettled([
      generateText({ model: openai.chat("never-reason"), prompt, abortSignal }),
      readText("stall-reason", { abortSignal: later }),
      agent.generate({ prompt, abortSignal }),
    ]);
  },
  refuse: async () =>
    (await generateText({ model: openai.chat("refuse"), prompt, maxRetries: 0 })).text,
  retry: async () => (await generateText({ model: openai.chat("retry"), prompt })).text,
  "odd-fail": async () => {
    const options = { model: openai.chat("odd-fail-tool-first-3"), prompt, tools: { lookUp } };
    return (await generateText({ ...options, stopWhen: stepCountIs(4) })).text;
  },
  "two-fail": async () => {
    const model = Object.assign(openai.embedding("two-fail"), { maxEmbeddingsPerCall: 1 });
    return (await embedMany({ model, values: ["why", "how"] })).embeddings.length;
  },
  "object-retry": async () => {
    const options = { model: openai.chat("object-retry"), output: "no-schema", prompt };
    return (await generateObject(options)).object.city;
  },
  "object-stream": () => readObject("object-stream"),
  "object-drop": () => readObject("object-drop"),
  "refuse-embed": async () =>
    (await embed({ model: openai.embedding("refuse-embed"), value: prompt })).embedding.length,
  busy: async () => {
    const abortSignal = AbortSignal.timeout(200);
    return (await generateText({ model: openai.chat("busy"), prompt, abortSignal })).text;
  },
  "busy-embed": async () => {
    const abortSignal = AbortSignal.timeout(200);
    return await embed({ model: openai.embedding("busy-embed"), value: prompt, abortSignal });
  },
  late: () => failOnTheWay("stall-late", { abortSignal: AbortSignal.timeout(300) }),
  named: async () => {
    const textEmbeddingModel = (name) => openai.embedding(name);
    // Version 7 takes a provider of version 5 as well, which has no other name for it.
    const names = "registerTelemetry" in ai ? {} : { embeddingModel: textEmbeddingModel };
    const languageModel = (name) => openai.chat(name);
    globalThis.AI_SDK_DEFAULT_PROVIDER = { languageModel, textEmbeddingModel, ...names };
    const { object } = await generateObject({ model: "object-named", output: "no-schema", prompt });
    const { embedding } = await embed({ model: "embed-named", value: prompt });
    delete globalThis.AI_SDK_DEFAULT_PROVIDER;
    return [object.city, embedding.length];
  },
  "no-model": () => generateObject({ output: "no-schema", prompt }).catch(({ message }) => message),
  "say-error": () => failOnTheWay("say-error"),
  drop: () => failOnTheWay("drop"),
  embed: async () =>
    (await embed({ model: openai.embedding("embed"), value: prompt })).embedding.length,
};

for (const [name, scenario] of Object.entries(scenarios)) {
  let outcome;
  try {
    outcome = { value: await scenario() };
  } catch (error) {
    outcome = { error: error.constructor.name };
  }
  console.log(JSON.stringify({ name, ...outcome }));
}
