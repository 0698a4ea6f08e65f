// Has the conversation by each library against a local model server, and writes the OTLP/JSON that
// it sends to recorded/NAME.json. `npm run record`, or `npm run record -- NAME`.
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { converse, LIBRARIES } from "./libraries.ts";
import { startModelServer } from "./model-server.ts";

const folder = new URL("recorded/", import.meta.url);
/** Where this is, as stack traces of failures say it. */
const root = fileURLToPath(new URL("../../", import.meta.url));

mkdirSync(folder, { recursive: true });
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : LIBRARIES) {
  const [models, sink] = await Promise.all([startModelServer(), startSink()]);
  const { code, stderr } = await converse(name, models.url, sink.url);
  models.close();
  sink.close();
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}`);
  const resourceSpans = sink.requests.flatMap((request) => request.resourceSpans);
  const text = JSON.stringify({ resourceSpans }, null, 1).replaceAll(root, "/tidemark/");
  writeFileSync(new URL(`${name}.json`, folder), `${text}\n`);
  console.log(`${name}: ${text.length} bytes`);
}

/** Takes OTLP/JSON and keeps it. */
async function startSink() {
  const requests: { readonly resourceSpans: readonly object[] }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      requests.push(JSON.parse(Buffer.concat(parts).toString()) as (typeof requests)[number]);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  return { url, requests, close: () => server.close() };
}
