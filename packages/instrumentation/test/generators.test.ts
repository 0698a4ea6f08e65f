import { createHmac } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startSink } from "./otlp-sink.js";
import { FIXTURES, NODES, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "generators");
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];
const taken = '[0,1,2,0,1,0,"planted-7f3a",0,true,"r"]\n';

test.each(versions)(
  "on Node %i a stage that is an async generator lasts until it is used up, left or failed",
  async (node) => {
    const plain = await runApp("app.mjs", { cwd, node, flags: [] });
    expect(plain.stdout, plain.stderr).toBe(taken);
    const sink = await startSink();
    const env = { ...toSink(sink.url), TIDEMARK_HASH_KEY: "key" };
    const { stdout, stderr } = await runApp("app.mjs", { cwd, node, env });
    await sink.close();
    expect({ stdout, stderr }).toEqual({ stdout: taken, stderr: "" });
    const streams = sink.spans().filter(({ name }) => name === "inference stream");
    expect(streams.map(({ error }) => error)).toEqual([false, false, true, false]);
    const tokens = (index: number) =>
      sink.spans().filter(({ parentSpanId }) => parentSpanId === streams[index]?.spanId).length;
    expect([0, 1, 2, 3].map(tokens)).toEqual([3, 2, 2, 0]);
    const tenant = createHmac("sha256", "key").update("someone@example.org").digest("hex");
    expect(streams[0]?.attributes["ml.tenant"]).toBe(tenant.slice(0, 24));
    expect(Buffer.concat(sink.bodies).includes("someone")).toBe(false);
  },
);

test("without a key hashes are of this process only, and one line says so", async () => {
  const runs = await Promise.all(
    [1, 2].map(async () => {
      const sink = await startSink();
      const { stderr } = await runApp("app.mjs", { cwd, env: toSink(sink.url) });
      await sink.close();
      return { stderr, tenants: new Set(sink.spans().map((span) => span.attributes["ml.tenant"])) };
    }),
  );
  expect(runs[0]?.stderr).toBe(
    "tidemark: TIDEMARK_HASH_KEY is not set: hashed values can be joined within this process " +
      "only; set it to the same secret for all of them\n",
  );
  expect(runs.map(({ tenants }) => tenants.size)).toEqual([1, 1]);
  expect(runs[0]?.tenants).not.toEqual(runs[1]?.tenants);
});
