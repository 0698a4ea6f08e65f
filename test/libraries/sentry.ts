/** An endpoint for Sentry's envelopes: what a client has told it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** One span as Sentry's client streams it. */
export interface SentrySpan {
  readonly name: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_span_id?: string;
  readonly attributes: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Item {
  readonly items?: readonly SentrySpan[];
  readonly exception?: { readonly values: readonly { readonly value: string }[] };
}

/** Starts it; `dsn` is what the client is given. */
export async function startSentry() {
  const items: Item[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const zipped = request.headers["content-encoding"] === "gzip";
      const lines = (zipped ? gunzipSync(body) : body).toString().trim().split("\n");
      items.push(...lines.map((line) => JSON.parse(line) as Item));
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    dsn: `http://key@127.0.0.1:${(server.address() as AddressInfo).port}/1`,
    spans: () => items.flatMap((item) => item.items ?? []).filter(({ span_id }) => span_id),
    errors: () =>
      items.flatMap(({ exception }) => exception?.values.map(({ value }) => value) ?? []),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
