// Calls models by the AI SDK, and writes what the app saw as a line of JSON each.
import { createOpenAI } from "@ai-sdk/openai";
import { embed, embedMany, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const { MODELS_URL, SECRET = "" } = process.env;
const openai = createOpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });
const prompt = `why is the sky blue ${SECRET}`;
const lookUp = tool({
  description: SECRET,
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `${city} ${SECRET}`,
});

async function failOnTheWay(model) {
  const { fullStream } = streamText({ model: openai.chat(model), prompt, onError: () => {} });
  for await (const { type, error } of fullStream) if (type === "error") throw new Error(error);
}

const scenarios = {
  whole: async () => (await generateText({ model: openai.chat("whole"), prompt })).text,
  stream: async () => {
    const { textStream } = streamText({ model: openai.chat("stream"), prompt });
    let said = "";
    for await (const part of textStream) said += part;
    return said;
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
