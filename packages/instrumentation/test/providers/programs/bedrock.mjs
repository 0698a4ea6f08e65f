// Calls models by Bedrock's client, and writes what the app saw as a line of JSON each.
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";

const { MODELS_URL, SECRET = "" } = process.env;
const client = new BedrockRuntimeClient({
  region: "us-east-1",
  endpoint: MODELS_URL,
  credentials: { accessKeyId: "none", secretAccessKey: "none" },
  maxAttempts: 1,
  // Its own default is HTTP/2, which the mock does not speak.
  requestHandler: new NodeHttpHandler(),
});
const messages = [{ role: "user", content: [{ text: `sky ${SECRET}` }] }];
const modelId = "anthropic.claude-3-5-sonnet-20241022-v2:0";

const body = JSON.stringify({
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 9,
  messages: [{ role: "user", content: `sky ${SECRET}` }],
});

const read = async (until) => {
  const startedMs = performance.now();
  const { stream } = await client.send(new ConverseStreamCommand({ modelId, messages }));
  const timesMs = [];
  for await (const event of stream) {
    if (!event.contentBlockDelta) continue;
    timesMs.push(performance.now() - startedMs);
    if (timesMs.length === until) break;
  }
  return timesMs;
};
const scenarios = {
  whole: async () => {
    const { output } = await client.send(new ConverseCommand({ modelId, messages }));
    return output.message.content[0].text;
  },
  stream: () => read(),
  break: () => read(2),
  invoke: async () => {
    const answer = await client.send(new InvokeModelCommand({ modelId, body }));
    return JSON.parse(new TextDecoder().decode(answer.body)).content[0].text;
  },
  "invoke-stream": async () => {
    const command = new InvokeModelWithResponseStreamCommand({ modelId, body });
    let chunks = 0;
    for await (const _ of (await client.send(command)).body) chunks++;
    return chunks;
  },
};
const asked = process.argv.slice(2);
for (const [name, scenario] of Object.entries(scenarios)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  let outcome;
  try {
    outcome = { value: await scenario() };
  } catch (error) {
    outcome = { error: `${error.constructor.name} ${error.message}` };
  }
  console.log(JSON.stringify({ name, ...outcome }));
}
