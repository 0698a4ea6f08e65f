// The chat itself: no line of it is about telemetry. tidemark.instrumentation.yaml declares
// `answer`, so that a chat is one trace and states its tenant.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const { MODELS_URL } = process.env;
const openai = new OpenAI({ baseURL: `${MODELS_URL}/v1`, apiKey: "none", maxRetries: 2 });
const anthropic = new Anthropic({ baseURL: MODELS_URL, apiKey: "none", maxRetries: 2 });
const SYSTEM = "You are a helpful assistant.";

/** Answers a question, handing on each word as it comes; `agent` may look things up first. */
export async function answer({ tenant, model, question, agent = false }, onText) {
  if (model.startsWith("claude")) return answerWithAnthropic(model, question, onText);
  const messages = [
    { role: "system", content: SYSTEM },
    { role: "user", content: question },
  ];
  if (agent) {
    const asked = await openai.chat.completions.create({ model, messages, tools: [LOOK_UP] });
    const { message } = asked.choices[0];
    messages.push(message);
    for (const call of message.tool_calls ?? []) {
      messages.push({ role: "tool", tool_call_id: call.id, content: lookUp(tenant) });
    }
  }
  const stream = await openai.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of stream) onText(chunk.choices[0]?.delta.content ?? "");
}

async function answerWithAnthropic(model, question, onText) {
  const messages = [{ role: "user", content: question }];
  const stream = anthropic.messages.stream({ model, max_tokens: 300, system: SYSTEM, messages });
  for await (const event of stream) {
    if (event.type === "content_block_delta") onText(event.delta.text ?? "");
  }
}

const LOOK_UP = {
  type: "function",
  function: {
    name: "look_up_plan",
    description: "The plan that a customer has",
    parameters: { type: "object", properties: {} },
  },
};

function lookUp(tenant) {
  return `${tenant} has the plan "team".`;
}
