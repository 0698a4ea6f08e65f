import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { startSink } from "./otlp-sink.js";
import type { AppOptions } from "./run-app.js";
import { FIXTURES, NODES, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "exits");
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
/** A port that nothing listens on: the discard service's. */
const NOBODY = "http://127.0.0.1:9";
/** What an export may take while an app runs; its end waits for far less. */
const EXPORT_MS = 10_000;

async function runToSink(file: string | readonly string[], options: AppOptions = {}) {
  const sink = await startSink();
  const result = await runApp(file, { cwd, ...options, env: toSink(sink.url) });
  await sink.close();
  return { ...result, spans: sink.spans() };
}

async function runWithout(file: string, options: AppOptions = {}) {
  return runApp(file, { cwd, ...options, flags: [] });
}

describe.each(versions)("on Node %i an instrumented app ends as it does without", (node) => {
  test.each(["natural.mjs", "explicit.mjs", "throws.mjs", "unhandled.mjs", "handled.mjs"])(
    "%s",
    async (file) => {
      const plain = await runWithout(file, { node });
      const { code, signal, stdout, stderr } = await runToSink(file, { node });
      expect({ code, signal, stdout }).toEqual({
        code: plain.code,
        signal: plain.signal,
        stdout: plain.stdout,
      });
      if (file === "throws.mjs") expect(stderr).toContain("TypeError: the app's own bug");
      if (file === "unhandled.mjs") expect(stderr).toContain("Error: work failed");
    },
  );

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s kills it, after its spans are sent",
    async (signal) => {
      const { spans, ...result } = await runToSink("killed.mjs", { node, signal });
      expect(result).toMatchObject({ code: null, signal });
      expect(spans).toHaveLength(1);
    },
  );

  test.each(["SIGTERM", "SIGINT"] as const)(
    "one that waits to be the last on %s",
    async (signal) => {
      const plain = await runWithout("polite.mjs", { node, signal });
      expect(plain).toMatchObject({ code: null, signal, stdout: "ready\ncleaned up\n" });
      const { spans, ...result } = await runToSink("polite.mjs", { node, signal });
      expect(result).toMatchObject({ code: null, signal, stdout: plain.stdout });
      expect(spans).toHaveLength(1);
    },
  );

  test.each([
    ["SIGTERM", "on"],
    ["SIGTERM", "once"],
    ["SIGINT", "once"],
    ["SIGTERM", "prependOnceListener"],
  ] as const)("its own handler of %s, set with %s, decides", async (signal, how) => {
    const { spans, ...result } = await runToSink(["graceful.mjs", how], { node, signal });
    expect(result).toMatchObject({ code: 7, signal: null, stdout: "ready\nclosed\n" });
    expect(spans).toHaveLength(2);
  });
});

test("a natural end sends what is left", async () => {
  const { spans, code } = await runToSink("natural.mjs");
  expect(code).toBe(3);
  expect(spans.map(({ name }) => name)).toEqual(["prediction exits"]);
});

test("a failed stage is an error without its message, which may quote a user", async () => {
  const { spans, stdout } = await runToSink("handled.mjs");
  expect(stdout).toBe("work failed\n");
  expect(spans[0]).toMatchObject({ error: true, attributes: { "error.type": "Error" } });
  expect(JSON.stringify(spans)).not.toContain("work failed");
});

