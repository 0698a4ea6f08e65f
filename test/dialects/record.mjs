// Runs each library in a process of its own against a local model server, and writes the OTLP/JSON
// that it sends to recorded/NAME.json. `npm install && npm run record`, or `npm run record -- NAME`.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { startModelServer } from "./model-server.mjs";

const folder = new URL("recorded/", import.meta.url);
const REGISTER = fileURLToPath(
  new URL("../../packages/instrumentation/dist/register.cjs", import.meta.url),
);
const NAMES = [
  "tidemark-openai",
  "tidemark-anthropic",
  "gen-ai-openai",
  "openinference-openai",
  "openinference-anthropic",
  "traceloop-openai",
  "traceloop-anthropic",
  "anthropic-native",
  "ai-6",
  "ai-7",
  "langfuse-openai",
];

mkdirSync(folder, { recursive: true });
const models = await startModelServer();
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : NAMES) {
  const sink = await startSink();
  const code = await run(name, sink.url);
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  sink.close();
  const spans = sink.requests.flatMap(({ resourceSpans }) => resourceSpans);
  const text = JSON.stringify({ resourceSpans: spans }, null, 1);
  writeFileSync(new URL(`${name}.json`, folder), `${text}\n`);
  console.log(`${name}: ${text.length} bytes`);
}
models.close();

/** Takes OTLP/JSON and keeps it. */
async function startSink() {
  const requests = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      requests.push(JSON.parse(Buffer.concat(parts).toString()));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/v1/traces`;
  return { url, requests, close: () => server.close() };
}

function run(name, sinkUrl) {
  const program = fileURLToPath(new URL("run-library.mjs", import.meta.url));
  // Ours is a flag, and an SDK that the environment tells where to send to.
  const isOurs = name.startsWith("tidemark");
  const flags = isOurs ? ["--require", REGISTER] : [];
  const settings = isOurs && {
    OTEL_SERVICE_NAME: "tide-clock",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: sinkUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_NODE_DISABLED_INSTRUMENTATIONS: "http,undici",
  };
  const args = [...flags, program, name, models.url, sinkUrl];
  const env = { ...process.env, ...settings };
  const child = spawn(process.execPath, args, { stdio: "inherit", env });
  return new Promise((resolve) => child.on("close", resolve));
}
