// The models of the example: aimock, which speaks the APIs of OpenAI and Anthropic on a port of
// this machine and answers by fixtures. Some of its answers fail first, as real ones do.
import { LLMock } from "@copilotkit/aimock";

/** Milliseconds to the first chunk, and chunks a second. */
export const PACE = { ttft: 40, tps: 200 };

/** What each kind of question is answered with, and what it costs in tokens. */
export const KINDS = {
  short: { usage: [120, 30], text: "It is blue because of how air scatters sunlight." },
  long: { usage: [900, 400], text: "Light is scattered by molecules of the air. ".repeat(6) },
  refusal: { usage: [80, 20], text: "I'm sorry, but I cannot help with that." },
  agent: { usage: [300, 60], text: "You have the plan called team." },
};

/** What an agent's first call, which asks for a tool, costs in tokens. */
export const TOOL_USAGE = [200, 15];

export async function startModels() {
  const mock = new LLMock({ port: 0, host: "127.0.0.1" });
  mock.addFixture({
    match: { userMessage: "kind: agent", hasToolResult: false },
    response: {
      toolCalls: [{ name: "look_up_plan", arguments: "{}" }],
      usage: usage(TOOL_USAGE),
    },
  });
  // The first of these is refused with 500, so the client asks again.
  mock.addFixture({
    match: { userMessage: "try twice", sequenceIndex: 0 },
    response: { error: { message: "overloaded", type: "server_error" }, status: 500 },
  });
  for (const [kind, { usage: tokens, text }] of Object.entries(KINDS)) {
    mock.addFixture({
      match: { userMessage: `kind: ${kind}` },
      response: { content: text, usage: usage(tokens) },
      streamingProfile: PACE,
      chunkSize: 12,
    });
  }
  await mock.start();
  return mock;
}

function usage([input, output]) {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    input_tokens: input,
    output_tokens: output,
  };
}
