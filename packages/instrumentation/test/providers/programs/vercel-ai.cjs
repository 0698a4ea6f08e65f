// A CommonJS app of the AI SDK, one call of it a function that it has taken out, the other an agent.
const { createOpenAI } = require("@ai-sdk/openai");
const { generateObject, generateText, ToolLoopAgent } = require("ai");

const { MODELS_URL } = process.env;
const openai = createOpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });

async function main() {
  const { text } = await generateText({ model: openai.chat("required"), prompt: "why" });
  const own = { isEnabled: false };
  const silent = { model: openai.chat("silent"), prompt: "why", experimental_telemetry: own };
  await generateText(silent);
  await generateObject({ ...silent, model: openai.chat("silent-object"), output: "no-schema" });
  const agent = new ToolLoopAgent({ model: openai.chat("agent") });
  const value = [text, (await agent.generate({ prompt: "why" })).text];
  console.log(JSON.stringify({ name: "required", value }));
}

void main();
