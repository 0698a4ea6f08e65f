/**
 * The servers that are compared, each as a child process of its own: what a server must do at
 * least, what others do, and what ours does. The mode is the argument; the port comes by message.
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { giveBody } from "../dist/body-pool.js";
import { parseConfig } from "../dist/config/load-config.js";
import { collectOften } from "../dist/garbage-collection.js";
import { Logger } from "../dist/logger.js";
import { createReceiver } from "../dist/main.js";
import { Observer } from "../dist/observe/observer.js";
import { PreparedPast } from "../dist/observe/prepared-past.js";
import { KeyTable } from "../dist/otlp/key-table.js";
import { wantedKeys } from "../dist/otlp/wanted-keys.js";
import { BodyDecoder } from "../dist/receive/body-decoder.js";
import { Intake } from "../dist/receive/intake.js";
import { OtlpReceivers } from "../dist/receive/otlp-receivers.js";
import { ReferenceBook } from "../dist/references/reference-book.js";
import { windowLengths } from "../dist/window-lengths.js";
import { ProtobufjsPipeline } from "./protobufjs-pipeline.ts";

const RECEIVERS = `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" }, grpc: { enabled: false } } } }
`;
/** How many spans are remembered, so that none is counted twice. */
const RECENT_SPANS = 500_000;
const logger = new Logger("error", true, (line) => process.stderr.write(line));

/** Answers 200 once `work` has had the body. */
function serverOf(work: (body: Buffer) => void | Promise<void>): Server {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    await work(await bodyOf(request));
    response.writeHead(200, { "content-type": "application/x-protobuf", "content-length": 0 });
    response.end();
  };
  return createServer((request, response) => void answer(request, response));
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks)));
  });
}

/** Reads the body and throws it away. */
function draining(): Server {
  return createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "application/x-protobuf", "content-length": 0 });
      response.end();
    });
  });
}

/** Sends the bytes on, over at most four connections, and answers when they have arrived. */
function forwarding(sinkPort: number): Server {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  return serverOf(
    (body) =>
      new Promise((resolve, reject) => {
        const headers = {
          "content-type": "application/x-protobuf",
          "content-length": body.length,
        };
        const options = { port: sinkPort, path: "/v1/traces", method: "POST", agent, headers };
        const sent = httpRequest({ host: "127.0.0.1", ...options }, (response) => {
          response.resume();
          response.on("end", resolve);
        });
        sent.once("error", reject);
        sent.end(body);
      }),
  );
}

/** What one would build from parts: see protobufjs-pipeline.ts. */
function protobufjsPipeline(): Server {
  const pipeline = new ProtobufjsPipeline(RECENT_SPANS);
  return serverOf((body) => pipeline.take(body));
}

/** Ours without log and forward: HTTP, decode, summaries. */
async function summaries(recentSpans: number): Promise<number> {
  const { otlp } = parseConfig(RECEIVERS, "bench.yaml", {}).receivers;
  const keys = new KeyTable(wantedKeys());
  const options = {
    paneMs: 60_000,
    lengths: windowLengths([300_000, 3_600_000, 86_400_000], 9),
    retention: { paneMs: 86_400_000, hourMs: 15 * 86_400_000 },
    allowedLatenessMs: 30_000,
    idleTimeoutMs: 120_000,
    signalsMax: 10_000,
    segmentsMax: 100,
    plan: { declared: [], segments: [] },
    recentSpans,
    learn: { samples: 5000, spanMs: 0 },
    references: new ReferenceBook([], [], new PreparedPast()),
  };
  const nothing = () => {};
  const observer = new Observer(options, keys, () => false, nothing, Date.now, logger);
  let sequence = 0;
  const intake = new Intake(
    otlp.max_inflight_size,
    ["traces"],
    new BodyDecoder(keys),
    async (body, rows) => {
      if (rows) observer.consume({ ...body, rows, sequence: ++sequence });
      giveBody(body.body);
    },
    Date.now,
  );
  const receivers = new OtlpReceivers(otlp, intake, logger, {
    now: Date.now,
    random: Math.random,
  });
  await receivers.start();
  return Number(new URL(receivers.urls.otlp).port);
}

/** Ours as it is started by the command, with its log in `directory` and one endpoint. */
async function whole(sinkPort: number, directory: string): Promise<number> {
  const text = `${RECEIVERS}
processors: { learn: { samples: 5000, span: 0s } }
exporters:
  prometheus: { endpoint: "127.0.0.1:0" }
  otlp_http/sink: { endpoint: "http://127.0.0.1:${sinkPort}" }
service:
  storage: { directory: "${directory}" }
  pipelines: { traces: { exporters: [otlp_http/sink] } }
`;
  const receiver = createReceiver(parseConfig(text, "bench.yaml", {}), logger);
  await receiver.start();
  process.once("disconnect", () => void receiver.shutdown().then(() => process.exit()));
  return Number(new URL(receiver.urls.otlp).port);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** What can be started, by name. */
const MODES: Record<string, (sinkPort: number, directory: string) => Promise<number>> = {
  drain: () => listening(draining()),
  inflate: () => listening(serverOf((body) => void gunzipSync(body, { chunkSize: 262_144 }))),
  forward: (sinkPort) => listening(forwarding(sinkPort)),
  protobufjs: () => listening(protobufjsPipeline()),
  summaries: () => summaries(RECENT_SPANS),
  // The load's compressed bodies repeat their ids: they must not be taken for duplicates.
  "summaries-gzip": () => summaries(0),
  whole,
};

// All of them, so that what is compared is what they do.
collectOften();
const [mode = "", sinkPort = "0", directory = ""] = process.argv.slice(2);
const start = MODES[mode];
if (start === undefined) throw new Error(`there is no server "${mode}"`);
if (mode !== "whole") process.once("disconnect", () => process.exit());
process.send?.(await start(Number(sinkPort), directory));
