/**
 * Bedrock's API on loopback, with what aimock leaves out: tokens that were read from a cache, and
 * written into it. Streams are in AWS's own framing: lengths, headers, payload, two checksums.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** As Bedrock counts: what was cached is no part of the input. */
export const BEDROCK_USAGE = { fresh: 50, cacheRead: 30, cacheWrite: 10, output: 12 } as const;
const SAID = "The sky is blue.";

const usage = {
  inputTokens: BEDROCK_USAGE.fresh,
  outputTokens: BEDROCK_USAGE.output,
  totalTokens: 102,
  cacheReadInputTokens: BEDROCK_USAGE.cacheRead,
  cacheWriteInputTokens: BEDROCK_USAGE.cacheWrite,
};
/** Of Anthropic's models, in their own words. */
const anthropicUsage = {
  input_tokens: BEDROCK_USAGE.fresh,
  output_tokens: BEDROCK_USAGE.output,
  cache_read_input_tokens: BEDROCK_USAGE.cacheRead,
  cache_creation_input_tokens: BEDROCK_USAGE.cacheWrite,
};
const metrics = {
  inputTokenCount: BEDROCK_USAGE.fresh,
  outputTokenCount: BEDROCK_USAGE.output,
  cacheReadInputTokenCount: BEDROCK_USAGE.cacheRead,
  cacheWriteInputTokenCount: BEDROCK_USAGE.cacheWrite,
};

const message = { role: "assistant", content: [{ text: SAID }] };
const ANSWERS: Readonly<Record<string, () => Buffer | object>> = {
  converse: () => ({ output: { message }, stopReason: "end_turn", usage }),
  "converse-stream": () =>
    Buffer.concat([
      event("messageStart", { role: "assistant" }),
      event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: SAID } }),
      event("contentBlockStop", { contentBlockIndex: 0 }),
      event("messageStop", { stopReason: "end_turn" }),
      event("metadata", { usage, metrics: { latencyMs: 1 } }),
    ]),
  invoke: () => ({
    content: [{ type: "text", text: SAID }],
    stop_reason: "end_turn",
    usage: anthropicUsage,
  }),
  "invoke-with-response-stream": () =>
    Buffer.concat([
      chunk({ type: "message_start", message: { usage: { ...anthropicUsage, output_tokens: 1 } } }),
      chunk({ type: "content_block_delta", delta: { type: "text_delta", text: SAID } }),
      chunk({ type: "message_stop", "amazon-bedrock-invocationMetrics": metrics }),
    ]),
};

/** Starts it on a free port. */
export async function startBedrock() {
  const server = createServer((request, response) => {
    request.resume();
    const answer = ANSWERS[request.url?.split("/").at(-1) ?? ""]?.();
    const isStream = Buffer.isBuffer(answer);
    const type = isStream ? "application/vnd.amazon.eventstream" : "application/json";
    response.writeHead(answer ? 200 : 404, { "content-type": type });
    response.end(isStream ? answer : JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

function chunk(content: object): Buffer {
  return event("chunk", { bytes: Buffer.from(JSON.stringify(content)).toString("base64") });
}

/** https://smithy.io/2.0/aws/amazon-eventstream.html */
function event(type: string, payload: object): Buffer {
  const headers = Buffer.concat([
    header(":message-type", "event"),
    header(":event-type", type),
    header(":content-type", "application/json"),
  ]);
  const body = Buffer.from(JSON.stringify(payload));
  const prelude = Buffer.concat([
    uint32(16 + headers.length + body.length),
    uint32(headers.length),
  ]);
  const whole = Buffer.concat([prelude, uint32(crc32(prelude)), headers, body]);
  return Buffer.concat([whole, uint32(crc32(whole))]);
}

/** A string's type is 7, and its length two bytes. */
function header(name: string, value: string): Buffer {
  const length = Buffer.from([7, value.length >> 8, value.length & 0xff]);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, Buffer.from(value)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
