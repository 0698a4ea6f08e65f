import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { RpcStatus } from "../src/otlp/schema.ts";
import { startSink } from "./otlp-sink.ts";
import { encodeSpans, post, START_MS, startReceiver, storageFolder } from "./running-receiver.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function receiverTo(url: string, settings = "", storage?: string) {
  const receiver = await startReceiver(
    `exporters:\n  otlp_http/jaeger: { endpoint: "${url}"${settings} }\n` +
      "service: { pipelines: { traces: { exporters: [otlp_http/jaeger] } } }\n",
    storage,
  );
  cleanups.push(receiver.shutdown);
  /** The outcomes that have occurred. */
  const outcomes = async () => {
    const points = await receiver.metric("tidemark_receiver_forward_requests_total");
    return Object.fromEntries(
      Object.entries(points)
        .filter(([, n]) => n !== 0)
        .map(([labels, n]) => [/outcome="(\w+)"/.exec(labels)?.[1], n]),
    );
  };
  return { ...receiver, outcomes, url: `${receiver.otlp}/v1/traces` };
}

async function sinkOf(...args: Parameters<typeof startSink>) {
  const sink = await startSink(...args);
  cleanups.push(sink.close);
  return sink;
}

const body = () => encodeSpans([{ atMs: START_MS, attributes: { "http.route": "/" } }]);