describe("without a receiver", () => {
  /** What it takes when the flush is waited for as long as it may take. */
  let heldMs = 0;

  beforeAll(async () => {
    const sink = await startSink(() => undefined);
    heldMs = (await runApp("natural.mjs", { cwd, env: toSink(sink.url) })).elapsedMs;
    await sink.close();
  });

  test("the app ends at once and says so in one line", async () => {
    const result = await runApp("natural.mjs", { cwd, env: toSink(NOBODY) });
    expect(result).toMatchObject({ code: 3, stdout: "done\n" });
    expect(result.stderr).toMatch(/^tidemark: 1 span so far could not be sent to 127\.0\.0\.1:9 /);
    expect(result.stderr.split("\n")).toHaveLength(2);
    expect(result.elapsedMs).toBeLessThan(heldMs);
  });

  test("a busy app is not disturbed, and ends at once although a retry is due", async () => {
    const env = { ...toSink(NOBODY), OTEL_BSP_SCHEDULE_DELAY: "50" };
    const result = await runApp("long.mjs", { cwd, env });
    expect(result).toMatchObject({ code: 0, stdout: "done\n" });
    const [first, total, end] = result.stderr.split("\n");
    expect(first).toMatch(/^tidemark: \d+ spans so far .* 127\.0\.0\.1:9 \(connect ECONNREFUSED/);
    expect(total).toMatch(
      /^tidemark: \d+ spans in all could not .* 127\.0\.0\.1:9 \(connect ECONN/,
    );
    const count = (line = "") => Number(/\d+/.exec(line));
    expect(count(total)).toBeGreaterThan(count(first));
    expect(end).toBe("");
    expect(result.elapsedMs).toBeLessThan(EXPORT_MS);
  });

  test("that HTTP was sent to a port of gRPC is said in those words", async () => {
    const server = http2.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const result = await runApp("natural.mjs", { cwd, env: toSink(`http://127.0.0.1:${port}`) });
    server.close();
    expect(result).toMatchObject({ code: 3, stdout: "done\n" });
    expect(result.stderr).toMatch(
      /^tidemark: 1 span so far .* \(it does not answer in HTTP\/1\.1; /,
    );
    expect(result.stderr).toContain("for gRPC set OTEL_EXPORTER_OTLP_PROTOCOL=grpc");
  });

  test("over gRPC it says so as well", async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: NOBODY, OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
    const result = await runApp("natural.mjs", { cwd, env });
    expect(result).toMatchObject({ code: 3, stdout: "done\n" });
    expect(result.stderr).toMatch(/^tidemark: 1 span so far could not be sent to 127\.0\.0\.1:9 /);
    expect(result.stderr.split("\n")).toHaveLength(2);
  });

  test("over gRPC one that never answers costs at most the flush time", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const { port } = silent.address() as AddressInfo;
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    };
    const result = await runApp("natural.mjs", { cwd, env });
    silent.close();
    expect(result).toMatchObject({ code: 3, stdout: "done\n" });
    expect(result.stderr).toMatch(/^tidemark: 1 span so far could not .*DEADLINE_EXCEEDED/);
    expect(result.elapsedMs).toBeLessThan(EXPORT_MS);
  });

  test.each([
    ["127.0.0.1:9", "http://127.0.0.1:9"],
    ["collector", "http://collector"],
  ])("an endpoint without a scheme, %s, is told how to write it", async (endpoint, example) => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
    const { code, stderr } = await runApp("natural.mjs", { cwd, env });
    expect(code).toBe(3);
    expect(stderr.split("\n")[0]).toBe(
      "tidemark: OTEL_EXPORTER_OTLP_ENDPOINT has no scheme and is not understood; " +
        `write for example ${example}`,
    );
  });

  test("one that never answers costs at most the flush time", async () => {
    const sink = await startSink(() => undefined);
    const result = await runApp("natural.mjs", { cwd, env: toSink(sink.url) });
    await sink.close();
    expect(result).toMatchObject({ code: 3, stdout: "done\n" });
    expect(result.stderr).toMatch(/^tidemark: 1 span in all .* \(it did not answer in time\)\n$/);
    expect(result.elapsedMs).toBeLessThan(EXPORT_MS);
  });

  test("one that refuses is not asked again at the end", async () => {
    const sink = await startSink(() => 503);
    const result = await runApp("natural.mjs", { cwd, env: toSink(sink.url) });
    await sink.close();
    expect(result.code).toBe(3);
    expect(result.elapsedMs).toBeLessThan(heldMs);
    expect(sink.bodies).toHaveLength(1);
  });

  test("one that comes back gets the batch that was refused, and those after it", async () => {
    let asked = 0;
    const sink = await startSink(() => (++asked <= 2 ? 503 : 200));
    const env = { ...toSink(sink.url), OTEL_BSP_SCHEDULE_DELAY: "100" };
    const result = await runApp("long.mjs", { cwd, env });
    await sink.close();
    expect(result).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
    const delivered = new Set(sink.spans().map(({ spanId }) => spanId));
    expect(sink.bodies.length).toBeGreaterThan(4);
    // The refused bodies came a second time: every span of theirs was delivered in the end.
    expect(sink.spans().length).toBeGreaterThan(delivered.size);
  });

  test("one that takes spans again is told of, with what was lost meanwhile", async () => {
    let asked = 0;
    const sink = await startSink(() => (++asked <= 2 ? 400 : 200));
    const env = { ...toSink(sink.url), OTEL_BSP_SCHEDULE_DELAY: "100" };
    const { stderr } = await runApp("long.mjs", { cwd, env });
    await sink.close();
    const host = new URL(sink.url).host;
    const [lost, again, end] = stderr.split("\n");
    expect(lost).toMatch(/ so far could not be sent to 127\.0\.0\.1:\d+ \(Bad Request\)/);
    expect(again).toContain(`${host} takes spans again; `);
    expect(end).toBe("");
    const refused = [0, 1].flatMap((body) => sink.spansOf(body));
    expect(again).toContain(`${refused.length} spans were lost until now`);
  });

  test("a kill is not held up", async () => {
    const options: AppOptions = { cwd, env: toSink(NOBODY), signal: "SIGTERM" };
    const result = await runApp("killed.mjs", options);
    expect(result.signal).toBe("SIGTERM");
    expect(result.elapsedMs).toBeLessThan(heldMs);
  });
});
