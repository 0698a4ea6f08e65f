/** An OTLP/HTTP endpoint that keeps what it gets, and answers as the test says. */
import type { IncomingHttpHeaders, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as it arrived. */
export interface Delivery {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How to answer; the default is an empty 200. */
export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** Starts a sink on a free port, or on `port`. */
export async function startSink(
  answer: (count: number) => Answer = () => ({ status: 200 }),
  port = 0,
) {
  const deliveries: Delivery[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { url = "", headers } = request;
      deliveries.push({ path: url, headers, body: Buffer.concat(chunks) });
      const { status, headers: extra = {}, body = "" } = answer(deliveries.length);
      response.writeHead(status, extra).end(body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { url: `http://127.0.0.1:${bound}`, port: bound, deliveries, close };
}