describe("forwarding", () => {
  it("passes on the original bytes, compressed as they came, with the configured headers", async () => {
    const sink = await sinkOf();
    const receiver = await receiverTo(
      `${sink.url}/base/`,
      ", headers: { authorization: Bearer x }",
    );
    // Shown before they occur, so that the first one is an increase.
    expect(await receiver.metric("tidemark_receiver_forward_requests_total")).toHaveProperty(
      ['{exporter="otlp_http/jaeger",outcome="dropped_expired"}'],
      0,
    );
    const zipped = gzipSync(body());
    await post(receiver.url, zipped, { "content-encoding": "gzip" });
    await expect.poll(() => sink.deliveries.length).toBe(1);
    const [delivery] = sink.deliveries;
    expect(delivery?.path).toBe("/base/v1/traces");
    expect(delivery?.body.equals(zipped)).toBe(true);
    expect(delivery?.headers).toMatchObject({
      "content-type": "application/x-protobuf",
      "content-encoding": "gzip",
      authorization: "Bearer x",
    });
    await expect.poll(receiver.outcomes).toEqual({ delivered: 1 });
  });

  it("accepts while the endpoint is away, and delivers once it is back", async () => {
    const away = await startSink();
    await away.close();
    const receiver = await receiverTo(away.url);
    for (let i = 0; i < 20; i++) expect((await post(receiver.url, body())).status).toBe(200);
    await expect.poll(receiver.outcomes).toHaveProperty("retried");
    expect(await receiver.metric("tidemark_receiver_log_lag")).toMatchObject({
      '{consumer="otlp_http/jaeger"}': 20,
    });
    const back = await sinkOf(undefined, away.port);
    await expect.poll(() => back.deliveries.length, { timeout: 20_000 }).toBe(20);
    expect((await receiver.outcomes())["delivered"]).toBe(20);
    expect(receiver.log.filter((line) => line.includes("forwarding fails"))).toHaveLength(1);
  });

  it("tries again what the endpoint asks for again, and not what it refuses for good", async () => {
    const statuses = [503, 429, 200, 400, 200];
    const sink = await sinkOf((count) => ({
      status: statuses[count - 1] ?? 200,
      headers: { "retry-after": "0" },
      body: "no thanks",
    }));
    const receiver = await receiverTo(sink.url, ", concurrency: 1");
    for (let i = 0; i < 3; i++) await post(receiver.url, body());
    await expect.poll(receiver.outcomes).toEqual({ delivered: 2, refused: 1, retried: 2 });
    expect(receiver.log.join("")).toContain("HTTP 400: no thanks");
  });

  it("gives up what is older than it may be, and says so", async () => {
    const away = await startSink();
    await away.close();
    const receiver = await receiverTo(away.url, ", maxElapsedTime: 1h");
    for (let i = 0; i < 3; i++) await post(receiver.url, body());
    await expect.poll(receiver.outcomes).toHaveProperty("retried");
    receiver.clock.nowMs += 2 * 3_600_000;
    await expect.poll(receiver.outcomes, { timeout: 20_000 }).toMatchObject({ dropped_expired: 3 });
  });

  it("keeps what the endpoint refuses for good, with what it said", async () => {
    const storage = storageFolder();
    const sink = await sinkOf(() => ({ status: 400, headers: {}, body: "no thanks" }));
    const receiver = await receiverTo(sink.url, "", storage);
    const refused = body();
    await post(receiver.url, refused);
    await expect.poll(receiver.outcomes).toEqual({ refused: 1 });
    const folder = join(storage, "dead-letters", "otlp_http_jaeger");
    expect(await readFile(join(folder, "0000000000000001.traces.pb"))).toEqual(
      Buffer.from(refused),
    );
    const reason = await readFile(join(folder, "0000000000000001.reason.txt"), "utf8");
    expect(reason).toBe("HTTP 400: no thanks\n");
  });

  it("says the message of a status that comes as protobuf", async () => {
    const storage = storageFolder();
    const message = "span 3 has no trace id";
    const status = RpcStatus.encode({ code: 3, message }).finish();
    const headers = { "content-type": "application/x-protobuf" };
    const sink = await sinkOf(() => ({ status: 400, headers, body: status }));
    const receiver = await receiverTo(sink.url, "", storage);
    await post(receiver.url, body());
    await expect.poll(receiver.outcomes).toEqual({ refused: 1 });
    const folder = join(storage, "dead-letters", "otlp_http_jaeger");
    const reason = await readFile(join(folder, "0000000000000001.reason.txt"), "utf8");
    expect(reason).toBe(`HTTP 400: ${message}\n`);
  });

  it("does not let one endpoint that is away hold up another", async () => {
    const away = await startSink();
    await away.close();
    const sink = await sinkOf();
    const receiver = await startReceiver(
      "exporters:\n" +
        `  otlp_http/away: { endpoint: "${away.url}" }\n` +
        `  otlp_http/there: { endpoint: "${sink.url}" }\n` +
        "service: { pipelines: { traces: { exporters: [otlp_http/away, otlp_http/there] } } }\n",
    );
    cleanups.push(receiver.shutdown);
    for (let i = 0; i < 10; i++) await post(`${receiver.otlp}/v1/traces`, body());
    await expect.poll(() => sink.deliveries.length).toBe(10);
  });

  it("pushes the same numbers as OTLP metrics", async () => {
    const sink = await sinkOf();
    const receiver = await startReceiver(
      `exporters:\n  otlp_http/prometheus: { endpoint: "${sink.url}", interval: 200ms }\n` +
        "service: { pipelines: { metrics: { exporters: [prometheus, otlp_http/prometheus] } } }\n",
    );
    cleanups.push(receiver.shutdown);
    const attributes = { "ml.model.name": "weather", "ml.stage": "inference" };
    await receiver.send([{ atMs: START_MS, attributes }]);
    await expect
      .poll(() => sink.deliveries.at(-1)?.body.toString("latin1") ?? "")
      .toContain("ml.prediction.requests");
    const [first] = sink.deliveries;
    expect([first?.path, first?.headers["content-type"]]).toEqual([
      "/v1/metrics",
      "application/x-protobuf",
    ]);
    const text = sink.deliveries.at(-1)?.body.toString("latin1") ?? "";
    for (const word of [
      "tidemark-receiver",
      "ml.prediction.latency",
      "tidemark.receiver.spans",
      "model_name",
      "weather",
    ]) {
      expect(text).toContain(word);
    }
  });
});
