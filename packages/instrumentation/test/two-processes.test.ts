import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { freePort } from "../../../test/free-ports.ts";
import type { SinkSpan } from "./otlp-sink.js";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, NODES, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "two-processes");
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
const KIND_SERVER = 2;
const KIND_CLIENT = 3;

describe.each(versions)("on Node %i", (node) => {
  test.each([
    ["our", {}],
    // More than the default is left to the SDK, which has a copy of the API of its own.
    ["OpenTelemetry's", { OTEL_TRACES_SAMPLER: "parentbased_traceidratio" }],
  ])("fetch and http carry one trace into another process, by %s start", async (_, variables) => {
    const sink = await startSink();
    const port = await freePort();
    const env = {
      ...toSink(sink.url),
      ...variables,
      PORT: String(port),
      SERVICE: `http://127.0.0.1:${port}`,
    };
    const server = runApp("server.mjs", { node, cwd, env });
    await reachable(port);
    const client = await runApp("client.mjs", { node, cwd, env });
    expect(JSON.parse(client.stdout), client.stderr).toEqual([
      "answer to /fetched",
      "answer to /got",
    ]);
    expect((await server).code).toBe(0);
    await sink.close();
    const spans = sink.spans();
    const root = spans.find(({ parentSpanId }) => !parentSpanId);
    expect(root?.name).toBe("feature_retrieval feature-service");
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]));
    const clients = spans.filter(({ kind }) => kind === KIND_CLIENT);
    const servers = spans.filter(({ kind }) => kind === KIND_SERVER);
    const answers = spans.filter(({ name }) => name === "prediction remote");
    expect([clients.length, servers.length, answers.length]).toEqual([2, 2, 2]);
    expect(clients.every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
    expect(parents(servers)).toEqual(ids(clients));
    expect(parents(answers)).toEqual(ids(servers));
  });
});

const ids = (spans: readonly SinkSpan[]) => spans.map(({ spanId }) => spanId).toSorted();
const parents = (spans: readonly SinkSpan[]) =>
  spans.map(({ parentSpanId }) => parentSpanId ?? "").toSorted();

/** Waits until somebody listens, without a request that the server would answer. */
async function reachable(port: number): Promise<void> {
  const { connect } = await import("node:net");
  for (let attempt = 0; attempt < 200; attempt++) {
    const listening = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (listening) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`nobody listens on ${port}`);
}
