import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NODES, REGISTER } from "../../packages/instrumentation/test/run-app.js";
import { mongoServer } from "./mongo-server.ts";
import { makeModels, runLibrary } from "./run-library.js";
import { startSentry } from "./sentry.ts";

const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
let models: ReturnType<typeof makeModels>;

beforeAll(() => {
  models = makeModels();
});
afterAll(() => models.remove());

/** Each request once as client and once as server, fetch as client and server, and the model. */
const ONCE = ["GET 1", "GET 1", "GET 2", "GET 2", "inference weather 0"];

describe.each(versions)("on Node %i", (node) => {
  const auto = at(
    "beside/node_modules/@opentelemetry/auto-instrumentations-node/dist/register.cjs",
  );

  test.each([
    ["before", [auto, REGISTER]],
    ["after", [REGISTER, auto]],
  ])("auto-instrumentations-node %s us: nothing is recorded twice", async (_, order) => {
    const { stdout, stderr, spans } = await runLibrary(
      "beside",
      "http-and-model.cjs",
      models.folder,
      {
        node,
        flags: order.flatMap((file) => ["--require", file]),
        env: { OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" },
      },
    );
    expect(stdout, stderr).toBe("30.5\n");
    const seen = spans.filter(({ name }) => !/^(?:fs|tcp|dns|tls)/.test(name));
    expect(seen.map(({ name, kind }) => `${name} ${kind - 1}`).toSorted(), stderr).toEqual(ONCE);
    const inference = seen.find(({ name }) => name === "inference weather");
    const parent = seen.find(({ spanId }) => spanId === inference?.parentSpanId);
    expect(parent).toMatchObject({ name: "GET", kind: 2 });
  });

  test.each([
    [
      "before",
      ["--require", at("sdk-2/node_modules/.programs/sdk-2.cjs"), "--require", REGISTER],
      "http-and-model.cjs",
    ],
    ["after", ["--require", REGISTER], "late-sdk-2.cjs"],
  ])("an SDK 2.x of the app's own %s us gets every span once", async (_, flags, program) => {
    const { stdout, stderr, spans } = await runLibrary("sdk-2", program, models.folder, {
      node,
      flags,
    });
    const [result, names] = stdout.split("\n");
    expect(result, stderr).toBe("30.5");
    // Its HTTP instrumentation sees the servers of both requests, and the client of one.
    expect(JSON.parse(names ?? "[]")).toEqual([
      "GET 1",
      "GET 1",
      "GET 2",
      "inference weather 0",
      "below GET 1",
    ]);
    expect(spans).toEqual([]);
  });

  test("Sentry, tracing itself, gets every span once, an inference below its request", async () => {
    const sentry = await startSentry();
    const { stdout, stderr, spans } = await runLibrary("beside", "sentry.cjs", models.folder, {
      node,
      env: { SENTRY_DSN: sentry.dsn },
    });
    sentry.close();
    expect(stdout, stderr).toBe("30.5\n");
    const told = "tidemark: the app has an OpenTelemetry SDK of its own; spans go to that one\n";
    expect(stderr).toBe(told);
    expect(spans).toEqual([]);
    expect(sentry.errors()).toEqual(["told to Sentry"]);
    const got = sentry.spans();
    const kinds = got.map(
      ({ name, attributes }) => `${name}, ${String(attributes["sentry.op"]?.value)}`,
    );
    const request = got.find(({ attributes }) => attributes["sentry.op"]?.value === "http.server");
    const inference = got.find(({ name }) => name === "inference weather");
    expect(kinds.toSorted()).toEqual([
      "GET 127.0.0.1, http.client",
      "GET, http.server",
      "inference weather, undefined",
    ]);
    expect(inference?.parent_span_id).toBe(request?.span_id);
    expect(inference?.attributes["ml.prediction.value"]?.value).toBe(30.5);
  });

  test("Sentry without its OpenTelemetry gets the error, and we get every span once", async () => {
    const sentry = await startSentry();
    const { stdout, stderr, spans } = await runLibrary(
      "beside",
      ["sentry.cjs", "errors-only"],
      models.folder,
      { node, env: { SENTRY_DSN: sentry.dsn } },
    );
    sentry.close();
    expect({ stdout, stderr }).toEqual({ stdout: "30.5\n", stderr: "" });
    expect(sentry.errors()).toEqual(["told to Sentry"]);
    expect(sentry.spans().filter(({ name }) => name === "inference weather")).toEqual([]);
    expect(spans.map(({ name, kind }) => `${name} ${kind - 1}`).toSorted()).toEqual([
      "GET 1",
      "GET 2",
      "inference weather 0",
    ]);
    const [inference, ...requests] = spans.toSorted((a, b) => a.kind - b.kind);
    const [server, client] = requests;
    expect(inference?.parentSpanId).toBe(server?.spanId);
    expect(server?.parentSpanId).toBe(client?.spanId);
  });

  test("feature stores are within the retrieval that asks them, and are its source", async () => {
    const stores = await startStores();
    const { stdout, stderr, spans, bodies } = await runLibrary(
      "beside",
      "stores.mjs",
      models.folder,
      { node, env: stores.env },
    );
    stores.close();
    expect(stdout, stderr).toBe(
      `${JSON.stringify(["1.5", "1.5", [{ wind: "2.5" }], { wind: 4.5 }, { wind: 3.5 }, 200])}\n`,
    );
    const retrievals = spans.filter(({ name }) => name.startsWith("feature_retrieval"));
    expect(retrievals.map(({ name }) => name)).toEqual([
      "feature_retrieval redis",
      "feature_retrieval redis",
      "feature_retrieval postgresql",
      "feature_retrieval mongodb",
      "feature_retrieval localhost",
      "feature_retrieval declared",
    ]);
    for (const { spanId, name, attributes } of retrievals) {
      const children = spans.filter(({ parentSpanId }) => parentSpanId === spanId);
      expect(children.length, name).toBe(1);
      expect(attributes["ml.feature.source"]).toBe(name.replace("feature_retrieval ", ""));
    }
    const text = Buffer.concat(bodies).toString("latin1");
    expect(text).toContain("SELECT wind FROM days WHERE town = ? AND day = ? AND id = $1");
    expect(text).not.toMatch(/planted-7f3a|4711/);
  });
});

/** Servers that speak as much of Redis, Postgres, MongoDB and HTTP as one look-up takes. */
async function startStores() {
  const redis = createServer((socket) => socket.on("data", (data) => answerRedis(socket, data)));
  const postgres = createServer((socket) => {
    let greeted = false;
    socket.on("data", (data) => {
      if (greeted) answerPostgres(socket, data);
      else socket.write(Buffer.concat([pgMessage("R", int32(0)), READY]));
      greeted = true;
    });
  });
  const http = createHttpServer((_, response) => response.end('{"wind":3.5}'));
  const servers = [redis, postgres, mongoServer({ wind: 4.5 }), http];
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => {
      server.listen(0, "localhost", resolve);
    });
    ports.push((server.address() as AddressInfo).port);
  }
  const [REDIS_PORT, PG_PORT, MONGO_PORT, HTTP_PORT] = ports.map(String) as [
    string,
    string,
    string,
    string,
  ];
  return {
    env: { REDIS_PORT, PG_PORT, MONGO_PORT, HTTP_PORT },
    close() {
      http.closeAllConnections();
      for (const server of servers) server.close();
    },
  };
}

