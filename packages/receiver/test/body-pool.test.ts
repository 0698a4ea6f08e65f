import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { giveBody, takeBody } from "../src/body-pool.ts";
import { startSink } from "./otlp-sink.ts";
import { encodeSpans, post, START_MS, startReceiver } from "./running-receiver.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const LENGTHS = [0, 1, 65_535, 65_536, 65_537, 300_000, 4 * 1024 * 1024, 5 * 1024 * 1024];

describe("the pool of bodies", () => {
  it("gives memory of the asked length, to one at a time", () => {
    for (const length of LENGTHS) {
      const [one, other] = [takeBody(length), takeBody(length)];
      expect([one.length, other.length]).toEqual([length, length]);
      expect(one.buffer).not.toBe(other.buffer);
      // Giving the same body back twice must not lend it to two.
      giveBody(one);
      giveBody(one);
      const next = [takeBody(length), takeBody(length), other];
      expect(new Set(next.map(({ buffer }) => buffer)).size).toBe(3);
    }
  });

  it("uses memory again, by its size, and leaves alone what it has not lent", () => {
    const first = takeBody(200_000);
    const { buffer } = first;
    giveBody(first.subarray(10, 20));
    expect(takeBody(70_000).buffer).not.toBe(buffer);
    expect(takeBody(196_609).buffer).toBe(buffer);
    const stranger = Buffer.alloc(200_000);
    giveBody(stranger);
    expect(takeBody(200_000).buffer).not.toBe(stranger.buffer);
  });
});

/** Bodies of three to eight pieces, each with a text of its own that fills it. */
function bodyOf(index: number): Uint8Array {
  const text = `${index}`.padStart(6, "0").repeat(300);
  const attributes = { "some.text": text };
  return encodeSpans(
    Array.from({ length: 100 + 17 * (index % 10) }, () => ({ atMs: START_MS, attributes })),
  );
}

/** Every seventh request is answered as soon as its head is there. */
async function startHastySink() {
  const deliveries: { body: Buffer }[] = [];
  let count = 0;
  const server = createServer((request, response) => {
    if (count++ % 7 === 0) {
      response.writeHead(503, { "retry-after": "0" }).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      deliveries.push({ body: Buffer.concat(chunks) });
      response.end();
    });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, deliveries, close };
}

describe("a receiver that uses the memory of bodies again", () => {
  it("hands on every body as it came, also to an endpoint that answers before it has read", async () => {
    const sent = Array.from({ length: 120 }, (_, index) => Buffer.from(bodyOf(index)));
    const sinks = [await startSink(), await startHastySink()];
    for (const sink of sinks) cleanups.push(sink.close);
    const exporters = sinks.map(({ url }, i) => `  otlp_http/${i}: { endpoint: "${url}" }\n`);
    const receiver = await startReceiver(
      `exporters:\n${exporters.join("")}` +
        "service: { pipelines: { traces: { exporters: [otlp_http/0, otlp_http/1] } } }\n",
    );
    cleanups.push(receiver.shutdown);
    for (let at = 0; at < sent.length; at += 8) {
      const answers = sent
        .slice(at, at + 8)
        .map((body) => post(`${receiver.otlp}/v1/traces`, body));
      for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
    }
    const keyOf = (body: Buffer) => body.toString("base64");
    const expected = new Set(sent.map(keyOf));
    for (const { deliveries } of sinks) {
      const arrived = () => new Set(deliveries.map(({ body }) => keyOf(body)));
      await expect.poll(() => arrived().size, { timeout: 30_000 }).toBe(expected.size);
      expect(arrived()).toEqual(expected);
    }
  });
});
