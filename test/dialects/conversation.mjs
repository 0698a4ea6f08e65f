// The one conversation that every library has: an answer, a stream, a tool that the model asks for
// and the answer with its result, a call that succeeds when it is tried again, over OpenAI an
// embedding, and a call that is refused. Each function tells how long the calls of each model have taken.
import { CLAUDE, EMBEDDER, FLAKY, MODEL, REFUSED } from "./model-server.ts";

const PROMPT = "When does the tide turn?";
const TOOL_PROMPT = "How high is it there?";
const HIGH_WATER = "3.4 m";
const tool = { name: "high_water", description: "How high the water is." };
const parameters = { type: "object", properties: { port: { type: "string" } } };
const asks = (content) => [{ role: "user", content }];

export async function callOpenAi({ chat, embeddings }) {
  const { timed, tookMs } = stopwatch();
  const create = (messages, options) =>
    timed(MODEL, () => chat.completions.create({ model: MODEL, messages, ...options }));
  await create(asks(PROMPT));
  await timed(MODEL, async () => {
    const options = { stream: true, stream_options: { include_usage: true } };
    const messages = asks(PROMPT);
    for await (const _ of await chat.completions.create({ model: MODEL, messages, ...options }));
  });
  const tools = [{ type: "function", function: { ...tool, parameters } }];
  const { message } = (await create(asks(TOOL_PROMPT), { tools })).choices[0];
  const [{ id }] = message.tool_calls;
  const told = { role: "tool", tool_call_id: id, content: HIGH_WATER };
  await create([...asks(TOOL_PROMPT), message, told], { tools });
  await create(asks(FLAKY));
  const input = { model: EMBEDDER, input: PROMPT, encoding_format: "float" };
  await timed(EMBEDDER, () => embeddings.create(input));
  await refused(() => create(asks(REFUSED)));
  return tookMs;
}

export async function callAnthropic({ messages }) {
  const { timed, tookMs } = stopwatch();
  const head = { model: CLAUDE, max_tokens: 100 };
  const create = (said, options) =>
    timed(CLAUDE, () => messages.create({ ...head, messages: said, ...options }));
  await create(asks(PROMPT));
  await timed(CLAUDE, async () => {
    const request = { ...head, messages: asks(PROMPT), stream: true };
    for await (const _ of await messages.create(request));
  });
  const tools = [{ ...tool, input_schema: parameters }];
  const { content } = await create(asks(TOOL_PROMPT), { tools });
  const told = [{ type: "tool_result", tool_use_id: content[0].id, content: HIGH_WATER }];
  const answered = { role: "assistant", content };
  await create([...asks(TOOL_PROMPT), answered, { role: "user", content: told }], { tools });
  await create(asks(FLAKY));
  await refused(() => create(asks(REFUSED)));
  return tookMs;
}

/** @param options of each call: the telemetry, as the version wants it */
export async function callAiSdk(ai, model, embedder, options) {
  const { timed, tookMs } = stopwatch();
  const generate = (prompt, more) =>
    timed(MODEL, () => ai.generateText({ model, prompt, ...options, ...more }));
  await generate(PROMPT);
  await timed(MODEL, async () => {
    for await (const _ of ai.streamText({ model, prompt: PROMPT, ...options }).textStream);
  });
  const inputSchema = ai.jsonSchema(parameters);
  const high_water = ai.tool({ ...tool, inputSchema, execute: async () => HIGH_WATER });
  await generate(TOOL_PROMPT, { tools: { high_water }, stopWhen: ai.stepCountIs(2) });
  await generate(FLAKY);
  await timed(EMBEDDER, () => ai.embed({ model: embedder, value: PROMPT, ...options }));
  await refused(() => generate(REFUSED));
  return tookMs;
}

export async function callLangChain(model, embeddings) {
  const { timed, tookMs } = stopwatch();
  const invoke = (messages, asked = model) => timed(MODEL, () => asked.invoke(messages));
  await invoke(asks(PROMPT));
  await timed(MODEL, async () => {
    for await (const _ of await model.stream(asks(PROMPT)));
  });
  const withTool = model.bindTools([{ type: "function", function: { ...tool, parameters } }]);
  const message = await invoke(asks(TOOL_PROMPT), withTool);
  const [{ id }] = message.tool_calls;
  const told = { role: "tool", tool_call_id: id, content: HIGH_WATER };
  await invoke([...asks(TOOL_PROMPT), message, told], withTool);
  await invoke(asks(FLAKY));
  await timed(EMBEDDER, () => embeddings.embedQuery(PROMPT));
  await refused(() => invoke(asks(REFUSED)));
  return tookMs;
}

function stopwatch() {
  const tookMs = {};
  const timed = async (model, call) => {
    const startedMs = performance.now();
    try {
      return await call();
    } finally {
      tookMs[model] = (tookMs[model] ?? 0) + performance.now() - startedMs;
    }
  };
  return { timed, tookMs };
}

async function refused(call) {
  const error = await call().catch((thrown) => thrown);
  if (!(error instanceof Error)) throw new Error("the model server has not refused");
}