/** RESP: one answer for each command of a pipeline. */
function answerRedis(socket: Socket, data: Buffer): void {
  const commands = data.toString().split(/(?=\*\d+\r\n\$)/);
  for (const command of commands) {
    const [, name = ""] = /^\*\d+\r\n\$\d+\r\n(\w+)/.exec(command) ?? [];
    if (/^get$/i.test(name)) socket.write("$3\r\n1.5\r\n");
    else if (/^hello$/i.test(name)) socket.write("-ERR unknown command\r\n");
    else if (/^info$/i.test(name)) socket.write("$17\r\nredis_version:7.0\r\n");
    else socket.write("+OK\r\n");
  }
}

const int16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const int32 = (value: number) => Buffer.concat([int16(value >> 16), int16(value & 0xffff)]);
const pgMessage = (type: string, ...parts: Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};
const READY = pgMessage("Z", Buffer.from("I"));

/** The extended query protocol: everything is answered when the client says Sync. */
function answerPostgres(socket: Socket, data: Buffer): void {
  if (!data.includes(Buffer.from([0x53, 0, 0, 0, 4]))) return;
  const textType = [int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)];
  socket.write(
    Buffer.concat([
      pgMessage("1"),
      pgMessage("2"),
      pgMessage("T", int16(1), Buffer.from("wind\0"), ...textType),
      pgMessage("D", int16(1), int32(3), Buffer.from("2.5")),
      pgMessage("C", Buffer.from("SELECT 1\0")),
      READY,
    ]),
  );
}
