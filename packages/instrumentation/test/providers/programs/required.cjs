// A CommonJS app: what `require` gives of these packages is a function, and a class beside it.
const OpenAI = require("openai");
const Anthropic = require("@anthropic-ai/sdk");

const { MODELS_URL } = process.env;
const messages = [{ role: "user", content: "why" }];

async function main() {
  const openai = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "key" });
  const chat = await openai.chat.completions.create({ model: "whole", messages });
  const anthropic = new Anthropic({ baseURL: MODELS_URL, apiKey: "key", openTelemetry: false });
  const body = { model: "stream", max_tokens: 100, messages, stream: true };
  let said = "";
  for await (const { delta } of await anthropic.messages.create(body)) said += delta?.text ?? "";
  const value = [chat.choices[0].message.content, said];
  console.log(JSON.stringify({ name: "required", value }));
}

void main();
