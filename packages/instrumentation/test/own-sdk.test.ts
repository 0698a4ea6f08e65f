import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { regressor, writeModel } from "./onnx-models.js";
import { startSink } from "./otlp-sink.js";
import type { AppOptions } from "./run-app.js";
import { FIXTURES, NODES, REGISTER, runApp, toSink } from "./run-app.js";

const cwd = join(FIXTURES, "own-sdk");
const versions = Object.keys(NODES).map(Number) as (keyof typeof NODES)[];

async function run(file: string, options: AppOptions) {
  const sink = await startSink();
  const result = await runApp(file, { cwd, ...options, env: toSink(sink.url) });
  await sink.close();
  return { ...result, spans: sink.spans() };
}

describe.each(versions)("on Node %i", (node) => {
  test("an SDK that is there already gets the spans, and no second one starts", async () => {
    const flags = ["--require", join(cwd, "sdk.cjs"), "--require", REGISTER];
    const { stdout, stderr, spans } = await run("app.mjs", { node, flags });
    expect(JSON.parse(stdout), stderr).toEqual(["prediction exits child", "by hand root"]);
    expect({ stderr, spans }).toEqual({ stderr: "", spans: [] });
  });

  test.each(["late.cjs", "late.mjs"])(
    "an SDK that the app starts later takes over: %s",
    async (file) => {
      const { stdout, stderr, spans } = await run(file, { node });
      expect(JSON.parse(stdout), stderr).toEqual(["prediction exits child", "by hand root"]);
      expect(spans).toEqual([]);
      expect(stderr).toBe(
        "tidemark: the app has an OpenTelemetry SDK of its own; spans go to that one\n",
      );
    },
  );

  test("tracers from before go to it too, and its own HTTP spans stay the only ones", async () => {
    const { stdout, stderr, spans } = await run("http.cjs", { node });
    expect(JSON.parse(stdout), stderr).toEqual(["GET root", "by a library root"]);
    expect(spans).toEqual([]);
  });

  test("without one, ours takes the app's own spans too", async () => {
    const { spans } = await run("app.mjs", { node });
    expect(spans.map(({ name }) => name)).toEqual(["GET", "prediction exits", "by hand"]);
  });
});

test("an SDK may be given the ONNX Runtime spans alone, without the flag", async () => {
  const models = mkdtempSync(join(tmpdir(), "tidemark-"));
  const MODEL = writeModel(join(models, "m.onnx"), regressor());
  const flags = ["--import", join(cwd, "with-onnx.mjs")];
  const { stdout, stderr } = await runApp("onnx.mjs", { cwd, flags, env: { MODEL } });
  rmSync(models, { recursive: true });
  expect(JSON.parse(stdout), stderr).toEqual(["inference m root"]);
  expect(stderr).toBe("");
});

test("two copies of the flag start one SDK", async () => {
  const flags = ["--require", REGISTER, "--import", REGISTER];
  const { spans } = await run("app.mjs", { flags });
  expect(spans).toHaveLength(3);
});
